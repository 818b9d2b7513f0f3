"""Draft + effects so far + what is there -> the next step (pure).

What pends, what is replaced and how long to wait is decided in ``core``; here it becomes requests.
"""

from __future__ import annotations

from typing import assert_never

from reconciler.chargebee import wire
from reconciler.chargebee.steps.adding import add_line, create, delete_former
from reconciler.chargebee.steps.closing import closing
from reconciler.chargebee.steps.crediting import credit
from reconciler.chargebee.steps.progress import VOID, Progress
from reconciler.chargebee.steps.seen import There, ids_on, stop
from reconciler.sync.model.push import Step, StepKind, StepName
from reconciler.sync.model.recalculation import VoidAndRecreate
from reconciler.sync.ports.destination import AlreadyClosed, Complete, NextStep


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
            return create(progress, there)
        case StepKind.ADD_LINE:
            return add_line(progress, name, there)
        case StepKind.DELETE_LINES:
            return delete_former(progress, there) or _after_deleting(progress, there)
        case StepKind.VOID_INVOICE:
            return _void(progress, there)
        case StepKind.CREDIT_NOTE | StepKind.PROMOTIONAL_CREDIT:
            return credit(progress, name, there)
        case StepKind.CLOSE_INVOICE:
            return _close_again(progress, there)
        case _:
            assert_never(name.kind)


def _after_deleting(progress: Progress, there: There) -> NextStep:
    """Go on where a person took the former lines off already."""
    return Complete() if progress.credited else credit(progress, progress.crediting, there)


def _close_again(progress: Progress, there: There) -> NextStep:
    """Make a refused closing anew; what a person let be closed with it must be said again."""
    found = closing(progress, there, with_foreign_lines=False)
    if isinstance(found, AlreadyClosed):
        return stop(f"invoice {found.invoice.id} is closed", "`sync close` records that")
    return found


def _void(progress: Progress, there: There) -> NextStep:
    change, effect = progress.sending.change, progress.effect(VOID)
    if isinstance(change, VoidAndRecreate):
        key, before = change.invoice.id, ids_on(change.invoice)
    elif effect is not None and effect.invoice_id is not None:
        key, before = effect.invoice_id, effect.lines_before or frozenset()
    else:
        return stop("nobody says which invoice is to be voided")
    request = wire.void_invoice(key, progress.draft.bill_id, there.switches)
    return Step(VOID, request, key, before)
