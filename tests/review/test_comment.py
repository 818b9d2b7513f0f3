from __future__ import annotations

import re
from dataclasses import replace

import pytest
from fakes.plans import ACME, UK, create, create_mapping, field, plan, update
from fakes.reviews import FAY, Paper, approvers, item, rules
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from reconciler.definitions.kinds.project import GuardName
from reconciler.plan.core.guards.approval import hit
from reconciler.plan.model.cause import Causes
from reconciler.plan.model.change import ChangeId, FieldValue
from reconciler.plan.model.plan import Approval, GuardHit, Plan, Unplanned
from reconciler.review.core.consents import Uncounted
from reconciler.review.core.judge import Judged
from reconciler.review.core.public_names import public_names
from reconciler.review.show.comment import BYTES_MAX, comment, marker
from reconciler.review.show.report import Report

NASTY = "`<img src=x>` @everyone #1 **b** [l](http://e.com) | \\` ``` \n\n# x ~~~ <!-- -->"


def report(made: Plan, *open_items: GuardHit, **about: object) -> Report:
    """What a comment is made of; ids bear their codes."""
    judged = Judged((), open_items or made.body.hits, ())
    known = Report(made, Causes(), judged, rules(), names=public_names(made, "codes"))
    return replace(known, **about)  # type: ignore[arg-type]


def tokens(text: str) -> list[Token]:
    return MarkdownIt("commonmark").enable("strikethrough").parse(text)


def spoken(text: str) -> str:
    """The text that a reader sees outside of code."""
    return "".join(
        child.content
        for token in tokens(text)
        for child in token.children or ()
        if child.type == "text"
    )


def is_whole(text: str) -> bool:
    """Tell whether nothing is left open, and all HTML is ours."""
    found = tokens(text)
    html = "".join(
        entry.content
        for token in found
        for entry in (token, *(token.children or ()))
        if entry.type in {"html_block", "html_inline"}
    )
    left = re.sub(r"<!-- reconciler-comment/1 [a-z-]+ -->|</?details>|</?summary>", "", html)
    return (
        html.count("<details>") == html.count("</details>")
        and "<" not in left
        and not any(entry.type == "code_block" for entry in found)
        and sum(entry.type == "fence" for entry in found) <= 1
    )


def test_someone_from_finance_reads_who_must_do_what_first() -> None:
    made = plan(update(field("chargebee.defaultPriceId", "a", "b")), hits=(
        item("sensitive-field", "chargebee-us"), item("policy", "project"),
    ))  # fmt: skip
    text = comment(report(made, rules=rules(approvers(count=2)))).text
    assert text.startswith(marker("sandbox") + "\n### sandbox: needs approval\n\n**2 of acme/fin")
    assert f"/approve sensitive-field@{made.id:.12} -- why" in text
    assert "- `policy`: 1 change of the rules themselves, by 2 of acme/finance" in text
    assert "`chargebee.defaultPriceId` `a` → `b`" in text
    assert "integrations.d/chargebee-uk/integration.yaml:44" in spoken(text)


def test_a_place_is_whole_and_leads_to_the_line_that_was_planned() -> None:
    made = plan(update(field("chargebee.defaultPriceId", "a", "b")))
    text = comment(report(made, files="https://forge/acme/x/blob/abc")).text
    assert (
        "(https://forge/acme/x/blob/abc/integrations.d/chargebee-uk/integration.yaml#L44)" in text
    )


def test_without_a_change_there_is_one_line() -> None:
    found = comment(report(plan()))
    assert found.is_quiet
    assert found.text.count("\n") == 2


def test_changes_are_told_by_their_cause() -> None:
    mine, drifted = update(field("displayName", "a", "b")), create_mapping()
    made = plan(mine, drifted, create())
    causes = Causes({ChangeId(mine.id): "waiting", ChangeId(drifted.id): "drift"})
    text = comment(report(made, causes=causes)).text
    order = ["**This pull request (1)**", "**Waiting on the base branch", "**Edits in m3ter"]
    assert [text.index(title) for title in order] == sorted(text.index(title) for title in order)
    assert "accept-live --env sandbox 'mapping/chargebee-uk-accounts/acme-uk#FIELD'" in text


def test_a_remedy_makes_it_a_failure_and_asks_for_no_approval() -> None:
    held = replace(item("dialect", "chargebee-us"), needs="remedy")
    text = comment(report(plan(update(), hits=(held,)))).text
    assert "cannot be applied" in text
    assert "/approve" not in text


def test_what_counts_for_nothing_says_why() -> None:
    paper = Paper()
    odd = Uncounted(FAY, "https://f/7#1", "authors and committers never approve what they wrote")
    approval = Approval("drift", paper.post(), (), FAY, "", reason="as agreed", url="https://f/7#2")
    made = plan(update(field("displayName", "a", "b")))
    text = comment(report(made, judged=Judged((approval,), (), (odd,)))).text
    assert "[fay](https://f/7#1): authors and committers" in text
    assert "[fay](https://f/7#2): as agreed" in text


def test_names_and_addresses_are_shown_only_where_the_project_says_so() -> None:
    moved = field("chargebee.createInvoice", "u-1", "b", "theirs", by="u-1", at="2026-12-01")
    held = hit("drift", "changed by jane@acme.example", address=UK, field="x")
    made = plan(update(moved), hits=(held,), names={"u-1": "Jane Doe"})
    secretive = comment(report(made)).text
    assert "Jane" not in secretive
    assert "jane@" not in secretive
    open_text = comment(report(made, names=public_names(made, "names"), shows_addresses=True)).text
    assert "Jane Doe" in open_text


@pytest.mark.parametrize(
    "value", [NASTY, "`", "``", " a ", "", "\\", "@fay", "x" * 9_000, "a\x1b[0m"]
)
def test_values_cannot_become_markup_html_or_mentions(value: str) -> None:
    held = hit("conflict", f"message {value}", address=UK, field=value)
    wrong = Unplanned(ACME, value, value)
    made = plan(
        update(field(value, value, value)), hits=(held, item("policy", value)), unplanned=(wrong,)
    )
    text = comment(report(made)).text
    assert is_whole(text)
    assert not re.search(r"@\w", spoken(text))
    assert len(text) < 9_000


GUARDS: list[GuardName] = ["sensitive-field", "drift", "conflict", "policy", "widening", "dialect"]
texts = st.one_of(
    st.sampled_from([NASTY, "plain", "@fay", "```", "</details>"]), st.text(max_size=30)
)
counts = st.one_of(st.integers(0, 5), st.sampled_from([60, 400]))


@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.tuples(counts, counts, counts), texts, st.sampled_from(GUARDS), st.integers(8_000, BYTES_MAX)
)
def test_whatever_the_plan_the_comment_is_small_whole_and_says_what_to_do(
    numbers: tuple[int, int, int], text: str, guard: GuardName, size: int
) -> None:
    changes, items, wrong = numbers
    held = tuple(
        hit(guard, f"{number} {text}", address=UK, field=f"{text}{number}",
            desired=FieldValue([text, str(number)]))
        for number in range(items)
    )  # fmt: skip
    changed = tuple(
        replace(
            change,
            id=ChangeId(f"{change.id}{number}"),
            address=replace(change.address, key=str(number)),
        )
        for number in range(changes)
        for change in [update(field("displayName", text, text), field(text, "a", None))]
    )
    unplanned = tuple(Unplanned(ACME, text, "") for _ in range(wrong))
    made = plan(*changed, hits=held, unplanned=unplanned)
    found = comment(report(made), bytes_max=size)
    assert len(found.text.encode()) <= size
    assert is_whole(found.text)
    assert not re.search(r"@\w", spoken(found.text))
    if items and not wrong:
        assert f"/approve {guard}@{made.id:.12}" in found.text
    if wrong:
        assert "Cannot be applied" in found.text


@pytest.mark.chaos
@settings(max_examples=60)
@given(texts)
def test_twenty_thousand_items_fit(text: str) -> None:
    held = tuple(hit("drift", f"{n} {text}", address=UK, field=str(n)) for n in range(20_000))
    found = comment(report(plan(update(field("displayName", "a", "b")), hits=held)))
    assert len(found.text.encode()) <= BYTES_MAX
    assert is_whole(found.text)


def test_accounts_that_would_be_billed_anew_are_named_by_their_codes() -> None:
    ids = [f"id-{number}" for number in range(25)]
    wider = hit("widening", "more", address=UK, desired=FieldValue(ids))
    odd = hit("widening", "more", address=UK, desired=FieldValue("all"))
    made = plan(update(), hits=(wider, odd), names={"id-0": "acme-uk", "u-1": "Jane"})
    assert public_names(made, "codes") == {"id-0": "acme-uk"}
    text = comment(report(made)).text
    assert "would bill 25 more accounts: `acme-uk`, `id-1`" in text
    assert "and 5 more" in text
