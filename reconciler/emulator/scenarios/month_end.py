"""Scenario `month-end`: a month of bills in five currencies, most of them ready to be pushed.

The switch ``month_end_bills`` says how many; everything follows from numbers and the seed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from reconciler.emulator.m3ter import bill_state, organisation
from reconciler.emulator.m3ter.http import entities
from reconciler.emulator.m3ter.http.tokens import ORGANISATION
from reconciler.emulator.m3ter.integrations import configs, mappings
from reconciler.emulator.m3ter.integrations.options import SettingOption
from reconciler.emulator.scenarios.m3ter_bills import BilledPeriod, BillForm, bill
from reconciler.emulator.scenarios.m3ter_objects import account, user
from reconciler.emulator.scenarios.month_end_bills import (
    CURRENCIES,
    Case,
    Products,
    bill_lines,
    cases,
    products,
)
from reconciler.emulator.scenarios.month_end_site import fill_site
from reconciler.emulator.store import Store

JsonObject = dict[str, Any]
START: Final = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
MONTH: Final = BilledPeriod(date(2026, 11, 1), date(2026, 12, 1))
SIZE_SWITCH: Final = "month_end_bills"
_SET_UP: Final = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)
_BILLED: Final = datetime(2026, 12, 1, 6, 0, tzinfo=UTC)
_MONTH_ENDS: Final = datetime(2026, 12, 1, tzinfo=UTC)
_PENDING_CURRENCIES: Final = ("GBP", "USD")
_FEES: Final = (
    "COMMITMENT_FEE",
    "OVERAGE_USAGE",
    "DEBIT_MEMO",
    "MANUAL_ADJUSTMENT",
    "COUNTER_RUNNING_TOTAL_CHARGE",
    "COUNTER_ADJUSTMENT_DEBIT",
    "USAGE_CREDIT",
    "CREDIT_MEMO",
)
# What differs between the integrations of the five currencies.
_SETTINGS: Final[Mapping[str, Mapping[str, Any]]] = {
    "GBP": {
        "Chargebee use multidecimal": True,
        "Chargebee multi decimal price decimal places": 3,
        "Chargebee multi decimal units decimal places": 3,
        "Split usage line items": "ITEM_PER_USAGE_BAND",
        "Excluded line item types": ["MINIMUM_SPEND_REFUND"],
    },
    "USD": {
        "Chargebee use multidecimal": True,
        "Chargebee multi decimal price decimal places": 6,
        "Chargebee multi decimal units decimal places": 6,
        "Split usage line items": "ITEM_PER_PRODUCT",
        "Sort line items by": "SUBTOTAL",
    },
    "EUR": {
        "Account filter": 'customFields != null AND customFields.country == "DE"',
        "Enforce external mappings for config": True,
    },
    "JPY": {"Split usage line items": "ITEM_PER_PRODUCT", "Sort line items by": "AGGREGATION_ID"},
    "KWD": {
        "Chargebee use multidecimal": True,
        "Chargebee multi decimal price decimal places": 3,
        "Chargebee multi decimal units decimal places": 3,
    },
}


def fill(store: Store) -> None:
    """Make both sides."""
    size = store.switches.number(SIZE_SWITCH)
    all_cases = cases(size)
    store.clock.set(_SET_UP)
    organisation.fill(store)
    oncall = user(store, "billing-oncall@example.com", "Billing", "Oncall", ORGANISATION)
    sold = products(store)
    accounts = [
        account(store, case.code, f"Account {case.number}", case.country, case.currency)
        for case in all_cases
    ]
    owners = list(zip(all_cases, accounts, strict=True))
    _integrations(store, owners, sold)
    store.clock.set(_MONTH_ENDS)
    fill_site(store, all_cases, _MONTH_ENDS)
    store.clock.set(_BILLED)
    _bills(store, size, owners, sold, oncall["id"])
    store.clock.set(START)


def _integrations(store: Store, owners: Sequence[tuple[Case, JsonObject]], sold: Products) -> None:
    """One disconnected integration per currency, and two more that wait for pending invoices."""
    routes = [(currency, "create") for currency in CURRENCIES]
    routes += [(currency, "pending") for currency in _PENDING_CURRENCIES]
    for currency, route in routes:
        mine = [
            (case, account)
            for case, account in owners
            if case.currency == currency and route in case.routes
        ]
        config = configs.create(
            store, _config(store, currency, route, [account for _, account in mine])
        )
        for entity, key, table, target in (*_owners(mine), *_prices(sold, currency)):
            body = {
                "m3terEntity": entity,
                "m3terId": key,
                "externalSystem": "Chargebee",
                "externalTable": table,
                "externalId": target,
                "integrationConfigId": config["id"],
            }
            mappings.create(store, body)


def _config(store: Store, currency: str, route: str, accounts: Sequence[JsonObject]) -> JsonObject:
    settings: dict[str, Any] = {
        "Account ids": [owner["id"] for owner in accounts],
        "Only send bill on approval": True,
        "Use external mapping account code": True,
        "Chargebee create invoice": route == "create",
        "Chargebee minimum spend item price": f"min-spend-{currency}",
        "Chargebee standing charge item price": f"standing-{currency}",
        "Chargebee price id mapping": {
            "USAGE": f"usage-{currency}",
            "AD_HOC": f"adhoc-{currency}",
            **dict.fromkeys(_FEES, f"fees-{currency}"),
        },
        **_SETTINGS[currency],
    }
    if currency != "KWD":
        # Without one, dinar bills with a type that is not mapped have no price at all.
        settings["Chargebee default price id"] = f"other-{currency}"
    style = store.switches.text("config_keys")
    return {
        "name": f"Month end {currency}" + (" pending" if route == "pending" else ""),
        "entityType": "Bill",
        "destination": "Chargebee",
        "configData": {
            SettingOption(label, "").key(style): setting for label, setting in settings.items()
        },
    }


def _owners(
    mine: Sequence[tuple[Case, JsonObject]],
) -> Iterator[tuple[str, str, str, str]]:
    """Accounts to subscriptions; to customers where the currency is yen."""
    for case, owner in mine:
        if case.mapped and case.currency == "JPY":
            yield "Account", owner["id"], "Customer", case.customer
        elif case.mapped:
            yield "Account", owner["id"], "Subscription", case.subscription


def _prices(sold: Products, currency: str) -> Iterator[tuple[str, str, str, str]]:
    """Bands and products to item prices; storage has no mapping of its own."""
    bands = sold.api.pricing[currency]["pricingBands"]
    for number, band in enumerate(bands, start=1):
        yield "PricingBand", band["id"], "ItemPrice", f"band-{number}-{currency}"
    yield "Product", sold.api.product["id"], "ItemPrice", f"usage-{currency}"
    yield "Product", sold.compute.product["id"], "ItemPrice", f"compute-{currency}"


def _bills(
    store: Store, size: int, owners: Sequence[tuple[Case, JsonObject]], sold: Products, by: str
) -> None:
    """One bill per account, for the month; with more bills than accounts, each has daily ones."""
    for number in range(size):
        case, owner = owners[number % len(owners)]
        period, extra = _period(number // len(owners), daily=size > len(owners))
        lines = bill_lines(sold, number, case.currency, period)
        conversions = [
            {"from": line["currency"], "to": case.currency, "multiplier": line["conversionRate"]}
            for line in lines
            if line["currency"] != case.currency
        ]
        status = "APPROVED" if case.approved else "PENDING"
        extra = {**extra, "currencyConversions": conversions}
        form = BillForm(owner, period, case.currency, status, by, extra=extra)
        new_bill = bill(store, form, lines)
        if case.approved and case.recalculated:
            _recalculate(store, new_bill, case.recalculated, by)


def _period(day: int, *, daily: bool) -> tuple[BilledPeriod, Mapping[str, Any]]:
    if not daily:
        return MONTH, {}
    start = MONTH.end - timedelta(days=1 + day)
    return BilledPeriod(start, start + timedelta(days=1)), {"billingFrequency": "DAILY"}


def _recalculate(store: Store, old_bill: JsonObject, then: str, approver: str) -> None:
    """Calculate a bill once more after it was approved, and maybe approve it again."""
    bill_state.recalculate(store, [old_bill], approver, "RECALCULATE")
    fresh = entities.find(store, bill_state.BILLS, old_bill["id"])
    if then == "approved":
        bill_state.set_status(store, fresh, "APPROVED", approver)
