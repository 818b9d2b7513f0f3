"""The Chargebee site of scenario `starter`: what the example repository's mappings point at."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from reconciler.emulator.chargebee.sites import (
    customer,
    default_site,
    family,
    item,
    price,
    renewal,
    subscription,
)
from reconciler.emulator.store import Store

_CHARGES: Final = {
    "api-calls": "0.004",
    "storage": "0.14",
    "usage": "0.01",
    "usage-other": "0.01",
    "adhoc": "1",
    "min-spend": "100",
    "standing": "49",
}
_PAYING: Final = (
    ("acme", "uk", "GBP"),
    ("globex", "uk", "GBP"),
    ("initech", "uk", "GBP"),
    ("acme", "us", "USD"),
    ("globex", "us", "USD"),
    ("initech", "us", "USD"),
)


def fill_site(store: Store, term: datetime) -> None:
    """Make the site.

    American subscriptions wait for m3ter's charges on a pending invoice, as their integration wants
    it. Every account has the subscription of the sandbox and that of production.

    Args:
        store: Where to put it.
        term: Instant at which the current term of every subscription began.
    """
    site = default_site(store)
    family(site, "m3ter", "Usage from m3ter")
    plan = item(site, "platform", "Platform", "plan", "m3ter")
    charges = [item(site, key, key.capitalize(), "charge", "m3ter") for key in _CHARGES]
    plans = {currency: price(site, plan, currency, "20") for currency in ("GBP", "USD")}
    for one in charges:
        for currency in plans:
            price(site, one, currency, _CHARGES[one["id"]])
    price(site, charges[0], "USD", "0.005", id="api-calls-2026-USD")
    for name, country, currency in _PAYING:
        payer = customer(site, f"cust_{name}_{country}", f"{name.capitalize()} {country}", currency)
        waits = country == "us"
        for prefix in ("sub_test", "sub"):
            made = subscription(
                site,
                f"{prefix}_{name}_{country}",
                payer,
                plans[currency],
                int(term.timestamp()),
                create_pending_invoices=waits,
            )
            if waits:
                renewal(site, payer, made, plans[currency])
