"""Opens what a sync works with: the Chargebee site, the ledger, workers, notices."""

from __future__ import annotations

import os
import random
import socket
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from uuid import uuid4

from reconciler.core.interlock import InterlockSettings
from reconciler.core.look_first import LookFirst
from reconciler.destinations.chargebee.destination import (
    ChargebeeDestination,
    SiteSettings,
    open_site,
    pace_of,
)
from reconciler.destinations.chargebee.preflight import DecimalPlaces
from reconciler.destinations.chargebee.session import Session
from reconciler.destinations.chargebee.switches import parse_switches
from reconciler.domain.address import AccountId, BillId
from reconciler.domain.kinds.environment import ChargebeeConnection, EnvironmentSpec
from reconciler.domain.push import SiteName
from reconciler.errors import ExitCode, ReconcilerError
from reconciler.notify.apprise import AppriseNotifier, SilentNotifier, Subscription, apprise_send
from reconciler.ports.organisation import Organisation
from reconciler.ports.runtime import Notifier, RateLimit, Stopped, Workers
from reconciler.settings import Settings
from reconciler.transport.client import HttpClient, Limits, shared_tls
from reconciler.wiring.desk import Desk
from reconciler.wiring.ledger import (
    OpenLedger,
    pushing_ledger,
    reading_ledger,
    site_of,
)
from reconciler.wiring.site_pace import own_bucket
from reconciler.workers.embedded import EmbeddedWorkers
from reconciler.workflows.account_watch import Watch
from reconciler.workflows.judge_bill import Judge
from reconciler.workflows.ledger_view import LedgerView, NoLedgerYet
from reconciler.workflows.narrow import Narrow
from reconciler.workflows.people_decide import NOT_SENT_BY_M3TER, Decider
from reconciler.workflows.push_bill import Pusher
from reconciler.workflows.push_route import PushRoute
from reconciler.workflows.sync_again import NO_PATIENCE, Patience
from reconciler.workflows.sync_holds import refuse_held
from reconciler.workflows.sync_limits import Limits as RunLimits
from reconciler.workflows.sync_run import read_stamps, result_of
from reconciler.workflows.sync_scope import NoPushError, SyncScope, read_scope
from reconciler.workflows.sync_serve import Serving
from reconciler.workflows.sync_world import SyncPorts, SyncResult

DEFAULT_LIMITS = Limits()


class NoAccountError(ReconcilerError):
    """``--account`` names accounts that m3ter does not have."""

    exit_code = ExitCode.INVALID

    def __init__(self, codes: Sequence[str]) -> None:
        super().__init__(
            f"m3ter has no account with the code {', '.join(codes)}. Nothing was sent. "
            "Check the spelling; ids are not taken here."
        )


@dataclass(frozen=True, slots=True)
class Site:
    """A connected Chargebee site and the pace that it allows."""

    destination: ChargebeeDestination
    limiter: RateLimit


@contextmanager
def connect_site(
    spec: ChargebeeConnection,
    desk: Desk,
    *,
    stamps: Iterable[str],
    limiter: RateLimit | None = None,
    limits: Limits = DEFAULT_LIMITS,
    chance: Callable[[], float] = random.random,
) -> Iterator[Site]:
    """Open a Chargebee site, checked against its key, for the time of a ``with`` block.

    Args:
        spec: Where, and how fast.
        desk: Resolves the key and says which hosts are allowed.
        stamps: Custom fields that carry bill ids.
        limiter: ``OpenLedger.limiter`` where a ledger is open; one of this process by default.
        limits: Time and size of one call.
        chance: Spreads repeated reads; gives numbers from 0 up to 1.

    Raises:
        SettingsError: When a host or a reference is refused; nothing was sent.
        DestinationAccessError: When the key is refused or belongs to another site.
    """
    settings = desk.settings
    base_url = settings.chargebee_url(spec.base_url)
    api_key = settings.resolve(spec.api_key, desk.root)
    limiter = limiter or own_bucket(spec, desk.clock)
    tls = shared_tls(settings.authorities) if base_url.startswith("https:") else None
    with HttpClient(base_url, desk.clock, limits=limits, tls=tls, log=desk.log) as client:
        session = Session(
            client,
            limiter,
            desk.clock,
            site=SiteName(spec.site),
            base_url=base_url,
            api_key=api_key,
            chance=chance,
            switches=parse_switches(settings.chargebee_switches),
        )
        places = DecimalPlaces(spec.price_decimal_places, spec.quantity_decimal_places)
        of_site = SiteSettings(
            stamps=tuple(sorted(set(stamps))),
            zone=spec.timezone,
            places=places,
            pace=pace_of(spec.requests_per_minute),
        )
        yield Site(open_site(session, of_site), limiter)


def notifier(environment: EnvironmentSpec, settings: Settings, desk: Desk) -> Notifier:
    """Give the notices of an environment; silence where it has none.

    Raises:
        NotifyMissingError: When it has some and Apprise is not installed.
    """
    if not environment.notices:
        return SilentNotifier()
    told = [
        Subscription(frozenset(one.events), settings.resolve(one.url, desk.root))
        for one in environment.notices
    ]
    return AppriseNotifier(told, apprise_send())


def in_force(desk: Desk, organisation: Organisation, *, from_files: bool = False) -> SyncScope:
    """Read what sync obeys."""
    head = desk.chain.head(desk.environment)
    return read_scope(desk.effective, head, organisation, desk.progress, from_files=from_files)


def with_flat_prices(scope: SyncScope, destination: ChargebeeDestination) -> SyncScope:
    """Tell every route which of its item prices are flat fees, from the site's catalogue."""
    flat = destination.flat_prices(sorted({key for one in scope.routes for key in _prices(one)}))
    routes = tuple(replace(one, route=replace(one.route, flat_prices=flat)) for one in scope.routes)
    return replace(scope, routes=routes)


def _prices(route: PushRoute) -> Iterator[str]:
    page = route.route.page
    named = (page.minimum_spend_item_price, page.standing_charge_item_price, page.default_price_id)
    yield from (one for one in named if one)
    yield from page.price_id_mapping.values()
    for (entity, _), found in route.route.mappings.by_object.items():
        if entity != route.route.readings.account_entity.casefold():
            yield from (one.external_id for one in (*found.linked, *found.unlinked))


@dataclass(frozen=True, slots=True)
class PushDesk:
    """Everything a sync works with.

    Attributes:
        view: What plans read: the ledger, or nothing where there is none yet.
        opened: The ledger; ``None`` where there is none yet, only for plans.
    """

    desk: Desk
    scope: SyncScope
    watch: Watch
    organisation: Organisation
    destination: ChargebeeDestination
    view: LedgerView
    opened: OpenLedger | None
    workers: Workers
    notifier: Notifier
    settings: LookFirst

    @property
    def ports(self) -> SyncPorts:
        """Give the world that a run acts on."""
        assert self.opened is not None, "only plans do without a ledger"
        return SyncPorts(
            bills=self.organisation.bills,
            ledger=self.opened.ledger,
            destination=self.destination,
            workers=self.workers,
            notifier=self.notifier,
            clock=self.desk.clock,
            progress=self.desk.progress,
        )

    def judge(self, narrow: Narrow) -> Judge:
        """Give the judge of one run."""
        clock = self.desk.clock
        return Judge(self.watch, self.view, self.destination, clock, narrow, self._cleared)

    def pusher(self, narrow: Narrow, limits: RunLimits, stopped: Stopped) -> Pusher:
        """Give what brings bills on in one run."""
        ports = self.ports
        return Pusher(
            judge=self.judge(narrow),
            ledger=ports.ledger,
            destination=ports.destination,
            bills=ports.bills,
            clock=ports.clock,
            notifier=ports.notifier,
            limits=limits,
            settings=self.settings,
            run=str(uuid4()),
            worker=f"{socket.gethostname()}/{os.getpid()}",
            stopped=stopped,
        )

    def run(
        self,
        narrow: Narrow,
        limits: RunLimits,
        stopped: Stopped,
        patience: Patience = NO_PATIENCE,
    ) -> SyncResult:
        """Run a sync."""
        return result_of(self.pusher(narrow, limits, stopped), self.ports, stopped, patience)

    def serving(self, narrow: Narrow, stopped: Stopped) -> Serving:
        """Give a worker that reads what is in force again before every round."""

        def refreshed() -> Pusher:
            scope = in_force(self.desk, self.organisation)
            scope = with_flat_prices(scope, self.destination)
            fresh = replace(self, scope=scope, watch=_watch(scope, self.organisation, self.desk))
            read_stamps(scope, fresh.ports)
            return fresh.pusher(narrow, RunLimits(), stopped)

        first = self.pusher(narrow, RunLimits(), stopped)
        return Serving(self.ports, stopped, refreshed, first)

    def read_stamps(self) -> None:
        """Read the stamped invoices of the site, once a run."""
        read_stamps(self.scope, self.ports)

    def refuse_held(self, integrations: frozenset[str], *, thawed: bool) -> None:
        """Refuse a run in which nothing may be sent.

        Raises:
            ReconcilerError: See ``workflows.sync_run.refuse_held``.
        """
        now = self.desk.clock.now()
        refuse_held(self.scope, self.ports.ledger, integrations, now, thawed=thawed)

    def named(self, integrations: Iterable[str]) -> frozenset[str]:
        """Check names of push integrations.

        Raises:
            NoPushError: For a name that is none.
        """
        for one in integrations:
            if self.scope.route(one) is None:
                raise NoPushError(self.scope.name, one)
        return frozenset(integrations)

    def accounts(self, codes: Iterable[str]) -> frozenset[AccountId]:
        """Find accounts by code.

        Raises:
            NoAccountError: For a code that m3ter does not know.
        """
        wanted = set(codes)
        found = self.organisation.codes.accounts(wanted) if wanted else {}
        if missing := sorted(wanted - set(found)):
            raise NoAccountError(missing)
        return frozenset(one.id for one in found.values())

    def decided(self, subject: str, what: str, reason: str) -> None:
        """Record what a person decided."""
        assert self.opened is not None
        actor = self.desk.authorship.actor
        self.opened.history.decide(self.scope.site, subject, what, actor, reason)

    def decider(self) -> Decider:
        """Give a person's hand on bills."""
        assert self.opened is not None, "only plans do without a ledger"
        return Decider(
            judge=self.judge(Narrow()),
            ledger=self.opened.ledger,
            history=self.opened.history,
            destination=self.destination,
            bills=self.organisation.bills,
            clock=self.desk.clock,
            actor=self.desk.authorship.actor,
            run=str(uuid4()),
        )

    def _cleared(self, bill: BillId) -> bool:
        """Tell whether a person said that m3ter's own failed run of a bill sent nothing."""
        if self.opened is None:
            return False
        made = self.opened.history.decisions(self.scope.site, f"native/{bill}")
        return bool(made) and made[-1].what == NOT_SENT_BY_M3TER


@contextmanager
def open_push(
    desk: Desk, *, reading: bool = False, from_files: bool = False, many: bool = False
) -> Iterator[PushDesk]:
    """Open everything for the time of a ``with`` block.

    Args:
        desk: The repository and its environment.
        reading: Only to print: the ledger is opened to read, also beside whoever pushes.
        from_files: Obey the files; only to print.
        many: Let workers on other machines help.
    """
    with ExitStack() as stack:
        organisation = stack.enter_context(desk.organisation())
        scope = in_force(desk, organisation, from_files=from_files)
        spec = site_of(desk, scope.environment)
        opened = _ledger(desk, scope.environment, stack, reading=reading)
        stamps = {one.route.policy.stamp for one in scope.routes}
        limiter = opened.limiter(spec) if opened else None
        site = stack.enter_context(connect_site(spec, desk, stamps=stamps, limiter=limiter))
        scope = with_flat_prices(scope, site.destination)
        yield PushDesk(
            desk=desk,
            scope=scope,
            watch=_watch(scope, organisation, desk),
            organisation=organisation,
            destination=site.destination,
            view=opened.ledger if opened else NoLedgerYet(),
            opened=opened,
            workers=opened.workers(on_many_machines=many)
            if opened
            else EmbeddedWorkers(desk.clock),
            notifier=notifier(scope.environment, desk.settings, desk),
            settings=desk.settings.look_first,
        )


def _ledger(
    desk: Desk, environment: EnvironmentSpec, stack: ExitStack, *, reading: bool
) -> OpenLedger | None:
    if not reading:
        return stack.enter_context(pushing_ledger(desk, environment))
    if environment.ledger is None:
        return None
    return stack.enter_context(reading_ledger(desk, environment))


def _watch(scope: SyncScope, organisation: Organisation, desk: Desk) -> Watch:
    return Watch(scope, organisation, desk.clock, InterlockSettings())
