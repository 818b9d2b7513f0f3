"""What a step is decided from: what must be read for it, and what was read."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import assert_never

from reconciler.chargebee.steps.progress import CREDIT_FORMER, BillProgress
from reconciler.chargebee.switches import ChargebeeSwitches
from reconciler.drafting.draft import BlockCode, BlockReason
from reconciler.sync.model.invoice import Invoice
from reconciler.sync.model.push import Effect, InvoiceId, InvoiceLineId, StepKind
from reconciler.sync.model.recalculation import ReplaceLines
from reconciler.sync.ports.destination import Stop

HINT = "look at the invoice in Chargebee, then `sync decide`, `sync retry` or `sync decide --skip`"


@dataclass(frozen=True, slots=True)
class StepDurations:
    """How long things take.

    Attributes:
        per_line: To add one line, from the rate limit.
        look_again: Until a bill that waits is looked at again.
    """

    per_line: timedelta = timedelta(seconds=1)
    look_again: timedelta = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class StepReads:
    """What was read for a step.

    Attributes:
        invoice: The invoice that the step works on; ``None`` when there is none, or it is gone.
        pending: The subscription's invoices dated near the bill's end, when a pending one must be
            chosen.
        customer_id: Who pays.
        flat_prices: Item prices that are flat fees.
    """

    now: datetime
    invoice: Invoice | None = None
    pending: tuple[Invoice, ...] = ()
    customer_id: str = ""
    flat_prices: frozenset[str] = frozenset()
    pace: StepDurations = field(default_factory=StepDurations)
    switches: ChargebeeSwitches = field(default_factory=ChargebeeSwitches)


@dataclass(frozen=True, slots=True)
class ReadNothing:
    """The step can be made without a look."""


@dataclass(frozen=True, slots=True)
class ReadInvoice:
    """The step needs an invoice as it is now; ``effect`` helps to find it under another id."""

    key: InvoiceId
    effect: Effect | None = None


@dataclass(frozen=True, slots=True)
class ReadPending:
    """The step needs the subscription's invoices, of which it chooses a pending one."""


Need = ReadNothing | ReadInvoice | ReadPending


def stop(text: str, hint: str = HINT, code: BlockCode = BlockCode.PREFLIGHT) -> Stop:
    """Say why nothing can be sent now, and what to do."""
    return Stop(BlockReason(code, text, hint))


def ids_on(invoice: Invoice) -> frozenset[InvoiceLineId]:
    """Give the ids of the lines on an invoice, ours and others."""
    return frozenset(line.id for line in invoice.lines)


def need_of(progress: BillProgress) -> Need:
    """Say what must be read before ``decide``."""
    name = progress.missing
    if name is None or progress.settled:
        return ReadNothing()
    last = progress.last
    match name.kind:
        case StepKind.CREATE_INVOICE | StepKind.VOID_INVOICE | StepKind.PROMOTIONAL_CREDIT:
            return ReadNothing()
        case StepKind.ADD_LINE | StepKind.DELETE_LINES:
            return _need_for_lines(progress, last)
        case StepKind.CREDIT_NOTE:
            if name == CREDIT_FORMER or progress.billed_on is None:
                return ReadNothing()
            return ReadInvoice(progress.billed_on, last)
        case StepKind.CLOSE_INVOICE:
            return need_to_close(progress)
        case _:
            assert_never(name.kind)


def need_to_close(progress: BillProgress) -> ReadNothing | ReadInvoice:
    """Say which invoice must be read before it is closed."""
    key = progress.billed_on
    return ReadNothing() if key is None else ReadInvoice(key, progress.last)


def _need_for_lines(progress: BillProgress, last: Effect | None) -> Need:
    if progress.added and last is not None:
        return ReadInvoice(InvoiceId(last.object_id), last)
    change = progress.sending.change
    if isinstance(change, ReplaceLines):
        return ReadInvoice(change.invoice.id)
    return ReadPending()
