"""Implements ``sync.ports.ledger.Ledger`` over SQLite or PostgreSQL; one transaction a method."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from reconciler.kernel.address import BillId
from reconciler.ledger import attempts, bills, controls, effects, leases
from reconciler.ledger.sequence import count, count_record, identity_of, note_of
from reconciler.ledger.sql.database import Database
from reconciler.sync.core.when_to_act import RetryTimes
from reconciler.sync.model.invoice import Invoice
from reconciler.sync.model.push import (
    Effect,
    InvoiceLineId,
    LookUp,
    Mark,
    PushKey,
    PushStatus,
    Resolved,
    SiteName,
    Step,
    StepOutcome,
)
from reconciler.sync.ports.ledger import (
    Attempt,
    BillRow,
    Lease,
    LedgerIdentity,
    LedgerNote,
    Provenance,
)


@dataclass(frozen=True, slots=True)
class SqlLedger:
    """One open ledger, safe to use from many threads.

    Attributes:
        settings: When empty look-ups prove that nothing arrived.
        note: Remembers outside of the ledger how far it has come: before every request that may
            make something, so that a copy from before it is known as older, and after every word
            of a person.
    """

    database: Database
    settings: RetryTimes
    note: Callable[[LedgerNote], None]

    @property
    def identity(self) -> LedgerIdentity:
        """Id, sequence, and when it was rebuilt."""
        return self.database.read(identity_of)

    def note_now(self) -> None:
        """Remember outside of the ledger how far it has come."""
        self.note(self.database.read(note_of))

    def claim(self, site: SiteName, bill: BillId, worker: str, seconds: float) -> Lease | None:
        """Take the lease of a bill."""
        return leases.claim(self.database, site, bill, worker, seconds)

    def renew(self, lease: Lease, seconds: float) -> Lease:
        """Hold the lease longer."""
        return leases.renew(self.database, lease, seconds)

    def release(self, lease: Lease) -> None:
        """Give the lease back."""
        leases.release(self.database, lease)

    def bill(self, site: SiteName, bill: BillId) -> BillRow | None:
        """Give the row of a bill."""
        return self.database.read(lambda connection: bills.bill(connection, site, bill))

    def bills(
        self, site: SiteName, statuses: Iterable[PushStatus] | None = None
    ) -> Iterator[BillRow]:
        """Stream the bills of a site by period end and id."""
        return bills.stream_bills(self.database, site, statuses)

    def put_bill(self, lease: Lease, row: BillRow) -> None:
        """Insert or replace the row of a bill."""
        self._held(lease, lambda connection, _: bills.put_bill(connection, row))

    def effects(self, site: SiteName, bill: BillId) -> tuple[Effect, ...]:
        """Give every effect of a bill."""
        return self.database.read(lambda connection: effects.effects_of(connection, site, bill))

    def lines_known(
        self, site: SiteName, lines: Collection[InvoiceLineId]
    ) -> frozenset[InvoiceLineId]:
        """Give those of some lines that steps of any bill made."""
        return self.database.read(lambda connection: effects.lines_known(connection, site, lines))

    def intend(self, lease: Lease, key: PushKey, step: Step, why: Provenance) -> Effect:
        """Store an effect before its first attempt."""
        return self._recorded(
            lease, lambda connection, _: effects.intend(connection, key, step, why)
        )

    def redraft(self, lease: Lease, key: PushKey, step: Step, why: Provenance) -> Effect:
        """Replace the request of an effect that was refused."""
        return self._recorded(
            lease,
            lambda connection, now: effects.redraft(
                connection, key, step, why, at=now, settings=self.settings
            ),
        )

    def now(self) -> datetime:
        """Give the ledger's time."""
        return self.database.read(self.database.now)

    def sending(self, lease: Lease, key: PushKey, vendor_at: datetime | None = None) -> Effect:
        """Record that a request is about to be sent, before it is, also outside of the ledger."""
        return self._noted(
            lease,
            lambda connection, now: effects.attempted(
                connection, lease, key, now, vendor_at=vendor_at, settings=self.settings
            ),
        )

    def ended(self, lease: Lease, key: PushKey, outcome: StepOutcome, mark: Mark | None) -> Effect:
        """Record what an attempt ended in, also when the lease is over by now: it is a fact."""

        def end(connection: Connection) -> Effect:
            current = leases.holds_fence(connection, lease)
            now = self.database.now(connection)
            effect = effects.ended(
                connection,
                lease,
                key,
                outcome,
                at=now,
                settings=self.settings,
                current=current,
            )
            if mark is not None:
                route = effects.integration_of_effect(connection, key)
                controls.add_mark(connection, key.site, route, mark, now)
            count(connection)
            return effect

        return self.database.write(end)

    def looked(self, lease: Lease, key: PushKey, found: LookUp) -> Effect:
        """Record a look-up."""
        return self._recorded(
            lease,
            lambda connection, now: effects.happened(connection, key, found, now, self.settings),
        )

    def resolved(self, lease: Lease, key: PushKey, decision: Resolved, actor: str) -> Effect:
        """Record a person's decision."""

        def decide(connection: Connection, now: datetime) -> Effect:
            effect = effects.resolved(connection, key, decision, now, self.settings)
            what = f"sent as {decision.object_id}" if decision.object_id else "not sent"
            controls.record_decision(
                connection,
                key.site,
                str(key),
                what=what,
                actor=actor,
                why=decision.reason,
                at=now,
            )
            return effect

        return self._noted(lease, decide)

    def attempts(self, site: SiteName, bill: BillId) -> tuple[Attempt, ...]:
        """Give the attempts of a bill, oldest first."""
        return self.database.read(lambda connection: attempts.attempts_of(connection, site, bill))

    def marks(self, site: SiteName, integration: str, newest: int) -> tuple[Mark, ...]:
        """Give the newest marks since the last enabling, oldest first."""
        return self.database.read(
            lambda connection: controls.newest_marks(connection, site, integration, newest)
        )

    def disabled(self, site: SiteName, integration: str) -> str | None:
        """Say why a push is disabled."""
        return self.database.read(
            lambda connection: controls.why_disabled(connection, site, integration)
        )

    def disable(self, site: SiteName, integration: str, why: str) -> None:
        """Disable a push until ``enable``; the first reason stays."""
        self._at(lambda connection, now: controls.disable(connection, site, integration, why, now))

    def enable(self, site: SiteName, integration: str, actor: str) -> None:
        """Enable a push again, and forget its marks."""
        self._at(lambda connection, now: controls.enable(connection, site, integration, actor, now))

    def paused(self, site: SiteName) -> str | None:
        """Say who paused the site and why."""
        return self.database.read(lambda connection: controls.who_paused(connection, site))

    def pause(self, site: SiteName, actor: str, why: str) -> None:
        """Stop all writes of the site."""
        self._at(lambda connection, now: controls.pause(connection, site, actor, why, now))

    def resume(self, site: SiteName, actor: str) -> None:
        """Let writes go on."""
        self._at(lambda connection, now: controls.resume(connection, site, actor, now))

    def put_stamps(self, site: SiteName, invoices: Iterable[Invoice]) -> int:
        """Add read invoices to the stamp index; gives how many were new."""
        return bills.put_stamps(self.database, site, invoices)

    def stamps(self, site: SiteName, bill: BillId) -> tuple[Invoice, ...]:
        """Give the invoices that the stamp index holds for a bill, without their lines."""
        return self.database.read(lambda connection: bills.stamps_of(connection, site, bill))

    def _at(self, work: Callable[[Connection, datetime], None]) -> None:
        def act(connection: Connection) -> LedgerNote:
            work(connection, self.database.now(connection))
            return count_record(connection)

        self.note(self.database.write(act))

    def _held(self, lease: Lease, work: Callable[[Connection, datetime], None]) -> None:
        def checked(connection: Connection) -> None:
            work(connection, leases.refuse_lost_lease(self.database, connection, lease))

        self.database.write(checked)

    def _recorded(self, lease: Lease, work: Callable[[Connection, datetime], Effect]) -> Effect:
        def checked(connection: Connection) -> Effect:
            effect = work(connection, leases.refuse_lost_lease(self.database, connection, lease))
            count(connection)
            return effect

        return self.database.write(checked)

    def _noted(self, lease: Lease, work: Callable[[Connection, datetime], Effect]) -> Effect:
        def checked(connection: Connection) -> tuple[Effect, LedgerNote]:
            effect = work(connection, leases.refuse_lost_lease(self.database, connection, lease))
            return effect, count_record(connection)

        effect, note = self.database.write(checked)
        self.note(note)
        return effect
