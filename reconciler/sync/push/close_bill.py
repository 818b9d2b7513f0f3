"""One bill whose open invoice a person wants closed: from where it stands to where it gets."""

from __future__ import annotations

from dataclasses import dataclass, replace

from reconciler.kernel.runbook import Page, page
from reconciler.sync.core.closed import Closed, Fate
from reconciler.sync.model.push import (
    Effect,
    Found,
    InvoiceId,
    PushState,
    PushStatus,
    Step,
    StepKind,
)
from reconciler.sync.model.standing import BillStanding, Group
from reconciler.sync.ports.destination import AlreadyClosed, Stop
from reconciler.sync.push.push_loop import PushLoop

NEVER_SENT = "nothing of it was sent"


@dataclass(frozen=True, slots=True)
class OpenBill:
    """One bill that was sent to an open invoice.

    Attributes:
        going: The bill under its lease.
        told: What is known of it.
        effects: Of all generations.
        with_foreign_lines: Whether lines that are not ours may be closed with it.
    """

    loop: PushLoop
    told: Closed
    effects: tuple[Effect, ...]
    with_foreign_lines: bool

    def closed(self) -> Closed:
        """Close its invoice, and go on with what waits for that; or say why it stays open."""
        mine = self.loop.record.mine(self.effects)
        begun = self.loop.record.open_step(self.effects)
        if not mine:
            return self._left(NEVER_SENT)
        if begun is None:
            return self._settled(mine)
        if begun.key.step.kind is not StepKind.CLOSE_INVOICE:
            why = f"its step {begun.key.step} is {begun.state}: {begun.message or 'under way'}"
            return self._left(f"{why}; `sync run`, `sync retry` or `sync decide` come first")
        if begun.state in {PushState.REFUSED, PushState.CLOSED}:
            return self._again(begun)
        return self._went(self.loop.run())

    def _settled(self, mine: list[Effect]) -> Closed:
        """Nothing is under way: close it, unless it is closed."""
        if any(effect.key.step.kind is StepKind.CLOSE_INVOICE for effect in mine):
            return self._earlier()
        return self._close()

    def _again(self, refused: Effect) -> Closed:
        """Look whether a refused closing came about all the same, or close again."""
        record = self.loop.record
        found = record.push.destination.look_up(refused, record.draft, self.effects)
        if isinstance(found, Found):
            record.push.ledger.looked(record.lease, refused.key, found)
            return self._went(self.loop.run())
        return self._close()

    def _close(self) -> Closed:
        record = self.loop.record
        found = record.push.destination.closing(
            record.draft,
            self.effects,
            record.row.generation,
            with_foreign_lines=self.with_foreign_lines,
        )
        match found:
            case Step():
                return self._went(self.loop.close(found, self.effects))
            case AlreadyClosed(invoice):
                return self._earlier(invoice.id)
            case Stop(reason):
                return self._left(reason.text, reason.hint)

    def _earlier(self, invoice: InvoiceId | None = None) -> Closed:
        """Say that it was closed before; what waited for that goes on."""
        if self.loop.record.row.status is PushStatus.COMPLETE:
            key = invoice or self._closed_as()
            return replace(self.told, fate=Fate.EARLIER, invoice=key)
        went = self._went(self.loop.run())
        return replace(went, fate=Fate.EARLIER, invoice=invoice or went.invoice)

    def _went(self, standing: BillStanding) -> Closed:
        """Say what became of the closing, and of what waited for it."""
        key = self._closed_as()
        if key is None:
            unknown = standing.status is PushStatus.UNKNOWN
            closing = replace(self.told, fate=Fate.UNKNOWN if unknown else Fate.OPEN)
            return replace(closing, why=standing.why, page=standing.page)
        done = replace(self.told, fate=Fate.CLOSED, invoice=key)
        if standing.group is Group.SENT and standing.short == "sent":
            return done
        return replace(done, why=standing.why, page=standing.page)

    def _closed_as(self) -> InvoiceId | None:
        record = self.loop.record
        for effect in record.mine(record.effects):
            if effect.key.step.kind is StepKind.CLOSE_INVOICE and effect.state is PushState.DONE:
                return InvoiceId(effect.object_id)
        return None

    def _left(self, why: str, hint: str = "") -> Closed:
        return replace(self.told, why=why, hint=hint, page=page(Page.STAYS_OPEN))
