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

    def add(self, standing: BillStanding) -> None:
        """Write one bill."""
        row = bill_row(standing)
        self._writer.writerow(_cell(name, row[name]) for name in COLUMNS)


def sync_plan_json(plan: ShownPlan) -> str:
    """Write what a sync would do."""
    body: JsonObject = {
        "schema": "m3ter-reconciler/sync-plan/v1",
        **_scope(plan.scope),
        **_tally(plan.tally),
        "paused": plan.paused or None,
        "disabled": dict(plan.disabled),
        "seconds": int(plan.takes.total_seconds()),
        "requestsPerMinute": plan.per_minute,
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
        "integrations": [route.name for route in scope.routes],
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
                "bills": reason.purse.bills,
                "money": _money(reason.purse),
                "page": reason.page or None,
            }
            for (group, short), reason in sorted(tally.reasons.items())
        ],
        "bills": [
            bill_row(standing) for group in Group for standing in tally.listed.get(group, ())
        ],
        "fallbacks": {
            price: {"lines": purse.bills, "money": _money(purse)}
            for price, purse in tally.fallbacks.items()
        },
        "rounding": _money(tally.rounding),
        "linesAsQuantityOne": tally.kept_whole,
    }


def _money(purse: Purse) -> JsonValue:
    return {amount.currency.code: str(amount.major) for amount in purse.money}


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


def bill_row(standing: BillStanding) -> JsonObject:
    """Give a bill as data; the names are those of the columns."""
    return {
        "bill": standing.who.bill_id,
        "account": standing.who.account_code or None,
        "accountId": standing.who.account_id or None,
        "integration": standing.integration or None,
        "group": str(standing.group),
        "status": str(standing.status) if standing.status else None,
        "reason": standing.short,
        "why": standing.why,
        "page": standing.page or None,
        "currency": standing.money.currency.code if standing.money else None,
        "amount": str(standing.money.major) if standing.money else None,
    }


def _cell(name: str, value: object) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if name != "amount" and text.startswith(_FORMULA) else text
