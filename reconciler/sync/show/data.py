"""A sync as versioned JSON, and its bills as CSV, each written while it is judged."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TextIO

from reconciler.kernel.exact_json import canonical
from reconciler.kernel.value import JsonObject, JsonValue
from reconciler.sync.core.tally import Purse, SyncTally
from reconciler.sync.model.standing import BillStanding, Group
from reconciler.sync.show.shown import ShownPlan, ShownRun, ShownScope

if TYPE_CHECKING:
    from _csv import Writer


@dataclass(slots=True)
class BillList:
    """A CSV file that grows bill by bill."""

    stream: TextIO
    _writer: Writer = field(init=False)

    def __post_init__(self) -> None:
        """Write the names of the columns."""
        self._writer = csv.writer(self.stream, lineterminator="\n")
        self._writer.writerow(COLUMNS)

    def add(self, one: BillStanding) -> None:
        """Write one bill."""
        row = bill_row(one)
        self._writer.writerow(_cell(name, row[name]) for name in COLUMNS)


def sync_plan_json(made: ShownPlan) -> str:
    """Write what a sync would do."""
    body: JsonObject = {
        "schema": "m3ter-reconciler/sync-plan/v1",
        **_scope(made.scope),
        **_tally(made.tally),
        "paused": made.paused or None,
        "disabled": dict(made.disabled),
        "seconds": int(made.takes.total_seconds()),
        "requestsPerMinute": made.per_minute,
    }
    return canonical(body).decode()


def sync_run_json(done: ShownRun) -> str:
    """Write what a run did."""
    body: JsonObject = {
        "schema": "m3ter-reconciler/sync-run/v1",
        **_scope(done.scope),
        **_tally(done.tally),
        "run": done.run,
        "stopped": done.stopped,
        "limit": done.limit or None,
        "notes": list(done.notes),
        "unknown": done.tally.unknown,
        "differing": done.tally.differing,
        "unexplained": _money(done.tally.unexplained),
        "dueAgain": done.tally.due_again,
        "dueFirst": done.tally.due_first.isoformat() if done.tally.due_first else None,
    }
    return canonical(body).decode()


def _scope(scope: ShownScope) -> JsonObject:
    return {
        "environment": scope.name,
        "site": scope.site,
        "record": scope.record or None,
        "commit": scope.commit or None,
        "integrations": [one.name for one in scope.routes],
    }


def _tally(tally: SyncTally) -> JsonObject:
    return {
        "groups": {
            str(group): {
                "bills": tally.bills(group),
                "named": len(tally.listed.get(group, ())),
                "money": _money(tally.groups[group]),
            }
            for group in tally.groups
        },
        "reasons": [
            {
                "group": str(group),
                "reason": short,
                "bills": one.purse.bills,
                "money": _money(one.purse),
                "page": one.page or None,
            }
            for (group, short), one in sorted(tally.reasons.items())
        ],
        "bills": [bill_row(one) for group in Group for one in tally.listed.get(group, ())],
        "fallbacks": {
            price: {"lines": one.bills, "money": _money(one)}
            for price, one in tally.fallbacks.items()
        },
        "rounding": _money(tally.rounding),
        "linesAsQuantityOne": tally.kept_whole,
    }


def _money(purse: Purse) -> JsonValue:
    return {one.currency.code: str(one.major) for one in purse.money}


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


def bill_row(one: BillStanding) -> JsonObject:
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
