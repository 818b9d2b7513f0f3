"""Scenario `starter`: the organisation that the example repository is about, at a month's end."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

from reconciler.emulator.chargebee.sites import (
    customer,
    default_site,
    family,
    item,
    price,
    renewal,
    subscription,
)
from reconciler.emulator.m3ter import bill_state, organisation
from reconciler.emulator.m3ter.http import entities, resources
from reconciler.emulator.m3ter.http.tokens import ORGANISATION
from reconciler.emulator.m3ter.integrations import configs, mappings, native
from reconciler.emulator.scenarios.m3ter_bills import BilledPeriod, BillForm, bill, line, usage_line
from reconciler.emulator.scenarios.m3ter_objects import Metered, account, credential, metered, user
from reconciler.emulator.store import Store

JsonObject = dict[str, Any]
START = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
_SET_UP = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)
_SEPTEMBER = BilledPeriod(date(2026, 9, 1), date(2026, 10, 1))
_OCTOBER = BilledPeriod(date(2026, 10, 1), date(2026, 11, 1))
_NOVEMBER = BilledPeriod(date(2026, 11, 1), date(2026, 12, 1))
_ACCOUNTS = (
    ("acme-uk", "Acme UK", "UK", "GBP"),
    ("globex-uk", "Globex UK", "UK", "GBP"),
    ("initech-uk", "Initech UK", "UK", "GBP"),
    ("umbrella-uk", "Umbrella UK", "UK", "GBP"),
    ("acme-us", "Acme US", "US", "USD"),
    ("globex-us", "Globex US", "US", "USD"),
    ("initech-us", "Initech US", "US", "USD"),
    ("hooli-us", "Hooli US", "US", "USD"),
    ("stark-us", "Stark US", "US", "USD"),
    ("internal-demo", "Internal demo", "UK", "GBP"),
)
_PAYING = ("acme-uk", "globex-uk", "initech-uk", "acme-us", "globex-us", "initech-us")
_API_BANDS = {
    "GBP": (("0", "0", "0.004"), ("10000", "0", "0.0033"), ("100000", "25", "0.0021")),
    "USD": (("0", "0", "0.005"), ("10000", "0", "0.0041"), ("100000", "30", "0.0027")),
}
_STORAGE_BANDS = {"GBP": (("0", "0", "0.13333"),), "USD": (("0", "0", "0.16666"),)}


def fill(store: Store) -> None:
    """Make the organisation; every id comes from the store's random source."""
    store.clock.set(_SET_UP)
    organisation.fill(store)
    people = _people(store)
    accounts = {row[0]: account(store, *row) for row in _ACCOUNTS}
    products = {
        "api": metered(store, "api-calls", "API calls", "call", _API_BANDS),
        "storage": metered(store, "storage", "Storage", "GB", _STORAGE_BANDS),
    }
    _compound(store, products)
    existing = _integrations(store, accounts, people["k.smith"])
    store.clock.set(datetime(2026, 10, 1, 6, 0, tzinfo=UTC))
    _old_bills(store, accounts, products, people["j.doe"])
    store.clock.set(datetime(2026, 12, 1, 6, 0, tzinfo=UTC))
    _new_bills(store, accounts, products, existing)
    fill_site(store, datetime(2026, 12, 1, tzinfo=UTC))
    store.clock.set(START)


def _people(store: Store) -> Mapping[str, JsonObject]:
    rows = (
        ("billing-oncall", "Billing", "Oncall"),
        ("k.smith", "Kim", "Smith"),
        ("j.doe", "Jo", "Doe"),
    )
    return {
        name: user(store, f"{name}@example.com", first, last, ORGANISATION)
        for name, first, last in rows
    }


def _compound(store: Store, products: Mapping[str, Metered]) -> None:
    body = {
        "name": "Calls per GB",
        "code": "calls_per_gb",
        "rounding": "NONE",
        "quantityPerUnit": 1,
        "unit": "call/GB",
        "calculation": "api_calls_sum / storage_sum",
        "productId": products["api"].product["id"],
    }
    entities.create(store, resources.COMPOUND_AGGREGATIONS, body, quiet=True)


def _integrations(
    store: Store, accounts: Mapping[str, JsonObject], by: JsonObject
) -> Mapping[str, JsonObject]:
    """What is there before anything is managed: a connected Stripe integration and a webhook."""
    for name in ("Chargebee UK (test)", "Chargebee US (test)"):
        credential(store, name, "CHARGEBEE_AUTH", "CHARGEBEE")
    stripe_key = credential(store, "Stripe (test)", "STRIPE_SIGNED_REQUEST", "STRIPE")
    style = store.switches.text("config_keys")
    keys = {"camel": "accountIds", "screaming": "ACCOUNT_IDS"}
    stripe = configs.create(
        store,
        {
            "name": "Stripe internal bills",
            "entityType": "Bill",
            "destination": "Stripe",
            "integrationCredentialsId": stripe_key["id"],
            "configData": {keys[style]: [accounts["internal-demo"]["id"]]},
        },
        user=by["id"],
    )
    mapping = {
        "m3terEntity": "Account",
        "m3terId": accounts["internal-demo"]["id"],
        "externalSystem": "Stripe",
        "externalTable": "Customer",
        "externalId": "cus_internal_demo",
        "integrationConfigId": stripe["id"],
    }
    mappings.create(store, mapping, user=by["id"])
    return {"stripe": stripe, "webhook": _webhook(store, by)}


def _webhook(store: Store, by: JsonObject) -> JsonObject:
    rule = entities.create(
        store,
        resources.NOTIFICATIONS,
        {
            "name": "Bill approved",
            "description": "Tells the finance channel",
            "code": "bill_approved",
            "eventName": "billing.bill.updated",
            "calculation": 'new.status == "APPROVED" AND old.status != "APPROVED"',
            "active": True,
        },
        user=by["id"],
    )
    shown = {"type": "M3TER_SIGNED_REQUEST", "destination": "WEBHOOK", "name": "Finance channel"}
    hook = entities.create(
        store,
        resources.WEBHOOKS,
        {
            "name": "Finance channel",
            "description": "Bridge to the chat",
            "url": "https://hooks.example.com/finance",
            "credentials": shown,
        },
        user=by["id"],
        extra={"credentials": {**shown, "id": store.new_id(), "version": 1}, "_secret": {}},
    )
    return configs.create(
        store,
        {
            "name": "Bill approved to chat",
            "entityType": "Notification",
            "entityId": rule["id"],
            "destination": "Webhook",
            "destinationId": hook["id"],
            "configData": {},
        },
        user=by["id"],
    )


def _lines(
    products: Mapping[str, Metered], period: BilledPeriod, currency: str, size: int
) -> list[JsonObject]:
    """Usage in the bands the size reaches, storage that needs rounding, a standing charge."""
    calls = ["10000", "90000", str(size * 1000)] if size > 1 else ["7421"]
    return [
        usage_line(products["api"], period, currency, calls),
        usage_line(products["storage"], period, currency, [f"{size * 37}.5"]),
        line("STANDING_CHARGE", "Standing Charge", Decimal("49.00"), currency, period),
    ]


def _old_bills(
    store: Store,
    accounts: Mapping[str, JsonObject],
    products: Mapping[str, Metered],
    by: JsonObject,
) -> None:
    """September of one account, locked; October of the paying ones, approved."""
    first = accounts["acme-uk"]
    form = BillForm(first, _SEPTEMBER, "GBP", "APPROVED", by["id"])
    locked = bill(store, form, _lines(products, _SEPTEMBER, "GBP", 1))
    bill_state.lock(store, locked, by["id"])
    store.clock.set(datetime(2026, 11, 1, 6, 0, tzinfo=UTC))
    for size, code in enumerate(_PAYING, start=1):
        owner = accounts[code]
        currency = owner["currency"]
        form = BillForm(owner, _OCTOBER, currency, "APPROVED", by["id"])
        bill(store, form, _lines(products, _OCTOBER, currency, size))


def _new_bills(
    store: Store,
    accounts: Mapping[str, JsonObject],
    products: Mapping[str, Metered],
    existing: Mapping[str, JsonObject],
) -> None:
    """November of all: two approved and sent natively, the others pending."""
    for size, (code, owner) in enumerate(accounts.items(), start=1):
        currency = owner["currency"]
        sent = code in {"umbrella-uk", "internal-demo"}
        form = BillForm(owner, _NOVEMBER, currency, "APPROVED" if sent else "PENDING")
        new_bill = bill(store, form, _lines(products, _NOVEMBER, currency, size))
        if code == "umbrella-uk":
            gone = {"destination": "Chargebee", "id": store.new_id()}
            native.record(store, gone, new_bill, "COMPLETE", externalId="INV-0042")
        elif code == "internal-demo":
            native.record(store, existing["stripe"], new_bill, "COMPLETE", externalId="in_0042")
    last = next(iter(store.table(bill_state.BILLS).newest())).data
    native.integration_event(
        store, "missingaccountmapping", existing["stripe"], last, "no external mapping for account"
    )


_CHARGES: Final = {
    "api-calls": "0.004",
    "storage": "0.14",
    "usage": "0.01",
    "usage-other": "0.01",
    "adhoc": "1",
    "min-spend": "100",
    "standing": "49",
}
_PAYING_CUSTOMERS: Final = (
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
    for charge in charges:
        for currency in plans:
            price(site, charge, currency, _CHARGES[charge["id"]])
    price(site, charges[0], "USD", "0.005", id="api-calls-2026-USD")
    for name, country, currency in _PAYING_CUSTOMERS:
        payer = customer(site, f"cust_{name}_{country}", f"{name.capitalize()} {country}", currency)
        waits = country == "us"
        for prefix in ("sub_test", "sub"):
            new_subscription = subscription(
                site,
                f"{prefix}_{name}_{country}",
                payer,
                plans[currency],
                int(term.timestamp()),
                create_pending_invoices=waits,
            )
            if waits:
                renewal(site, payer, new_subscription, plans[currency])
