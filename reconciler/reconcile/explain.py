"""One bill explained: from what the ledger recorded when it was sent, else as it would be now."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import assert_never

from reconciler.drafting.draft import BlockedBill, InvoiceDraft, NothingToSend
from reconciler.drafting.draft_bill import billed_amount
from reconciler.drafting.draft_json import draft_from_json
from reconciler.drafting.input_hash import input_hash
from reconciler.errors import InvalidError
from reconciler.kernel.address import BillId
from reconciler.kernel.runbook import Page, page
from reconciler.m3ter.bill import Bill
from reconciler.m3ter.ports import Bills, NotFoundError
from reconciler.reconcile.core.explanation import Explanation
from reconciler.reconcile.core.month import lines_not_sent
from reconciler.reconcile.core.who_changed import former_ids
from reconciler.reconcile.find_authors import find_authors
from reconciler.reconcile.routes import (
    NotOurs,
    NotYet,
    Ours,
    PushRoutes,
    RouteStanding,
    SentByM3ter,
    UndecidedRoute,
)
from reconciler.sync.core.readback.compare import ThreeSides, reconcile_bill
from reconciler.sync.core.readback.invoice_lines import match
from reconciler.sync.core.readback.recorded import (
    in_our_order,
    invoice_ids,
    recorded_of,
    without_undone,
)
from reconciler.sync.judge.sent_bill import given_for
from reconciler.sync.model.invoice import Estimate, Invoice, NotEstimated
from reconciler.sync.model.push import Effect, PushStatus, SiteName
from reconciler.sync.model.standing import Decision, Tried
from reconciler.sync.model.statuses import bill_page, meaning
from reconciler.sync.ports.destination import InvoiceHistory, PushDestination
from reconciler.sync.ports.ledger import BillRow, Ledger, PushHistory


class UnknownBillError(InvalidError):
    """Neither m3ter nor the ledger has the bill."""

    def __init__(self, bill: BillId, environment: str) -> None:
        super().__init__(
            f"there is no bill `{bill}`: neither m3ter nor the ledger of `{environment}` has it.\n"
            "Nothing was changed. Give the whole id, as `sync plan` and `reconcile` print it."
        )


class NoSuchLineError(InvalidError):
    """The bill has no line of that number."""

    def __init__(self, bill: BillId, line: int, count: int) -> None:
        super().__init__(
            f"bill `{bill}` has no line {line}: it has {count}, counted from 1.\n"
            "Nothing was changed. Leave `--line` out to see them all."
        )


@dataclass(frozen=True, slots=True)
class ExplainPorts:
    """The world that an explanation reads; nothing in it is written."""

    site: SiteName
    bills: Bills
    ledger: Ledger
    destination: PushDestination
    routes: PushRoutes
    history: PushHistory
    invoices: InvoiceHistory


def explain(identity: BillId, ports: ExplainPorts, line: int | None = None) -> Explanation:
    """Explain a bill.

    Args:
        identity: The bill.
        ports: The world.
        line: Position of a line on the bill that must exist, from 1.

    Raises:
        UnknownBillError: When nobody has the bill.
        NoSuchLineError: When it has no such line.
    """
    row = ports.ledger.bill(ports.site, identity)
    try:
        bill = ports.bills.get(identity)
    except NotFoundError:
        bill = None
    if bill is None and row is None:
        raise UnknownBillError(identity, ports.routes.in_force.environment)
    if line is not None and bill is not None and not 1 <= line <= len(bill.lines):
        raise NoSuchLineError(identity, line, len(bill.lines))
    if row is not None and (row.draft or bill is None):
        return _recorded(bill, row, ports)
    assert bill is not None, "one of the two is there"
    return _drafted_now(bill, row, ports)


def _recorded(bill: Bill | None, row: BillRow, ports: ExplainPorts) -> Explanation:
    effects = ports.ledger.effects(ports.site, row.bill_id)
    draft = draft_from_json(row.draft) if row.draft else None
    provenance = ports.history.provenance(ports.site, row.bill_id)
    newest = [value.commit for key, value in provenance.items() if key.generation == row.generation]
    explanation = Explanation(
        bill_id=row.bill_id,
        account=draft.account_code if draft else row.account_id,
        bill=bill,
        status=row.status,
        draft=draft,
        recorded=True,
        commit=newest[-1] if newest else "",
        stands=meaning(row.status, again=row.next_at is not None).sentence,
        why=row.message,
        page="" if row.status is PushStatus.COMPLETE else bill_page(row.status),
        in_force=ports.routes.in_force,
        money=row.billed,
        unsent=draft.unsent if draft else (),
        effects=effects,
        attempts=tuple(
            Tried(attempt.key, attempt.number, attempt.started_at, attempt.outcome, attempt.message)
            for attempt in ports.ledger.attempts(ports.site, row.bill_id)
        ),
        decisions=_decisions(row.bill_id, ports),
    )
    return _with_invoices(explanation, draft, row, ports) if draft else explanation


def _with_invoices(
    explanation: Explanation, draft: InvoiceDraft, row: BillRow, ports: ExplainPorts
) -> Explanation:
    """Add what stands at the destination, and what differs."""
    invoices = _invoices(draft, explanation.effects, ports)
    amount = given_for(ports.destination, draft, explanation.effects, row.generation)
    sent = recorded_of(draft, explanation.effects, row.generation, invoices, amount)
    if sent is not None:
        held, credited = lines_not_sent(draft, explanation.effects, row.generation, row.status)
        sent = replace(sent, held=held, credits_held=credited)
    due: InvoiceDraft | None = draft
    if explanation.bill is None:
        due = None
    elif input_hash(explanation.bill) != draft.input_hash:
        outcome = ports.routes.draft(explanation.bill, row.integration)
        due = outcome if isinstance(outcome, InvoiceDraft) else None
    standing = without_undone(invoices, explanation.effects)
    case = ThreeSides(draft.bill_id, draft.account_id, due, sent, standing)
    result = reconcile_bill(case) if sent is not None else None
    alive = [other for other in invoices if not other.deleted and other.status != "voided"]
    lines = None
    if sent is not None and alive and alive[0].currency == draft.currency.code:
        lines = match(sent, alive[0])
    found = result.differences if result else ()
    of_bill = (found, former_ids(explanation.effects))
    (differences,), note = find_authors([of_bill], ports.invoices, draft.period.start)
    notes = (note,) if note else ()
    return replace(
        explanation, invoices=invoices, lines=lines, differences=differences, notes=notes
    )


def _drafted_now(bill: Bill, row: BillRow | None, ports: ExplainPorts) -> Explanation:
    """Draft a bill that was never recorded as it would be drafted now."""
    standing = ports.routes.standing(bill)
    stands, where = route_sentence(standing)
    explanation = Explanation(
        bill_id=bill.id,
        account=bill.account_code or bill.account_id,
        bill=bill,
        status=row.status if row else None,
        draft=None,
        recorded=False,
        commit=ports.routes.in_force.commit,
        stands=stands,
        why="" if isinstance(standing, Ours) else standing.why,
        page=where,
        in_force=ports.routes.in_force,
        money=billed_amount(bill, ports.routes.readings.currencies),
        assumptions=standing.assumptions if isinstance(standing, Ours) else (),
        integration=standing.integration,
        decisions=_decisions(bill.id, ports),
    )
    if row is not None and row.status is not PushStatus.BLOCKED:
        explanation = replace(
            explanation,
            stands=meaning(row.status, again=row.next_at is not None).sentence,
            why=row.message,
            page=bill_page(row.status),
        )
    if not standing.integration:
        return explanation
    return _with_outcome(explanation, bill, standing, ports)


def _with_outcome(
    explanation: Explanation, bill: Bill, standing: RouteStanding, ports: ExplainPorts
) -> Explanation:
    outcome = ports.routes.draft(bill, standing.integration)
    ours = isinstance(standing, Ours)
    match outcome:
        case InvoiceDraft():
            reasons = ports.destination.check(outcome) if ours else ()
            explanation = replace(
                explanation, draft=outcome, unsent=outcome.unsent, reasons=reasons
            )
        case NothingToSend():
            explanation = replace(explanation, unsent=outcome.unsent)
            if ours:
                nothing = bill_page(PushStatus.NOTHING_TO_SEND)
                explanation = replace(
                    explanation, stands="It has nothing to send.", why=outcome.why, page=nothing
                )
        case BlockedBill():
            explanation = replace(explanation, reasons=outcome.reasons, unsent=outcome.unsent)
        case _:
            assert_never(outcome)
    if ours and explanation.reasons:
        return replace(
            explanation,
            stands="It is blocked: nothing of it is sent until this is put right.",
            why="",
            page=bill_page(explanation.reasons[0].code),
        )
    return explanation


def _decisions(bill: BillId, ports: ExplainPorts) -> tuple[Decision, ...]:
    """Give what people decided about a bill, its steps and m3ter's own runs of it."""
    subjects = (f"{ports.site}/{bill}", f"native/{bill}", bill)
    decisions = [
        decision
        for subject in subjects
        for decision in ports.history.decisions(ports.site, subject)
    ]
    return tuple(sorted(decisions, key=lambda decision: decision.at))


def _invoices(
    draft: InvoiceDraft, effects: tuple[Effect, ...], ports: ExplainPorts
) -> tuple[Invoice, ...]:
    known = invoice_ids(effects)
    read = [ports.destination.read(invoice_id) for invoice_id in known]
    found = {invoice.id: invoice for invoice in read if invoice is not None}
    if len(found) < len(known) or not known:
        found |= {
            invoice.id: invoice
            for invoice in ports.destination.by_bill(draft.bill_id, draft, effects)
        }
    return in_our_order(tuple(found.values()), known)


def route_sentence(standing: RouteStanding) -> tuple[str, str]:
    """Give the sentence and the page of a bill that the ledger does not hold."""
    match standing:
        case Ours(integration):
            return f"It is ready: the next run of {integration} sends it.", ""
        case NotYet(integration):
            return f"{integration} will send it, but not yet.", page(Page.WAITING)
        case UndecidedRoute(short=short, page=where):
            return f"It is not sent: {short}.", where
        case SentByM3ter():
            return "m3ter sent it itself, so nothing is sent for it again.", ""
        case NotOurs():
            return "It is not ours: no push integration takes it.", page(Page.NOT_OURS)
        case _:
            assert_never(standing)


_SENT = "it is sent, and the invoice itself says what Chargebee made of it"
_BEGUN = "sending it has begun, so an estimate would not be what is still to come"
_PENDING = (
    "its lines go onto the subscription's pending invoice, and Chargebee estimates new invoices"
    " only"
)
_NO_DRAFT = "nothing of it would be sent as it is now"


def estimate_bill(explanation: Explanation, destination: PushDestination) -> Estimate:
    """Ask for an estimate of an explained bill, or say why there is none.

    Raises:
        DestinationError: When no usable answer came.
    """
    if explanation.status is PushStatus.COMPLETE or explanation.invoices:
        return NotEstimated(_SENT)
    if explanation.effects:
        return NotEstimated(_BEGUN)
    if explanation.draft is None:
        return NotEstimated(_NO_DRAFT)
    if explanation.draft.way == "pending":
        return NotEstimated(_PENDING)
    return destination.estimate(explanation.draft)
