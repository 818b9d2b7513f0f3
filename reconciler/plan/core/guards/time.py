"""Guards about when: freeze windows, old plans, and protected environments without a plan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from reconciler.definitions.kinds.environment import FreezeWindow
from reconciler.kernel.address import PlanId
from reconciler.kernel.durations import duration
from reconciler.plan.core.guards.hit import hit
from reconciler.plan.model.change import FieldValue
from reconciler.plan.model.plan import GuardHit


def freeze(windows: Iterable[FreezeWindow], now: datetime) -> Iterator[GuardHit]:
    """Ask inside a freeze window; also when applying, for time has passed since the plan."""
    for window in windows:
        start, end = datetime.fromisoformat(window.from_), datetime.fromisoformat(window.until)
        if start <= now < end:
            yield hit(
                "freeze",
                f"changes are frozen from {window.from_} until {window.until}: {window.reason}",
                field="window",
                desired=FieldValue([window.from_, window.until, window.reason]),
            )


def plan_age(plan: PlanId, created_at: str, limit: str, now: datetime) -> Iterator[GuardHit]:
    """Ask before a plan older than the limit is applied."""
    age = now - datetime.fromisoformat(created_at)
    if age > duration(limit):
        hours = int(age.total_seconds() // 3600)
        yield hit(
            "plan-age",
            f"the plan was made {hours} h ago, and the project's limit is {limit}; make a new one",
            field="age",
            base=FieldValue(created_at),
            desired=FieldValue(plan),
        )


def unsaved(environment: str) -> GuardHit:
    """Refuse to apply to a protected environment without a plan that was saved and reviewed."""
    return hit(
        "protected",
        f"`{environment}` is protected: it takes a saved plan only. Run `reconciler plan --env "
        f"{environment} -o plan.json`, have it reviewed, and `reconciler apply plan.json`",
        field="plan",
        desired=FieldValue(environment),
        needs="remedy",
    )
