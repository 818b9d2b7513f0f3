"""A difference names who made it in Chargebee; not knowing it never fails the report."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fakes.push_data import bill, line
from fakes.push_reading import SITE, Month, month

from reconciler.cli.progress import SilentProgress
from reconciler.kernel.address import BillId
from reconciler.kernel.money import Currency, Money
from reconciler.m3ter.bill import Bill
from reconciler.reconcile.bill_invoices import SidePorts
from reconciler.reconcile.core.month import BillSides, Question, Reconciled
from reconciler.reconcile.explain import ExplainPorts, explain
from reconciler.reconcile.reconcile import ReconcilePorts, reconcile
from reconciler.reconcile.show.explain_text import explain_text
from reconciler.sync.core.billing_month import BillingMonth
from reconciler.sync.model.invoice import Invoice, InvoiceChange
from reconciler.sync.model.push import InvoiceLineId
from reconciler.sync.ports.destination import DestinationUnreachableError

GBP = Currency("GBP", 2)
AT = datetime(2026, 12, 3, 10, 11, tzinfo=UTC)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Month]:
    with month(tmp_path) as opened:
        yield opened


def one(number: int, amount: str = "400", **more: Any) -> Bill:
    return bill(line("USAGE", amount, units="8"), id=BillId(f"bill-{number}"), **more)


def asked(world: Month, **more: int) -> tuple[Reconciled, list[BillSides]]:
    heard: list[BillSides] = []
    sides = SidePorts(SITE, world.ledger, world.site, world.routes, world.shelf)
    ports = ReconcilePorts(world.bills, sides, world.site, SilentProgress(), **more)
    return reconcile(Question(BillingMonth(2026, 11)), ports, heard.append), heard


def with_fee(world: Month, number: int) -> Invoice:
    """Send a bill, and let k.smith add a line to its invoice."""
    each = one(number)
    world.billed(each)
    made = world.sent(each, number)
    fee = replace(made.lines[0], id=InvoiceLineId("li_9"), description="Set-up fee")
    edited = replace(made, lines=(*made.lines, replace(fee, amount=Money(2500, GBP))))
    for user, invoice in (("", made), ("k.smith", edited)):
        source = "admin_console" if user else "api"
        world.site.remembered.append(InvoiceChange(made.id, AT, user, source, invoice))
    return world.site.put(edited)


def test_a_line_that_a_person_added_names_the_person_and_the_time(world: Month) -> None:
    world.billed(one(1))
    world.sent(one(1), 1)
    with_fee(world, 2)
    found, heard = asked(world)
    ((difference, _account),) = found.shown
    assert difference.by is not None
    assert (difference.by.did, difference.by.user, difference.by.at) == ("added", "k.smith", AT)
    assert found.totals[0].unexplained.minor == 2500
    assert [sides.bill_id for sides in heard] == ["bill-1", "bill-2"]
    assert heard[1].result is not None
    assert heard[1].result.differences == heard[1].differences == (difference,)
    assert world.site.asked_changes == [frozenset({"inv_2"})], "asked once, for what differs"


def test_a_month_that_nobody_edited_asks_for_no_changes(world: Month) -> None:
    world.billed(one(1), one(2))
    world.sent(one(1), 1)
    found, _ = asked(world)
    assert found.differences == 1, "the second bill is missing, and has no invoice"
    assert world.site.asked_changes == []


def test_changes_that_cannot_be_read_are_a_note_and_what_came_counts(world: Month) -> None:
    with_fee(world, 1)
    world.site.forgets = DestinationUnreachableError("Chargebee did not answer.\nTry again.")
    found, _ = asked(world)
    ((difference, _account),) = found.shown
    assert difference.by is not None
    assert found.notes == [
        "Who changed what in Chargebee is not fully known: Chargebee did not answer."
    ]
    assert found.outside == 1


def test_a_destination_that_remembers_nothing_is_a_note(world: Month) -> None:
    with_fee(world, 1)
    world.site.remembered.clear()
    found, _ = asked(world)
    assert found.notes == [
        "Who changed what is not known: Chargebee told no event of these invoices."
    ]
    assert found.shown[0][0].by is None


def test_of_very_many_edited_bills_the_first_are_named(world: Month) -> None:
    for number in range(1, 5):
        with_fee(world, number)
    found, heard = asked(world, named_most=2)
    named = [sides for sides in heard if sides.differences[0].by is not None]
    assert (len(named), len(heard), found.outside) == (2, 4, 4)


@pytest.mark.parametrize("answers", [True, False])
def test_an_explanation_names_the_person_too(world: Month, answers: bool) -> None:
    with_fee(world, 1)
    if not answers:
        world.site.remembered.clear()
        world.site.forgets = DestinationUnreachableError("Chargebee did not answer.")
    ports = ExplainPorts(
        SITE, world.bills, world.ledger, world.site, world.routes, world.history, world.site
    )
    text = " ".join(explain_text(explain(BillId("bill-1"), ports)).split())
    assert ("added in Chargebee by k.smith, 3 Dec 2026, 10:11 UTC" in text) == answers
    assert ("is not fully known: Chargebee did not answer." in text) != answers
    assert "Set-up fee" in text
