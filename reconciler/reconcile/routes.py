"""What readers of pushes ask about a bill: who takes it, how it would be drafted, now or then.

Where nothing is pushed any more, what was in force then counts, and only readers use that. What a
run obeys is the newest record alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Protocol

from reconciler.drafting.draft import BlockCode, BlockedBill, BlockReason, DraftOutcome
from reconciler.drafting.draft_bill import draft_bill
from reconciler.drafting.route import Readings
from reconciler.kernel.address import BillId
from reconciler.kernel.ports import Clock
from reconciler.kernel.runbook import Page, page
from reconciler.kernel.value import JsonValue
from reconciler.m3ter.bill import Bill
from reconciler.plan.model.applied import AppliedRecord
from reconciler.reconcile.core.month import InForce
from reconciler.selection.interlock import (
    Clear,
    Interlock,
    MaybePartial,
    NativeRunning,
    OtherRoute,
    ReadAgain,
    SentNatively,
)
from reconciler.selection.scope import NotTaken, Taken, takes
from reconciler.sync.in_force.push_route import PushRoute
from reconciler.sync.in_force.scope import PushesInForce
from reconciler.sync.judge.account import AccountFacts, AccountReader, membership_of


@dataclass(frozen=True, slots=True)
class Ours:
    """A push integration takes the bill; what that rests on beside documented rules."""

    integration: str
    assumptions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NotYet:
    """The bill will be ours, for example once it is approved."""

    integration: str
    why: str


@dataclass(frozen=True, slots=True)
class UndecidedRoute:
    """Whether the bill may be sent is not known, or another route may send it too.

    Attributes:
        short: The kind of doubt, in a few words.
        page: Of the runbook.
    """

    integration: str
    why: str
    short: str = "who may bill it is not certain"
    page: str = page(Page.INTERLOCK)


@dataclass(frozen=True, slots=True)
class SentByM3ter:
    """m3ter's own integration sent the bill; nothing is sent for it again."""

    integration: str
    why: str


@dataclass(frozen=True, slots=True)
class NotOurs:
    """No push integration takes the bill."""

    why: str
    integration: str = ""


RouteStanding = Ours | NotYet | UndecidedRoute | SentByM3ter | NotOurs


class PushRoutes(Protocol):
    """The push integrations of the applied record."""

    @property
    def in_force(self) -> InForce:
        """Which record they are from."""
        ...

    @property
    def integrations(self) -> tuple[str, ...]:
        """Their names."""
        ...

    @property
    def readings(self) -> Readings:
        """How undocumented rules are read."""
        ...

    def tolerance(self, integration: str) -> Decimal:
        """Give ``push.tolerance``, in major units."""
        ...

    def expect(self, bills: Sequence[Bill]) -> None:
        """Hear which bills will be asked about, so that m3ter is asked for all of them at once."""
        ...

    def standing(self, bill: Bill) -> RouteStanding:
        """Say who takes a bill, and why not if nobody does; nothing is written."""
        ...

    def draft(self, bill: Bill, integration: str) -> DraftOutcome:
        """Draft a bill as one integration would now."""
        ...


@dataclass(slots=True)
class ScopeView:
    """Answers from one reading of what is in force; never writes, and never sends.

    Attributes:
        cleared: Whether a person said that m3ter's own failed run of a bill sent nothing.
    """

    scope: PushesInForce
    watch: AccountReader
    clock: Clock
    cleared: Callable[[BillId], bool] = lambda _: False
    _known: dict[BillId, AccountFacts] = field(default_factory=dict)

    @property
    def in_force(self) -> InForce:
        """Which record the routes are from."""
        return InForce(self.scope.name, self.scope.record, self.scope.commit)

    @property
    def integrations(self) -> tuple[str, ...]:
        """The names of the push integrations."""
        return tuple(route.name for route in self.scope.routes)

    @property
    def readings(self) -> Readings:
        """How undocumented rules are read."""
        return next((route.route.readings for route in self.scope.routes), Readings())

    def tolerance(self, integration: str) -> Decimal:
        """Give ``push.tolerance``; zero for an integration that is no longer pushed."""
        route = self.scope.route(integration)
        return Decimal(route.route.policy.tolerance) if route else Decimal(0)

    def expect(self, bills: Sequence[Bill]) -> None:
        """Ask m3ter about these bills at once, and forget the ones before."""
        self._known = self.watch.about([(bill.id, bill.account_code) for bill in bills])

    def standing(self, bill: Bill) -> RouteStanding:
        """Say who takes a bill."""
        about = self._about(bill)
        asked = [(route, _takes(route, bill, about)) for route in self.scope.routes]
        for route, answer in asked:
            if isinstance(answer, Taken):
                return self._taken(route, answer, about, bill.id)
        for route, answer in asked:
            if isinstance(answer, NotTaken) and answer.reason in {"unapproved", "unknown"}:
                kind = NotYet if answer.reason == "unapproved" else UndecidedRoute
                return kind(route.name, answer.why)
        whys: dict[str, list[str]] = {}
        for route, found in asked:
            assert isinstance(found, NotTaken), "what is taken was answered above"
            whys.setdefault(found.why, []).append(route.name)
        texts = [f"{', '.join(names)}: {why}" for why, names in whys.items()]
        return NotOurs("; ".join(texts))

    def draft(self, bill: Bill, integration: str) -> DraftOutcome:
        """Draft a bill as one integration would now."""
        route = self.scope.route(integration)
        if route is not None:
            return draft_bill(bill, route.route, self.clock.now())
        reason = BlockReason(
            BlockCode.PREFLIGHT,
            f"no integration `{integration}` is pushed any more",
            "see docs/runbook.md, `cut-over`",
        )
        return BlockedBill(bill.id, bill.version, (reason,), ())

    def _about(self, bill: Bill) -> AccountFacts:
        known = self._known.get(bill.id)
        if known is None or not self.watch.fresh(known):
            known = self.watch.one(bill.id, bill.account_code)
        return known

    def _taken(
        self, route: PushRoute, taken: Taken, about: AccountFacts, bill: BillId
    ) -> RouteStanding:
        if route.drift:
            why = "; ".join(route.drift)
            short = f"{route.name} is not in m3ter as it was applied"
            return UndecidedRoute(route.name, why, short, page(Page.DRIFT))
        found = self.watch.interlock(route.name, about)
        if isinstance(found, MaybePartial) and self.cleared(bill):
            found = Clear()
        return _by_interlock(route.name, taken, found)


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

    def standing(self, bill: Bill) -> RouteStanding:
        """Say that nobody takes a bill, unless m3ter sent it."""
        found = self.then.standing(bill)
        if isinstance(found, SentByM3ter):
            return found
        record = self.then.in_force.record
        return NotOurs(f"nothing is pushed any more; applied record {record} was the last to push")

    def draft(self, bill: Bill, integration: str) -> DraftOutcome:
        """Draft a bill as it would have been drafted then."""
        return self.then.draft(bill, integration)


def _takes(route: PushRoute, bill: Bill, about: AccountFacts) -> Taken | NotTaken:
    since = date.fromisoformat(route.route.policy.since)
    if about.account is None or about.account.id != bill.account_id:
        if bill.end_date < since:
            return NotTaken("before-since", f"its period ends on {bill.end_date}, before {since}")
        return NotTaken("unknown", membership_of(route.scope, about, bill).why)
    return takes(route.scope, since, bill, about.account)


def _by_interlock(name: str, taken: Taken, interlock: Interlock) -> RouteStanding:
    match interlock:
        case Clear():
            return Ours(name, taken.assumptions)
        case SentNatively(run):
            return SentByM3ter(name, f"m3ter sent it itself (run {run.id}, {run.status})")
        case NativeRunning(run):
            return NotYet(name, f"m3ter still works on it (run {run.id}, {run.status})")
        case MaybePartial(run):
            why = f"m3ter's own run {run.id} ended {run.status}: part of it may have been sent"
            return UndecidedRoute(name, why, "m3ter may have sent a part of it", page(Page.TIMEOUT))
        case OtherRoute(why):
            short = "another route may bill the account"
            return UndecidedRoute(name, why, short, page(Page.DOUBLE_ROUTE))
        case ReadAgain():
            return UndecidedRoute(
                name, "what is known of its account is over a minute old; ask again"
            )


def newest_that_pushed(records: Iterable[AppliedRecord]) -> AppliedRecord | None:
    """Find the newest record in which an integration was pushed to a site.

    Args:
        records: Newest first; only as many are read as are needed.
    """
    return next((record for record in records if _pushes(record)), None)


def _pushes(record: AppliedRecord) -> bool:
    bodies = _kind(record, "Integration")
    pushed = any(_text(body, "delivery") == "push" for body in bodies)
    return pushed and any(_has_site(document) for document in _kind(record, "Environment"))


def _kind(record: AppliedRecord, kind: str) -> list[JsonValue]:
    found = record.definitions.get(kind)
    return list(found.values()) if isinstance(found, Mapping) else []


def _text(body: JsonValue, name: str) -> JsonValue:
    return body.get(name) if isinstance(body, Mapping) else None


def _has_site(body: JsonValue) -> bool:
    return bool(_text(body, "chargebee")) and bool(_text(body, "ledger"))
