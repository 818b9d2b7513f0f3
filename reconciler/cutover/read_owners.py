"""Reads the open bills of an integration and finds the owner of each; bills stream through."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import islice

from reconciler.cutover.core.facts import OwnedBill, Owners, owner_of
from reconciler.cutover.world import CutoverPorts, Hear, Order
from reconciler.definitions.kinds.integration import CodeReference, IntegrationSpec
from reconciler.definitions.model import Defined
from reconciler.drafting.draft_bill import billed_amount
from reconciler.drafting.route import Readings
from reconciler.kernel.address import AccountId
from reconciler.m3ter.bill import Bill
from reconciler.m3ter.live import Account, NativeRun
from reconciler.m3ter.ports import BillQuery
from reconciler.selection.interlock import (
    Clear,
    Interlock,
    InterlockSettings,
    MaybePartial,
    NativeRunning,
    RouteClaim,
    RouteKnowledge,
    interlock,
)
from reconciler.selection.scope import AccountScope, membership, scope_of
from reconciler.sync.people.decisions import NOT_SENT_BY_M3TER

BILL = "Bill"
CHUNK = 100
# Bills may be dated before the end of their period; m3ter does not say how far.
LOOK_BACK = timedelta(days=62)


def owners_of(
    order: Order, start: date, defined: Defined[IntegrationSpec], ports: CutoverPorts, hear: Hear
) -> Owners:
    """Find the owner of every open bill that the integration takes, or may take.

    Args:
        order: What was asked for.
        start: The date of the cut-over; bills are read from somewhat before it.
        defined: The integration in the applied record.
        ports: The world.
        hear: Receives every open bill with its owner.
    """
    owners = Owners()
    scope = scope_of(defined.spec, _account_ids(defined.spec, ports))
    bills = ports.organisation.bills.list(BillQuery(since=start - LOOK_BACK))
    with ports.progress.task("reading bills", None) as task:
        for chunk in _chunks(bills):
            for bill in _owned(chunk, order, start, scope, ports):
                task.advance()
                if bill is None:
                    owners.finished += 1
                else:
                    owners.add(bill)
                    hear(bill)
    return owners


def _owned(
    bills: Sequence[Bill], order: Order, start: date, scope: AccountScope, ports: CutoverPorts
) -> Iterator[OwnedBill | None]:
    """Give the owner of each bill that the integration takes; ``None`` for one that is sent."""
    codes = {bill.account_code for bill in bills if bill.account_code}
    accounts = ports.organisation.codes.accounts(codes) if codes else {}
    latest = ports.organisation.runs.latest(BILL, [bill.id for bill in bills])
    for bill in bills:
        if not _may_take(scope, accounts.get(bill.account_code), bill):
            continue
        runs = tuple(ports.organisation.runs.of_entity(BILL, bill.id)) if bill.id in latest else ()
        yield _owner(bill, order, start, _by_m3ter(bill, order.name, runs, ports), ports)


def _owner(
    bill: Bill, order: Order, start: date, native: Interlock, ports: CutoverPorts
) -> OwnedBill | None:
    row = ports.ledger.bill(ports.site, bill.id)
    found = owner_of(
        to=order.to,
        start=start,
        period_end=bill.end_date,
        approved=bill.status == "APPROVED",
        row=row.status if row else None,
        native=native,
    )
    if found is None:
        return None
    owner, why = found
    money = billed_amount(bill, Readings().currencies)
    running = isinstance(native, NativeRunning)
    name = bill.account_code or bill.account_id
    return OwnedBill(bill.id, name, bill.end_date, owner, why, money, running)


def _by_m3ter(bill: Bill, name: str, runs: tuple[NativeRun, ...], ports: CutoverPorts) -> Interlock:
    """Say what m3ter's own runs of a bill mean, and what a person said of them."""
    now = ports.clock.now()
    ours = tuple(run for run in runs if run.destination.casefold() in {"", "chargebee"})
    known = RouteKnowledge(now, (), (RouteClaim(name, "in"),), ours)
    native = interlock(name, known, now, InterlockSettings())
    if isinstance(native, MaybePartial) and _said_not_sent(bill, ports):
        return Clear()
    return native


def _said_not_sent(bill: Bill, ports: CutoverPorts) -> bool:
    """Tell whether a person looked, and said that m3ter sent nothing of a bill."""
    decisions = ports.history.decisions(ports.site, f"native/{bill.id}")
    return bool(decisions) and decisions[-1].what == NOT_SENT_BY_M3TER


def _may_take(scope: AccountScope, account: Account | None, bill: Bill) -> bool:
    """Tell whether the integration takes a bill, or may: what is not known is listed."""
    if account is None or account.id != bill.account_id:
        return True
    return membership(scope, account).verdict != "out"


def _account_ids(spec: IntegrationSpec, ports: CutoverPorts) -> dict[str, AccountId]:
    listed = spec.global_.account_ids
    named = () if isinstance(listed, str) else listed
    references = (*named, *spec.global_.restricted_account_ids)
    codes = {reference.code for reference in references if isinstance(reference, CodeReference)}
    found = ports.organisation.codes.accounts(codes) if codes else {}
    return {code: account.id for code, account in found.items()}


def _chunks(bills: Iterator[Bill]) -> Iterator[tuple[Bill, ...]]:
    while chunk := tuple(islice(bills, CHUNK)):
        yield chunk
