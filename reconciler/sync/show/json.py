"""A sync as versioned JSON."""

from __future__ import annotations

from reconciler.kernel.exact_json import canonical
from reconciler.kernel.value import JsonObject, JsonValue
from reconciler.sync.core.run_tally import SyncTally
from reconciler.sync.core.tally import Purse
from reconciler.sync.model.standing import Group
from reconciler.sync.show.csv import bill_row
from reconciler.sync.show.shown import Planned, Ran, Scope


def plan_json(made: Planned) -> str:
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


def run_json(done: Ran) -> str:
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


def _scope(scope: Scope) -> JsonObject:
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
