"""Provenance and decisions, read back from the ledger's tables: implements ``PushHistory``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import RowMapping, insert, select

from reconciler.domain.address import BillId
from reconciler.domain.push import PushKey, SiteName, StepName
from reconciler.ledger.database import Database
from reconciler.ledger.rows import stamp_text
from reconciler.ledger.tables import decisions, effects
from reconciler.ports.history import Decision
from reconciler.ports.ledger import Provenance


@dataclass(frozen=True, slots=True)
class SqlHistory:
    """The memory for people of one ledger."""

    database: Database

    def provenance(self, site: SiteName, bill: BillId) -> Mapping[PushKey, Provenance]:
        """Give in whose name each effect of a bill was recorded."""
        with self.database.read() as connection:
            rows = connection.execute(
                select(effects).where((effects.c.site == site) & (effects.c.bill_id == bill))
            ).mappings()
            return {_key(row): _provenance(row) for row in rows}

    def decisions(self, site: SiteName, subject: str) -> tuple[Decision, ...]:
        """Give the decisions about a subject and what lies below it, oldest first."""
        about = decisions.c.subject
        below = (about == subject) | about.startswith(f"{subject}/", autoescape=True)
        with self.database.read() as connection:
            rows = connection.execute(
                select(decisions)
                .where((decisions.c.site == site) & below)
                .order_by(decisions.c.number)
            ).mappings()
            return tuple(_decision(row) for row in rows)

    def decide(self, site: SiteName, subject: str, what: str, actor: str, why: str) -> Decision:
        """Record a decision."""
        with self.database.write() as connection:
            now = self.database.now(connection)
            connection.execute(
                insert(decisions).values(
                    site=site, subject=subject, what=what, actor=actor, why=why, at=stamp_text(now)
                )
            )
        return Decision(subject, what, actor, why, now)


def _key(row: RowMapping) -> PushKey:
    return PushKey(
        SiteName(row["site"]),
        BillId(row["bill_id"]),
        row["generation"],
        StepName.parse(row["step"]),
    )


def _provenance(row: RowMapping) -> Provenance:
    return Provenance(
        run=row["run"],
        integration=row["integration"],
        record=row["record"],
        commit=row["commit_id"],
        bill_version=row["bill_version"],
        input_hash=row["input_hash"],
    )


def _decision(row: RowMapping) -> Decision:
    at = datetime.fromisoformat(row["at"])
    return Decision(row["subject"], row["what"], row["actor"], row["why"], at)
