"""The Chargebee site of scenario `month-end`: prices, customers, subscriptions, invoices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from reconciler.emulator.chargebee.invoices.unbilled_charges import create as create_unbilled
from reconciler.emulator.chargebee.objects.balances import balance_changed
from reconciler.emulator.chargebee.parameters.forms import read_pairs
from reconciler.emulator.chargebee.site import EmulatedSite, JsonObject
from reconciler.emulator.chargebee.sites import (
    customer,
    default_site,
    family,
    item,
    price,
    renewal,
    subscription,
)
from reconciler.emulator.scenarios.month_end_bills import CURRENCIES, Case
from reconciler.emulator.store import Store

# Charge items and their catalogue prices in pounds; m3ter's prices come before these.
CHARGE_ITEMS: Final = {
    "usage": "0.01",
    "band-1": "0.004",
    "band-2": "0.0033",
    "band-3": "0.0021",
    "compute": "0.02",
    "standing": "49",
    "min-spend": "100",
    "adhoc": "1",
    "fees": "1",
    "other": "1",
}
_SCALE: Final = {"GBP": 1, "USD": 1, "EUR": 1, "JPY": 100, "KWD": 1}
_PLAN_PRICE: Final = "99"
_LATE_DAYS: Final = 2


def fill_site(store: Store, all_cases: Iterable[Case], end: datetime) -> None:
    """Make the site.

    Args:
        store: Where to put it.
        all_cases: The accounts.
        end: Instant at which the billed month ends and terms begin.
    """
    site = default_site(store)
    plans = _catalogue(site)
    for case in all_cases:
        _account(site, case, plans, end)


def _catalogue(site: EmulatedSite) -> Mapping[str, JsonObject]:
    """The prices; also one that is tiered and one that is archived.

    Returns:
        The plan's price by currency.
    """
    family(site, "month-end", "Month end")
    plan = item(site, "platform", "Platform", "plan", "month-end")
    items = [item(site, key, key.capitalize(), "charge", "month-end") for key in CHARGE_ITEMS]
    for currency in CURRENCIES:
        for entry in items:
            amount = Decimal(CHARGE_ITEMS[entry["id"]]) * _SCALE[currency]
            price(site, entry, currency, str(amount))
    tiers = [{"starting_unit": 1, "price": 10}]
    tiered = item(site, "tiered", "Tiered", "charge", "month-end")
    price(site, tiered, "GBP", "0", pricing_model="tiered", tiers=tiers)
    retired = item(site, "retired", "Retired", "charge", "month-end")
    price(site, retired, "GBP", "1", status="archived")
    return {
        currency: price(site, plan, currency, str(int(_PLAN_PRICE) * _SCALE[currency]))
        for currency in CURRENCIES
    }


def _account(
    site: EmulatedSite, case: Case, plans: Mapping[str, JsonObject], end: datetime
) -> None:
    extra: dict[str, Any] = {}
    if case.trouble == "credits":
        given = balance_changed({}, "promotional_credits", case.currency, 500)
        extra = {"balances": given["balances"], "promotional_credits": 500}
    payer = customer(site, case.customer, f"Account {case.number}", case.currency, **extra)
    currency = "EUR" if case.trouble == "currency" and case.currency != "EUR" else case.currency
    plan = plans[currency]
    start = _term_start(case, end)
    given = {"create_pending_invoices": case.waits in {"on-time", "late"}}
    if case.trouble == "cancelled":
        given |= {"status": "cancelled", "cancelled_at": int(start.timestamp())}
    new_subscription = subscription(
        site, case.subscription, payer, plan, int(start.timestamp()), **given
    )
    if case.waits == "on-time":
        renewal(site, payer, new_subscription, plan)
    if case.trouble == "unbilled":
        form = [("subscription_id", new_subscription["id"]), ("currency_code", currency)]
        form += [("charges[amount][0]", "250"), ("charges[description][0]", "Support hours")]
        create_unbilled(site, read_pairs(form), "")


def _term_start(case: Case, end: datetime) -> datetime:
    """A late subscription renews some days after the month's end, the others at it."""
    if case.waits != "late":
        return end
    last = end.replace(month=end.month - 1)
    return last + timedelta(days=_LATE_DAYS)
