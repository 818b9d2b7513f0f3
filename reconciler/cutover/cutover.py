"""Cut-over between m3ter's own integration and ours: looks, lists owners, records decisions.

It changes nothing in m3ter and sends nothing: definitions are edited in git and applied.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

from reconciler.cutover.core.facts import (
    FINISHED,
    HALF_WAY,
    CutoverFacts,
    CutoverStep,
    Owners,
    current,
    subject,
)
from reconciler.cutover.core.steps import steps
from reconciler.cutover.read_owners import owners_of
from reconciler.cutover.world import (
    CutoverPorts,
    CutoverStand,
    Hear,
    NoDateError,
    NotInForceError,
    Order,
    WrongConfirmationError,
)
from reconciler.definitions.kinds.integration import IntegrationSpec
from reconciler.definitions.model import Defined, Effective
from reconciler.kernel.address import Address
from reconciler.m3ter.live import LiveIntegration
from reconciler.plan.model.applied import AppliedRecord
from reconciler.selection.interlock import is_connected
from reconciler.sync.core.tally import Purse
from reconciler.sync.in_force.applied_definitions import definitions_in_force
from reconciler.sync.model.push import PushStatus


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
        NotInForceError: When the integration was not applied.
        NoDateError: When no date was given or decided.
        WrongConfirmationError: When something else was confirmed; nothing was recorded.
    """
    effective = definitions_in_force(head, working)
    defined = _defined(order, effective)
    place = next(
        (
            integration.origin
            for integration in working.integrations
            if integration.name == order.name
        ),
        None,
    )
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
    start, decided = _decided(order, ports)
    owners = owners_of(order, start, defined, ports, hear)
    facts = _facts(order, start, defined, mine, ports, owners=owners)
    stand = CutoverStand(facts, steps(facts, decided))
    if order.confirm and order.confirm not in decided.values() and stand.now is not None:
        decided = {**decided, **_confirmed(order, stand.now, facts, ports)}
        stand = CutoverStand(facts, steps(facts, decided))
    if stand.now is None and decided.get(FINISHED) is None:
        _record(order, FINISHED, facts.start.isoformat(), ports)
    return stand


def _decided(order: Order, ports: CutoverPorts) -> tuple[date, dict[str, str]]:
    """Give the date and what was decided before, of the cut-over that is under way."""
    # about both directions: deciding in one ends the other
    decisions = ports.history.decisions(ports.site, subject(order.name, order.to).rsplit("/", 1)[0])
    decided = current(decisions, order.name, order.to)
    start = _start(order, decided)
    if start.isoformat() != decided.get("date"):
        # another date makes another list: what was confirmed for the old one does not count
        decided = {}
    return start, decided


def _confirmed(
    order: Order, now: CutoverStep, facts: CutoverFacts, ports: CutoverPorts
) -> dict[str, str]:
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
    start: date,
    defined: Defined[IntegrationSpec],
    mine: LiveIntegration | None,
    ports: CutoverPorts,
    *,
    owners: Owners,
) -> CutoverFacts:
    live = ports.organisation.integrations.list()
    sending = [
        integration
        for integration in live
        if _sends_bills(integration) and is_connected(integration)
    ]
    return CutoverFacts(
        environment=ports.environment,
        name=order.name,
        to=order.to,
        start=start,
        applied=defined.spec,
        connected=None if mine is None else is_connected(mine),
        enabled=mine.enabled if mine else False,
        others=tuple(
            integration.name or integration.id
            for integration in sending
            if mine is None or integration.id != mine.id
        ),
        half_way=_half_way(order.name, ports),
        paused=ports.ledger.paused(ports.site),
        disabled=ports.ledger.disabled(ports.site, order.name),
        place=str(defined.origin),
        owners=owners,
    )


def _half_way(name: str, ports: CutoverPorts) -> dict[PushStatus, Purse]:
    found: dict[PushStatus, Purse] = {}
    for row in ports.ledger.bills(ports.site, HALF_WAY):
        if row.integration == name:
            found.setdefault(row.status, Purse()).add(row.billed)
    return found


def _defined(order: Order, effective: Effective) -> Defined[IntegrationSpec]:
    for integration in effective.integrations:
        if integration.name == order.name and integration.spec.chargebee is not None:
            return integration
    raise NotInForceError(order.name, effective.environment.name)


def _live(
    name: str, head: AppliedRecord | None, live: Sequence[LiveIntegration]
) -> LiveIntegration | None:
    address = Address("integration", name)
    bound = (
        {str(binding.id) for binding in head.bindings if binding.address == address}
        if head
        else set()
    )
    return next((integration for integration in live if str(integration.id) in bound), None)


def _sends_bills(live: LiveIntegration) -> bool:
    return (live.destination.casefold(), live.entity_type.casefold()) == ("chargebee", "bill")
