"""Every bill that a plan judged as CSV, written while it is judged: memory holds one at a time."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TextIO

from reconciler.kernel.value import JsonObject
from reconciler.sync.model.standing import Standing

if TYPE_CHECKING:
    from _csv import Writer

COLUMNS = (
    "bill",
    "account",
    "accountId",
    "integration",
    "group",
    "status",
    "reason",
    "why",
    "page",
    "currency",
    "amount",
)
# A spreadsheet takes a text that begins so for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(slots=True)
class BillList:
    """A CSV file that grows bill by bill."""

    stream: TextIO
    _writer: Writer = field(init=False)

    def __post_init__(self) -> None:
        """Write the names of the columns."""
        self._writer = csv.writer(self.stream, lineterminator="\n")
        self._writer.writerow(COLUMNS)

    def add(self, one: Standing) -> None:
        """Write one bill."""
        row = bill_row(one)
        self._writer.writerow(_cell(name, row[name]) for name in COLUMNS)


def bill_row(one: Standing) -> JsonObject:
    """Give a bill as data; the names are those of the columns."""
    return {
        "bill": one.who.bill_id,
        "account": one.who.account_code or None,
        "accountId": one.who.account_id or None,
        "integration": one.integration or None,
        "group": str(one.group),
        "status": str(one.status) if one.status else None,
        "reason": one.short,
        "why": one.why,
        "page": one.page or None,
        "currency": one.money.currency.code if one.money else None,
        "amount": str(one.money.major) if one.money else None,
    }


def _cell(name: str, value: object) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if name != "amount" and text.startswith(_FORMULA) else text
