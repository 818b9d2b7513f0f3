"""What the ledger tells people, and the shelf that holds a month of invoices outside memory."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from fakes.push_data import bill, drafted, invoice_of, line, route
from fakes.push_reading import SITE, month

from reconciler.kernel.address import BillId
from reconciler.ledger.spooled_invoices import PAGE, spooled_invoices
from reconciler.sync.model.push import InvoiceId, Performed

INVOICE = invoice_of(drafted(bill(line()), route()))


def test_decisions_are_found_by_subject_and_what_lies_below_it(tmp_path: Path) -> None:
    with month(tmp_path) as world:
        for subject in ("cutover/uk", "cutover/uk/push/date", "cutover/uk_2", "cutover/ukraine"):
            world.history.decide(SITE, subject, "yes", "k.smith", "because")
        found = world.history.decisions(SITE, "cutover/uk")
        assert [decision.subject for decision in found] == ["cutover/uk", "cutover/uk/push/date"]
        assert (found[0].actor, found[0].why, found[0].at) == (
            "k.smith",
            "because",
            world.clock.now(),
        )


def test_every_effect_remembers_in_whose_name_it_was_sent(tmp_path: Path) -> None:
    with month(tmp_path) as world:
        key = world.attempted(BillId("bill-1"), Performed("inv_1"))
        found = world.history.provenance(SITE, BillId("bill-1"))
        assert list(found) == [key]
        assert (found[key].record, found[key].commit) == (4, "3f2c9ab77")


def test_an_invoice_comes_back_as_it_was_put() -> None:
    with spooled_invoices() as shelf:
        shelf.put(INVOICE)
        shelf.put(replace(INVOICE, status="voided"))
        shelf.put(replace(INVOICE, id=InvoiceId("none"), stamp=None))
        assert shelf.take(BillId("bill-1")) == (replace(INVOICE, status="voided"),)
        assert shelf.take(BillId("bill-2")) == ()


def test_the_rest_is_what_nobody_asked_for_over_every_page() -> None:
    with spooled_invoices() as shelf:
        for number in range(PAGE + 5):
            identity = f"{number:05d}"
            stamp = BillId(f"bill-{identity}")
            shelf.put(replace(INVOICE, id=InvoiceId(identity), stamp=stamp))
        shelf.take(BillId("bill-00003"))
        rest = list(shelf.rest())
        assert len(rest) == PAGE + 4
        assert BillId("bill-00003") not in rest


def test_a_bill_is_met_for_the_first_time_once() -> None:
    with spooled_invoices() as shelf:
        assert not shelf.met(BillId("a"))
        assert [shelf.meet(BillId("a")), shelf.meet(BillId("a"))] == [True, False]
        assert shelf.met(BillId("a"))
