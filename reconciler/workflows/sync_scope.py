"""The push integrations in force, and whether any other route may bill an account.

What is read here counts for sixty seconds; see ``core/interlock.py``.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from reconciler.core.account_filter.evaluate import compiled
from reconciler.core.account_filter.parser import parse
from reconciler.core.account_filter.tokens import FilterSyntaxError
from reconciler.core.accounts_of import selecting
from reconciler.core.comparable import live_fields, live_hash
from reconciler.core.interlock import (
    Interlock,
    InterlockSettings,
    Knowledge,
    RouteClaim,
    interlock,
    is_connected,
)
from reconciler.core.modelled import settings_of
from reconciler.core.rendered import dialect_for
from reconciler.core.route import Readings, Route, from_live, index
from reconciler.core.selection import Membership, Scope, membership, scope_of
from reconciler.domain.address import AccountId, BillId, IntegrationId
from reconciler.domain.applied import AppliedRecord, Binding
from reconciler.domain.bill import Bill
from reconciler.domain.definitions import Defined, Effective
from reconciler.domain.kinds.dialect import DialectSpec
from reconciler.domain.kinds.environment import EnvironmentSpec
from reconciler.domain.kinds.integration import CodeReference, IntegrationSpec
from reconciler.domain.line_item import Destination
from reconciler.domain.live import Account, LiveIntegration, NativeRun
from reconciler.domain.push import SiteName
from reconciler.errors import ExitCode, ReconcilerError
from reconciler.ports.organisation import Organisation
from reconciler.ports.runtime import Clock, Progress
from reconciler.workflows.compare import Comparison, compare
from reconciler.workflows.obeyed import drift_of, obeyed, row_origins

SYSTEM = "Chargebee"
BILL = "Bill"


class NoSiteError(ReconcilerError):
    """The environment in force names no Chargebee site."""

    exit_code = ExitCode.INVALID

    def __init__(self, environment: str) -> None:
        super().__init__(
            f"environment `{environment}`, as it was applied, has no `chargebee` site.\n"
            "Nothing was sent. Add it to the Environment and apply."
        )


class NoPushError(ReconcilerError):
    """No integration in force is pushed."""

    exit_code = ExitCode.INVALID

    def __init__(self, environment: str, wanted: str = "") -> None:
        what = f"push integration `{wanted}`" if wanted else "integration with `delivery: push`"
        super().__init__(
            f"what was applied to `{environment}` has no {what}.\n"
            "Nothing was sent. Check the name, or apply the definition first."
        )


@dataclass(frozen=True, slots=True)
class PushRoute:
    """One push integration in force.

    Attributes:
        scope: Which accounts it takes.
        live_id: The configuration it is bound to; ``None`` when it is not in m3ter.
        live_hash: What m3ter said of it when the run began.
        drift: What of it or its mappings is not as it was applied; empty when nothing.
    """

    route: Route
    scope: Scope
    live_id: IntegrationId | None
    live_hash: str
    drift: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The definition's name."""
        return self.route.defined.name


@dataclass(frozen=True, slots=True)
class SyncScope:
    """Everything that decides what is pushed in one environment.

    Attributes:
        environment: Its settings in force.
        record: Sequence of the applied record; 0 when the files alone were read.
        commit: Its source commit.
    """

    name: str
    environment: EnvironmentSpec
    site: SiteName
    routes: tuple[PushRoute, ...]
    dialect: DialectSpec | None
    record: int
    commit: str

    def route(self, name: str) -> PushRoute | None:
        """Find a push integration by name."""
        return next((one for one in self.routes if one.name == name), None)


@dataclass(frozen=True, slots=True)
class About:
    """What was read about one bill's account.

    Attributes:
        account: ``None`` when m3ter has none with the bill's account code.
        runs: m3ter's own runs of the bill.
    """

    read_at: datetime
    account: Account | None
    runs: tuple[NativeRun, ...] = ()


def read_scope(
    working: Effective,
    head: AppliedRecord | None,
    organisation: Organisation,
    progress: Progress,
    *,
    from_files: bool = False,
    readings: Readings | None = None,
) -> SyncScope:
    """Read what is in force and what m3ter has of it; nothing is written.

    Args:
        working: The files.
        head: The newest applied record.
        organisation: The connected organisation.
        progress: Hears what is read.
        from_files: Take the files instead of the record; only for printing.
        readings: How undocumented rules are read.

    Raises:
        NothingAppliedError: When nothing was applied.
        NoSiteError: When there is no site.
        NoPushError: When nothing is pushed.
    """
    effective = working if from_files else obeyed(head, working)
    environment = effective.environment
    site = environment.spec.chargebee
    if site is None:
        raise NoSiteError(environment.name)
    pushed = [one for one in effective.integrations if one.spec.delivery == "push"]
    if not pushed:
        raise NoPushError(environment.name)
    compared = compare(effective, head, organisation, progress)
    dialects = [one.spec for one in effective.dialects]
    return SyncScope(
        name=environment.name,
        environment=environment.spec,
        site=SiteName(site.site),
        routes=_routes(pushed, compared, organisation, readings or Readings()),
        dialect=dialect_for(dialects, Destination.CHARGEBEE, BILL),
        record=head.sequence if head and not from_files else 0,
        commit=head.source_commit if head and not from_files else "",
    )


@dataclass(slots=True)
class Watch:
    """Knows, at most sixty seconds old, who else may bill an account; safe from many threads."""

    scope: SyncScope
    organisation: Organisation
    clock: Clock
    settings: InterlockSettings = field(default_factory=InterlockSettings)
    _known: dict[BillId, About] = field(default_factory=dict)
    _native: tuple[RouteScope, ...] = ()
    _changed: Mapping[str, str] = field(default_factory=dict)
    _read_at: datetime | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def about(self, bills: Sequence[tuple[BillId, str]]) -> dict[BillId, About]:
        """Read what the interlock needs of some bills: two calls, and one per bill m3ter sent.

        Args:
            bills: Ids and account codes.
        """
        now = self.clock.now()
        codes = {code for _, code in bills if code}
        accounts = self.organisation.codes.accounts(codes) if codes else {}
        latest = self.organisation.runs.latest(BILL, [one for one, _ in bills])
        return {
            bill: About(now, accounts.get(code), self._runs(bill) if bill in latest else ())
            for bill, code in bills
        }

    def expect(self, bills: Sequence[tuple[BillId, str]]) -> Mapping[BillId, About]:
        """Read it for bills that will be worked on soon, and remember it until they are."""
        found = self.about(bills)
        self._known.update(found)
        return found

    def known(self, bill: BillId) -> About | None:
        """Give what was read ahead for a bill, once."""
        return self._known.pop(bill, None)

    def peek(self, bill: BillId) -> About | None:
        """Give what was read ahead for a bill, and keep it."""
        return self._known.get(bill)

    def one(self, bill: BillId, code: str) -> About:
        """Read it for a single bill."""
        return self.about([(bill, code)])[bill]

    def fresh(self, about: About) -> bool:
        """Whether something that was read still counts."""
        return abs(self.clock.now() - about.read_at) <= self.settings.max_age

    def interlock(self, route: str, about: About) -> Interlock:
        """Decide whether a push may send a bill now."""
        return interlock(route, self._knowledge(about), self.clock.now(), self.settings)

    def _knowledge(self, about: About) -> Knowledge:
        with self._lock:
            self._refresh()
            native, changed, read_at = self._native, self._changed, self._read_at
        assert read_at is not None
        return Knowledge(
            read_at=min(read_at, about.read_at),
            native=tuple(_claim(one.name, one.scope, about) for one in native),
            pushes=tuple(_push_claim(one, about, changed) for one in self.scope.routes),
            runs=tuple(one for one in about.runs if _ours(one.destination)),
        )

    def _refresh(self) -> None:
        """Read the configurations again once they are half as old as they may get."""
        now = self.clock.now()
        if self._read_at is not None and now - self._read_at < self.settings.max_age / 2:
            return
        live = self.organisation.integrations.list()
        self._native = tuple(
            RouteScope(f'"{one.name}" ({one.id})', _live_scope(one, self.scope.dialect))
            for one in live
            if _sends_bills(one) and is_connected(one)
        )
        self._changed = _changes(self.scope.routes, live)
        self._read_at = now

    def _runs(self, bill: BillId) -> tuple[NativeRun, ...]:
        return tuple(self.organisation.runs.of_entity(BILL, bill))


@dataclass(frozen=True, slots=True)
class RouteScope:
    """A connected configuration and its accounts."""

    name: str
    scope: Scope


def membership_of(scope: Scope, about: About, bill: Bill | None = None) -> Membership:
    """Say whether a bill's account is in a scope; an account that is not there is unknown."""
    if about.account is None:
        return Membership("unknown", "m3ter has no account with the bill's account code")
    if bill is not None and about.account.id != bill.account_id:
        return Membership("unknown", "the account code of the bill belongs to another account")
    return membership(scope, about.account)


def _claim(name: str, scope: Scope, about: About) -> RouteClaim:
    found = membership_of(scope, about)
    return RouteClaim(name, found.verdict, found.why)


def _push_claim(one: PushRoute, about: About, changed: Mapping[str, str]) -> RouteClaim:
    found = membership_of(one.scope, about)
    if found.verdict == "in" and one.name in changed:
        return RouteClaim(one.name, "unknown", changed[one.name])
    return RouteClaim(one.name, found.verdict, found.why)


def _changes(routes: Iterable[PushRoute], live: Iterable[LiveIntegration]) -> dict[str, str]:
    """Say which push configurations were changed in m3ter since the run began."""
    hashes = {one.id: live_hash(one) for one in live}
    return {
        one.name: "its configuration was changed in m3ter since this run began"
        for one in routes
        if one.live_id is not None and hashes.get(one.live_id) != one.live_hash
    }


def _routes(
    pushed: Sequence[Defined[IntegrationSpec]],
    compared: Comparison,
    organisation: Organisation,
    readings: Readings,
) -> tuple[PushRoute, ...]:
    effective, environment = compared.effective, compared.effective.environment.spec
    ids = _account_ids(pushed, organisation)
    live = {one.id: one for one in compared.integrations}
    mappings = compared.mappings or organisation.mappings.list([SYSTEM])
    known = from_live(mappings, SYSTEM, row_origins(effective, compared.head))
    bound = {one.address.name: one.id for one in _integrations(compared.head)}
    assert environment.chargebee is not None
    made: list[PushRoute] = []
    for one in pushed:
        live_id = IntegrationId(bound[one.name]) if one.name in bound else None
        there = live.get(live_id) if live_id else None
        enforced = one.spec.entity.enforce_external_mappings_for_config
        route = Route(
            defined=one,
            mappings=index(known, live_id, enforced=enforced),
            fallback=environment.fallback,
            site_zone=environment.chargebee.timezone,
            readings=readings,
        )
        made.append(
            PushRoute(
                route=route,
                scope=scope_of(one.spec, ids),
                live_id=there.id if there else None,
                live_hash=live_hash(there) if there else "",
                drift=drift_of(compared, one.name),
            )
        )
    return tuple(made)


def _integrations(head: AppliedRecord | None) -> Iterable[Binding]:
    return [one for one in head.bindings if one.address.kind == "integration"] if head else []


def _account_ids(
    pushed: Iterable[Defined[IntegrationSpec]], organisation: Organisation
) -> dict[str, AccountId]:
    """Look the account codes up now: what was remembered may be another account by today."""
    codes = {
        reference.code
        for one in pushed
        for listed in (one.spec.global_.account_ids, one.spec.global_.restricted_account_ids)
        if not isinstance(listed, str)
        for reference in listed
        if isinstance(reference, CodeReference)
    }
    found = organisation.codes.accounts(codes) if codes else {}
    return {code: one.id for code, one in found.items()}


def _sends_bills(live: LiveIntegration) -> bool:
    return (live.destination.casefold(), live.entity_type.casefold()) == ("chargebee", "bill")


def _ours(destination: str) -> bool:
    """Runs for other destinations do not matter; one that names none may be Chargebee's."""
    return destination.casefold() in {"", SYSTEM.casefold()}


def _live_scope(live: LiveIntegration, dialect: DialectSpec | None) -> Scope:
    """Read which accounts a live configuration takes; what cannot be read takes nobody surely."""
    if dialect is None:
        return Scope(None, unreadable="no dialect says how its settings are spelled")
    found = selecting(live_fields(live, settings_of(Destination.CHARGEBEE), dialect))
    included = None if found.included is None else frozenset(map(AccountId, found.included))
    scope = Scope(included, frozenset(map(AccountId, found.restricted)))
    if not found.filter:
        return scope
    try:
        return replace(scope, predicate=compiled(parse(found.filter)))
    except FilterSyntaxError as error:
        return replace(scope, unreadable=f"its account filter cannot be read: {error}")
