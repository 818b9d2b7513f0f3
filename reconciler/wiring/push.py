"""Opens what a sync works with: the Chargebee site, the ledger, workers, notices."""

from __future__ import annotations

import os
import random
import socket
from collections.abc import Callable, Iterable, Iterator
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
from reconciler.domain.kinds.environment import ChargebeeConnection, EnvironmentSpec
from reconciler.domain.push import SiteName
from reconciler.notify.apprise import AppriseNotifier, SilentNotifier, Subscription, apprise_send
from reconciler.ports.ledger import Ledger
from reconciler.ports.organisation import Organisation
from reconciler.ports.runtime import Notifier, RateLimit, Stopped, Workers
from reconciler.settings import Settings
from reconciler.transport.client import HttpClient, Limits, shared_tls
from reconciler.transport.rate_limit import TokenBucket
from reconciler.wiring.desk import Desk
from reconciler.workflows.judge_bill import Judge, Narrow
from reconciler.workflows.push_bill import Pusher
from reconciler.workflows.sync_limits import Limits as RunLimits
from reconciler.workflows.sync_run import SyncPorts
from reconciler.workflows.sync_scope import PushRoute, SyncScope, Watch, read_scope

DEFAULT_LIMITS = Limits()
# A burst makes up for late wake-ups; the vendor's window is a minute long.
_BURST_SECONDS = 1.0


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
        limiter: The shared bucket of all workers; one of this process by default.
        limits: Time and size of one call.
        chance: Spreads repeated reads; gives numbers from 0 up to 1.

    Raises:
        SettingsError: When a host or a reference is refused; nothing was sent.
        DestinationAccessError: When the key is refused or belongs to another site.
    """
    settings = desk.settings
    base_url = settings.chargebee_url(spec.base_url)
    api_key = settings.resolve(spec.api_key, desk.root)
    limiter = limiter or site_bucket(spec, desk)
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


def site_bucket(spec: ChargebeeConnection, desk: Desk) -> TokenBucket:
    """Build the site's token bucket of one process."""
    rate = spec.requests_per_minute / 60
    return TokenBucket(rate, desk.clock, burst=rate * _BURST_SECONDS)


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
    """Everything a sync works with."""

    desk: Desk
    scope: SyncScope
    ports: SyncPorts
    watch: Watch
    organisation: Organisation
    settings: LookFirst

    def judge(self, narrow: Narrow) -> Judge:
        """Give the judge of one run."""
        ports = self.ports
        return Judge(self.watch, ports.ledger, ports.destination, ports.clock, narrow)

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


@contextmanager
def open_push(
    desk: Desk,
    open_ledger: Callable[[SyncScope, ExitStack], Ledger],
    workers: Callable[[SyncScope], Workers],
    *,
    from_files: bool = False,
) -> Iterator[PushDesk]:
    """Open everything for the time of a ``with`` block.

    Args:
        desk: The repository and its environment.
        open_ledger: Opens the ledger of the scope, to write or only to read.
        workers: Gives what delivers jobs.
        from_files: Obey the files; only for printing.
    """
    with ExitStack() as stack:
        organisation = stack.enter_context(desk.organisation())
        scope = in_force(desk, organisation, from_files=from_files)
        spec = scope.environment.chargebee
        assert spec is not None
        ledger = open_ledger(scope, stack)
        stamps = {one.route.policy.stamp for one in scope.routes}
        site = stack.enter_context(connect_site(spec, desk, stamps=stamps))
        scope = with_flat_prices(scope, site.destination)
        ports = SyncPorts(
            bills=organisation.bills,
            ledger=ledger,
            destination=site.destination,
            workers=workers(scope),
            notifier=notifier(scope.environment, desk.settings, desk),
            clock=desk.clock,
            progress=desk.progress,
        )
        watch = Watch(scope, organisation, desk.clock, InterlockSettings())
        yield PushDesk(desk, scope, ports, watch, organisation, LookFirst())
