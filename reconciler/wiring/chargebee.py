"""Opens a Chargebee site: client, pace, session; and asks its catalogue what the routes need."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from reconciler.chargebee.destination import ChargebeeDestination, SiteSettings, open_site, pace_of
from reconciler.chargebee.reads.catalogue import Catalogue
from reconciler.chargebee.reads.site_catalogue import ChargebeeCatalogue
from reconciler.chargebee.session import Session
from reconciler.chargebee.steps.preflight import DecimalPlaces
from reconciler.chargebee.switches import parse_switches
from reconciler.definitions.kinds.environment import ChargebeeConnection
from reconciler.kernel.ports import RateLimit
from reconciler.sync.in_force.push_route import PushRoute
from reconciler.sync.in_force.scope import SyncScope
from reconciler.sync.model.push import SiteName
from reconciler.transport.client import HttpClient, Limits, shared_tls
from reconciler.wiring.desk import Desk
from reconciler.wiring.site_pace import own_bucket

DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Site:
    """A connected Chargebee site, what it has, and the pace that it allows."""

    destination: ChargebeeDestination
    limiter: RateLimit
    catalogue: ChargebeeCatalogue


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
        destination = open_site(session, of_site)
        yield Site(destination, limiter, ChargebeeCatalogue(Catalogue(session)))


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
