"""Trying a bill again that was refused, gave up or was skipped, from corrected data."""

from __future__ import annotations

from dataclasses import replace

from reconciler.definitions.kinds.integration import PendingPolicy
from reconciler.drafting.draft import InvoiceDraft
from reconciler.drafting.draft_bill import draft_bill
from reconciler.drafting.draft_json import draft_from_json
from reconciler.kernel.address import BillId
from reconciler.kernel.runbook import Page
from reconciler.m3ter.bill import Bill
from reconciler.sync.in_force.push_route import PushRoute
from reconciler.sync.judge.standings import SENT
from reconciler.sync.model.push import (
    Effect,
    Found,
    PushState,
    PushStatus,
    Resolved,
    Step,
    StepKind,
    Undecidable,
)
from reconciler.sync.people.hand import BillHand, CannotDecideError
from reconciler.sync.ports.destination import Complete, NextStep, Sending, Stop, WaitForInvoice
from reconciler.sync.ports.ledger import BillRow, Lease
from reconciler.sync.push.lines_alike import beside_others


def retry_bill(hand: BillHand, bill: BillId) -> str:
    """Let the next run try a bill again; gives what was recorded.

    Raises:
        CannotDecideError: When it is sent, or nobody knows whether it was, or cannot be made anew.
    """
    live = hand.bills.get(bill)
    with hand.held(bill) as (lease, row):
        if row is None:
            return f"bill {bill} was never begun; the next run judges it."
        if row.status in SENT:
            raise CannotDecideError(bill, f"it is sent already: {row.message}")
        begun = hand.begun(bill, row)
        if begun is None:
            sent = bool(hand.ledger.effects(hand.site, bill))
            status = PushStatus.STARTED if sent else PushStatus.WAITING
            hand.put(lease, row, status, f"tried again by {hand.actor}")
            return f"bill {bill} is judged again by the next run."
        if _came_about(hand, lease, row, begun):
            hand.put(lease, row, PushStatus.STARTED, f"looked for by {hand.actor}: it is closed")
            return f"the invoice of bill {bill} is closed; the next run goes on with it."
        _again(hand, lease, row, begun, live)
    return f"bill {bill} is sent again by the next run."


def _came_about(hand: BillHand, lease: Lease, row: BillRow, begun: Effect) -> bool:
    """Look whether a refused closing came about all the same: then there is nothing to retry."""
    refused = begun.state is PushState.REFUSED
    if begun.key.step.kind is not StepKind.CLOSE_INVOICE or not refused:
        return False
    effects = hand.ledger.effects(hand.site, row.bill_id)
    found = hand.destination.look_up(begun, draft_from_json(row.draft), effects)
    if isinstance(found, Undecidable):
        raise CannotDecideError(row.bill_id, f"{found.reason}.", Page.PARTIAL)
    if isinstance(found, Found):
        hand.ledger.looked(lease, begun.key, found)
    return isinstance(found, Found)


def _again(hand: BillHand, lease: Lease, row: BillRow, begun: Effect, live: Bill) -> None:
    text = f"tried again by {hand.actor}"
    match begun.state:
        case PushState.REFUSED | PushState.CLOSED:
            _redraft(hand, lease, row, begun, live)
        case PushState.RETRY:
            hand.ledger.resolved(lease, begun.key, Resolved(None, text), hand.actor)
            hand.put(lease, row, PushStatus.AWAITING_RETRY, text)
        case PushState.INTENDED:
            hand.put(lease, row, PushStatus.STARTED, text)
        case _:
            why = "whether it was sent is not known; `sync resolve` says so."
            raise CannotDecideError(live.id, why)


def _redraft(hand: BillHand, lease: Lease, row: BillRow, begun: Effect, live: Bill) -> None:
    """Make the refused step anew; what is done of the bill stays as it was sent."""
    route = hand.route(live)
    effects = hand.ledger.effects(hand.site, live.id)
    draft = draft_from_json(row.draft)
    if not any(one.state is PushState.DONE for one in effects):
        draft = _drafted(hand, live, route)
    sending = Sending(
        generation=row.generation, pending=route.route.policy.pending or PendingPolicy()
    )
    step = hand.destination.next_step(draft, effects, sending)
    if not isinstance(step, Step) or step.name != begun.key.step:
        raise CannotDecideError(live.id, f"{_instead(step)}.", Page.PARTIAL)
    step = beside_others(step, hand.ledger, hand.site)
    hand.ledger.redraft(lease, begun.key, step, hand.why(live, route))
    made = hand.row(live, route, row.generation, draft)
    if draft.bill_version != live.version:
        made = replace(made, input_hash=row.input_hash)
    hand.put(lease, made, PushStatus.STARTED, f"tried again by {hand.actor}")


def _drafted(hand: BillHand, live: Bill, route: PushRoute) -> InvoiceDraft:
    outcome = draft_bill(live, route.route, hand.clock.now())
    if isinstance(outcome, InvoiceDraft):
        return outcome
    why = "it cannot be drafted; `reconciler sync explain` says why."
    raise CannotDecideError(live.id, why, Page.BLOCKED)


def _instead(found: NextStep) -> str:
    """Say what came instead of the refused step."""
    match found:
        case Stop(reason):
            return f"{reason.text} ({reason.hint})"
        case WaitForInvoice(_, why):
            return why
        case Step() | Complete():
            return "the refused step is no longer the next one"
