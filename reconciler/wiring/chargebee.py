"""Opens a Chargebee site: client, pace, session; and asks its catalogue what the routes need."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from reconciler.chargebee.destination import (
    ChargebeeDestination,
    SiteSettings,
    durations_at,
    open_site,
)
from reconciler.chargebee.reads.catalogue import Catalogue, ChargebeeCatalogue
from reconciler.chargebee.session import SiteSession
from reconciler.chargebee.steps.preflight import DecimalPlaces
from reconciler.chargebee.switches import parse_chargebee_switches
from reconciler.definitions.kinds.environment import ChargebeeConnection
from reconciler.kernel.ports import Clock, RateLimit
from reconciler.sync.in_force.push_route import PushRoute
from reconciler.sync.in_force.scope import PushesInForce
from reconciler.sync.model.push import SiteName
from reconciler.transport.client import CallLimits, HttpClient, shared_tls
from reconciler.transport.rate_limit import TokenBucket
from reconciler.wiring.desk import Desk


@dataclass(frozen=True, slots=True)
class Site:
    """A connected Chargebee site, what it has, and the pace that it allows."""

    destination: ChargebeeDestination
    limiter: RateLimit
    catalogue: ChargebeeCatalogue


@dataclass(frozen=True, slots=True)
class SitePace:
    """A steady rate and a burst that together never pass ``requestsPerMinute``.

    Attributes:
        per_second: So low that 60 seconds of it, the burst and the one request that straddles the
            minute stay within the limit.
    """

    per_second: float
    burst: float


DEFAULT_LIMITS = CallLimits()


@contextmanager
def connect_site(
    spec: ChargebeeConnection,
    desk: Desk,
    *,
    stamps: Iterable[str],
    limiter: RateLimit | None = None,
    limits: CallLimits = DEFAULT_LIMITS,
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
        session = SiteSession(
            client,
            limiter,
            desk.clock,
            site=SiteName(spec.site),
            base_url=base_url,
            api_key=api_key,
            chance=chance,
            switches=parse_chargebee_switches(settings.chargebee_switches),
        )
        places = DecimalPlaces(spec.price_decimal_places, spec.quantity_decimal_places)
        of_site = SiteSettings(
            stamps=tuple(sorted(set(stamps))),
            zone=spec.timezone,
            places=places,
            pace=durations_at(spec.requests_per_minute),
        )
        destination = open_site(session, of_site)
        yield Site(destination, limiter, ChargebeeCatalogue(Catalogue(session)))


def with_flat_prices(scope: PushesInForce, destination: ChargebeeDestination) -> PushesInForce:
    """Tell every route which of its item prices are flat fees, from the site's catalogue."""
    flat = destination.flat_prices(
        sorted({key for route in scope.routes for key in _prices(route)})
    )
    routes = tuple(
        replace(route, route=replace(route.route, flat_prices=flat)) for route in scope.routes
    )
    return replace(scope, routes=routes)


def _prices(route: PushRoute) -> Iterator[str]:
    page = route.route.page
    named = (page.minimum_spend_item_price, page.standing_charge_item_price, page.default_price_id)
    yield from (price_id for price_id in named if price_id)
    yield from page.price_id_mapping.values()
    for (entity, _), candidates in route.route.mappings.by_object.items():
        if entity != route.route.readings.account_entity.casefold():
            yield from (
                mapping.external_id for mapping in (*candidates.linked, *candidates.unlinked)
            )


BURST_SECONDS = 1.0
"""Seconds of the rate that may follow each other at once; they make up for late wake-ups."""


def site_pace(site: ChargebeeConnection) -> SitePace:
    """Give the pace of a site: no 60 seconds see more than ``requestsPerMinute``."""
    burst = max(1.0, site.requests_per_minute / 60 * BURST_SECONDS)
    return SitePace(max(1.0, site.requests_per_minute - burst - 1) / 60, burst)


def own_bucket(site: ChargebeeConnection, clock: Clock) -> TokenBucket:
    """Build the bucket of one process, where no other process shares it."""
    pace = site_pace(site)
    return TokenBucket(pace.per_second, clock, burst=pace.burst)
