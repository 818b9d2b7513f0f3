"""The ledger: implements ``ports.Ledger`` over SQLite or PostgreSQL; one transaction a method."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import delete, insert, select, update

from reconciler.core.look_first import LookFirst
from reconciler.domain.address import BillId
from reconciler.domain.invoice import Invoice
from reconciler.domain.push import (
    Effect,
    LookUp,
    Mark,
    PushKey,
    PushStatus,
    Redrafted,
    Resolved,
    SiteName,
    Step,
    StepOutcome,
)
from reconciler.errors import ExitCode, ReconcilerError
from reconciler.ledger import effects as rows_of_effects
from reconciler.ledger import leases
from reconciler.ledger.database import Database, migrate
from reconciler.ledger.rows import (
    bill_columns,
    bill_of,
    stamp_columns,
    stamp_text,
    stamped_invoice,
)
from reconciler.ledger.tables import (
    bills,
    decisions,
    disabled,
    effects,
    ledger,
    marks,
    pauses,
    stamps,
)
from reconciler.ports.ledger import Attempt, BillRow, Lease, LedgerIdentity, Provenance

PAGE = 500


class NoLedgerError(ReconcilerError):
    """There is no ledger where the environment says, or it is another one."""

    exit_code = ExitCode.REFUSED_IDENTITY

    def __init__(self, where: str, wanted: str, found: str | None) -> None:
        what = f"the ledger {found}" if found else "no ledger"
        super().__init__(
            f"{where} holds {what}, but the environment wants {wanted}.\n"
            "Nothing was sent. If this is the first push, run `reconciler ledger init`; if one "
            "was lost, read docs/runbook.md, `ledger lost`, before anything else."
        )


@dataclass(frozen=True, slots=True)
class SqlLedger:
    """One open ledger, safe to use from many threads."""

    database: Database
    settings: LookFirst

    @property
    def identity(self) -> LedgerIdentity:
        """Id and sequence."""
        with self.database.read() as connection:
            row = connection.execute(select(ledger.c.id, ledger.c.sequence)).one()
            return LedgerIdentity(row.id, row.sequence)

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
        with self.database.read() as connection:
            row = (
                connection.execute(
                    select(bills).where((bills.c.site == site) & (bills.c.bill_id == bill))
                )
                .mappings()
                .first()
            )
            return None if row is None else bill_of(row)

    def bills(
        self, site: SiteName, statuses: Iterable[PushStatus] | None = None
    ) -> Iterator[BillRow]:
        """Stream the bills of a site by period end and id, a page in memory at a time."""
        wanted = bills.c.site == site
        if statuses is not None:
            wanted &= bills.c.status.in_([one.value for one in statuses])
        last: tuple[str, str] | None = None
        while True:
            query = select(bills).where(wanted).order_by(bills.c.period_end, bills.c.bill_id)
            if last is not None:
                query = query.where(
                    (bills.c.period_end > last[0])
                    | ((bills.c.period_end == last[0]) & (bills.c.bill_id > last[1]))
                )
            with self.database.read() as connection:
                page = connection.execute(query.limit(PAGE)).mappings().all()
            yield from (bill_of(row) for row in page)
            if len(page) < PAGE:
                return
            last = (page[-1]["period_end"], page[-1]["bill_id"])

    def put_bill(self, lease: Lease, row: BillRow) -> None:
        """Insert or replace the row of a bill."""
        with self.database.write() as connection:
            leases.refuse_lost(self.database, connection, lease)
            values = bill_columns(row)
            place = (bills.c.site == row.site) & (bills.c.bill_id == row.bill_id)
            if connection.execute(update(bills).where(place).values(**values)).rowcount == 0:
                connection.execute(insert(bills).values(**values))

    def effects(self, site: SiteName, bill: BillId) -> tuple[Effect, ...]:
        """Give every effect of a bill."""
        with self.database.read() as connection:
            return rows_of_effects.effects_of(connection, site, bill)

    def intend(self, lease: Lease, key: PushKey, step: Step, why: Provenance) -> Effect:
        """Store an effect before its first attempt."""
        with self.database.write() as connection:
            leases.refuse_lost(self.database, connection, lease)
            return rows_of_effects.intend(connection, key, step, why)

    def redraft(self, lease: Lease, key: PushKey, step: Step, why: Provenance) -> Effect:
        """Replace the request of an effect that was refused."""
        with self.database.write() as connection:
            now = leases.refuse_lost(self.database, connection, lease)
            effect = rows_of_effects.happened(connection, key, Redrafted(step), now, self.settings)
            connection.execute(
                update(effects)
                .where(
                    (effects.c.site == key.site)
                    & (effects.c.bill_id == key.bill_id)
                    & (effects.c.generation == key.generation)
                    & (effects.c.step == str(key.step))
                )
                .values(**rows_of_effects.provenance_columns(why))
            )
            return effect

    def sending(self, lease: Lease, key: PushKey) -> Effect:
        """Record that a request is about to be sent, before it is."""
        with self.database.write() as connection:
            now = leases.refuse_lost(self.database, connection, lease)
            return rows_of_effects.attempted(connection, lease, key, now, self.settings)

    def ended(self, lease: Lease, key: PushKey, outcome: StepOutcome, mark: Mark | None) -> Effect:
        """Record what an attempt ended in, also when the lease is over by now: it is a fact."""
        del lease
        with self.database.write() as connection:
            now = self.database.now(connection)
            effect = rows_of_effects.happened(connection, key, outcome, now, self.settings)
            rows_of_effects.over(connection, key, outcome, now)
            if mark is not None:
                rows_of_effects.mark_attempt(connection, key, mark, now)
            return effect

    def looked(self, lease: Lease, key: PushKey, found: LookUp) -> Effect:
        """Record a look-up."""
        with self.database.write() as connection:
            now = leases.refuse_lost(self.database, connection, lease)
            return rows_of_effects.happened(connection, key, found, now, self.settings)

    def resolved(self, key: PushKey, decision: Resolved, actor: str) -> Effect:
        """Record a person's decision."""
        with self.database.write() as connection:
            now = self.database.now(connection)
            effect = rows_of_effects.happened(connection, key, decision, now, self.settings)
            what = f"sent as {decision.object_id}" if decision.object_id else "not sent"
            connection.execute(
                insert(decisions).values(
                    site=key.site,
                    subject=str(key),
                    what=what,
                    actor=actor,
                    why=decision.reason,
                    at=stamp_text(now),
                )
            )
            return effect

    def attempts(self, site: SiteName, bill: BillId) -> tuple[Attempt, ...]:
        """Give the attempts of a bill, oldest first."""
        with self.database.read() as connection:
            return rows_of_effects.attempts_of(connection, site, bill)

    def marks(self, site: SiteName, integration: str, newest: int) -> tuple[Mark, ...]:
        """Give the newest marks since the last enabling, oldest first."""
        with self.database.read() as connection:
            found = connection.execute(
                select(marks.c.mark)
                .where((marks.c.site == site) & (marks.c.integration == integration))
                .order_by(marks.c.number.desc())
                .limit(newest)
            ).scalars()
            return tuple(reversed(list(found)))

    def disabled(self, site: SiteName, integration: str) -> str | None:
        """Say why a push is disabled."""
        with self.database.read() as connection:
            return connection.execute(
                select(disabled.c.why).where(
                    (disabled.c.site == site) & (disabled.c.integration == integration)
                )
            ).scalar_one_or_none()

    def disable(self, site: SiteName, integration: str, why: str) -> None:
        """Disable a push until ``enable``; the first reason stays."""
        if self.disabled(site, integration) is not None:
            return
        with self.database.write() as connection:
            at = stamp_text(self.database.now(connection))
            connection.execute(
                insert(disabled).values(site=site, integration=integration, why=why, at=at)
            )

    def enable(self, site: SiteName, integration: str, actor: str) -> None:
        """Enable a push again, and forget its marks."""
        with self.database.write() as connection:
            for table in (disabled, marks):
                connection.execute(
                    delete(table).where(
                        (table.c.site == site) & (table.c.integration == integration)
                    )
                )
            at = stamp_text(self.database.now(connection))
            connection.execute(
                insert(decisions).values(
                    site=site, subject=integration, what="enabled", actor=actor, why="", at=at
                )
            )

    def paused(self, site: SiteName) -> str | None:
        """Say who paused the site and why."""
        with self.database.read() as connection:
            row = connection.execute(select(pauses).where(pauses.c.site == site)).first()
            return None if row is None else f"{row.actor}, {row.at[:16]}: {row.why}"

    def pause(self, site: SiteName, actor: str, why: str) -> None:
        """Stop all writes of the site."""
        with self.database.write() as connection:
            at = stamp_text(self.database.now(connection))
            connection.execute(delete(pauses).where(pauses.c.site == site))
            connection.execute(insert(pauses).values(site=site, actor=actor, why=why, at=at))

    def resume(self, site: SiteName, actor: str) -> None:
        """Let writes go on."""
        with self.database.write() as connection:
            at = stamp_text(self.database.now(connection))
            connection.execute(delete(pauses).where(pauses.c.site == site))
            connection.execute(
                insert(decisions).values(
                    site=site, subject=site, what="resumed", actor=actor, why="", at=at
                )
            )

    def put_stamps(self, site: SiteName, invoices: Iterable[Invoice]) -> int:
        """Add read invoices to the stamp index; gives how many were new."""
        new = 0
        with self.database.write() as connection:
            for invoice in invoices:
                if invoice.stamp is None:
                    continue
                values = stamp_columns(site, invoice)
                place = (stamps.c.site == site) & (stamps.c.invoice_id == invoice.id)
                if connection.execute(update(stamps).where(place).values(**values)).rowcount == 0:
                    connection.execute(insert(stamps).values(**values))
                    new += 1
        return new

    def stamps(self, site: SiteName, bill: BillId) -> tuple[Invoice, ...]:
        """Give the invoices that the stamp index holds for a bill, without their lines."""
        with self.database.read() as connection:
            rows = connection.execute(
                select(stamps)
                .where((stamps.c.site == site) & (stamps.c.bill_id == bill))
                .order_by(stamps.c.invoice_id)
            ).mappings()
            return tuple(stamped_invoice(row) for row in rows)


def open_ledger(database: Database, identity: str, settings: LookFirst) -> SqlLedger:
    """Open the ledger of an environment, and bring its schema up to date.

    Raises:
        NoLedgerError: When there is none, or another one; nothing may be sent then.
    """
    migrate(database)
    with database.read() as connection:
        found = connection.execute(select(ledger.c.id)).scalars().first()
    if found != identity:
        raise NoLedgerError(database.where, identity, found)
    return SqlLedger(database, settings)


def create_ledger(database: Database, identity: str, settings: LookFirst) -> SqlLedger:
    """Make the ledger of an environment; one that is there already is opened.

    Raises:
        NoLedgerError: When another ledger is there.
    """
    migrate(database)
    with database.write() as connection:
        found = connection.execute(select(ledger.c.id)).scalars().first()
        if found is None:
            at = stamp_text(database.now(connection))
            connection.execute(insert(ledger).values(id=identity, sequence=0, created_at=at))
        elif found != identity:
            raise NoLedgerError(database.where, identity, found)
    return SqlLedger(database, settings)
