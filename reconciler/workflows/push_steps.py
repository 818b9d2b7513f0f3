"""One bill on its way: look, decide, record the intent, send, record the outcome, read back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import assert_never

from reconciler.core.look_first import (
    AskPerson,
    Finished,
    Look,
    Send,
    WaitUntil,
    next_move,
)
from reconciler.core.push_machine import idempotency_key
from reconciler.core.runbook import Page, page
from reconciler.domain.push import (
    CredentialsRefused,
    Effect,
    LookUp,
    NotFound,
    Performed,
    PushState,
    PushStatus,
    Step,
    StepKind,
    Undecidable,
)
from reconciler.domain.standing import Group, Standing
from reconciler.errors import IdentityError
from reconciler.ports.destination import (
    Complete,
    Sending,
    Stop,
    WaitForInvoice,
)
from reconciler.workflows.push_gate import Gate
from reconciler.workflows.push_marks import disable_if_due, mark_of
from reconciler.workflows.push_record import BillRecord
from reconciler.workflows.push_verified import verified
from reconciler.workflows.push_world import LEASE_SECONDS


class KeyRefusedError(IdentityError):
    """Chargebee refused the key in the middle of a run."""

    def __init__(self, site: str, message: str) -> None:
        super().__init__(
            f"Chargebee refused the key of site `{site}`: {message}.\n"
            "The run ended at once; what had been sent before is recorded, and no bill is blamed. "
            f"Put the key right and run it again. See {page(Page.REFUSED_KEY)}."
        )


@dataclass(slots=True)
class Going:
    """One bill on its way.

    Attributes:
        record: The bill under its lease.
        gate: Asked before every write.
        sending: Policies, and the change that began the generation.
        moved: Whether it was moved to another invoice in this run.
        looked: Whether a refused closing was looked for in this run.
    """

    record: BillRecord
    gate: Gate
    sending: Sending
    moved: bool = False
    looked: bool = False

    def on(self) -> Standing:
        """Go on until the bill is complete or nothing can be done now."""
        while True:
            effects = self.record.effects
            ended = self._next(effects)
            if ended is not None:
                return ended

    def close(self, step: Step, effects: tuple[Effect, ...]) -> Standing:
        """Close the invoice of a sent bill, as a person asked, and go on with what waited for it.

        Args:
            step: The closing, as the destination made it from the invoice that is there.
            effects: Of the bill; a closing among them was refused, and is made anew.
        """
        if held := self.gate.held(()):
            return held
        self.record.put(PushStatus.STARTED, "its invoice is being closed", None)
        key = self.record.key(step.name)
        self.record.intend(step, anew=any(one.key == key for one in effects))
        return self.on()

    def _next(self, effects: tuple[Effect, ...]) -> Standing | None:
        begun = self.record.open_step(effects)
        if begun is None:
            return self._step(effects)
        if self._closed_first(begun, effects):
            return self._elsewhere(begun, effects)
        if self._closing_refused(begun):
            # a person, or the site, may have closed it first: then there was nothing to refuse
            self.looked = True
            self._look(begun, effects)
            return None
        return self._move(begun, effects)

    def _move(self, begun: Effect, effects: tuple[Effect, ...]) -> Standing | None:
        match next_move(begun, self.record.push.clock.now(), self.record.push.settings):
            case Send():
                return self._send(begun, effects)
            case Look():
                self._look(begun, effects)
                return None
            case WaitUntil(at, why):
                return self.record.rests(
                    effects, f"{why}; goes on after {at:%-d %b, %H:%M} UTC", at
                )
            case AskPerson(why):
                return self.record.rests(effects, why, None)
            case Finished():
                return None
            case never:
                assert_never(never)

    def _closing_refused(self, begun: Effect) -> bool:
        """Whether a closing was refused, and nobody looked why; asked once a run."""
        closing = begun.key.step.kind is StepKind.CLOSE_INVOICE
        return closing and begun.state is PushState.REFUSED and not self.looked

    def _closed_first(self, begun: Effect, effects: tuple[Effect, ...]) -> bool:
        """Whether the invoice closed before any line of the bill was on it; asked once a run."""
        done = any(one.state is PushState.DONE for one in self.record.mine(effects))
        return begun.state is PushState.CLOSED and not done and not self.moved

    def _elsewhere(self, begun: Effect, effects: tuple[Effect, ...]) -> Standing | None:
        """Make the step anew for the next pending invoice, or wait for one."""
        self.moved = True
        if (former := self.record.replaced(effects)) is not None:
            why = "its invoice closed before a line of it was replaced; it stands as it was sent"
            return self.record.stays(former, why)
        found = self.record.push.destination.next_step(self.record.draft, effects, self.sending)
        if isinstance(found, Step) and found.name == begun.key.step:
            self.record.intend(found, anew=True)
            return None
        if isinstance(found, WaitForInvoice):
            return self.record.rests(effects, found.why, found.until)
        if isinstance(found, Step):
            # nothing of it arrived, and it begins with another step now: in a generation of its own
            self.record.begins_anew()
            self.sending = replace(self.sending, generation=self.record.row.generation)
            return None
        return self.record.rests(effects, begun.message, None)

    def _step(self, effects: tuple[Effect, ...]) -> Standing | None:
        """Ask the destination what comes next, and store the intent."""
        found = self.record.push.destination.next_step(self.record.draft, effects, self.sending)
        match found:
            case Step():
                self.record.intend(found)
                return None
            case Complete():
                return verified(self.record, effects)
            case WaitForInvoice(until, why) if self.record.mine(effects):
                # what was sent stays as it was sent, whatever becomes of the bill meanwhile
                rests = self.record.rests(effects, why, until)
                short = "waits for its invoice"
                return replace(rests, group=Group.WAITING, short=short, again_at=None)
            case WaitForInvoice(until, why):
                return self.record.rests(effects, why, until, waiting=PushStatus.WAITING)
            case Stop(reason):
                return self._stopped(effects, f"{reason.text} ({reason.hint})")
            case never:
                assert_never(never)

    def _stopped(self, effects: tuple[Effect, ...], why: str) -> Standing:
        if self.record.former is not None:
            return self.record.stays(self.record.former, why)
        some = bool(self.record.mine(effects))
        status = PushStatus.PARTIAL if some else PushStatus.BLOCKED
        return self.record.rests(effects, why, None, waiting=status)

    def _send(self, effect: Effect, effects: tuple[Effect, ...]) -> Standing | None:
        if held := self.gate.held(effects):
            return held
        if effect.attempts == 0 and self._known_by_stamp(effect, effects):
            return None
        ledger = self.record.push.ledger
        self.record.lease = ledger.renew(self.record.lease, LEASE_SECONDS)
        ledger.sending(self.record.lease, effect.key)
        outcome = self.record.push.destination.perform(
            effect.key, effect.request, idempotency_key(effect), effect.lines_before
        )
        ledger.ended(self.record.lease, effect.key, outcome, mark_of(outcome))
        if isinstance(outcome, CredentialsRefused):
            self.record.put(PushStatus.AUTH_FAILED, outcome.message, None)
            raise KeyRefusedError(self.record.lease.site, outcome.message)
        if not isinstance(outcome, Performed):
            disable_if_due(self.record)
        return None

    def _known_by_stamp(self, effect: Effect, effects: tuple[Effect, ...]) -> bool:
        """Look before the first send of a bill that the stamp index knows already."""
        first = effect.key.generation == 1 and effect.key.step.kind is StepKind.CREATE_INVOICE
        if not first:
            return False
        stamped = self.record.push.ledger.stamps(self.record.lease.site, self.record.row.bill_id)
        if not stamped:
            return False
        found: LookUp = self.record.push.destination.look_up(effect, self.record.draft, effects)
        if isinstance(found, NotFound):
            names = ", ".join(one.id for one in stamped)
            found = Undecidable(f"invoice {names} carried the stamp of the bill and is gone now")
        self.record.push.ledger.looked(self.record.lease, effect.key, found)
        return True

    def _look(self, effect: Effect, effects: tuple[Effect, ...]) -> None:
        found = self.record.push.destination.look_up(effect, self.record.draft, effects)
        self.record.push.ledger.looked(self.record.lease, effect.key, found)
