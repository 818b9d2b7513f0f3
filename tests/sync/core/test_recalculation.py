"""Bills that changed after they were sent: each policy in each state of the invoice."""

from __future__ import annotations

from typing import Any

import pytest
from fakes.push_data import bill, drafted, invoice_of, line, route

from reconciler.kernel.money import Money
from reconciler.sync.model.invoice import Invoice
from reconciler.sync.model.push import InvoiceLineId
from reconciler.sync.model.recalculation import (
    CreditAndRebill,
    LeaveToPerson,
    Recalculated,
    RecalculatedPolicy,
    Reopened,
    ReplaceLines,
    SentBill,
    Unchanged,
    VoidAndRecreate,
    recalculated,
)

DRAFT = drafted(bill(line(), line("AD_HOC", "7")), route())
OURS = (InvoiceLineId("li_1"), InvoiceLineId("li_2"))


def decide(
    policy: RecalculatedPolicy, invoice: Invoice | None, ours: Any = OURS, **more: Any
) -> Recalculated:
    sent = SentBill("old", invoice, frozenset(ours))
    approved = more.get("approved", True)
    return recalculated(sent, more.get("now", "new"), policy, approved=approved)


def invoice(status: str, **more: Any) -> Invoice:
    return invoice_of(DRAFT, status=status, **more)


def test_what_did_not_change_is_left_alone() -> None:
    assert decide("refuse", invoice("paid"), now="old") == Unchanged()


def test_a_sent_bill_that_is_pending_again_is_reopened() -> None:
    assert decide("replace", invoice("pending"), approved=False) == Reopened(changed=True)
    assert decide("replace", None, approved=False, now="old") == Reopened(changed=False)


@pytest.mark.parametrize("status", ["pending", "posted", "payment_due", "not_paid"])
@pytest.mark.parametrize("policy", ["refuse", "replace", "credit-and-rebill", "void-and-recreate"])
def test_the_table_holds(policy: RecalculatedPolicy, status: str) -> None:
    wanted = {
        ("replace", True): ReplaceLines(invoice(status), OURS),
        ("credit-and-rebill", True): ReplaceLines(invoice(status), OURS),
        ("void-and-recreate", True): ReplaceLines(invoice(status), OURS),
        ("credit-and-rebill", False): CreditAndRebill(invoice(status), OURS),
        ("void-and-recreate", False): VoidAndRecreate(invoice(status)),
    }.get((policy, status == "pending"))
    found = decide(policy, invoice(status))
    if wanted is None:
        assert isinstance(found, LeaveToPerson)
    else:
        assert found == wanted


@pytest.mark.parametrize("policy", ["replace", "credit-and-rebill", "void-and-recreate"])
@pytest.mark.parametrize(
    ("standing", "why"),
    [
        (invoice("paid"), "is paid"),
        (invoice("payment_due", paid=Money(1, DRAFT.currency)), "paid, at least in part"),
        (invoice("voided"), "was voided"),
        (invoice("posted", deleted=True), "was deleted"),
        (None, "cannot be found"),
    ],
)
def test_no_policy_touches_what_is_paid_or_gone(
    policy: RecalculatedPolicy, standing: Invoice | None, why: str
) -> None:
    found = decide(policy, standing)
    assert isinstance(found, LeaveToPerson)
    assert why in found.why


def test_an_unpaid_invoice_with_a_paid_amount_of_zero_may_be_changed() -> None:
    unpaid = invoice("posted", paid=Money(0, DRAFT.currency))
    assert decide("void-and-recreate", unpaid) == VoidAndRecreate(unpaid)


def test_an_invoice_with_foreign_lines_is_not_voided() -> None:
    found = decide("void-and-recreate", invoice("posted"), OURS[:1])
    assert isinstance(found, LeaveToPerson)
    assert "lines that are not ours" in found.why


def test_an_invoice_that_lost_our_lines_is_for_a_person() -> None:
    found = decide("replace", invoice("pending"), (*OURS, InvoiceLineId("li_9")))
    assert isinstance(found, LeaveToPerson)
    assert "no longer on its invoice" in found.why


@pytest.mark.parametrize("policy", ["refuse", "replace", "credit-and-rebill", "void-and-recreate"])
def test_every_policy_says_when_an_invoice_is_paid(policy: RecalculatedPolicy) -> None:
    for found, paid in ((invoice("paid"), True), (invoice("voided"), False)):
        told = decide(policy, found)
        assert isinstance(told, LeaveToPerson)
        assert told.paid is paid


@pytest.mark.parametrize("status", ["pending", "posted", "paid"])
@pytest.mark.parametrize("policy", ["refuse", "replace", "credit-and-rebill", "void-and-recreate"])
def test_a_bill_whose_promotional_credit_was_given_is_never_sent_again_by_itself(
    policy: RecalculatedPolicy, status: str
) -> None:
    sent = SentBill("old", invoice(status), frozenset(OURS), promotional="pc_1")
    told = recalculated(sent, "new", policy, approved=True)
    assert isinstance(told, LeaveToPerson)
    assert "promotional credit pc_1 was given" in told.why
    assert recalculated(sent, "old", policy, approved=True) == Unchanged()
