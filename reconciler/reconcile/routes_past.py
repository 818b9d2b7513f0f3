"""Reading pushes of the past, where nothing is pushed any more: what was in force then counts.

Only readers use it. What a run obeys is the newest record alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from reconciler.drafting.draft import DraftOutcome
from reconciler.drafting.route import Readings
from reconciler.kernel.value import JsonValue
from reconciler.m3ter.bill import Bill
from reconciler.plan.model.applied import AppliedRecord
from reconciler.reconcile.core.month import InForce
from reconciler.reconcile.routes_port import NotOurs, PushRoutes, SentByM3ter, Standing


def newest_that_pushed(records: Iterable[AppliedRecord]) -> AppliedRecord | None:
    """Find the newest record in which an integration was pushed to a site.

    Args:
        records: Newest first; only as many are read as are needed.
    """
    return next((one for one in records if _pushes(one)), None)


@dataclass(frozen=True, slots=True)
class PastPushes:
    """Implements ``PushRoutes``: nobody takes a bill now, and drafts are as they were.

    Attributes:
        then: The routes of the newest record that pushed.
    """

    then: PushRoutes

    @property
    def in_force(self) -> InForce:
        """The record that pushed last."""
        return replace(self.then.in_force, past=True)

    @property
    def integrations(self) -> tuple[str, ...]:
        """The names of those that were pushed then."""
        return self.then.integrations

    @property
    def readings(self) -> Readings:
        """How undocumented rules are read."""
        return self.then.readings

    def tolerance(self, integration: str) -> Decimal:
        """Give ``push.tolerance`` of then."""
        return self.then.tolerance(integration)

    def expect(self, bills: Sequence[Bill]) -> None:
        """Hear which bills will be asked about."""
        self.then.expect(bills)

    def standing(self, bill: Bill) -> Standing:
        """Say that nobody takes a bill, unless m3ter sent it."""
        found = self.then.standing(bill)
        if isinstance(found, SentByM3ter):
            return found
        record = self.then.in_force.record
        return NotOurs(f"nothing is pushed any more; applied record {record} was the last to push")

    def draft(self, bill: Bill, integration: str) -> DraftOutcome:
        """Draft a bill as it would have been drafted then."""
        return self.then.draft(bill, integration)


def _pushes(record: AppliedRecord) -> bool:
    bodies = _kind(record, "Integration")
    pushed = any(_text(one, "delivery") == "push" for one in bodies)
    return pushed and any(_has_site(one) for one in _kind(record, "Environment"))


def _kind(record: AppliedRecord, kind: str) -> list[JsonValue]:
    found = record.definitions.get(kind)
    return list(found.values()) if isinstance(found, Mapping) else []


def _text(body: JsonValue, name: str) -> JsonValue:
    return body.get(name) if isinstance(body, Mapping) else None


def _has_site(body: JsonValue) -> bool:
    return bool(_text(body, "chargebee")) and bool(_text(body, "ledger"))
