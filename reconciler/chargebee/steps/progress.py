"""How far a generation is, read from its effects (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reconciler.drafting.draft import InvoiceDraft
from reconciler.sync.model.invoice import Invoice
from reconciler.sync.model.push import (
    Effect,
    InvoiceId,
    InvoiceLineId,
    PushState,
    StepKind,
    StepName,
)
from reconciler.sync.model.recalculation import CreditAndRebill, ReplaceLines, VoidAndRecreate
from reconciler.sync.ports.destination import Sending

CREATE = StepName(StepKind.CREATE_INVOICE)
DELETE = StepName(StepKind.DELETE_LINES)
VOID = StepName(StepKind.VOID_INVOICE)
CLOSE = StepName(StepKind.CLOSE_INVOICE)
"""A step of a generation only once a person asked for it."""
CREDIT = StepName(StepKind.CREDIT_NOTE)
PROMOTE = StepName(StepKind.PROMOTIONAL_CREDIT)
CREDIT_FORMER = StepName(StepKind.CREDIT_NOTE, 1)
"""Takes back what a former generation billed; ``CREDIT`` credits this one's negative lines."""
# The request of such an effect may still be right; that of another state was refused for a reason.
_TO_REDRAFT = frozenset({PushState.REFUSED, PushState.CLOSED})
_MAKES_LINES = frozenset({StepKind.CREATE_INVOICE, StepKind.ADD_LINE})


@dataclass(frozen=True, slots=True)
class BillProgress:
    """A generation and what was before it.

    Attributes:
        draft: What it sends.
        mine: Its effects.
        former: Effects of earlier generations.
        sending: Policies, and the change that began it.
    """

    draft: InvoiceDraft
    mine: tuple[Effect, ...]
    former: tuple[Effect, ...]
    sending: Sending
    generation: int = 1

    @property
    def done(self) -> tuple[Effect, ...]:
        """Every effect, earlier generations first."""
        return (*self.former, *self.mine)

    @property
    def missing(self) -> StepName | None:
        """The first step that is not done."""
        done = {effect.key.step for effect in self.mine if effect.state is PushState.DONE}
        return next((step for step in self._steps() if step not in done), None)

    @property
    def settled(self) -> bool:
        """Whether the next step is known without a look: none, or one that is stored."""
        name = self.missing
        return name is None or self.stored(name) is not None

    @property
    def replaces(self) -> bool:
        """Whether the lines go to the invoice that holds those of a former generation."""
        if isinstance(self.sending.change, ReplaceLines):
            return True
        invoice_ids = {effect.invoice_id for effect in self._adds()}
        return bool(
            invoice_ids & {InvoiceId(effect.object_id) for effect in self.former if _billed(effect)}
        )

    @property
    def adds_lines(self) -> bool:
        """Whether the lines go to an invoice that is there, rather than to a new one."""
        if any(effect.key.step == CREATE for effect in self.mine):
            return False
        return self.draft.way == "pending" or self.replaces or any(True for _ in self._adds())

    @property
    def added(self) -> tuple[Effect, ...]:
        """The lines that were added, in order."""
        return tuple(effect for effect in self._adds() if effect.state is PushState.DONE)

    @property
    def former_lines(self) -> tuple[InvoiceLineId, ...] | None:
        """Our lines of former generations; ``None`` when some are not known."""
        billed = [effect for effect in self.former if _billed(effect)]
        if not all(effect.line_ids for effect in billed):
            return None
        return tuple(line for effect in billed for line in effect.line_ids)

    @property
    def last(self) -> Effect | None:
        """The effect whose lines find the invoice again under another id."""
        return self.added[-1] if self.added else self.effect(CREATE)

    def effect(self, name: StepName) -> Effect | None:
        """Give the effect of a step."""
        return next((effect for effect in self.mine if effect.key.step == name), None)

    def stored(self, name: StepName) -> Effect | None:
        """Give the effect of a step whose stored request still holds."""
        effect = self.effect(name)
        return None if effect is None or effect.state in _TO_REDRAFT else effect

    @property
    def billed_on(self) -> InvoiceId | None:
        """The invoice that this generation's lines are on, by the newest id that is known."""
        closed = self.effect(CLOSE)
        if closed is not None and closed.state is PushState.DONE:
            return InvoiceId(closed.object_id)
        effect = self.effect(CREATE)
        if effect is not None and effect.state is PushState.DONE:
            return InvoiceId(effect.object_id)
        return InvoiceId(self.added[-1].object_id) if self.added else None

    @property
    def credited(self) -> bool:
        """Whether the negative lines are credited, or there are none."""
        effect = self.effect(self.crediting)
        return not self.draft.credits or (effect is not None and effect.state is PushState.DONE)

    @property
    def crediting(self) -> StepName:
        """The step that credits negative lines."""
        return PROMOTE if self.draft.credits_as == "promotional-credit" else CREDIT

    def _steps(self) -> Iterator[StepName]:
        yield from self._prelude()
        if self.draft.lines and self.adds_lines:
            yield from (add_step(position) for position in range(len(self.draft.lines)))
            if self.replaces:
                yield DELETE
        elif self.draft.lines:
            yield CREATE
        if self.draft.credits and self.crediting == PROMOTE:
            yield PROMOTE
        if self.effect(CLOSE):
            yield CLOSE
        if self.draft.credits and self.crediting == CREDIT:
            yield CREDIT

    def _prelude(self) -> Iterator[StepName]:
        change = self.sending.change
        if isinstance(change, VoidAndRecreate) or self.effect(VOID):
            yield VOID
        if isinstance(change, CreditAndRebill) or self.effect(CREDIT_FORMER):
            yield CREDIT_FORMER

    def _adds(self) -> Iterator[Effect]:
        adds = (effect for effect in self.mine if effect.key.step.kind is StepKind.ADD_LINE)
        yield from sorted(adds, key=lambda effect: effect.key.step)


def progress_of(draft: InvoiceDraft, done: Sequence[Effect], sending: Sending) -> BillProgress:
    """Sort the effects of a bill by generation."""
    newest = max((effect.key.generation for effect in done), default=1)
    generation = sending.generation or newest
    return BillProgress(
        draft,
        tuple(effect for effect in done if effect.key.generation == generation),
        tuple(effect for effect in done if effect.key.generation < generation),
        sending,
        generation,
    )


def add_step(position: int) -> StepName:
    """Name the step that adds a drafted line; numbers count from 1."""
    return StepName(StepKind.ADD_LINE, position + 1)


def holds(invoice: Invoice, lines: Sequence[InvoiceLineId]) -> bool:
    """Whether an invoice holds all of these lines."""
    return set(lines) <= {line.id for line in invoice.lines}


def _billed(effect: Effect) -> bool:
    return effect.state is PushState.DONE and effect.key.step.kind in _MAKES_LINES
