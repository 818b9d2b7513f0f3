"""m3ter bill x ledger x invoice for a month: bills stream through, only sums stay.

Three passes find every bill once: m3ter's bills of the month; bills that the ledger holds for the
month and m3ter does not list there; invoices with the stamp of a bill that is in neither.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from itertools import islice
from typing import TypeVar

from reconciler.kernel.ports import Progress, Task
from reconciler.m3ter.ports import BillQuery, Bills
from reconciler.reconcile.bill_invoices import SidePorts
from reconciler.reconcile.bill_sides import sides_of, sides_of_stamp, sides_without_bill
from reconciler.reconcile.core.month import (
    BillSides,
    OutsideTable,
    Question,
    Reconciled,
    UnsentBill,
)
from reconciler.reconcile.core.who_changed import may_be_edited
from reconciler.reconcile.find_authors import find_authors
from reconciler.sync.core.billing_month import BillingMonth
from reconciler.sync.core.readback.compare import outside
from reconciler.sync.core.tally import Purse, Tally
from reconciler.sync.model.reconciliation import Difference, Reconciliation
from reconciler.sync.ports.destination import InvoiceHistory
from reconciler.sync.ports.ledger import BillRow

CHUNK = 100
SHOWN_MAX = 40
NAMED_MOST = 200
# ``billDate`` is not the end of the period; m3ter does not say how far they may be apart.
DATE_MARGIN = timedelta(days=62)

Item = TypeVar("Item")
Hear = Callable[[BillSides], None]


@dataclass(frozen=True, slots=True)
class ReconcilePorts:
    """The world that a reconciliation reads; nothing in it is written.

    Attributes:
        named_most: So many bills may wait, in memory, for who made their differences.
    """

    bills: Bills
    sides: SidePorts
    history: InvoiceHistory
    progress: Progress
    named_most: int = NAMED_MOST


def reconcile(question: Question, ports: ReconcilePorts, hear: Hear) -> Reconciled:
    """Reconcile a month.

    Args:
        question: What to reconcile.
        ports: The world.
        hear: Receives every bill, as it is compared; those whose differences somebody may have
            made come last, with names. What it keeps is its own affair.
    """
    sides = ports.sides
    reconciled = Reconciled(question, sides.routes.in_force, sides.site)
    tally = Tally()
    with ports.progress.task("reading invoices", None) as task:
        for invoice in sides.destination.stamped(_since(question.month)):
            sides.shelf.put(invoice)
            task.advance()
    waiting: list[BillSides] = []
    with ports.progress.task("comparing bills", None) as task:
        for bill in _every_bill(question, ports, task):
            answered = _for_question(bill, question)
            if len(waiting) < ports.named_most and any(map(may_be_edited, answered.differences)):
                waiting.append(answered)
                continue
            _count(answered, reconciled, tally, ports)
            hear(answered)
    for author in _with_authors(waiting, reconciled, ports):
        _count(author, reconciled, tally, ports)
        hear(author)
    reconciled.totals = tuple(tally.totals())
    return reconciled


def passes(difference: Difference, tolerance: Decimal, by_currency: Mapping[str, Decimal]) -> bool:
    """Tell whether a difference is inside the tolerance of its currency."""
    if difference.unexplained is not None:
        tolerance = by_currency.get(difference.unexplained.currency.code, tolerance)
    return not outside(Reconciliation((), (difference,)), tolerance)


def _every_bill(question: Question, ports: ReconcilePorts, task: Task) -> Iterator[BillSides]:
    """Give every bill of the month once."""
    for sides_of_pass in _PASSES:
        for sides in sides_of_pass(question.month, ports):
            if ports.sides.shelf.meet(sides.bill_id):
                task.advance()
                yield sides


def _of_m3ter(month: BillingMonth, ports: ReconcilePorts) -> Iterator[BillSides]:
    """Bills that m3ter lists in the month."""
    readings = ports.sides.routes.readings
    listed = ports.bills.list(_query(month))
    for chunk in _chunks(bill for bill in listed if month.holds(bill.end_date, readings)):
        ports.sides.routes.expect(chunk)
        for bill in chunk:
            yield sides_of(bill, ports.sides)


def _of_ledger(month: BillingMonth, ports: ReconcilePorts) -> Iterator[BillSides]:
    """Bills that the ledger holds for the month and the first pass did not meet."""
    sides = ports.sides
    for chunk in _chunks(_ledger_rows(month, sides)):
        query = BillQuery(ids=tuple(row.bill_id for row in chunk))
        live = {live_bill.id: live_bill for live_bill in ports.bills.list(query)}
        for row in chunk:
            bill = live.get(row.bill_id)
            if bill is None:
                yield sides_without_bill(row, sides)
            elif month.holds(bill.end_date, sides.routes.readings):
                yield sides_of(bill, sides)


def _of_stamps(month: BillingMonth, ports: ReconcilePorts) -> Iterator[BillSides]:
    """Stamped invoices of bills that neither m3ter nor the ledger has."""
    sides = ports.sides
    for ids in _chunks(sides.shelf.rest()):
        bill_ids = {bill.id for bill in ports.bills.list(BillQuery(ids=ids, lines=False))}
        for identity in ids:
            if identity in bill_ids or sides.ledger.bill(sides.site, identity) is not None:
                continue
            stamped = sides_of_stamp(identity, sides, month.after, month.next.after)
            if stamped.result is not None:
                yield stamped


_PASSES = (_of_m3ter, _of_ledger, _of_stamps)


def _ledger_rows(month: BillingMonth, sides: SidePorts) -> Iterator[BillRow]:
    for row in sides.ledger.bills(sides.site):
        if month.holds(row.period_end, sides.routes.readings) and not sides.shelf.met(row.bill_id):
            yield row


def _with_authors(
    waiting: list[BillSides], reconciled: Reconciled, ports: ReconcilePorts
) -> Iterator[BillSides]:
    """Name who made the differences, from one reading of the destination's memory."""
    since = datetime.combine(reconciled.question.month.first, time(0), UTC)
    of_bills = [(sides.differences, sides.former) for sides in waiting]
    named, note = find_authors(of_bills, ports.history, since)
    reconciled.notes.extend([note] if note else [])
    for sides, differences in zip(waiting, named, strict=True):
        result = replace(sides.result, differences=differences) if sides.result else None
        yield replace(sides, differences=differences, result=result)


def _count(sides: BillSides, reconciled: Reconciled, tally: Tally, ports: ReconcilePorts) -> None:
    if sides.result is not None:
        tally.add(sides.result)
        _count_unsent(sides, reconciled)
    elif sides.left is not None:
        reconciled.left.setdefault(sides.left, Purse()).add(sides.money)
    routes = ports.sides.routes
    for difference in sides.differences:
        reconciled.differences += 1
        own = routes.tolerance(sides.integration) if sides.integration else Decimal(0)
        if not passes(difference, own, reconciled.question.tolerances):
            reconciled.outside += 1
            if len(reconciled.shown) < SHOWN_MAX:
                reconciled.shown.append((difference, sides.account))


def _count_unsent(sides: BillSides, reconciled: Reconciled) -> None:
    if sides.held is None or sides.result is None:
        return
    money = sides.result.not_sent
    (reconciled.never if sides.held.settled else reconciled.not_yet).add(money)
    if len(reconciled.unsent) < SHOWN_MAX:
        reconciled.unsent.append(
            UnsentBill(sides.bill_id, sides.account, sides.integration, money, sides.held)
        )


def _for_question(sides: BillSides, question: Question) -> BillSides:
    """Leave bills of other integrations out of the table, but count them."""
    if question.integration is None or sides.integration in {"", question.integration}:
        return sides
    return replace(sides, result=None, differences=(), left=OutsideTable.OTHER, held=None)


def _query(month: BillingMonth) -> BillQuery:
    return BillQuery(since=month.first - DATE_MARGIN, until=month.after + DATE_MARGIN)


def _since(month: BillingMonth) -> datetime:
    return datetime.combine(month.first - DATE_MARGIN, time(0), UTC)


def _chunks(items: Iterable[Item]) -> Iterator[tuple[Item, ...]]:
    stream = iter(items)
    while chunk := tuple(islice(stream, CHUNK)):
        yield chunk
