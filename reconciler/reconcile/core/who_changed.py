"""Who made a difference: read from what the destination remembers of its invoices."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

from reconciler.sync.model.invoice import ChangedBy, Did, Invoice, InvoiceChange, InvoiceLine
from reconciler.sync.model.push import Effect, InvoiceId, InvoiceLineId, PushState, StepKind
from reconciler.sync.model.reconciliation import Difference, DifferenceClass

_CREDITS = frozenset({StepKind.CREDIT_NOTE, StepKind.PROMOTIONAL_CREDIT})


def may_be_edited(difference: Difference) -> bool:
    """Tell whether somebody at the destination may have made a difference.

    A line that is as it was sent, and was computed otherwise, is nobody's edit.
    """
    as_sent = difference.kind is DifferenceClass.AMOUNT and difference.line_id is not None
    return difference.invoice_id is not None and not as_sent


def former_ids(effects: Sequence[Effect]) -> tuple[InvoiceId, ...]:
    """Give every id that an invoice of a bill has, or had before it was closed."""
    ids: list[InvoiceId] = []
    for effect in effects:
        if effect.state is PushState.DONE and effect.key.step.kind not in _CREDITS:
            ids.extend(
                [InvoiceId(effect.object_id), *([effect.invoice_id] if effect.invoice_id else [])]
            )
    return tuple(dict.fromkeys(ids))


def with_authors(
    differences: Iterable[Difference],
    changes: Sequence[InvoiceChange],
    former: Iterable[InvoiceId] = (),
) -> tuple[Difference, ...]:
    """Name who made each difference, where the changes tell.

    Args:
        differences: Of one bill.
        changes: Of invoices, oldest first.
        former: Ids that the bill's invoices had before.
    """
    before = frozenset(former)
    return tuple(
        replace(
            difference,
            by=_author(difference, [change for change in changes if change.invoice_id in ids]),
        )
        if may_be_edited(difference)
        else difference
        for difference in differences
        for ids in [before | {difference.invoice_id}]
    )


def _author(difference: Difference, changes: Sequence[InvoiceChange]) -> ChangedBy | None:
    of_invoice = [(change, change.invoice) for change in changes if change.invoice is not None]
    match difference.kind:
        case DifferenceClass.MISSING:
            return _gone(of_invoice)
        case DifferenceClass.AMOUNT:
            notes = [change for change in changes if change.invoice is None]
            return _by(notes[-1], "credited") if notes else None
        case _ if difference.line_id is not None:
            return _of_line(difference.kind, difference.line_id, of_invoice)
        case DifferenceClass.EXTRA:
            return _by(of_invoice[0][0], "added") if of_invoice else None
        case _:
            return None


_Seen = Sequence[tuple[InvoiceChange, Invoice]]


def _gone(changes: _Seen) -> ChangedBy | None:
    """Find who voided or deleted an invoice: the first change after which it was gone."""
    for change, invoice in changes:
        if invoice.deleted or invoice.status == "voided":
            return _by(change, "deleted" if invoice.deleted else "voided")
    return None


def _of_line(kind: DifferenceClass, line: InvoiceLineId, changes: _Seen) -> ChangedBy | None:
    """Find the last change that brought a line, took it off, or made it another."""
    for (_, was), (change, now) in reversed(list(pairwise(changes))):
        before, after = _line(was, line), _line(now, line)
        if before != after:
            return _by(change, _did(before, after))
    if changes and kind is DifferenceClass.EXTRA and _line(changes[0][1], line):
        return _by(changes[0][0], "added")
    return None


def _did(before: InvoiceLine | None, after: InvoiceLine | None) -> Did:
    if before is None:
        return "added"
    return "taken off" if after is None else "changed"


def _line(invoice: Invoice, line: InvoiceLineId) -> InvoiceLine | None:
    return next((candidate for candidate in invoice.lines if candidate.id == line), None)


def _by(change: InvoiceChange, did: Did) -> ChangedBy:
    return ChangedBy(did, change.user, change.source, change.at)
