"""What a rebuilt ledger tells people and programs."""

from __future__ import annotations

from datetime import UTC, datetime

from reconciler.kernel import exact_json
from reconciler.kernel.address import BillId
from reconciler.sync.core.stamp_findings import Rebuilt, UndecidedBill
from reconciler.sync.model.push import InvoiceId
from reconciler.sync.show.rebuilt import MOST_LISTED, rebuilt_json, rebuilt_text

SINCE = datetime(2026, 11, 1, tzinfo=UTC)


def undecided(number: int) -> UndecidedBill:
    return UndecidedBill(BillId(f"bill-{number}"), (InvoiceId("inv_1"),), "its invoice is voided")


def test_a_full_recovery_is_said_in_two_lines() -> None:
    lines = rebuilt_text(Rebuilt(SINCE, 12, 11, (), ())).splitlines()
    assert lines[:2] == [
        "Read 12 stamped invoices since 01 Nov 2026; 11 were new.",
        "Their bills are not sent again.",
    ]
    assert lines[-1] == "See docs/runbook.md#ledger-lost."
    assert len(lines) == 4


def test_what_a_person_must_decide_is_listed_with_the_way_out() -> None:
    text = rebuilt_text(Rebuilt(SINCE, 1, 1, (undecided(1),), ("chargebee-uk",)))
    assert "  bill-1  inv_1: its invoice is voided" in text
    assert "sync decide BILL --sent INVOICE | --not-sent" in text
    assert "`chargebee-uk` adds lines to pending invoices" in text


def test_a_long_list_is_cut_with_a_count() -> None:
    many = tuple(undecided(number) for number in range(MOST_LISTED + 3))
    text = rebuilt_text(Rebuilt(SINCE, 60, 60, many, ()))
    assert "  and 3 more" in text
    assert f"bill-{MOST_LISTED}" not in text


def test_programs_get_all_of_it() -> None:
    body = exact_json.decode(rebuilt_json(Rebuilt(SINCE, 2, 1, (undecided(1),), ("uk",))))
    assert body == {
        "schema": "m3ter-reconciler/ledger-rebuild/v1",
        "since": "2026-11-01T00:00:00+00:00",
        "read": 2,
        "new": 1,
        "undecided": [{"bill": "bill-1", "invoices": ["inv_1"], "why": "its invoice is voided"}],
        "unstamped": ["uk"],
    }
