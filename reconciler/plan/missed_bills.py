"""Bills that were approved while a configuration was not connected: m3ter did not send them.

An approval triggers a run, and a run needs a credential. That a later connection catches up is
documented nowhere, so the receipt names what may be missing at the destination.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from reconciler.kernel.ports import Clock
from reconciler.m3ter.bill import Bill
from reconciler.m3ter.live import LiveIntegration
from reconciler.m3ter.ports import BillQuery, Organisation, OrganisationError
from reconciler.plan.core.bindings import readable
from reconciler.plan.core.guards.routes import Selecting, added, selecting
from reconciler.plan.model.applied import AppliedRecord, Done
from reconciler.plan.model.change import ChangeId, Connect
from reconciler.plan.model.plan import Plan
from reconciler.plan.ports import StateChain

LOOK_BACK = timedelta(days=35)
"""How far back bills are looked for: a month, and some days for its approvals."""
BILL = "bill"
_NOBODY = Selecting(frozenset(), frozenset(), "")


@dataclass(frozen=True, slots=True)
class _Gap:
    """One configuration that was connected, and since when it was not; ``None`` is always."""

    change: Connect
    live: LiveIntegration
    since: datetime | None


def missed_bills(
    plan: Plan,
    connected: Iterable[tuple[Connect, LiveIntegration]],
    organisation: Organisation,
    chain: StateChain,
    clock: Clock,
) -> tuple[str, ...]:
    """Give a note for each connected Bill configuration that has such bills.

    Args:
        plan: What was applied.
        connected: The Connects that were done, with the configurations as read back.
        organisation: Its bills are read without their lines, once for all.
        chain: Says when this repository disconnected them.
        clock: The time.
    """
    gaps = [
        _Gap(change, live, _disconnected_at(change, plan, chain))
        for change, live in connected
        if live.entity_type.casefold() == BILL
    ]
    if not gaps:
        return ()
    now = clock.now()
    first = min((gap.since for gap in gaps if gap.since), default=now) - LOOK_BACK
    query = BillQuery(since=first.date(), status="APPROVED", lines=False, total=True)
    try:
        bills = tuple(organisation.bills.list(query))
        return tuple(note for gap in gaps for note in _notes(gap, bills, plan, organisation, now))
    except OrganisationError as error:
        return (f"bills approved while nothing was connected could not be listed: {error}",)


def _notes(
    gap: _Gap, bills: Iterable[Bill], plan: Plan, organisation: Organisation, now: datetime
) -> Iterator[str]:
    since = gap.since or now - LOOK_BACK
    late = [bill for bill in bills if bill.approved_at is None or bill.approved_at >= since]
    selected = _selected(gap, late, plan, organisation)
    mine = [bill for bill in late if bill.account_id in selected]
    if not mine:
        return
    address = gap.change.address
    if gap.since is None:
        yield (
            f"{address} is connected for the first time: {_counted(mine)} of the last "
            f"{LOOK_BACK.days} days were approved before and are not sent by it"
        )
        return
    yield (
        f"{_counted(mine)} approved since {since:%d %b %Y, %H:%M} UTC, while {address} was not "
        f"connected, worth {_money(mine)}; m3ter does not send them by itself: "
        f"{_named(mine)}"
    )


def _selected(
    gap: _Gap, bills: Iterable[Bill], plan: Plan, organisation: Organisation
) -> frozenset[str]:
    fields = readable(gap.live, gap.change.address, plan.body.definitions)
    after = selecting(fields)
    if after.included is not None and not after.filter:
        return after.included - after.restricted
    codes = {bill.account_code for bill in bills}
    return frozenset(added(_NOBODY, after, organisation.codes.accounts(codes).values()))


def _disconnected_at(change: Connect, plan: Plan, chain: StateChain) -> datetime | None:
    """Find when it was disconnected: by a Console user, as the plan saw it, or by an apply."""
    if change.live is None:
        return None
    for field in change.fields:
        if field.verdict in {"theirs", "conflict"} and field.live is None and field.at:
            return datetime.fromisoformat(field.at)
    wanted = ChangeId(f"disconnect:{change.address}")
    for record in chain.records(plan.body.environment):
        if _did(record, wanted):
            return datetime.fromisoformat(record.at)
    return None


def _did(record: AppliedRecord, wanted: ChangeId) -> bool:
    outcomes = record.receipt.outcomes if record.receipt else ()
    return any(
        outcome.change == wanted and isinstance(outcome.outcome, Done) for outcome in outcomes
    )


def _counted(bills: list[Bill]) -> str:
    return "1 bill" if len(bills) == 1 else f"{len(bills):,} bills"


def _money(bills: Iterable[Bill]) -> str:
    totals: defaultdict[str, Decimal] = defaultdict(Decimal)
    unknown = 0
    for bill in bills:
        if bill.total is None:
            unknown += 1
        else:
            totals[bill.currency] += bill.total
    parts = [f"{currency} {amount:,f}" for currency, amount in sorted(totals.items())]
    return ", ".join([*parts, *([f"{unknown} without a total"] if unknown else [])])


def _named(bills: Iterable[Bill]) -> str:
    accounts = Counter(bill.account_code or bill.account_id for bill in bills)
    shown = [f"{name} ({count})" if count > 1 else name for name, count in sorted(accounts.items())]
    rest = len(shown) - 10
    return ", ".join(shown[:10]) + (f" and {rest} more accounts" if rest > 0 else "")
