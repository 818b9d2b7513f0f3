"""Provenance and decisions, read back from the ledger's tables: implements ``PushHistory``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, RowMapping, select

from reconciler.kernel.address import BillId
from reconciler.ledger import controls
from reconciler.ledger.sequence import count
from reconciler.ledger.sql.damage import refuse_damaged_rows
from reconciler.ledger.sql.database import Database
from reconciler.ledger.sql.tables import decisions, effects
from reconciler.sync.model.push import PushKey, SiteName, StepName
from reconciler.sync.model.standing import Decision
from reconciler.sync.ports.ledger import Provenance


@dataclass(frozen=True, slots=True)
class SqlHistory:
    """The memory for people of one ledger."""

    database: Database

    def provenance(self, site: SiteName, bill: BillId) -> Mapping[PushKey, Provenance]:
        """Give in whose name each effect of a bill was recorded."""
        of_bill = select(effects).where((effects.c.site == site) & (effects.c.bill_id == bill))

        def read(connection: Connection) -> Mapping[PushKey, Provenance]:
            rows = connection.execute(of_bill).mappings()
            return {_key(row): _provenance(row) for row in rows}

        return self.database.read(read)

    def decisions(self, site: SiteName, subject: str) -> tuple[Decision, ...]:
        """Give the decisions about a subject and what lies below it, oldest first."""
        about = decisions.c.subject
        below = (about == subject) | about.startswith(f"{subject}/", autoescape=True)
        chosen = select(decisions).where((decisions.c.site == site) & below)

        def read(connection: Connection) -> tuple[Decision, ...]:
            rows = connection.execute(chosen.order_by(decisions.c.number)).mappings()
            return tuple(_decision(row) for row in rows)

        return self.database.read(read)

    def decide(self, site: SiteName, subject: str, what: str, actor: str, why: str) -> Decision:
        """Record a decision."""

        def record(connection: Connection) -> datetime:
            now = self.database.now(connection)
            controls.record_decision(
                connection, site, subject, what=what, actor=actor, why=why, at=now
            )
            count(connection)
            return now

        return Decision(subject, what, actor, why, self.database.write(record))


def _key(row: RowMapping) -> PushKey:
    return PushKey(
        SiteName(row["site"]),
        BillId(row["bill_id"]),
        row["generation"],
        StepName.parse(row["step"]),
    )


@refuse_damaged_rows(effects)
def _provenance(row: RowMapping) -> Provenance:
    return Provenance(
        run=row["run"],
        integration=row["integration"],
        record=row["record"],
        commit=row["commit_id"],
        bill_version=row["bill_version"],
        input_hash=row["input_hash"],
    )


@refuse_damaged_rows(decisions)
def _decision(row: RowMapping) -> Decision:
    at = datetime.fromisoformat(row["at"])
    return Decision(row["subject"], row["what"], row["actor"], row["why"], at)
