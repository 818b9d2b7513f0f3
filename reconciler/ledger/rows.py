"""Rows to domain values and back; the only place that knows how a value lies in a column."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Insert, RowMapping, Table
from sqlalchemy.dialects.postgresql import insert as insert_in_postgres
from sqlalchemy.dialects.sqlite import insert as insert_in_sqlite

from reconciler.kernel import exact_json
from reconciler.kernel.address import AccountId, BillId
from reconciler.kernel.money import Currency, Money
from reconciler.kernel.value import JsonValue
from reconciler.ledger.sql.damage import refuse_damaged_rows
from reconciler.ledger.sql.tables import Columns, bills, effects, stamps
from reconciler.sync.model.invoice import Invoice
from reconciler.sync.model.push import (
    Effect,
    InvoiceId,
    InvoiceLineId,
    PushKey,
    PushState,
    PushStatus,
    SiteName,
    StepName,
    StoredRequest,
)
from reconciler.sync.ports.ledger import BillRow


def read_instant(text: str | None) -> datetime | None:
    """Read a time; ``None`` stays ``None``."""
    return None if text is None else datetime.fromisoformat(text)


def instant_text(time: datetime | None) -> str | None:
    """Write a time in UTC with microseconds, so that texts sort as times do."""
    return None if time is None else time.astimezone(UTC).isoformat(timespec="microseconds")


def stamp_text(time: datetime) -> str:
    """Write a time that is there."""
    return time.astimezone(UTC).isoformat(timespec="microseconds")


def effect_columns(effect: Effect) -> Columns:
    """Give every column of an effect but its provenance."""
    before = effect.lines_before
    return {
        "site": effect.key.site,
        "bill_id": effect.key.bill_id,
        "generation": effect.key.generation,
        "step": str(effect.key.step),
        "state": effect.state.value,
        "path": effect.request.path,
        "body": effect.request.body,
        "headers": exact_json.encode([list(pair) for pair in effect.request.headers]),
        "invoice_id": effect.invoice_id,
        "lines_before": None if before is None else exact_json.encode(sorted(before)),
        "draft_line": effect.draft_line,
        "rejections": effect.rejections,
        "attempts": effect.attempts,
        "failures": effect.failures,
        "round_started_at": instant_text(effect.round_started_at),
        "last_attempt_at": instant_text(effect.last_attempt_at),
        "round_vendor_at": instant_text(effect.round_vendor_at),
        "last_vendor_at": instant_text(effect.last_vendor_at),
        "doubt": effect.doubt,
        "empty_looks": exact_json.encode([stamp_text(look) for look in effect.empty_looks]),
        "key_conflict": effect.key_conflict,
        "failed_since": instant_text(effect.failed_since),
        "object_id": effect.object_id,
        "line_ids": exact_json.encode(list(effect.line_ids)),
        "message": effect.message,
    }


@refuse_damaged_rows(effects)
def effect_of(row: RowMapping) -> Effect:
    """Read an effect."""
    before = row["lines_before"]
    return Effect(
        key=PushKey(
            SiteName(row["site"]),
            BillId(row["bill_id"]),
            row["generation"],
            StepName.parse(row["step"]),
        ),
        state=PushState(row["state"]),
        request=StoredRequest(
            row["path"],
            bytes(row["body"]),
            tuple((str(name), str(value)) for name, value in _pairs(row["headers"])),
        ),
        invoice_id=InvoiceId(row["invoice_id"]) if row["invoice_id"] is not None else None,
        lines_before=None if before is None else frozenset(map(InvoiceLineId, _texts(before))),
        draft_line=row["draft_line"],
        rejections=row["rejections"],
        attempts=row["attempts"],
        failures=row["failures"],
        round_started_at=read_instant(row["round_started_at"]),
        last_attempt_at=read_instant(row["last_attempt_at"]),
        round_vendor_at=read_instant(row["round_vendor_at"]),
        last_vendor_at=read_instant(row["last_vendor_at"]),
        doubt=row["doubt"],
        empty_looks=tuple(map(datetime.fromisoformat, _texts(row["empty_looks"]))),
        key_conflict=bool(row["key_conflict"]),
        failed_since=read_instant(row["failed_since"]),
        object_id=row["object_id"],
        line_ids=tuple(map(InvoiceLineId, _texts(row["line_ids"]))),
        message=row["message"],
    )


def bill_columns(bill: BillRow) -> Columns:
    """Give every column of a bill."""
    money = bill.billed if bill.billed is not None else bill.expected
    return {
        "site": bill.site,
        "bill_id": bill.bill_id,
        "account_id": bill.account_id,
        "integration": bill.integration,
        "generation": bill.generation,
        "status": bill.status.value,
        "input_hash": bill.input_hash,
        "draft": bill.draft,
        "currency": money.currency.code if money is not None else None,
        "places": money.currency.places if money is not None else None,
        "billed_minor": bill.billed.minor if bill.billed is not None else None,
        "expected_minor": bill.expected.minor if bill.expected is not None else None,
        "period_end": bill.period_end.isoformat(),
        "next_at": instant_text(bill.next_at),
        "changed_at": stamp_text(bill.changed_at),
        "message": bill.message,
    }


@refuse_damaged_rows(bills)
def bill_of(row: RowMapping) -> BillRow:
    """Read a bill."""
    return BillRow(
        site=SiteName(row["site"]),
        bill_id=BillId(row["bill_id"]),
        account_id=AccountId(row["account_id"]),
        integration=row["integration"],
        generation=row["generation"],
        status=PushStatus(row["status"]),
        input_hash=row["input_hash"],
        draft=bytes(row["draft"]),
        billed=_money(row["billed_minor"], row),
        expected=_money(row["expected_minor"], row),
        period_end=date.fromisoformat(row["period_end"]),
        next_at=read_instant(row["next_at"]),
        changed_at=datetime.fromisoformat(row["changed_at"]),
        message=row["message"],
    )


def stamp_columns(site: SiteName, invoice: Invoice) -> Columns:
    """Give every column of a stamped invoice; its lines are not kept."""
    return {
        "site": site,
        "invoice_id": invoice.id,
        "bill_id": invoice.stamp,
        "status": invoice.status,
        "customer_id": invoice.customer_id,
        "subscription_id": invoice.subscription_id,
        "currency": invoice.currency,
        "date": instant_text(invoice.date),
        "deleted": invoice.deleted,
        "updated_at": instant_text(invoice.updated_at),
    }


@refuse_damaged_rows(stamps)
def stamped_invoice(row: RowMapping) -> Invoice:
    """Read a stamped invoice, without lines."""
    return Invoice(
        id=InvoiceId(row["invoice_id"]),
        status=row["status"],
        customer_id=row["customer_id"],
        subscription_id=row["subscription_id"],
        currency=row["currency"],
        date=read_instant(row["date"]),
        lines=(),
        stamp=BillId(row["bill_id"]),
        deleted=bool(row["deleted"]),
        updated_at=read_instant(row["updated_at"]),
    )


def _money(minor: int | None, row: RowMapping) -> Money | None:
    return None if minor is None else Money(minor, Currency(row["currency"], row["places"]))


def _texts(text: str) -> list[str]:
    found = exact_json.decode(text)
    assert isinstance(found, list)
    return [str(element) for element in found]


def _pairs(text: str) -> list[list[JsonValue]]:
    found = exact_json.decode(text)
    assert isinstance(found, list)
    return [pair for pair in found if isinstance(pair, list)]


def put(connection: Connection, table: Table, rows: Sequence[Columns]) -> None:
    """Insert rows; one whose primary key is there takes the new values."""
    statement = _upsert(connection.dialect.name, table, tuple(rows[0]))
    connection.execute(statement, rows)


@cache
def _upsert(dialect: str, table: Table, names: tuple[str, ...]) -> Insert:
    """Make the statement once for each table: it runs for every bill."""
    insert: Any = insert_in_postgres(table) if dialect == "postgresql" else insert_in_sqlite(table)
    new = {name: insert.excluded[name] for name in names}
    statement: Insert = insert.on_conflict_do_update(
        index_elements=list(table.primary_key), set_=new
    )
    return statement


def insert_once(connection: Connection, table: Table, row: Columns) -> None:
    """Insert a row; one whose primary key is there stays as it is."""
    if connection.dialect.name == "postgresql":
        connection.execute(insert_in_postgres(table).values(row).on_conflict_do_nothing())
    else:
        connection.execute(insert_in_sqlite(table).values(row).on_conflict_do_nothing())
