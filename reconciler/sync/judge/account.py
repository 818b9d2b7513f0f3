"""Who bills an account: what was read about it, who else may send, and which push takes a bill."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from reconciler.account_filter.evaluate import compiled
from reconciler.account_filter.parser import parse
from reconciler.account_filter.tokens import FilterSyntaxError
from reconciler.definitions.core.settings import settings_of
from reconciler.definitions.kinds.dialect import DialectSpec
from reconciler.kernel.address import AccountId, BillId
from reconciler.kernel.line_item import Destination
from reconciler.kernel.ports import Clock
from reconciler.kernel.runbook import Page, page
from reconciler.m3ter.bill import Bill
from reconciler.m3ter.live import Account, LiveIntegration, NativeRun
from reconciler.m3ter.ports import Organisation
from reconciler.plan.core.comparable import live_fields, live_hash
from reconciler.plan.core.guards.routes import selecting
from reconciler.selection.interlock import (
    Interlock,
    InterlockSettings,
    RouteClaim,
    RouteKnowledge,
    interlock,
    is_connected,
)
from reconciler.selection.scope import AccountScope, Membership, NotTaken, Taken, membership, takes
from reconciler.sync.core.tally import IN_NONE
from reconciler.sync.in_force.push_route import BILL, SYSTEM, PushRoute
from reconciler.sync.in_force.scope import PushesInForce
from reconciler.sync.judge.run_filter import RunFilter
from reconciler.sync.judge.standings import bill_standing, who_of
from reconciler.sync.model.push import PushStatus
from reconciler.sync.model.standing import BillStanding, Group, Who


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """What was read about one bill's account.

    Attributes:
        account: ``None`` when m3ter has none with the bill's account code.
        runs: m3ter's own runs of the bill.
        moment: When it was read, in seconds of the monotonic clock: the other may be set back.
    """

    read_at: datetime
    account: Account | None
    runs: tuple[NativeRun, ...] = ()
    moment: float = 0.0


@dataclass(slots=True)
class AccountReader:
    """Knows, at most sixty seconds old, who else may bill an account; safe from many threads."""

    scope: PushesInForce
    organisation: Organisation
    clock: Clock
    settings: InterlockSettings = field(default_factory=InterlockSettings)
    _known: dict[BillId, AccountFacts] = field(default_factory=dict)
    _native: tuple[NativeRoute, ...] = ()
    _changed: Mapping[str, str] = field(default_factory=dict)
    _read_at: datetime | None = None
    _moment: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def about(self, bills: Sequence[tuple[BillId, str]]) -> dict[BillId, AccountFacts]:
        """Read what the interlock needs of some bills: two calls, and one per bill m3ter sent.

        Args:
            bills: Ids and account codes.
        """
        now, moment = self.clock.now(), self.clock.monotonic()
        codes = {code for _, code in bills if code}
        accounts = self.organisation.codes.accounts(codes) if codes else {}
        latest = self.organisation.runs.latest(BILL, [bill_id for bill_id, _ in bills])
        return {
            bill: AccountFacts(
                now, accounts.get(code), self._runs(bill) if bill in latest else (), moment
            )
            for bill, code in bills
        }

    def expect(self, bills: Sequence[tuple[BillId, str]]) -> Mapping[BillId, AccountFacts]:
        """Read it for bills that will be worked on soon, and remember it until they are."""
        found = self.about(bills)
        self._known.update(found)
        for bill_id in list(self._known)[: max(0, len(self._known) - KNOWN_MAX)]:
            self._known.pop(bill_id, None)
        return found

    def known(self, bill: BillId) -> AccountFacts | None:
        """Give what was read ahead for a bill, once."""
        return self._known.pop(bill, None)

    def peek(self, bill: BillId) -> AccountFacts | None:
        """Give what was read ahead for a bill, and keep it."""
        return self._known.get(bill)

    def one(self, bill: BillId, code: str) -> AccountFacts:
        """Read it for a single bill."""
        return self.about([(bill, code)])[bill]

    def fresh(self, about: AccountFacts) -> bool:
        """Whether something that was read still counts."""
        return self._age(about.read_at, about.moment) <= self.settings.max_age

    def interlock(self, route: str, about: AccountFacts) -> Interlock:
        """Decide whether a push may send a bill now."""
        return interlock(route, self._knowledge(about), self.clock.now(), self.settings)

    def _knowledge(self, about: AccountFacts) -> RouteKnowledge:
        with self._lock:
            self._refresh()
            native, changed, read_at = self._native, self._changed, self._read_at
        assert read_at is not None
        return RouteKnowledge(
            read_at=min(read_at, about.read_at),
            native=tuple(route_claim(route.name, route.scope, about) for route in native),
            pushes=tuple(push_claim(route, about, changed) for route in self.scope.routes),
            runs=tuple(run for run in about.runs if is_ours(run.destination)),
        )

    def _refresh(self) -> None:
        """Read the configurations again once they are half as old as they may get."""
        now, moment = self.clock.now(), self.clock.monotonic()
        half = self.settings.max_age / 2
        if self._read_at is not None and self._age(self._read_at, self._moment) < half:
            return
        live = self.organisation.integrations.list()
        self._native = native_routes(live, self.scope.dialect)
        self._changed = changed_routes(self.scope.routes, live)
        self._read_at, self._moment = now, moment

    def _age(self, read_at: datetime, moment: float) -> timedelta:
        """Give an age by the clock that says more: the machine's may be set back meanwhile."""
        passed = timedelta(seconds=self.clock.monotonic() - moment)
        return max(abs(self.clock.now() - read_at), passed)

    def _runs(self, bill: BillId) -> tuple[NativeRun, ...]:
        return tuple(self.organisation.runs.of_entity(BILL, bill))


@dataclass(frozen=True, slots=True)
class NativeRoute:
    """A connected configuration and its accounts."""

    name: str
    scope: AccountScope


@dataclass(frozen=True, slots=True)
class RoutesOfRun:
    """The push integrations of one run, as its flags leave them."""

    routes: tuple[PushRoute, ...]
    narrow: RunFilter

    def taking(self, bill: Bill, about: AccountFacts, *, sent: bool) -> PushRoute | BillStanding:
        """Find the one route that takes the bill, or say why none does."""
        who = who_of(bill)
        if about.account is None:
            why = f"m3ter has no account with the code {bill.account_code!r} that the bill names"
            standing = bill_standing(who, Group.BLOCKED, "its account is not known", why)
            return replace(standing, page=page(Page.INTERLOCK))
        found = [(candidate, self._takes(bill, candidate, about)) for candidate in self.routes]
        ours = [
            (candidate, left)
            for candidate, left in found
            if not (isinstance(left, NotTaken) and left.reason == "other-account")
        ]
        if not ours:
            why = "no push integration takes its account"
            return bill_standing(who, Group.NOT_OURS, IN_NONE, why)
        named = self.narrow.integrations
        if named and not any(candidate.name in named for candidate, _ in ours):
            return bill_standing(who, Group.NOT_OURS, "of another integration")
        route, verdict = ours[0]
        if isinstance(verdict, Taken) or (sent and verdict.reason == "unapproved"):
            return route
        return self._left(who, route, verdict)

    def since(self, route: PushRoute) -> date:
        """Give the date from which a route's bills are sent in this run."""
        own = date.fromisoformat(route.route.policy.since)
        flag = self.narrow.since
        if flag is None:
            return own
        return flag if self.narrow.backfill else max(own, flag)

    def _takes(self, bill: Bill, route: PushRoute, about: AccountFacts) -> Taken | NotTaken:
        found = membership_of(route.scope, about, bill)
        if found.verdict == "unknown" or about.account is None:
            return NotTaken("unknown", found.why)
        return takes(route.scope, self.since(route), bill, about.account)

    def _left(self, who: Who, route: PushRoute, left: NotTaken) -> BillStanding:
        if left.reason == "before-since":
            return bill_standing(
                who, Group.NOT_OURS, f"before {self.since(route):%-d %b %Y}", left.why
            )
        if left.reason == "unapproved":
            return bill_standing(who, Group.WAITING, "not approved yet", left.why, route.name)
        short = "whether it is selected is not known"
        standing = bill_standing(who, Group.BLOCKED, short, left.why, route.name)
        return replace(standing, page=page(Page.INTERLOCK), status=PushStatus.BLOCKED)


def membership_of(scope: AccountScope, about: AccountFacts, bill: Bill | None = None) -> Membership:
    """Say whether a bill's account is in a scope; an account that is not there is unknown."""
    if about.account is None:
        return Membership("unknown", "m3ter has no account with the bill's account code")
    if bill is not None and about.account.id != bill.account_id:
        return Membership("unknown", "the account code of the bill belongs to another account")
    return membership(scope, about.account)


def route_claim(name: str, scope: AccountScope, about: AccountFacts) -> RouteClaim:
    """Say whether a connected configuration takes an account."""
    found = membership_of(scope, about)
    return RouteClaim(name, found.verdict, found.why)


def push_claim(route: PushRoute, about: AccountFacts, changed: Mapping[str, str]) -> RouteClaim:
    """Say whether one of our push integrations takes an account, as far as that is still known."""
    found = membership_of(route.scope, about)
    if found.verdict == "in" and route.name in changed:
        return RouteClaim(route.name, "unknown", changed[route.name])
    return RouteClaim(route.name, found.verdict, found.why)


KNOWN_MAX = 1_000
"""Bills whose facts are kept until they are worked on; a bill that is forgotten is read again."""


def native_routes(
    live: Iterable[LiveIntegration], dialect: DialectSpec | None
) -> tuple[NativeRoute, ...]:
    """Give the connected configurations that send bills to Chargebee, and their accounts."""
    return tuple(
        NativeRoute(f'"{integration.name}" ({integration.id})', _live_scope(integration, dialect))
        for integration in live
        if _sends_bills(integration) and is_connected(integration)
    )


def changed_routes(routes: Iterable[PushRoute], live: Iterable[LiveIntegration]) -> dict[str, str]:
    """Say which push configurations were changed in m3ter since the run began."""
    hashes = {integration.id: live_hash(integration) for integration in live}
    return {
        route.name: "its configuration was changed in m3ter since this run began"
        for route in routes
        if route.live_id is not None and hashes.get(route.live_id) != route.live_hash
    }


def _sends_bills(live: LiveIntegration) -> bool:
    return (live.destination.casefold(), live.entity_type.casefold()) == ("chargebee", "bill")


def is_ours(destination: str) -> bool:
    """Runs for other destinations do not matter; one that names none may be Chargebee's."""
    return destination.casefold() in {"", SYSTEM.casefold()}


def _live_scope(live: LiveIntegration, dialect: DialectSpec | None) -> AccountScope:
    """Read which accounts a live configuration takes; what cannot be read takes nobody surely."""
    if dialect is None:
        return AccountScope(None, unreadable="no dialect says how its settings are spelled")
    found = selecting(live_fields(live, settings_of(Destination.CHARGEBEE), dialect))
    included = None if found.included is None else frozenset(map(AccountId, found.included))
    scope = AccountScope(included, frozenset(map(AccountId, found.restricted)))
    if not found.filter:
        return scope
    try:
        return replace(scope, predicate=compiled(parse(found.filter)))
    except FilterSyntaxError as error:
        return replace(scope, unreadable=f"its account filter cannot be read: {error}")
