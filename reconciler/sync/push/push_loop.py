"""One bill on its way: look, decide, record the intent, send, record the outcome, read back.

Before each write the gate is asked; when all is done, what stands there is read and compared.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import assert_never

from reconciler.drafting.draft import BlockReason
from reconciler.drafting.periods import date_too_old, zone_of
from reconciler.errors import IdentityError
from reconciler.kernel.runbook import Page, page
from reconciler.sync.core.clocks import Clocks
from reconciler.sync.core.effect_states import DATE_FIELD, idempotency_key
from reconciler.sync.core.when_to_act import AskPerson, Finished, Look, Send, WaitUntil, next_move
from reconciler.sync.judge.sent_bill import read_back
from reconciler.sync.judge.standings import bill_standing
from reconciler.sync.model.push import (
    CredentialsRefused,
    Effect,
    LookUp,
    NotFound,
    Performed,
    PushState,
    PushStatus,
    Step,
    StepKind,
    StepName,
    Undecidable,
)
from reconciler.sync.model.standing import BillStanding, Group
from reconciler.sync.model.statuses import bill_page
from reconciler.sync.ports.destination import Complete, Sending, Stop, WaitForInvoice
from reconciler.sync.push.bill_record import LEASE_SECONDS, BillRecord
from reconciler.sync.push.gate import Gate, disable_if_due, mark_of
from reconciler.sync.push.lines_alike import beside_others, whose


class KeyRefusedError(IdentityError):
    """Chargebee refused the key in the middle of a run."""

    def __init__(self, site: str, message: str) -> None:
        super().__init__(
            f"Chargebee refused the key of site `{site}`: {message}.\n"
            "The run ended at once; what had been sent before is recorded, and no bill is blamed. "
            f"Put the key right and run it again. See {page(Page.REFUSED_KEY)}."
        )


@dataclass(slots=True)
class PushLoop:
    """One bill on its way.

    Attributes:
        record: The bill under its lease.
        gate: Asked before every write.
        sending: Policies, and the change that began the generation.
        moved: Whether it was moved to another invoice in this run.
        looked: Whether a refused closing was looked for in this run.
        absent: What a look-up of the open step said just now, when it found nothing.
        seen: The step that was made from, or looked for on, the invoice as it is now.
    """

    record: BillRecord
    gate: Gate
    sending: Sending
    moved: bool = False
    looked: bool = False
    absent: NotFound | None = None
    seen: StepName | None = None

    def run(self) -> BillStanding:
        """Go on until the bill is complete or nothing can be done now."""
        while True:
            effects = self.record.effects
            ended = self._next(effects)
            if ended is not None:
                return ended

    def close(self, step: Step, effects: tuple[Effect, ...]) -> BillStanding:
        """Close the invoice of a sent bill, as a person asked, and go on with what waited for it.

        Args:
            step: The closing, as the destination made it from the invoice that is there.
            effects: Of the bill; a closing among them was refused, and is made anew.
        """
        if standing := self.gate.held(()):
            return standing
        self.record.put(PushStatus.STARTED, "its invoice is being closed", None)
        key = self.record.key(step.name)
        self.record.intend(step, anew=any(effect.key == key for effect in effects))
        return self.run()

    def _next(self, effects: tuple[Effect, ...]) -> BillStanding | None:
        begun = self.record.open_step(effects)
        if begun is None:
            return self._step(effects)
        if self._closed_first(begun, effects):
            return self._elsewhere(begun, effects)
        if self._day_passed(begun):
            return self._today(begun, effects)
        if self._closing_refused(begun):
            # a person, or the site, may have closed it first: then there was nothing to refuse
            self.looked = True
            self._look(begun, effects)
            return None
        return self._move(begun, effects)

    def _move(self, begun: Effect, effects: tuple[Effect, ...]) -> BillStanding | None:
        absent, self.absent = self.absent, None
        clocks = self._clocks(begun, absent)
        match next_move(begun, clocks, self.record.push.settings, looked=absent is not None):
            case Send():
                return self._send(begun, effects)
            case Look():
                self._look(begun, effects)
                return None
            case WaitUntil(at, why, about):
                why = f"{why}; goes on after {at:%-d %b, %H:%M} UTC"
                rests = self.record.rests(effects, why, at)
                return rests if about is None else replace(rests, page=page(about))
            case AskPerson(why):
                return self.record.rests(effects, why, None)
            case Finished():
                return None
            case never:
                assert_never(never)

    def _clocks(self, effect: Effect, absent: NotFound | None) -> Clocks:
        """Read the clocks; the ledger's only where an attempt has an age."""
        push = self.record.push
        machine = push.clock.now()
        ledger = push.ledger.now() if effect.attempts else machine
        return Clocks(machine, ledger, absent.at if absent is not None else None)

    def _day_passed(self, begun: Effect) -> bool:
        """Whether nothing was refused but a day that is too old by now."""
        at, rules = self.record.draft.invoice_at, self.record.route.route
        if begun.state is not PushState.REFUSED or DATE_FIELD not in begun.message or at is None:
            return False
        site = zone_of(rules.site_zone)
        now = self.record.push.destination.vendor_time() or self.record.push.clock.now()
        return site is not None and date_too_old(at, now, site)

    def _today(self, begun: Effect, effects: tuple[Effect, ...]) -> BillStanding | None:
        """Make the invoice anew, dated today, as a new draft of the bill would be."""
        note = f"the external invoice date {self.record.draft.invoice_at:%Y-%m-%d} was too old by"
        self.record.dated_today(f"{note} the time it was sent; today is used")
        found = self.record.push.destination.next_step(self.record.draft, effects, self.sending)
        if not isinstance(found, Step) or found.name != begun.key.step:
            return self.record.rests(effects, begun.message, None)
        self._intend(found, anew=True)
        self.record.put(PushStatus.STARTED, "being sent", None)
        return None

    def _closing_refused(self, begun: Effect) -> bool:
        """Whether a closing was refused, and nobody looked why; asked once a run."""
        closing = begun.key.step.kind is StepKind.CLOSE_INVOICE
        return closing and begun.state is PushState.REFUSED and not self.looked

    def _closed_first(self, begun: Effect, effects: tuple[Effect, ...]) -> bool:
        """Whether the invoice closed before any line of the bill was on it; asked once a run."""
        done = any(effect.state is PushState.DONE for effect in self.record.mine(effects))
        return begun.state is PushState.CLOSED and not done and not self.moved

    def _elsewhere(self, begun: Effect, effects: tuple[Effect, ...]) -> BillStanding | None:
        """Make the step anew for the next pending invoice, or wait for one."""
        self.moved = True
        if (former := self.record.replaced(effects)) is not None:
            why = "its invoice closed before a line of it was replaced; it stands as it was sent"
            return self.record.stays(former, why)
        found = self.record.push.destination.next_step(self.record.draft, effects, self.sending)
        if isinstance(found, Step) and found.name == begun.key.step:
            self._intend(found, anew=True)
            return None
        if isinstance(found, WaitForInvoice):
            return self.record.rests(effects, found.why, found.until)
        if isinstance(found, Step):
            # nothing of it arrived, and it begins with another step now: in a generation of its own
            self.record.begins_anew()
            self.sending = replace(self.sending, generation=self.record.row.generation)
            return None
        return self.record.rests(effects, begun.message, None)

    def _step(self, effects: tuple[Effect, ...]) -> BillStanding | None:
        """Ask the destination what comes next, and store the intent."""
        found = self.record.push.destination.next_step(self.record.draft, effects, self.sending)
        match found:
            case Step():
                self._intend(found)
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
                return self._stopped(effects, reason)
            case never:
                assert_never(never)

    def _intend(self, step: Step, *, anew: bool = False) -> None:
        """Store a step; one whose line may stand on the invoice already is for a person."""
        record = self.record
        step = beside_others(step, record.push.ledger, record.site)
        record.intend(step, anew=anew)
        self.seen = step.name
        if step.alike and step.alike_on is not None:
            undecidable = whose(record.row.bill_id, step.alike_on, step.alike)
            record.push.ledger.looked(record.lease, record.key(step.name), undecidable)

    def _stopped(self, effects: tuple[Effect, ...], reason: BlockReason) -> BillStanding:
        why = f"{reason.text} ({reason.hint})"
        if self.record.former is not None:
            return self.record.stays(self.record.former, why)
        some = bool(self.record.mine(effects))
        status = PushStatus.PARTIAL if some else PushStatus.BLOCKED
        rests = self.record.rests(effects, why, None, waiting=status)
        return rests if some else replace(rests, page=bill_page(reason.code))

    def _send(self, effect: Effect, effects: tuple[Effect, ...]) -> BillStanding | None:
        if standing := self.gate.held(effects):
            return standing
        if effect.attempts == 0 and self._known_by_stamp(effect, effects):
            return None
        if self._stands_already(effect, effects):
            return None
        ledger = self.record.push.ledger
        self.record.lease = ledger.renew(self.record.lease, LEASE_SECONDS)
        heard = self.record.push.destination.vendor_time()
        ledger.sending(self.record.lease, effect.key, heard)
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

    def _stands_already(self, effect: Effect, effects: tuple[Effect, ...]) -> bool:
        """Look for lines like ours before a line is sent that was not made from what is there now.

        Whoever stored it may have sent it, and the memory of that was lost. A line in doubt is
        looked for by its ids.
        """
        name, invoice = effect.key.step, effect.invoice_id
        at_rest = effect.state in {PushState.INTENDED, PushState.RETRY}
        if name.kind is not StepKind.ADD_LINE or self.seen == name or not at_rest:
            return False
        self.seen, push = name, self.record.push
        line_ids = push.destination.alike(effect, self.record.draft, effects)
        if not line_ids or invoice is None:
            return False
        others = push.ledger.lines_known(self.record.site, line_ids)
        unknown = [line_id for line_id in line_ids if line_id not in others]
        if unknown:
            undecidable = whose(self.record.row.bill_id, invoice, unknown)
            push.ledger.looked(self.record.lease, effect.key, undecidable)
        return bool(unknown)

    def _known_by_stamp(self, effect: Effect, effects: tuple[Effect, ...]) -> bool:
        """Look before the first send of a bill that the stamp index knows already."""
        if effect.key.generation != 1 or effect.key.step not in _FIRST_STEPS:
            return False
        stamped = self.record.push.ledger.stamps(self.record.lease.site, self.record.row.bill_id)
        if not stamped:
            return False
        names = ", ".join(invoice.id for invoice in stamped)
        found: LookUp = Undecidable(f"invoice {names} carries the stamp of the bill already")
        if effect.key.step.kind is StepKind.CREATE_INVOICE:
            found = self.record.push.destination.look_up(effect, self.record.draft, effects)
        if isinstance(found, NotFound):
            found = Undecidable(f"invoice {names} carried the stamp of the bill and is gone now")
        self.record.push.ledger.looked(self.record.lease, effect.key, found)
        return True

    def _look(self, effect: Effect, effects: tuple[Effect, ...]) -> None:
        self.seen = effect.key.step
        found = self.record.push.destination.look_up(effect, self.record.draft, effects)
        if isinstance(found, Undecidable) and effect.doubt == "decided":
            # a person has seen it, and said what to do
            found = NotFound()
        self.record.push.ledger.looked(self.record.lease, effect.key, found)
        self.absent = found if isinstance(found, NotFound) else None


_FIRST_STEPS = frozenset({StepName(StepKind.CREATE_INVOICE), StepName(StepKind.ADD_LINE, 1)})


def verified(record: BillRecord, effects: tuple[Effect, ...]) -> BillStanding:
    """Read back what stands in Chargebee, and record the bill as complete."""
    generation = record.row.generation
    result, invoices = read_back(record.push.destination, record.draft, effects, generation)
    invoice = invoices[0].id if invoices else None
    if result is None or not result.differences:
        text = f"sent as invoice {invoice}, read back line by line: as sent"
    else:
        text = "sent, but what stands there differs: " + "; ".join(
            difference.text for difference in result.differences
        )
    record.put(PushStatus.COMPLETE, text, None)
    done = bill_standing(record.who, Group.SENT, "sent", text, record.route.name)
    differs = result is not None and bool(result.differences)
    return replace(
        done,
        draft=record.draft,
        money=record.draft.billed,
        status=PushStatus.COMPLETE,
        invoice=invoice,
        rounding=result.rounding if result else None,
        unexplained=result.unexplained if result else None,
        short="sent, but it differs" if differs else "sent",
        page=page(Page.DIFFERENCE) if differs else "",
    )
