"""Draft + effects so far + what is there -> the next step (pure).

What pends, what is replaced and how long to wait is decided in ``core``; here it becomes requests.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import assert_never

from reconciler.core.durations import duration
from reconciler.core.pending import (
    KeepWaiting,
    NotStarted,
    UseInvoice,
    WaitIsOver,
    choose_pending,
    time_left,
)
from reconciler.core.recalculation import CreditAndRebill, ReplaceLines, VoidAndRecreate
from reconciler.destinations.chargebee import wire
from reconciler.destinations.chargebee.progress import (
    CREATE,
    CREDIT,
    CREDIT_FORMER,
    DELETE,
    VOID,
    Progress,
    add_step,
    holds,
)
from reconciler.destinations.chargebee.switches import ChargebeeSwitches
from reconciler.domain.draft import BlockCode, BlockReason
from reconciler.domain.invoice import Invoice
from reconciler.domain.push import Effect, InvoiceId, InvoiceLineId, Step, StepKind, StepName
from reconciler.ports.destination import Complete, NextStep, Stop, WaitForInvoice

_HINT = "look at the invoice in Chargebee, then `sync resolve`, `sync retry` or `sync skip`"


@dataclass(frozen=True, slots=True)
class Pace:
    """How long things take.

    Attributes:
        per_line: To add one line, from the rate limit.
        look_again: Until a bill that waits is looked at again.
    """

    per_line: timedelta = timedelta(seconds=1)
    look_again: timedelta = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class There:
    """What was read for a step.

    Attributes:
        invoice: The invoice that the step works on; ``None`` when there is none, or it is gone.
        pending: The subscription's pending invoices, when one must be chosen.
        customer_id: Who pays.
        flat_prices: Item prices that are flat fees.
    """

    now: datetime
    invoice: Invoice | None = None
    pending: tuple[Invoice, ...] = ()
    customer_id: str = ""
    flat_prices: frozenset[str] = frozenset()
    pace: Pace = field(default_factory=Pace)
    switches: ChargebeeSwitches = field(default_factory=ChargebeeSwitches)


@dataclass(frozen=True, slots=True)
class NeedNothing:
    """The step can be made without a look."""


@dataclass(frozen=True, slots=True)
class NeedInvoice:
    """The step needs an invoice as it is now; ``effect`` helps to find it under another id."""

    key: InvoiceId
    effect: Effect | None = None


@dataclass(frozen=True, slots=True)
class NeedPending:
    """The step needs the subscription's pending invoices."""


Need = NeedNothing | NeedInvoice | NeedPending


def need_of(progress: Progress) -> Need:
    """Say what must be read before ``decide``."""
    name = progress.missing
    if name is None or progress.settled:
        return NeedNothing()
    last = progress.added[-1] if progress.added else progress.effect(CREATE)
    match name.kind:
        case StepKind.CREATE_INVOICE | StepKind.VOID_INVOICE:
            return NeedNothing()
        case StepKind.ADD_LINE | StepKind.DELETE_LINES:
            return _need_for_lines(progress, last)
        case StepKind.CREDIT_NOTE:
            if name == CREDIT_FORMER or progress.billed_on is None:
                return NeedNothing()
            return NeedInvoice(progress.billed_on, last)
        case _:
            assert_never(name.kind)


def decide(progress: Progress, there: There) -> NextStep:
    """Decide the next step."""
    name = progress.missing
    if name is None:
        return Complete()
    stored = progress.stored(name)
    if stored is not None:
        return Step(name, stored.request, stored.invoice_id, stored.lines_before, stored.draft_line)
    return _made(progress, name, there)


def _made(progress: Progress, name: StepName, there: There) -> NextStep:
    match name.kind:
        case StepKind.CREATE_INVOICE:
            return _create(progress, there)
        case StepKind.ADD_LINE:
            return _add(progress, name, there)
        case StepKind.DELETE_LINES:
            return _delete(progress, there)
        case StepKind.VOID_INVOICE:
            return _void(progress, there)
        case StepKind.CREDIT_NOTE:
            former = name == CREDIT_FORMER
            return _credit_former(progress, there) if former else _credit(progress, there)
        case _:
            assert_never(name.kind)


def _need_for_lines(progress: Progress, last: Effect | None) -> Need:
    if progress.added and last is not None:
        return NeedInvoice(InvoiceId(last.object_id), last)
    change = progress.sending.change
    if isinstance(change, ReplaceLines):
        return NeedInvoice(change.invoice.id)
    return NeedPending()


def _create(progress: Progress, there: There) -> Step:
    request = wire.create_invoice(progress.draft, there.flat_prices, there.switches)
    return Step(CREATE, request)


def _add(progress: Progress, name: StepName, there: There) -> NextStep:
    position = name.number - 1
    if progress.added:
        return _add_next(progress, position, there)
    if progress.replaces:
        return _begin_replacing(progress, position, there)
    return _begin(progress, position, there)


def _add_next(progress: Progress, position: int, there: There) -> NextStep:
    """Go on with an invoice that was begun.

    A closed one is told by Chargebee's refusal, so that the ledger has it from there.
    """
    last = progress.added[-1]
    known = frozenset(last.lines_before or ()) | frozenset(last.line_ids)
    if there.invoice is None:
        return _add_to(progress, position, InvoiceId(last.object_id), known, there)
    ours = [line for one in progress.added for line in one.line_ids]
    if there.invoice.status == "pending" and not holds(there.invoice, ours):
        return _stop(f"some of our lines are no longer on invoice {there.invoice.id}", _HINT)
    return _add_to(progress, position, there.invoice, _ids(there.invoice), there)


def _begin_replacing(progress: Progress, position: int, there: There) -> NextStep:
    invoice = there.invoice
    if invoice is None or invoice.status != "pending" or invoice.deleted:
        return _stop("the invoice whose lines were to be replaced is no longer pending", _HINT)
    why = _irreplaceable(progress, invoice)
    if why:
        return _stop(why, _HINT)
    return _fits(progress, invoice, there, len(progress.draft.lines) + 1) or _add_to(
        progress, position, invoice, _ids(invoice), there
    )


def _irreplaceable(progress: Progress, invoice: Invoice) -> str:
    """Say why lines must not be replaced: the old ones could not be deleted, or discounts stay."""
    change = progress.sending.change
    old = change.delete if isinstance(change, ReplaceLines) else ()
    if not old or progress.former_lines is None or not holds(invoice, old):
        return f"not all of our former lines on invoice {invoice.id} are known"
    if progress.draft.discounts or any(
        line.discount.minor for line in invoice.lines if line.id in old
    ):
        return f"invoice {invoice.id} has discounts, which cannot be replaced while it is pending"
    return ""


def _begin(progress: Progress, position: int, there: There) -> NextStep:
    """Choose the pending invoice, and begin if there is time."""
    draft, sending = progress.draft, progress.sending
    since = sending.waiting_since or there.now
    others = [one for one in there.pending if one.stamp in {None, draft.bill_id}]
    choice = choose_pending(others, draft.period.end, since, sending.pending, there.now)
    match choice:
        case UseInvoice(invoice):
            lines = len(draft.lines)
            late = time_left(invoice, lines, there.pace.per_line, sending.pending, there.now)
            if late:
                until = since + duration(sending.pending.wait_up_to)
                over = there.now >= until
                return _waited(progress, there, late) if over else _wait(until, late, there)
            return _fits(progress, invoice, there, lines) or _add_to(
                progress, position, invoice, _ids(invoice), there
            )
        case KeepWaiting(until):
            why = f"subscription {draft.target.external_id} has no pending invoice yet"
            return _wait(until, why, there)
        case WaitIsOver():
            why = f"no pending invoice of subscription {draft.target.external_id} came in time"
            return _waited(progress, there, why)
        case NotStarted(why):
            return _stop(why, _HINT)
        case _:
            assert_never(choice)


def _waited(progress: Progress, there: There, why: str) -> NextStep:
    if progress.sending.pending.then == "create":
        return _create(progress, there)
    hint = "create the invoice in Chargebee, or set push.pending.then: create"
    return _stop(why, hint)


def _fits(progress: Progress, invoice: Invoice, there: There, requests: int) -> Stop | None:
    """Refuse an invoice of another currency, too long, or about to close."""
    draft = progress.draft
    if invoice.currency != draft.currency.code:
        text = f"invoice {invoice.id} is in {invoice.currency}, the bill in {draft.currency}"
        return _stop(text, _HINT)
    total = len(invoice.lines) + len(draft.lines)
    if total > there.switches.max_lines:
        text = f"invoice {invoice.id} would have {total} lines, over {there.switches.max_lines}"
        return _stop(text, "set splitUsageLineItems: itemPerProduct")
    late = time_left(invoice, requests, there.pace.per_line, progress.sending.pending, there.now)
    return _stop(late, _HINT) if late else None


def _add_to(
    progress: Progress,
    position: int,
    invoice: Invoice | InvoiceId,
    before: frozenset[InvoiceLineId],
    there: There,
) -> Step:
    request = wire.add_line(progress.draft, position, invoice, there.flat_prices, there.switches)
    key = invoice.id if isinstance(invoice, Invoice) else invoice
    return Step(add_step(position), request, key, before, position)


def _delete(progress: Progress, there: There) -> NextStep:
    """Take the former lines off, now that the new ones are there."""
    if there.invoice is None:
        return _stop("the invoice whose lines are being replaced cannot be found", _HINT)
    former = progress.former_lines
    if former is None:
        return _stop(f"our former lines on invoice {there.invoice.id} are not all known", _HINT)
    old = [one.id for one in there.invoice.lines if one.id in former]
    if not old:
        return Complete() if progress.credited else _credit(progress, there)
    request = wire.delete_lines(there.invoice.id, old, there.switches)
    return Step(DELETE, request, there.invoice.id, _ids(there.invoice))


def _void(progress: Progress, there: There) -> NextStep:
    change, effect = progress.sending.change, progress.effect(VOID)
    if isinstance(change, VoidAndRecreate):
        key, before = change.invoice.id, _ids(change.invoice)
    elif effect is not None and effect.invoice_id is not None:
        key, before = effect.invoice_id, effect.lines_before or frozenset()
    else:
        return _stop("nobody says which invoice is to be voided", _HINT)
    request = wire.void_invoice(key, progress.draft.bill_id, there.switches)
    return Step(VOID, request, key, before)


def _credit_former(progress: Progress, there: There) -> NextStep:
    change = progress.sending.change
    if not isinstance(change, CreditAndRebill):
        return _stop("the credit note for the former invoice was refused", _HINT)
    ours = [one for one in change.invoice.lines if one.id in change.lines]
    on = _credit_on(change.invoice)
    request = wire.credit_lines(progress.draft, on, ours, there.switches)
    return Step(CREDIT_FORMER, request, change.invoice.id, _ids(change.invoice))


def _credit(progress: Progress, there: There) -> NextStep:
    """Credit negative lines once their invoice is closed; alone where there is none."""
    invoice = there.invoice
    if progress.billed_on is None:
        on = wire.CreditOn(None, "refundable", there.customer_id)
        return Step(CREDIT, wire.credit_negative(progress.draft, on, there.switches))
    if invoice is None:
        return _stop(f"invoice {progress.billed_on} cannot be found to be credited", _HINT)
    if invoice.deleted or invoice.status == "voided":
        return _stop(f"invoice {invoice.id} was deleted or voided before it was credited", _HINT)
    if invoice.status == "pending":
        # Source: Chargebee API docs, create a credit note: pending is not among the states allowed
        why = f"invoice {invoice.id} can be credited once it is closed"
        return WaitForInvoice(there.now + there.pace.look_again, why)
    request = wire.credit_negative(progress.draft, _credit_on(invoice), there.switches)
    return Step(CREDIT, request, invoice.id, _ids(invoice))


def _credit_on(invoice: Invoice) -> wire.CreditOn:
    """Choose the type: what is paid is given back, what is due is adjusted."""
    return wire.CreditOn(invoice.id, "refundable" if invoice.status == "paid" else "adjustment")


def _wait(until: datetime, why: str, there: There) -> WaitForInvoice:
    return WaitForInvoice(min(until, there.now + there.pace.look_again), why)


def _ids(invoice: Invoice) -> frozenset[InvoiceLineId]:
    return frozenset(one.id for one in invoice.lines)


def _stop(text: str, hint: str) -> Stop:
    return Stop(BlockReason(BlockCode.PREFLIGHT, text, hint))
