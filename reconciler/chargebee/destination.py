"""A Chargebee site as a destination: preflight, next step, one request, look, read back."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import assert_never

from reconciler.chargebee.invoice_json import AnswerReading
from reconciler.chargebee.outcomes import lost_stamp, outcome_of
from reconciler.chargebee.reads.catalogue import Catalogue
from reconciler.chargebee.reads.estimates import estimate
from reconciler.chargebee.reads.events import Events
from reconciler.chargebee.reads.invoices import Invoices
from reconciler.chargebee.reads.lookup import Lookup, amount_of, gives
from reconciler.chargebee.session import SiteSession
from reconciler.chargebee.steps.next_step import closing, decide_step
from reconciler.chargebee.steps.preflight import (
    COLLECTION_HINT,
    DecimalPlaces,
    collects_at_closing,
    preflight,
    stamp_lost,
)
from reconciler.chargebee.steps.progress import BillProgress, progress_of
from reconciler.chargebee.steps.seen import (
    Need,
    ReadInvoice,
    ReadNothing,
    ReadPending,
    StepDurations,
    StepReads,
    need_of,
    need_to_close,
    stop,
)
from reconciler.chargebee.wire import create_invoice
from reconciler.drafting.draft import BilledParty, BlockReason, InvoiceDraft
from reconciler.kernel.address import BillId
from reconciler.kernel.money import CurrencyTable, Money, chargebee_currencies
from reconciler.sync.model.invoice import Estimate, Invoice, InvoiceChange
from reconciler.sync.model.push import (
    Effect,
    InvoiceId,
    InvoiceLineId,
    LookUp,
    NotFound,
    NotPerformed,
    PushKey,
    PushState,
    SiteName,
    Step,
    StepOutcome,
    StoredRequest,
    UnknownOutcome,
)
from reconciler.sync.ports.destination import FIRST_SENDING, Closing, NextStep, Sending, Stop
from reconciler.transport.retry import Answer, NotSentError

# A line on a pending invoice costs a read and a write.
_REQUESTS_A_LINE = 2
# Whole seconds are compared, and days may be told in another time zone.
_MARGIN = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class SiteSettings:
    """What the environment and the push integrations say of a site.

    Attributes:
        stamps: The custom fields of all push integrations of the site.
        zone: The site's time zone, compared with what its invoices show; empty is not compared.
        places: Decimal places that the site takes.
        currencies: Minor units.
        pace: How long things take.
    """

    stamps: tuple[str, ...] = ("cf_m3ter_bill_id",)
    zone: str = ""
    places: DecimalPlaces = field(default_factory=DecimalPlaces)
    currencies: CurrencyTable = field(default_factory=chargebee_currencies)
    pace: StepDurations = field(default_factory=StepDurations)


def durations_at(requests_per_minute: int) -> StepDurations:
    """Say how long a line takes at a rate."""
    return StepDurations(timedelta(seconds=60 * _REQUESTS_A_LINE / requests_per_minute))


def open_site(session: SiteSession, settings: SiteSettings) -> ChargebeeDestination:
    """Open a site, checked against the address, the key and what its answers show.

    Raises:
        DestinationAccessError: When the key is refused, or one of them belongs to another site.
        DestinationUnreachableError: When Chargebee does not answer.
    """
    session.check(settings.zone)
    return ChargebeeDestination(session, settings)


class ChargebeeDestination:
    """Implements ``sync.ports.destination.Destination``; safe for use by many threads."""

    def __init__(self, session: SiteSession, settings: SiteSettings) -> None:
        self._session = session
        self._settings = settings
        self._reading = reading = AnswerReading(settings.stamps, settings.currencies)
        self._invoices = Invoices(session, reading)
        self._events = Events(session, reading)
        self._catalogue = Catalogue(session)
        self._lookup = Lookup(self._invoices, self._catalogue, reading)
        self._lost_stamp = ""

    @property
    def site(self) -> SiteName:
        """The site, checked against the key by ``open_site``."""
        return self._session.site

    def flat_prices(self, ids: Iterable[str]) -> frozenset[str]:
        """Tell which item prices are flat fees, for drafting.

        Raises:
            DestinationError: When the catalogue cannot be read.
        """
        return self._catalogue.flat_prices(ids)

    def expect(self, targets: Sequence[BilledParty]) -> None:
        """Hear who is billed next; they are read by lists when the first of them is checked."""
        self._catalogue.expect(targets)

    def check(self, draft: InvoiceDraft) -> tuple[BlockReason, ...]:
        """Preflight, from cached reads: everything that would be refused or billed wrongly.

        Raises:
            DestinationError: When the catalogue cannot be read.
        """
        facts = self._catalogue.facts(draft, self._lost_stamp)
        return preflight(draft, facts, self._settings.places, self._session.switches)

    def estimate(self, draft: InvoiceDraft) -> Estimate:
        """Ask Chargebee what it would make of a draft's create request; nothing is written.

        Raises:
            DestinationError: When no usable answer came.
        """
        flat = self._catalogue.flat_prices(drafted.price_id for drafted in draft.lines)
        request = create_invoice(draft, flat, self._session.switches)
        return estimate(self._session, request, draft.stamp_field, self._reading)

    def stamped(self, since: datetime) -> Iterator[Invoice]:
        """Stream the invoices that carry a stamp, deleted and voided ones included.

        Raises:
            DestinationError: When they cannot be read.
        """
        yield from self._invoices.stamped(since)

    def changes(self, invoices: Collection[InvoiceId], since: datetime) -> Iterator[InvoiceChange]:
        """Stream who changed some invoices, oldest first; see ``sync.ports.destination``.

        Raises:
            DestinationError: When they cannot be read.
        """
        yield from self._events.changes(invoices, since)

    def next_step(
        self, draft: InvoiceDraft, done: Sequence[Effect], sending: Sending = FIRST_SENDING
    ) -> NextStep:
        """Say what to do next, from the draft, the effects so far and what is there.

        Raises:
            DestinationError: When what is there cannot be read.
        """
        if self._lost_stamp:
            return Stop(stamp_lost(self._lost_stamp))
        progress = progress_of(draft, done, sending)
        if progress.settled:
            return decide_step(progress, StepReads(self._session.clock.now()))
        return decide_step(progress, self._there(progress))

    def closing(
        self,
        draft: InvoiceDraft,
        done: Sequence[Effect],
        generation: int,
        *,
        with_foreign_lines: bool,
    ) -> Closing:
        """Say how the open invoice of a bill is closed; see the port.

        Raises:
            DestinationError: When what is there cannot be read.
        """
        progress = progress_of(draft, done, Sending(generation=generation))
        reads = self._there(progress, need_to_close(progress))
        found = closing(progress, reads, with_foreign_lines=with_foreign_lines)
        why = collects_at_closing(draft, self._catalogue.owner(draft.target))
        return stop(why, COLLECTION_HINT) if why and isinstance(found, Step) else found

    def perform(
        self,
        key: PushKey,
        request: StoredRequest,
        idempotency_key: str,
        before: frozenset[InvoiceLineId] | None = None,
    ) -> StepOutcome:
        """Send exactly one stored request, once; never raises for answers."""
        outcome = self._session.write(request, idempotency_key, key.bill_id)
        if isinstance(outcome, NotSentError):
            return NotPerformed("not_sent", str(outcome))
        if not isinstance(outcome, Answer):
            return UnknownOutcome(str(outcome))
        lost = lost_stamp(outcome, request, self._settings.stamps)
        self._lost_stamp = lost or self._lost_stamp
        now = self._session.clock.now()
        return outcome_of(outcome, request, before, self._session.switches, now)

    def look_up(self, effect: Effect, draft: InvoiceDraft, done: Sequence[Effect] = ()) -> LookUp:
        """Look whether an effect with an unknown outcome arrived, by stamp or by new line ids.

        Raises:
            DestinationError: When nobody can look.
        """
        began = self._session.clock.monotonic()
        found = self._lookup.find(effect, draft, done)
        absent = isinstance(found, NotFound)
        return NotFound(self._session.vendor_time.now(began)) if absent else found

    def vendor_time(self) -> datetime | None:
        """Give the site's own time, as its newest answer told it."""
        return self._session.vendor_time.now()

    def alike(
        self, effect: Effect, draft: InvoiceDraft, done: Sequence[Effect]
    ) -> tuple[InvoiceLineId, ...]:
        """Look for lines just like those still to be added, before a stored one is sent.

        Raises:
            DestinationError: When nobody can look.
        """
        return self._lookup.alike(effect, draft, done)

    def read(self, invoice: InvoiceId) -> Invoice | None:
        """Read an invoice back, with all of its lines; ``None`` when the id does not resolve.

        Raises:
            DestinationError: When it cannot be read.
        """
        return self._invoices.read(invoice)

    def given(self, draft: InvoiceDraft, done: Sequence[Effect]) -> Money | None:
        """Add up credits that effects gave beside an invoice, as they stand; see the port.

        Raises:
            DestinationError: When they cannot be read.
        """
        effects = [effect for effect in done if effect.state is PushState.DONE and gives(effect)]
        if not effects:
            return None
        return Money(sum(amount_of(effect, self._invoices) for effect in effects), draft.currency)

    def by_bill(
        self, bill: BillId, draft: InvoiceDraft, done: Sequence[Effect] = ()
    ) -> tuple[Invoice, ...]:
        """Find every invoice that carries the bill's stamp, or holds lines recorded for it.

        Raises:
            DestinationError: When they cannot be read.
        """
        return self._lookup.by_bill(bill, draft, done)

    def _there(self, progress: BillProgress, need: Need | None = None) -> StepReads:
        """Read what a step needs, by default the next one, and nothing else."""
        draft = progress.draft
        invoice: Invoice | None = None
        pending: tuple[Invoice, ...] = ()
        need = need or need_of(progress)
        owner = self._catalogue.owner(draft.target)
        match need:
            case ReadNothing():
                pass
            case ReadInvoice(key, effect):
                invoice = self._current(key, effect, progress)
            case ReadPending():
                pending = self._near(owner.customer_id, progress)
            case _:
                assert_never(need)
        return StepReads(
            now=self._session.clock.now(),
            invoice=invoice,
            pending=pending,
            customer_id=owner.customer_id,
            flat_prices=self._catalogue.flat_prices(drafted.price_id for drafted in draft.lines),
            pace=self._settings.pace,
            switches=self._session.switches,
        )

    def _near(self, customer_id: str, progress: BillProgress) -> tuple[Invoice, ...]:
        """List what the bill may be, or was, added to; nothing for a subscription not there."""
        if not customer_id:
            return ()
        draft = progress.draft
        reach = timedelta(days=progress.sending.pending.match_days) + _MARGIN
        since = draft.period.end - reach
        return self._invoices.near(customer_id, draft.target.external_id, since)

    def _current(
        self, key: InvoiceId, effect: Effect | None, progress: BillProgress
    ) -> Invoice | None:
        draft = progress.draft
        lines = effect.line_ids if effect is not None else ()
        invoice = self._lookup.current(key, lines, draft)
        if invoice is None and draft.way != "pending":
            # Closed with new ids for its lines too; the stamp is what stays.
            return self._lookup.only_stamped(draft, progress.done, progress.generation)
        return invoice
