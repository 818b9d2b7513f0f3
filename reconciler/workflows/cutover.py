"""Cut-over between m3ter's own integration and ours: looks, lists owners, records decisions.

It changes nothing in m3ter and sends nothing: definitions are edited in git and applied.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import islice

from reconciler.core.billed import billed
from reconciler.core.cutover import (
    FINISHED,
    HALF_WAY,
    Facts,
    OwnedBill,
    Owners,
    Step,
    Way,
    current,
    owner_of,
    steps,
    subject,
)
from reconciler.core.interlock import (
    Clear,
    InterlockSettings,
    Knowledge,
    MaybePartial,
    NativeRunning,
    RouteClaim,
    interlock,
    is_connected,
)
from reconciler.core.route import Readings
from reconciler.core.selection import Scope, membership, scope_of
from reconciler.core.tally import Purse
from reconciler.domain.address import AccountId, Address
from reconciler.domain.applied import AppliedRecord
from reconciler.domain.bill import Bill
from reconciler.domain.definitions import Defined, Effective
from reconciler.domain.kinds.integration import CodeReference, IntegrationSpec
from reconciler.domain.live import Account, LiveIntegration
from reconciler.domain.push import PushStatus, SiteName
from reconciler.errors import ExitCode, ReconcilerError
from reconciler.ports.history import PushHistory
from reconciler.ports.ledger import Ledger
from reconciler.ports.organisation import BillQuery, Organisation
from reconciler.ports.runtime import Clock, Progress
from reconciler.workflows.obeyed import obeyed
from reconciler.workflows.people_decide import NOT_SENT_BY_M3TER

BILL = "Bill"
CHUNK = 100
# Bills may be dated before the end of their period; m3ter does not say how far.
LOOK_BACK = timedelta(days=62)
Hear = Callable[[OwnedBill], None]


class NoSuchIntegrationError(ReconcilerError):
    """The applied record has no Chargebee integration of that name."""

    exit_code = ExitCode.INVALID

    def __init__(self, name: str, environment: str) -> None:
        super().__init__(
            f"what was applied to `{environment}` has no Chargebee integration `{name}`.\n"
            "Nothing was changed. Check the name, or apply the definition first."
        )


class NoDateError(ReconcilerError):
    """A cut-over needs the date from which the new route sends."""

    exit_code = ExitCode.INVALID

    def __init__(self, name: str) -> None:
        super().__init__(
            f"the cut-over of `{name}` has no date yet. Nothing was changed.\n"
            "Give --from YYYY-MM-DD: the new route sends bills whose period ends on or after it."
        )


class WrongConfirmationError(ReconcilerError):
    """What was confirmed is not what stands there now."""

    exit_code = ExitCode.STALE

    def __init__(self, given: str, wanted: str, step: str) -> None:
        super().__init__(
            f"`--confirm {given}` is not what step `{step}` asks for now: that is {wanted}.\n"
            "Nothing was recorded. Read the list again; it may have changed since."
        )


@dataclass(frozen=True, slots=True)
class CutoverPorts:
    """The world of a cut-over; only ``history`` is written."""

    environment: str
    site: SiteName
    organisation: Organisation
    ledger: Ledger
    history: PushHistory
    clock: Clock
    progress: Progress


@dataclass(frozen=True, slots=True)
class Order:
    """What was asked for.

    Attributes:
        start: ``None`` takes the date that was decided before.
        confirm: Confirms the step to do now: a date, or the digest of the list.
    """

    name: str
    to: Way
    start: date | None
    confirm: str
    actor: str


@dataclass(frozen=True, slots=True)
class CutoverStand:
    """How far a cut-over is."""

    facts: Facts
    steps: tuple[Step, ...]

    @property
    def now(self) -> Step | None:
        """The step to do now; ``None`` when nothing is left."""
        return next((one for one in self.steps if not one.done), None)


def cutover(
    order: Order,
    working: Effective,
    head: AppliedRecord | None,
    ports: CutoverPorts,
    hear: Hear,
) -> CutoverStand:
    """Look how far a cut-over is, and record one decision when one was given.

    Args:
        order: What was asked for.
        working: The files; they lend their ``file:line``.
        head: The newest applied record.
        ports: The world.
        hear: Receives every open bill with its owner.

    Raises:
        NoSuchIntegrationError: When the integration was not applied.
        NoDateError: When no date was given or decided.
        WrongConfirmationError: When something else was confirmed; nothing was recorded.
    """
    effective = obeyed(head, working)
    defined = _defined(order, effective)
    place = next((one.origin for one in working.integrations if one.name == order.name), None)
    mine = _live(order.name, head, ports.organisation.integrations.list())
    defined = replace(defined, origin=place or defined.origin)
    return look_and_record(order, defined, mine, ports, hear)


def look_and_record(
    order: Order,
    defined: Defined[IntegrationSpec],
    mine: LiveIntegration | None,
    ports: CutoverPorts,
    hear: Hear,
) -> CutoverStand:
    """Look how far the cut-over of one integration is, and record one decision.

    Args:
        order: What was asked for.
        defined: The integration in the applied record.
        mine: Its configuration in m3ter.
        ports: The world.
        hear: Receives every open bill with its owner.
    """
    # about both directions: deciding in one ends the other
    said = ports.history.decisions(ports.site, subject(order.name, order.to).rsplit("/", 1)[0])
    decided = current(said, order.name, order.to)
    start = _start(order, decided)
    if start.isoformat() != decided.get("date"):
        # another date makes another list: what was confirmed for the old one does not count
        decided = {}
    owners = _owners(order, start, defined, ports, hear)
    facts = _facts(replace(order, start=start), defined, mine, owners, ports)
    stand = CutoverStand(facts, steps(facts, decided))
    if order.confirm and stand.now is not None:
        decided = {**decided, **_confirmed(order, stand.now, facts, ports)}
        stand = CutoverStand(facts, steps(facts, decided))
    if stand.now is None and decided.get(FINISHED) is None:
        _record(order, FINISHED, facts.start.isoformat(), ports)
    return stand


def _confirmed(order: Order, now: Step, facts: Facts, ports: CutoverPorts) -> dict[str, str]:
    wanted = {"date": facts.start.isoformat(), "owners": facts.owners.digest}.get(now.name)
    people = now.name == "owners" and "--confirm" not in " ".join(now.todo)
    if wanted is None or people or order.confirm != wanted:
        asked = "nothing that can be confirmed" if wanted is None or people else wanted
        raise WrongConfirmationError(order.confirm, asked, now.name)
    _record(order, now.name, wanted, ports)
    return {now.name: wanted}


def _record(order: Order, step: str, what: str, ports: CutoverPorts) -> None:
    about = subject(order.name, order.to, step)
    ports.history.decide(ports.site, about, what, order.actor, f"cut-over to {order.to}")


def _start(order: Order, decided: Mapping[str, str]) -> date:
    if order.start is not None:
        return order.start
    if "date" not in decided:
        raise NoDateError(order.name)
    return date.fromisoformat(decided["date"])


def _facts(
    order: Order,
    defined: Defined[IntegrationSpec],
    mine: LiveIntegration | None,
    owners: Owners,
    ports: CutoverPorts,
) -> Facts:
    assert order.start is not None, "it was decided before"
    live = ports.organisation.integrations.list()
    sending = [one for one in live if _sends_bills(one) and is_connected(one)]
    return Facts(
        environment=ports.environment,
        name=order.name,
        to=order.to,
        start=order.start,
        applied=defined.spec,
        connected=None if mine is None else is_connected(mine),
        enabled=mine.enabled if mine else False,
        others=tuple(one.name or one.id for one in sending if mine is None or one.id != mine.id),
        half_way=_half_way(order.name, ports),
        paused=ports.ledger.paused(ports.site),
        disabled=ports.ledger.disabled(ports.site, order.name),
        place=str(defined.origin),
        owners=owners,
    )


def _owners(
    order: Order, start: date, defined: Defined[IntegrationSpec], ports: CutoverPorts, hear: Hear
) -> Owners:
    owners = Owners()
    scope = scope_of(defined.spec, _account_ids(defined.spec, ports))
    bills = ports.organisation.bills.list(BillQuery(since=start - LOOK_BACK))
    with ports.progress.task("reading bills", None) as task:
        for chunk in _chunks(bills):
            for one in _owned(chunk, order, start, scope, ports):
                task.advance()
                if one is None:
                    owners.finished += 1
                else:
                    owners.add(one)
                    hear(one)
    return owners


def _owned(
    bills: Sequence[Bill], order: Order, start: date, scope: Scope, ports: CutoverPorts
) -> Iterator[OwnedBill | None]:
    """Give the owner of each bill that the integration takes; ``None`` for one that is sent."""
    codes = {one.account_code for one in bills if one.account_code}
    accounts = ports.organisation.codes.accounts(codes) if codes else {}
    latest = ports.organisation.runs.latest(BILL, [one.id for one in bills])
    for bill in bills:
        account = accounts.get(bill.account_code)
        if not _may_take(scope, account, bill):
            continue
        row = ports.ledger.bill(ports.site, bill.id)
        runs = tuple(ports.organisation.runs.of_entity(BILL, bill.id)) if bill.id in latest else ()
        now = ports.clock.now()
        claim = (RouteClaim(order.name, "in"),)
        ours = tuple(one for one in runs if one.destination.casefold() in {"", "chargebee"})
        native = interlock(order.name, Knowledge(now, (), claim, ours), now, InterlockSettings())
        if isinstance(native, MaybePartial) and _said_not_sent(bill, ports):
            native = Clear()
        found = owner_of(
            to=order.to,
            start=start,
            period_end=bill.end_date,
            approved=bill.status == "APPROVED",
            row=row.status if row else None,
            native=native,
        )
        if found is None:
            yield None
            continue
        owner, why = found
        money = billed(bill, Readings().currencies)
        running = isinstance(native, NativeRunning)
        name = bill.account_code or bill.account_id
        yield OwnedBill(bill.id, name, bill.end_date, owner, why, money, running)


def _said_not_sent(bill: Bill, ports: CutoverPorts) -> bool:
    """Tell whether a person looked, and said that m3ter sent nothing of a bill."""
    said = ports.history.decisions(ports.site, f"native/{bill.id}")
    return bool(said) and said[-1].what == NOT_SENT_BY_M3TER


def _may_take(scope: Scope, account: Account | None, bill: Bill) -> bool:
    """Tell whether the integration takes a bill, or may: what is not known is listed."""
    if account is None or account.id != bill.account_id:
        return True
    return membership(scope, account).verdict != "out"


def _account_ids(spec: IntegrationSpec, ports: CutoverPorts) -> dict[str, AccountId]:
    listed = spec.global_.account_ids
    named = () if isinstance(listed, str) else listed
    references = (*named, *spec.global_.restricted_account_ids)
    codes = {one.code for one in references if isinstance(one, CodeReference)}
    found = ports.organisation.codes.accounts(codes) if codes else {}
    return {code: one.id for code, one in found.items()}


def _half_way(name: str, ports: CutoverPorts) -> dict[PushStatus, Purse]:
    found: dict[PushStatus, Purse] = {}
    for row in ports.ledger.bills(ports.site, HALF_WAY):
        if row.integration == name:
            found.setdefault(row.status, Purse()).add(row.billed)
    return found


def _defined(order: Order, effective: Effective) -> Defined[IntegrationSpec]:
    for one in effective.integrations:
        if one.name == order.name and one.spec.chargebee is not None:
            return one
    raise NoSuchIntegrationError(order.name, effective.environment.name)


def _live(
    name: str, head: AppliedRecord | None, live: Sequence[LiveIntegration]
) -> LiveIntegration | None:
    address = Address("integration", name)
    bound = {str(one.id) for one in head.bindings if one.address == address} if head else set()
    return next((one for one in live if str(one.id) in bound), None)


def _sends_bills(live: LiveIntegration) -> bool:
    return (live.destination.casefold(), live.entity_type.casefold()) == ("chargebee", "bill")


def _chunks(bills: Iterator[Bill]) -> Iterator[tuple[Bill, ...]]:
    while chunk := tuple(islice(bills, CHUNK)):
        yield chunk
