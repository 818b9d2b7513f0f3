"""A reconciliation row by row: spooled as it comes, and written as CSV or JSON piece by piece.

No piece holds more than one bill, so that a month of any size can be written.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from typing import IO

from reconciler.kernel import exact_json
from reconciler.kernel.money import Money
from reconciler.kernel.value import JsonObject, JsonValue
from reconciler.reconcile.core.month import BillSides, Reconciled
from reconciler.reconcile.show.text import by_cells
from reconciler.sync.core.tally import Purse
from reconciler.sync.model.reconciliation import Difference

SCHEMA = "m3ter-reconciler/reconcile/v1"
COLUMNS = (
    "row",
    "bill",
    "account",
    "integration",
    "status",
    "invoice",
    "class",
    "currency",
    "m3ter",
    "sent",
    "notSent",
    "chargebee",
    "rounding",
    "unexplained",
    "catalogue",
    "text",
    "page",
    "did",
    "by",
    "at",
)
# A spreadsheet takes a text that begins so for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_NUMBERS = frozenset(
    {"m3ter", "sent", "notSent", "chargebee", "rounding", "unexplained", "catalogue"}
)


class RowSpool:
    """Rows on their way to a file: one JSON object a line, in a temporary file."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def hear(self, sides: BillSides) -> None:
        """Keep a bill: a row of its own, then one per difference."""
        for row in rows_of(sides):
            self._file.write(exact_json.encode(row) + "\n")

    def close(self) -> None:
        """Let the file go."""
        self._file.close()

    def rows(self) -> Iterator[Mapping[str, JsonValue]]:
        """Give every row, from the first."""
        self._file.flush()
        self._file.seek(0)
        for line in self._file:
            row = exact_json.decode(line)
            assert isinstance(row, Mapping)
            yield row


def rows_of(sides: BillSides) -> Iterator[JsonObject]:
    """Give the rows of a bill; amounts are exact texts in major units."""
    result = sides.result
    known: JsonObject = {
        "bill": sides.bill_id,
        "account": sides.account,
        "integration": sides.integration,
    }
    bill: dict[str, JsonValue] = {**known, "row": "bill", "status": sides.status}
    bill |= {"invoice": " ".join(sides.invoices), "class": sides.left or "", "text": sides.why}
    if sides.held is not None:
        kind = "not to be sent" if sides.held.settled else "not sent yet"
        bill |= {"class": kind, "text": sides.held.why, "page": sides.held.page}
    money = result.billed if result else sides.money
    if money is not None:
        bill |= {"currency": money.currency.code, "m3ter": _text(money)}
    if result is not None:
        bill |= {"sent": _text(result.sent), "notSent": _text(result.not_sent)}
        bill |= {"chargebee": _text(result.invoiced)}
        bill |= {"rounding": _text(result.rounding), "unexplained": _text(result.unexplained)}
        bill |= {"catalogue": _text(result.catalogue)}
    yield bill
    for difference in sides.differences:
        yield {**known, **_difference(difference), "status": sides.status}


def csv_pieces(rows: Iterable[Mapping[str, JsonValue]]) -> Iterator[str]:
    """Write rows as CSV; sums over the rows named ``bill`` are those of the table."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    for cells in _tables(rows):
        writer.writerow(cells)
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def json_pieces(reconciled: Reconciled, rows: Iterable[Mapping[str, JsonValue]]) -> Iterator[str]:
    """Write the whole reconciliation as one JSON document."""
    head = exact_json.encode(_head(reconciled), indent=2)
    yield head.removesuffix("\n}") + ',\n  "rows": ['
    separator = "\n    "
    for row in rows:
        yield separator + exact_json.encode(row)
        separator = ",\n    "
    yield "\n  ]\n}\n"


def _head(reconciled: Reconciled) -> JsonObject:
    question, force = reconciled.question, reconciled.in_force
    return {
        "schema": SCHEMA,
        "environment": force.environment,
        "site": reconciled.site,
        "month": question.month.key,
        "integration": question.integration,
        "record": force.record,
        "commit": force.commit,
        "exitCode": int(reconciled.exit_code),
        "differences": reconciled.differences,
        "outsideTolerance": reconciled.outside,
        "complete": reconciled.complete,
        "notSentYet": _purse(reconciled.not_yet),
        "notToBeSent": _purse(reconciled.never),
        "notes": list(reconciled.notes),
        "totals": [
            {
                "currency": total.currency,
                "bills": total.bills,
                "m3ter": _text(total.billed),
                "sent": _text(total.sent),
                "notSent": _text(total.not_sent),
                "chargebee": _text(total.invoiced),
                "rounding": _text(total.rounding),
                "unexplained": _text(total.unexplained),
                "catalogue": _text(total.catalogue),
            }
            for total in reconciled.totals
        ],
        "notInTable": [
            {"why": left.value, **_purse(purse)} for left, purse in reconciled.left.items()
        ],
    }


def _purse(purse: Purse) -> JsonObject:
    money = [{"currency": amount.currency.code, "amount": _text(amount)} for amount in purse.money]
    return {"bills": purse.bills, "money": money}


def _tables(rows: Iterable[Mapping[str, JsonValue]]) -> Iterator[tuple[str, ...]]:
    yield COLUMNS
    for row in rows:
        yield tuple(_cell(name, row.get(name)) for name in COLUMNS)


def _cell(name: str, value: JsonValue) -> str:
    text = "" if value is None else str(value)
    if name not in _NUMBERS and text.startswith(_FORMULA):
        return f"'{text}"
    return text


def _difference(difference: Difference) -> JsonObject:
    money = difference.unexplained
    return {
        "row": "difference",
        "invoice": difference.invoice_id or "",
        "class": difference.kind.value,
        "currency": money.currency.code if money else None,
        "unexplained": _text(money) if money else None,
        "text": difference.text,
        **by_cells(difference.by),
    }


def _text(money: Money) -> str:
    return f"{money.major:f}"
