from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from reconciler.review.core.approval_lines import ApprovalLine, lines_of

PLAN = "0123456789ab"
LINE = f"/approve drift@{PLAN}"


def test_a_line_names_guard_plan_item_and_reason() -> None:
    said = lines_of(f"Fine.\n\n{LINE} integration/uk#chargebee.createInvoice -- as agreed\r\n")
    assert said.lines == (
        ApprovalLine(
            is_approval=True,
            guard="drift",
            plan=PLAN,
            address="integration/uk",
            field="chargebee.createInvoice",
            reason="as agreed",
        ),
    )
    assert said.unread == ()


def test_a_mapping_is_named_like_an_integration() -> None:
    (line,) = lines_of(f"{LINE} mapping/uk-accounts/acme#externalId").lines
    assert (line.address, line.field) == ("mapping/uk-accounts/acme", "externalId")


def test_lines_may_follow_each_other() -> None:
    said = lines_of(f"{LINE} -- one\n/revoke policy@{PLAN}\n{LINE}")
    assert [line.is_approval for line in said.lines] == [True, False, True]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (f"> {LINE}", None),
        (f"> said\n{LINE}", "part of the lines above"),
        (f"- item\n{LINE}", "part of the lines above"),
        (f"> said\n\u00a0\n{LINE}", "part of the lines above"),
        (f"I would\n{LINE}", "part of the lines above"),
        (f"    {LINE}", "is not `/approve"),
        (f"```suggestion\n{LINE}\n```", "after a code block"),
        (f"> ```\n```\n\n{LINE}\n", "after a code block"),
        (f"~~~\n\n{LINE}\n~~~", "after a code block"),
        (f"<!--\n\n{LINE}\n-->", "after a code block"),
        (f"1. > <details>\n\n{LINE}", "after a code block"),
        (f"`\n\n{LINE}` ", "is not `/approve"),
        ("/approve drift@0123456789a", "is not `/approve"),
        (f"/approve drft@{PLAN}", "is not `/approve"),
        (f"/approve  drift@{PLAN}", "is not `/approve"),
        (f"{LINE} and more", "is not `/approve"),
        (f"/Approve drift@{PLAN}", None),
    ],
)
def test_what_only_looks_like_a_line_counts_for_nothing_and_says_why(
    words: str, why: str | None
) -> None:
    said = lines_of(words)
    assert said.lines == ()
    assert (why in said.unread[0]) if why else not said.unread


PIECES = st.sampled_from(
    [LINE, "> ", "- ", "1. ", "    ", "```", "~~~~", "`", "<details>", "<!-- ", "-->", "\n", "\n\n",
     "text", "\t", "\u00a0", "# ", "---", "| a |", "\r", "\u2028", "[a]: ", '"', "$$", "* ", "   "]
)  # fmt: skip


@given(st.lists(PIECES, max_size=14).map("".join))
def test_whatever_counts_is_seen_as_plain_text_of_the_review_itself(words: str) -> None:
    counted = len(lines_of(words).lines)
    shown = 0
    tokens = MarkdownIt("commonmark").parse(words)
    for token in tokens:
        if token.type == "inline" and token.level == 1:
            text = "".join(
                "\n" if child.type == "softbreak" else child.content
                for child in token.children or []
                if child.type in {"text", "softbreak", "hardbreak"}
            )
            shown += sum(line.startswith(LINE) for line in text.split("\n"))
    assert counted <= shown
