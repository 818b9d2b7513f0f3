"""Reconciliations, status and runs as people and programs read them."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from tempfile import TemporaryFile
from typing import Any

import pytest

from reconciler.core.billing_month import BillingMonth
from reconciler.core.case import CaseResult
from reconciler.core.exact_json import decode as exact
from reconciler.core.exact_json import encode
from reconciler.core.push_standing import Patience, Pushed, standing_of
from reconciler.core.reconciled import BillSides, InForce, Left, Question, Reconciled
from reconciler.core.tally import Purse, Tally
from reconciler.domain.address import AccountId, BillId
from reconciler.domain.decision import Tried
from reconciler.domain.money import Currency, Money
from reconciler.domain.push import InvoiceId, PushKey, PushStatus, SiteName, StepKind, StepName
from reconciler.domain.reconciliation import Difference, DifferenceClass
from reconciler.render.figures import clock, short, signed, span, wrapped
from reconciler.render.push_status_text import (
    push_status_json,
    push_status_lines,
    pushes_json,
    pushes_text,
    requests_text,
)
from reconciler.render.reconcile_markdown import reconcile_markdown
from reconciler.render.reconcile_rows import RowSpool, csv_pieces, json_pieces
from reconciler.render.reconcile_text import reconcile_text

GBP = Currency("GBP", 2)
AT = datetime(2026, 12, 10, tzinfo=UTC)


def decode(text: str) -> Any:
    return exact(text)


def gbp(minor: int) -> Money:
    return Money(minor, GBP)


FEE = Difference(
    DifferenceClass.EXTRA,
    BillId("bill-1"),
    AccountId("acc"),
    InvoiceId("inv_1"),
    gbp(2500),
    'a line "=Set|up" of GBP 25.00 is not ours',
)
GONE = Difference(DifferenceClass.EXTRA, None, None, None, None, "nobody knows it")
RESULT = CaseResult(GBP, gbp(40000), gbp(40000), gbp(0), gbp(42500), gbp(0), gbp(700), (FEE,))


def month_of(*, outside: int = 2, **changes: object) -> Reconciled:
    tally = Tally()
    tally.add(RESULT)
    question = Question(BillingMonth(2026, 11), **changes)  # type: ignore[arg-type]
    found = Reconciled(question, InForce("sandbox", 41, "3f2c9ab77"), "acme-test")
    found.totals = tuple(tally.totals())
    found.differences, found.outside = 2, outside
    found.shown = [(FEE, "acme-uk"), (GONE, "")][:outside]
    purse = Purse()
    purse.add(gbp(900))
    found.left = {Left.NOT_YET: purse, Left.NOT_OURS: Purse(bills=3)}
    return found


def test_finance_reads_the_answer_first_and_what_to_do_last() -> None:
    text = reconcile_text(month_of())
    assert text.startswith(
        "Nov 2026 · every push integration of sandbox · site acme-test · applied record 41"
    )
    row = next(line for line in text.splitlines() if line.startswith("GBP "))
    assert row.split() == ["GBP", "1", "400.00", "400.00", "425.00", "0.00", "+25.00", "!"]
    assert "GBP +25.00       extra: acme-uk, bill bill-1" in text
    assert "no amount        extra: no bill" in text
    assert "Not in the table: 1 bill not due yet (GBP 9.00)" in text
    assert "Not in the table: 3 bills not ours" in text
    assert "In no column: GBP 7.00" in text
    assert "Exit 17: 2 differences outside the tolerance (push.tolerance)." in text
    assert "csv=reconcile-2026-11.csv" in text
    assert text.splitlines()[-1].endswith("docs/runbook.md#difference")
    assert all(len(line) <= 100 for line in text.splitlines())


def test_a_month_without_differences_says_so() -> None:
    found = month_of(outside=0, integration="chargebee-uk")
    text = reconcile_text(found)
    assert "Nov 2026 · chargebee-uk" in text
    assert "Inside the tolerance: 2 differences" in text
    assert "Unexplained: nothing." in text
    found.totals, found.differences = (), 0
    assert "no bill of the month is due or sent" in reconcile_text(found)


def test_more_than_is_shown_is_counted_and_given_tolerances_are_named() -> None:
    found = month_of(tolerances={"GBP": Decimal("0.05")})
    found.outside = 9
    text = reconcile_text(found)
    assert "(GBP 0.05, otherwise each integration's own). 7 more are not shown." in text


def test_markdown_is_a_table_that_no_text_breaks() -> None:
    text = reconcile_markdown(month_of())
    assert "| GBP | 1 | 400.00 | 400.00 | 425.00 | 0.00 | +25.00 |" in text
    assert "=Set\\|up" in text
    assert "| difference |" not in reconcile_markdown(month_of(outside=0))


def spooled(*sides: BillSides) -> RowSpool:
    spool = RowSpool(TemporaryFile("w+", encoding="utf-8", newline="\n"))  # noqa: SIM115
    for one in sides:
        spool.hear(one)
    return spool


SIDES = BillSides(
    BillId("bill-1"), "=acme", "uk", "COMPLETE", (InvoiceId("inv_1"),), RESULT, (FEE,)
)
APART = BillSides(BillId("bill-2"), "b", "", "", left=Left.NOT_OURS, money=gbp(5), why="not ours")
BARE = BillSides(BillId("bill-3"), "c", "", "", differences=(GONE,))


def test_csv_can_be_summed_and_no_cell_is_a_formula() -> None:
    spool = spooled(SIDES, APART, BARE)
    rows = list(csv.DictReader(io.StringIO("".join(csv_pieces(spool.rows())))))
    spool.close()
    assert [one["row"] for one in rows] == ["bill", "difference", "bill", "bill", "difference"]
    assert [one["unexplained"] for one in rows] == ["25.00", "25.00", "", "", ""]
    assert rows[0]["account"] == "'=acme"
    assert (rows[2]["class"], rows[2]["m3ter"], rows[2]["text"]) == ("not ours", "0.05", "not ours")


def test_json_is_one_document_with_exact_amounts() -> None:
    spool = spooled(SIDES, APART)
    body = decode("".join(json_pieces(month_of(), spool.rows())))
    assert body["schema"] == "m3ter-reconciler/reconcile/v1"
    assert body["totals"][0]["unexplained"] == "25.00"
    assert [one["row"] for one in body["rows"]] == ["bill", "difference", "bill"]
    assert body["notInTable"][0]["money"] == [{"currency": "GBP", "amount": "9.00"}]
    assert (body["exitCode"], body["month"]) == (17, "2026-11")
    spool.close()
    empty = spooled()
    assert decode("".join(json_pieces(month_of(), empty.rows())))["rows"] == []
    empty.close()


def pushed(number: int, status: PushStatus, money: Money | None, message: str = "") -> Pushed:
    return Pushed(
        BillId(f"bill-{number}"),
        AccountId("acc"),
        "uk",
        status,
        money,
        date(2026, 12, 1),
        AT,
        AT + timedelta(hours=1) if number else None,
        message,
    )


def test_status_says_what_is_late_first_and_which_page_helps() -> None:
    bills = [
        pushed(0, PushStatus.COMPLETE, gbp(100)),
        pushed(1, PushStatus.BLOCKED, gbp(200), "no mapping"),
        pushed(2, PushStatus.UNKNOWN, None),
    ]
    standing = standing_of("acme-test", AT, bills, Patience())
    standing.paused = "k.smith, today: look"
    standing.disabled = {"uk": "ten failures"}
    lines = push_status_lines(standing, "sandbox")
    assert lines[0].startswith("Push to acme-test: 2 bills overdue (GBP 2.00)")
    text = "\n".join(lines)
    assert "paused by k.smith" in text
    assert "reconciler sync enable uk --env sandbox" in text
    assert "1  sent (GBP 1.00)" in text
    assert "docs/runbook.md#unknown-outcome" in text
    assert "late: bill-1, uk, period to 1 Dec 2026, GBP 2.00, blocked: no mapping" in text
    body = push_status_json(standing)
    assert decode(encode(body))["overdue"]["bills"] == 2


def test_status_of_a_calm_or_empty_ledger_is_one_line() -> None:
    calm = standing_of("s", AT, [pushed(0, PushStatus.COMPLETE, gbp(1))], Patience())
    assert push_status_lines(calm, "e")[0] == "Push to s: no bill is overdue."
    empty = standing_of("s", AT, [], Patience())
    assert push_status_lines(empty, "e") == ("Push to s: the ledger holds no bill yet.",)


def test_many_late_bills_are_counted_beyond_the_list() -> None:
    bills = [pushed(n, PushStatus.BLOCKED, gbp(1)) for n in range(25)]
    lines = push_status_lines(standing_of("s", AT, bills, Patience()), "e")
    assert lines[-1] == "  and 5 more; `sync plan` lists them all"


def test_pushes_and_requests_are_told_newest_first() -> None:
    bills = [
        pushed(0, PushStatus.COMPLETE, gbp(100), "hidden"),
        pushed(1, PushStatus.BLOCKED, None, "no mapping"),
    ]
    text = pushes_text("sandbox", bills)
    assert "hidden" not in text
    assert "no mapping" in text
    assert pushes_text("sandbox", ()) == "sandbox: the ledger holds no bill.\n"
    assert len(pushes_json(bills)) == 2
    key = PushKey(SiteName("s"), BillId("b"), 1, StepName(StepKind.CREATE_INVOICE))
    tried = [Tried(key, 1, AT, "", ""), Tried(key, 2, AT, "Unknown", "it was cut")]
    told = requests_text("b", tried)
    assert "attempt 1, no answer recorded" in told
    assert "attempt 2, Unknown: it was cut" in told
    assert "Nothing was ever sent" in requests_text("b", ())


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(seconds=10), "under a minute"),
        (timedelta(days=2, hours=4, minutes=3), "2 d 4 h"),
        (timedelta(minutes=61), "1 h 1 min"),
    ],
)
def test_durations_have_their_two_largest_units(length: timedelta, words: str) -> None:
    assert span(length) == words


def test_figures_are_exact_and_ids_are_told_apart() -> None:
    assert (signed(gbp(5)), signed(gbp(-5)), signed(gbp(0))) == ("+0.05", "-0.05", "0.00")
    assert short("2f6b0000-0000-4000-8000-00000000c191") == "2f6b…c191"
    assert short("bill-1") == "bill-1"
    assert clock(AT) == "10 Dec 2026, 00:00:00"
    assert wrapped("", "  ") == [""]
