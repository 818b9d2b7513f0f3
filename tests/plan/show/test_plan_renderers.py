from __future__ import annotations

import pytest
from fakes.plans import (
    ACME,
    UK,
    US,
    connect,
    create,
    create_mapping,
    delete,
    field,
    plan,
    update,
)
from inline_snapshot import snapshot

from reconciler.kernel.problem import Origin
from reconciler.kernel.value import JsonValue
from reconciler.plan.core.guards.approval import hit
from reconciler.plan.model.change import Change, ChangeId, Create, FieldValue, Ignore, Keep
from reconciler.plan.model.plan import ChainPosition, GuardHit, Plan, RecordId, Unplanned
from reconciler.plan.show.formats import plan_html, plan_markdown
from reconciler.plan.show.text import plan_text
from reconciler.plan.show.view import approvals


def _busy() -> Plan:
    drift = field(
        "displayName", "US bills (old)", "US bills", "theirs", by="u-9", at="19 Nov 16:40"
    )
    long = field("entity.accountFilter", 'address.country == "UK"' * 3, 'country == "IE"' * 3)
    gone = field("chargebee.defaultPriceId", "other-GBP", None)
    widening = hit("widening", "+3 accounts, £8,310.00 billed last month", address=US)
    edited = hit("drift", "k.smith changed the name", address=US, field="displayName")
    return plan(
        create(),
        create_mapping(),
        update(drift, long, gone, field("entity.x", "1", "1", "same")),
        connect(),
        hits=(widening, edited),
        base=ChainPosition(12, RecordId("a" * 64)),
        names={"u-9": "k.smith"},
    )


def test_an_empty_plan_is_one_line() -> None:
    assert plan_text(plan()) == snapshot(
        "sandbox is as git says: 20 integrations, 10,000 mappings, checked in 51 calls (5.3 s).\n"
    )


def test_a_plan_says_what_changes_why_and_what_to_type() -> None:
    assert plan_text(_busy()) == snapshot("""\
sandbox · organisation 1111…1111 · commit 3f2c9ab (clean) · compared with applied record 12

  1 edited in the Console since the last apply, 2 to create      about 4 calls, 1 s

+ integration/chargebee-uk  "Chargebee UK bills"
    create, connect: m3ter does not have it
+ mapping/chargebee-uk-accounts/acme-uk  -> Subscription sub_acme-uk         integrations.d/chargebee-uk/accounts.csv:3
! integration/chargebee-us  "Chargebee UK bills"
    change: git changed it
    displayName  integrations.d/chargebee-uk/integration.yaml:44
      US bills (old)
      -> US bills
      edited by k.smith, 19 Nov 16:40
    entity.accountFilter  integrations.d/chargebee-uk/integration.yaml:44
      address.country == "UK"address.country == "UK"address.country == "UK"
      -> country == "IE"country == "IE"country == "IE"
    chargebee.defaultPriceId  integrations.d/chargebee-uk/integration.yaml:44
      other-GBP
      -> back to m3ter's default
      +3 accounts, £8,310.00 billed last month  (needs approval: widening)
      k.smith changed the name  (needs approval: drift)

Plan 3553cd86cc74.
To apply it:  reconciler apply plan.json --approve widening@3553cd86cc74 --approve drift@3553cd86cc74
To keep what m3ter has:  reconciler accept-live 'integration/chargebee-us#displayName'
""")


def test_unchanged_fields_show_only_in_full() -> None:
    assert "entity.x" not in plan_text(_busy())
    assert "entity.x" in plan_text(_busy(), full=True)


def test_many_mappings_of_one_set_are_counted_instead_of_listed() -> None:
    changes: tuple[Change, ...] = tuple(
        create_mapping(f"acme-{position}") for position in range(25)
    )
    text = plan_text(plan(*changes))
    assert text.count("-> Subscription") == 20
    assert "5 more of these; --full lists them all" in text
    assert plan_text(plan(*changes), full=True).count("-> Subscription") == 25


def test_a_plan_with_errors_says_that_it_cannot_be_applied() -> None:
    wrong = Unplanned(
        ACME, "m3ter has no account `acme-uk`", "correct the code", Origin("a.csv", 3)
    )
    text = plan_text(plan(create(), unplanned=(wrong,)))
    assert "x mapping/chargebee-uk-accounts/acme-uk  a.csv:3" in text
    assert "Put the errors above right first" in text
    assert "To apply it" not in text


def test_a_guard_that_nobody_can_approve_says_so() -> None:
    held = hit("dialect", "the wire names are not confirmed", address=UK, needs="remedy")
    text = plan_text(plan(create(), hits=(held,)))
    assert "cannot be applied: dialect" in text
    assert "--approve" not in text


def test_a_hit_about_the_whole_plan_stands_at_the_end() -> None:
    frozen = hit("freeze", "changes are frozen until Monday", desired=FieldValue("w"))
    assert "(needs approval: freeze)" in plan_text(plan(delete(), hits=(frozen,)))


def test_what_is_kept_or_left_alone_is_shown_with_its_reason() -> None:
    kept = Keep(id=ChangeId(f"keep:{UK}"), address=UK, live=None, reason="prune is never")
    left = Ignore(
        id=ChangeId(f"ignore:{US}"), address=US, live=None, fields=(), reason="adoption is explicit"
    )
    text = plan_text(plan(kept, left))
    assert "keep: prune is never" in text
    assert "leave alone: adoption is explicit" in text
    assert "2 left alone" in text


def test_approvals_are_named_once_each() -> None:
    twice: tuple[GuardHit, ...] = (hit("drift", "a", field="a"), hit("drift", "b", field="b"))
    made = plan(create(), hits=twice)
    assert approvals(made) == (f"drift@{made.id[:12]}",)


def test_markdown_keeps_the_head_when_it_is_cut() -> None:
    text = plan_markdown(_busy(), characters_max=300)
    assert text.startswith("### sandbox: ")
    assert "more objects; the saved plan has all" in text
    assert "--approve widening@" in text


def test_markdown_values_cannot_become_markup_or_mentions() -> None:
    nasty = field("a|b", "<img src=x>", "@everyone `x`")
    text = plan_markdown(plan(update(nasty)))
    assert "<img" not in text.replace("\\<", "")
    assert "@everyone" not in text
    assert "a\\|b" in text


def test_markdown_shows_errors_and_guards() -> None:
    wrong = Unplanned(ACME, "m3ter has no account", "correct it", Origin("a.csv", 3))
    held = hit("freeze", "frozen")
    text = plan_markdown(plan(create(), hits=(held,), unplanned=(wrong,)))
    assert "nothing of mapping/chargebee-uk-accounts/acme-uk is planned** (a.csv:3)" in text
    assert "**freeze**: frozen" in text


@pytest.mark.parametrize("made", [plan(), _busy()])
def test_the_page_is_self_contained_and_escapes_values(made: Plan) -> None:
    page = plan_html(made)
    assert "<script" not in page
    assert "http://" not in page
    assert page.startswith("<!doctype html>")
    assert made.id[:12] in page


def test_the_page_escapes_what_came_from_m3ter() -> None:
    page = plan_html(plan(update(field("displayName", "<b>x</b>", "y"))))
    assert "<b>x</b>" not in page
    assert "&lt;b&gt;x&lt;/b&gt;" in page


def test_minutes_are_given_for_long_applies() -> None:
    from dataclasses import replace
    from decimal import Decimal

    made = plan(create())
    slow = replace(made, head=replace(made.head, estimated_seconds=Decimal(600)))
    assert "about 4 calls, 10 min" in plan_text(slow)
    single = replace(made, head=replace(made.head, estimated_calls=1))
    assert "about 1 call, 1 s" in plan_text(single)


def test_values_of_every_shape_read_as_words() -> None:
    from decimal import Decimal

    from reconciler.kernel.address import FieldPath
    from reconciler.plan.model.change import FieldChange

    values: tuple[JsonValue, ...] = (None, True, 3, Decimal("1.50"), {"a": 1}, ["u-1", "x"], [])
    rows = tuple(
        FieldChange(FieldPath(f"f{number}"), "both", None, FieldValue(value), FieldValue("z"))
        for number, value in enumerate(values)
    )
    text = plan_text(plan(update(*rows), names={"u-1": "acme-uk"}))
    for words in (
        "null ->",
        "true ->",
        "3 ->",
        "1.50 ->",
        '{"a":1} ->',
        "acme-uk, x ->",
        "none ->",
    ):
        assert words in text
    assert "changed alike in git and in m3ter" in text


def test_a_create_without_confirmed_names_has_no_label() -> None:
    bare = Create(
        id=ChangeId(f"create:{UK}"),
        address=UK,
        content=None,
        fields=(),
        reason="m3ter does not have it",
    )
    assert "+ integration/chargebee-uk\n" in plan_text(plan(bare))


def test_markdown_of_thousands_of_guard_hits_is_cut_with_a_count() -> None:
    held = tuple(
        hit("drift", f"{number} " + "x" * 500, field=str(number)) for number in range(3_000)
    )
    text = plan_markdown(plan(create(), hits=held))
    assert len(text) < 65_000
    assert "*2,980 more guard hits; the saved plan has all.*" in text
