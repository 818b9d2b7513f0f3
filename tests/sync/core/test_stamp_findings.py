"""Which bills stamps decide, and which a person must."""

from __future__ import annotations

from typing import Any

import pytest
from fakes.push_effects import stamped

from reconciler.kernel.address import BillId
from reconciler.sync.core.stamp_findings import as_stamped, undecided
from reconciler.sync.model.invoice import Invoice

BILL = BillId("bill-1")


def found(*invoices: Invoice) -> list[tuple[str, tuple[str, ...], str]]:
    listed = undecided({BILL: [as_stamped(other) for other in invoices]})
    return [(bill.bill_id, bill.invoices, bill.why.split()[0]) for bill in listed]


@pytest.mark.parametrize("status", ["pending", "posted", "payment_due", "paid", "not_paid"])
def test_one_invoice_decides_whatever_its_state(status: str) -> None:
    assert found(stamped(1, status=status)) == []


def test_a_voided_or_deleted_one_beside_it_changes_nothing() -> None:
    assert found(stamped(1), stamped(2, status="voided"), stamped(3, deleted=True)) == []


def test_two_invoices_are_for_a_person() -> None:
    both = found(stamped(2), stamped(1), stamped(3, deleted=True))
    assert both == [(BILL, ("inv_00001", "inv_00002"), "several")]


@pytest.mark.parametrize("change", [{"status": "voided"}, {"deleted": True}])
def test_an_invoice_that_is_gone_is_for_a_person(change: dict[str, Any]) -> None:
    assert found(stamped(1, **change)) == [(BILL, ("inv_00001",), "its")]


def test_bills_are_listed_by_id() -> None:
    gone = [as_stamped(stamped(1, deleted=True))]
    listed = undecided({BillId("b"): gone, BillId("a"): gone})
    assert [bill.bill_id for bill in listed] == ["a", "b"]
