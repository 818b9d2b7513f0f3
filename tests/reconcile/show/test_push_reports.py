"""Reconciliations, status and runs as people and programs read them."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from tempfile import TemporaryFile
from typing import Any

import pytest

from reconciler.kernel.address import AccountId, BillId
from reconciler.kernel.exact_json import decode as exact
from reconciler.kernel.exact_json import encode
from reconciler.kernel.money import Currency, Money
from reconciler.kernel.text import clock, short_id, signed, span, span_of_days, wrapped
from reconciler.reconcile.core.month import (
    BillSides,
    InForce,
    NotSent,
    OutsideTable,
    Question,
    Reconciled,
    UnsentBill,
)
from reconciler.reconcile.show.rows import RowSpool, csv_pieces, json_pieces
from reconciler.reconcile.show.text import reconcile_markdown, reconcile_text
from reconciler.sync.core.billing_month import BillingMonth
from reconciler.sync.core.push_summary import BillDeadlines, Pushed, standing_of
from reconciler.sync.core.readback.compare import BillComparison
from reconciler.sync.core.tally import Purse, Tally
from reconciler.sync.model.invoice import ChangedBy
from reconciler.sync.model.push import InvoiceId, PushKey, PushStatus, SiteName, StepKind, StepName
from reconciler.sync.model.reconciliation import Difference, DifferenceClass
from reconciler.sync.model.standing import Tried
from reconciler.sync.show.summary import (
    push_status_json,
    push_status_lines,
    pushes_json,
    pushes_text,
    requests_text,
)

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
    'a line "=Set|up" of £25.00 is not ours',
)
GONE = Difference(DifferenceClass.EXTRA, None, None, None, None, "nobody knows it")
RESULT = BillComparison(GBP, gbp(40000), gbp(40000), gbp(0), gbp(42500), gbp(0), gbp(700), (FEE,))


CLEAN = replace(RESULT, invoiced=gbp(40000), differences=())


def month_of(*, outside: int = 2, **changes: object) -> Reconciled:
    tally = Tally()
    tally.add(RESULT if outside else CLEAN)
    question = Question(BillingMonth(2026, 11), **changes)  # type: ignore[arg-type]
    found = Reconciled(question, InForce("sandbox", 41, "3f2c9ab77"), "acme-test")
    found.totals = tuple(tally.totals())
    found.differences, found.outside = 2, outside
    found.shown = [(FEE, "acme-uk"), (GONE, "")][:outside]
    purse = Purse()
    purse.add(gbp(900))
    found.left = {OutsideTable.NOT_YET: purse, OutsideTable.NOT_OURS: Purse(bills=3)}
    return found


def test_finance_reads_the_answer_first_and_what_to_do_last() -> None:
    text = reconcile_text(month_of())
    assert text.startswith(
        "Nov 2026 · every push integration of sandbox · site acme-test · applied record 41"
    )
    row = next(line for line in text.splitlines() if line.startswith("GBP "))
    figures = ["400.00", "400.00", "0.00", "425.00", "0.00", "+25.00"]
    assert row.split() == ["GBP", "1", *figures, "!"]
    assert "Unexplained: £25.00, in 2 differences listed below." in text
    assert "GBP +25.00       extra: acme-uk, bill bill-1" in text
    assert "no amount        extra: no bill" in text
    assert "Not in the table: 1 bill (£9.00) not due yet: not approved in m3ter" in text
    assert "Not in the table: 3 bills not ours" in text
    assert "In no column: £7.00" in text
    assert "Exit 17: 2 differences outside the tolerance (push.tolerance)." in text
    assert "csv=reconcile-2026-11.csv" in text
    assert text.splitlines()[-1].endswith("docs/runbook.md#difference")
    assert all(len(line) <= 100 for line in text.splitlines())


def test_a_month_without_differences_says_so() -> None:
    found = month_of(outside=0, integration="chargebee-uk")
    text = reconcile_text(found)
    assert "Nov 2026 · chargebee-uk" in text
    assert "Inside the tolerance: 2 differences" in text
    assert "Unexplained: nothing. What m3ter bills was sent, and stands on the invoices." in text


@pytest.mark.parametrize("render", [reconcile_text, reconcile_markdown])
def test_a_month_without_bills_claims_neither_that_they_were_sent_nor_a_table(
    render: Callable[[Reconciled], str],
) -> None:
    found = month_of(outside=0)
    found.totals, found.differences, found.shown = (), 0, []
    told = render(found)
    assert "No bill of Nov 2026 is due or sent, so there is nothing to compare." in told
    assert "stands on the invoices" not in told
    assert "rounding" not in told


def test_money_inside_the_tolerance_is_not_called_nothing() -> None:
    found = month_of()
    found.outside, found.shown = 0, []
    assert "Unexplained: £25.00, inside the tolerance." in reconcile_text(found)


def test_differences_without_an_amount_are_no_money() -> None:
    found = month_of(outside=0)
    found.outside, found.shown = 1, [(GONE, "")]
    assert "Unexplained: no money, in 1 difference listed below." in reconcile_text(found)


def test_more_than_is_shown_is_counted_and_given_tolerances_are_named() -> None:
    found = month_of(tolerances={"GBP": Decimal("0.05")})
    found.outside = 9
    text = reconcile_text(found)
    told = "(GBP 0.05, otherwise each integration's own). 7 more are not shown."
    assert told in " ".join(text.split())


def test_markdown_is_a_table_that_no_text_breaks() -> None:
    text = reconcile_markdown(month_of())
    assert "| GBP | 1 | 400.00 | 400.00 | 0.00 | 425.00 | 0.00 | +25.00 |" in text
    assert "=Set\\|up" in text
    assert "| difference |" not in reconcile_markdown(month_of(outside=0))


WAITING = NotSent("waiting", "no pending invoice <yet>", "docs/runbook.md#waiting")
SKIPPED = NotSent(
    "a person decided", "k.smith: paid by hand", "docs/runbook.md#skipped", settled=True
)


def incomplete(*, complete: bool = False, outside: int = 0) -> Reconciled:
    found = month_of(outside=outside, complete=complete)
    bare = NotSent("the site is paused", "the site is paused", "docs/runbook.md#paused")
    for number, held in enumerate((WAITING, SKIPPED, bare), start=1):
        money = Money(number * 100, Currency("JPY", 0) if number == 3 else GBP)
        (found.never if held.settled else found.not_yet).add(money)
        found.unsent.append(UnsentBill(BillId(f"bill-{number}"), "acme-uk", "uk", money, held))
    found.not_yet.add(gbp(900))
    found.notes.append("Who changed what in Chargebee is not fully known: no answer.")
    return found


def test_what_is_not_sent_is_listed_under_its_reason_with_its_page() -> None:
    text = reconcile_text(incomplete())
    flat = " ".join(text.split())
    assert "Unexplained: nothing. Not sent yet: £10.00 and ¥300 in 3 bills, listed below" in flat
    assert "Not to be sent, as people decided: £2.00 in 1 bill." in flat
    lines = text.splitlines()
    at = lines.index("Not sent yet: waiting  docs/runbook.md#waiting")
    assert lines[at + 1].split() == ["£1.00", "acme-uk,", "bill", "bill-1,", "uk"]
    assert lines[at + 2].strip() == "no pending invoice <yet>"
    assert "Not to be sent: a person decided  docs/runbook.md#skipped" in lines
    assert "and 1 more that are not sent" in lines
    assert text.count("the site is paused") == 1
    assert "Who changed what in Chargebee" in text
    assert lines[-1] == (
        "The month is not complete: 3 bills are not sent yet. Exit 0; with --complete it is 17."
    )
    assert all(len(line) <= 100 for line in lines)


def test_a_month_that_is_not_complete_ends_with_saying_so() -> None:
    asked = reconcile_text(incomplete(complete=True)).splitlines()[-1]
    assert asked == "The month is not complete: 3 bills are not sent yet. Exit 17, by --complete."
    bad = reconcile_text(incomplete(outside=2)).splitlines()[-1]
    assert bad == "The month is not complete: 3 bills are not sent yet."


def test_markdown_lists_what_is_not_sent_too() -> None:
    text = reconcile_markdown(incomplete())
    wanted = "| £1.00 | acme-uk | bill-1 | no pending invoice &lt;yet> | docs/runbook.md#waiting |"
    assert wanted in text
    assert "Not sent yet: £10.00 and ¥300 in 3 bills" in text
    assert text.endswith("Exit 0; with --complete it is 17.\n")


def test_a_long_reason_gives_its_page_a_line_of_its_own() -> None:
    found = month_of(outside=0)
    held = NotSent("many words " * 8, "why", "docs/runbook.md#x")
    found.not_yet.add(gbp(1))
    found.unsent.append(UnsentBill(BillId("bill-1"), "acme-uk", "uk" * 40, gbp(1), held))
    lines = reconcile_text(found).splitlines()
    assert "  docs/runbook.md#x" in lines
    assert any(line.endswith("acme-uk, bill bill-1") for line in lines)
    assert all(len(line) <= 100 for line in lines)


@pytest.mark.parametrize(
    ("user", "source", "words"),
    [
        ("k.smith", "admin_console", "added in Chargebee by k.smith, 10 Dec 2026, 00:00 UTC"),
        ("key", "api", "added in Chargebee by key, through the API, 10 Dec 2026, 00:00 UTC"),
        ("", "scheduled_job", "by Chargebee itself, at a set time, 10 Dec"),
        ("", "new_source", "by `new_source`, 10 Dec"),
        ("", "", "by somebody unnamed, 10 Dec"),
    ],
)
def test_a_difference_names_who_made_it(user: str, source: str, words: str) -> None:
    found = month_of(outside=1)
    by = ChangedBy("added", user, source, AT)
    found.shown = [(replace(FEE, by=by), "acme-uk")]
    assert words in " ".join(reconcile_text(found).split())
    assert words in reconcile_markdown(found)


def spooled(*sides: BillSides) -> RowSpool:
    spool = RowSpool(TemporaryFile("w+", encoding="utf-8", newline="\n"))  # noqa: SIM115
    for side in sides:
        spool.hear(side)
    return spool


SIDES = BillSides(
    BillId("bill-1"), "=acme", "uk", "COMPLETE", (InvoiceId("inv_1"),), RESULT, (FEE,)
)
APART = BillSides(
    BillId("bill-2"), "b", "", "", left=OutsideTable.NOT_OURS, money=gbp(5), why="not ours"
)
BARE = BillSides(BillId("bill-3"), "c", "", "", differences=(GONE,))


def test_csv_can_be_summed_and_no_cell_is_a_formula() -> None:
    spool = spooled(SIDES, APART, BARE)
    rows = list(csv.DictReader(io.StringIO("".join(csv_pieces(spool.rows())))))
    spool.close()
    assert [row["row"] for row in rows] == ["bill", "difference", "bill", "bill", "difference"]
    assert [row["unexplained"] for row in rows] == ["25.00", "25.00", "", "", ""]
    assert rows[0]["account"] == "'=acme"
    assert (rows[2]["class"], rows[2]["m3ter"], rows[2]["text"]) == ("not ours", "0.05", "not ours")


def test_rows_say_what_is_not_sent_why_and_who_changed_what() -> None:
    unsent = BillComparison(GBP, gbp(700), gbp(0), gbp(700), gbp(0), gbp(0), gbp(0), ())
    held = BillSides(BillId("b1"), "a", "uk", "WAITING", result=unsent, held=WAITING)
    skipped = BillSides(BillId("b2"), "a", "uk", "DISABLED", result=unsent, held=SKIPPED)
    fee = replace(FEE, by=ChangedBy("added", "", "admin_console", AT))
    edited = BillSides(BillId("b3"), "a", "uk", "COMPLETE", differences=(fee,))
    spool = spooled(held, skipped, edited)
    rows = list(csv.DictReader(io.StringIO("".join(csv_pieces(spool.rows())))))
    spool.close()
    names = ("class", "notSent", "unexplained", "text", "page")
    assert [rows[0][name] for name in names] == [
        "not sent yet",
        "7.00",
        "0.00",
        "no pending invoice <yet>",
        "docs/runbook.md#waiting",
    ]
    assert rows[1]["class"] == "not to be sent"
    told = [rows[3][name] for name in ("did", "by", "at")]
    assert told == ["added", "admin_console", "2026-12-10T00:00:00Z"]


def test_json_says_that_a_month_is_not_complete() -> None:
    spool = spooled()
    body = decode("".join(json_pieces(incomplete(complete=True), spool.rows())))
    spool.close()
    assert (body["complete"], body["exitCode"], body["outsideTolerance"]) == (False, 17, 0)
    assert body["notSentYet"]["bills"] == 3
    assert body["notToBeSent"]["money"] == [{"currency": "GBP", "amount": "2.00"}]
    assert body["notes"] == ["Who changed what in Chargebee is not fully known: no answer."]
    assert body["totals"][0]["notSent"] == "0.00"


def test_json_is_one_document_with_exact_amounts() -> None:
    spool = spooled(SIDES, APART)
    body = decode("".join(json_pieces(month_of(), spool.rows())))
    assert body["schema"] == "m3ter-reconciler/reconcile/v1"
    assert body["totals"][0]["unexplained"] == "25.00"
    assert [row["row"] for row in body["rows"]] == ["bill", "difference", "bill"]
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
    standing = standing_of("acme-test", AT, bills, BillDeadlines())
    standing.paused = "k.smith, today: look"
    standing.disabled = {"uk": "ten failures"}
    lines = push_status_lines(standing, "sandbox")
    assert lines[0].startswith("Push to acme-test: 2 bills overdue (£2.00)")
    text = "\n".join(lines)
    assert "paused by k.smith" in text
    assert "reconciler sync enable uk --env sandbox" in text
    assert "1  sent (£1.00)" in text
    assert "docs/runbook.md#unknown-outcome" in text
    assert "late: bill-1, uk, period to 1 Dec 2026, £2.00, blocked: no mapping" in text
    body = push_status_json(standing)
    assert decode(encode(body))["overdue"]["bills"] == 2


def test_status_of_a_calm_or_empty_ledger_is_one_line() -> None:
    calm = standing_of("s", AT, [pushed(0, PushStatus.COMPLETE, gbp(1))], BillDeadlines())
    assert push_status_lines(calm, "e")[0] == "Push to s: no bill is overdue."
    empty = standing_of("s", AT, [], BillDeadlines())
    assert push_status_lines(empty, "e") == ("Push to s: the ledger holds no bill yet.",)


def test_many_late_bills_are_counted_beyond_the_list() -> None:
    bills = [pushed(n, PushStatus.BLOCKED, gbp(1)) for n in range(25)]
    lines = push_status_lines(standing_of("s", AT, bills, BillDeadlines()), "e")
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
    assert short_id("2f6b0000-0000-4000-8000-00000000c191") == "2f6b…c191"
    assert short_id("bill-1") == "bill-1"
    assert clock(AT) == "10 Dec 2026, 00:00:00"
    assert wrapped("", "  ") == [""]
    spans = [date(2026, 11, 1), date(2026, 11, 30), date(2026, 12, 1), date(2027, 1, 2)]
    assert [span_of_days(spans[0], last) for last in spans] == [
        "1 Nov 2026",
        "1 - 30 Nov 2026",
        "1 Nov 2026 - 1 Dec 2026",
        "1 Nov 2026 - 2 Jan 2027",
    ]
