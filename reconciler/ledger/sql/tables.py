"""The tables of the one schema, for SQLite and PostgreSQL alike.

Times are ISO 8601 texts in UTC with microseconds: they sort as they are, and both databases give
them back as they were given. Money is whole minor units beside its currency.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)

Columns = dict[str, Any]
"""Values of one row, by column."""

metadata: Final = MetaData()
_NUMBER: Final = BigInteger().with_variant(Integer, "sqlite")

ledger: Final = Table(
    "ledger",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("sequence", _NUMBER, nullable=False),
    Column("created_at", String(32), nullable=False),
    Column("rebuilt_at", String(32)),
)

effects: Final = Table(
    "effects",
    metadata,
    Column("number", _NUMBER, primary_key=True, autoincrement=True),
    Column("site", Text, nullable=False),
    Column("bill_id", Text, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("step", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("headers", Text, nullable=False),
    Column("invoice_id", Text),
    Column("lines_before", Text),
    Column("draft_line", Integer),
    Column("rejections", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("round_started_at", String(32)),
    Column("last_attempt_at", String(32)),
    Column("round_vendor_at", String(32)),
    Column("last_vendor_at", String(32)),
    Column("doubt", Text, nullable=False),
    Column("empty_looks", Text, nullable=False),
    Column("key_conflict", Boolean, nullable=False),
    Column("failed_since", String(32)),
    Column("object_id", Text, nullable=False),
    Column("line_ids", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("run", Text, nullable=False),
    Column("integration", Text, nullable=False),
    Column("record", Integer, nullable=False),
    Column("commit_id", Text, nullable=False),
    Column("bill_version", _NUMBER, nullable=False),
    Column("input_hash", String(64), nullable=False),
    UniqueConstraint("site", "bill_id", "generation", "step", name="one_effect"),
)

attempts: Final = Table(
    "attempts",
    metadata,
    Column("effect", _NUMBER, nullable=False),
    Column("number", Integer, nullable=False),
    Column("started_at", String(32), nullable=False),
    Column("vendor_at", String(32)),
    Column("ended_at", String(32)),
    Column("outcome", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("worker", Text, nullable=False),
    Column("fence", _NUMBER, nullable=False),
    PrimaryKeyConstraint("effect", "number"),
)

bills: Final = Table(
    "bills",
    metadata,
    Column("site", Text, nullable=False),
    Column("bill_id", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("integration", Text, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("status", Text, nullable=False),
    Column("input_hash", String(64), nullable=False),
    Column("draft", LargeBinary, nullable=False),
    Column("currency", String(3)),
    Column("places", Integer),
    Column("billed_minor", _NUMBER),
    Column("expected_minor", _NUMBER),
    Column("period_end", String(10), nullable=False),
    Column("next_at", String(32)),
    Column("changed_at", String(32), nullable=False),
    Column("message", Text, nullable=False),
    PrimaryKeyConstraint("site", "bill_id"),
    Index("bills_by_status", "site", "status", "period_end"),
)

leases: Final = Table(
    "leases",
    metadata,
    Column("site", Text, nullable=False),
    Column("bill_id", Text, nullable=False),
    Column("worker", Text, nullable=False),
    Column("fence", _NUMBER, nullable=False),
    Column("until", String(32), nullable=False),
    PrimaryKeyConstraint("site", "bill_id"),
)

marks: Final = Table(
    "marks",
    metadata,
    Column("number", _NUMBER, primary_key=True, autoincrement=True),
    Column("site", Text, nullable=False),
    Column("integration", Text, nullable=False),
    Column("mark", Text, nullable=False),
    Column("at", String(32), nullable=False),
    Index("marks_by_route", "site", "integration", "number"),
)

disabled: Final = Table(
    "disabled",
    metadata,
    Column("site", Text, nullable=False),
    Column("integration", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("at", String(32), nullable=False),
    PrimaryKeyConstraint("site", "integration"),
)

pauses: Final = Table(
    "pauses",
    metadata,
    Column("site", Text, primary_key=True),
    Column("actor", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("at", String(32), nullable=False),
)

decisions: Final = Table(
    "decisions",
    metadata,
    Column("number", _NUMBER, primary_key=True, autoincrement=True),
    Column("site", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("at", String(32), nullable=False),
)

stamps: Final = Table(
    "stamps",
    metadata,
    Column("site", Text, nullable=False),
    Column("invoice_id", Text, nullable=False),
    Column("bill_id", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("customer_id", Text, nullable=False),
    Column("subscription_id", Text, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("date", String(32)),
    Column("deleted", Boolean, nullable=False),
    Column("updated_at", String(32)),
    PrimaryKeyConstraint("site", "invoice_id"),
    Index("stamps_by_bill", "site", "bill_id"),
)

# Times are microseconds since 1970; the pace is millionths of the configured one.
buckets: Final = Table(
    "buckets",
    metadata,
    Column("site", Text, primary_key=True),
    Column("next_at", _NUMBER, nullable=False),
    Column("updated_at", _NUMBER, nullable=False),
    Column("paused_until", _NUMBER, nullable=False),
    Column("pace", Integer, nullable=False),
    Column("epoch", _NUMBER, nullable=False),
)
