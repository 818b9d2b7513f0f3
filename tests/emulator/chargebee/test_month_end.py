"""What the scenario `month-end` promises to those who push it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from reconciler.emulator import wire
from reconciler.emulator.chargebee.site import EmulatedSite
from reconciler.emulator.chargebee.sites import SITE
from reconciler.emulator.scenarios.month_end_bills import MOST_ACCOUNTS, Case, cases
from reconciler.emulator.store import Store
from reconciler.emulator.world import World


def build(bills: int = 500, seed: int = 1) -> Store:
    return World("month-end", seed, {"month_end_bills": bills, "clock": "still"}).store


@pytest.fixture(scope="module")
def store() -> Store:
    return build()


def bills(store: Store) -> Iterator[dict[str, Any]]:
    return store.all("m3ter/bills")


def everything(store: Store) -> bytes:
    kinds = [kind for kind in store.kinds() if not kind.endswith("events")]
    return wire.encode({kind: list(store.all(kind)) for kind in kinds})


def test_the_same_seed_makes_the_same_world() -> None:
    assert everything(build(60)) == everything(build(60))
    assert everything(build(60)) != everything(build(60, seed=2))


def test_five_hundred_accounts_in_five_currencies_have_a_bill_each(store: Store) -> None:
    currencies = Counter(bill["currency"] for bill in bills(store))
    assert currencies == {"GBP": 200, "USD": 150, "EUR": 75, "JPY": 50, "KWD": 25}
    assert len({bill["accountId"] for bill in bills(store)}) == 500


def test_every_line_type_occurs_with_bands_and_odd_amounts(store: Store) -> None:
    lines = [line for bill in bills(store) for line in bill["lineItems"]]
    assert len({line["lineItemType"] for line in lines}) == 19
    amounts = [line["convertedSubtotal"] for line in lines]
    assert any(amount == 0 for amount in amounts)
    assert any(0 < amount < Decimal("0.01") for amount in amounts)
    assert any(amount < 0 for amount in amounts)
    assert any(-amount.as_tuple().exponent > 6 for amount in amounts)
    bands = [band for line in lines for band in line.get("usagePerPricingBand", ())]
    assert any(band["fixedPrice"] and band["bandUnits"] for band in bands)
    assert any(not band["bandUnits"] and not band["bandSubtotal"] for band in bands)
    assert any("segment" in line for line in lines)
    assert any("childAccountCode" in line for line in lines)
    assert any(
        line["currency"] != bill["currency"] for bill in bills(store) for line in bill["lineItems"]
    )
    undated = {line["lineItemType"] for line in lines if "servicePeriodStartDate" not in line}
    assert undated == {"CREDIT_MEMO", "DEBIT_MEMO"}


def test_foreign_lines_bring_their_rate(store: Store) -> None:
    for bill in bills(store):
        foreign = [line for line in bill["lineItems"] if line["currency"] != bill["currency"]]
        assert bool(bill["currencyConversions"]) == bool(foreign)
        for line in foreign:
            assert line["convertedSubtotal"] == line["subtotal"] * line["conversionRate"]


def test_some_bills_are_unapproved_or_recalculated(store: Store) -> None:
    found = Counter((bill["status"], "billJobId" in bill) for bill in bills(store))
    assert found["PENDING", False] > 10
    assert found["PENDING", True] >= 3
    assert found["APPROVED", True] >= 5
    assert found["APPROVED", False] > 400


def test_some_accounts_are_in_no_and_some_in_two_integrations(store: Store) -> None:
    chosen = Counter(
        account
        for config in store.all("m3ter/integrationconfigs")
        for account in config["configData"]["accountIds"]
    )
    assert Counter(chosen.values()) == {1: 480, 2: 10}
    assert not any(
        integration["authorized"] for integration in store.all("m3ter/integrationconfigs")
    )


def test_mappings_point_at_what_exists_and_some_are_missing(store: Store) -> None:
    tables = {"Subscription": "subscription", "Customer": "customer", "ItemPrice": "item_price"}
    site = EmulatedSite(store, SITE)
    mapped = set()
    for mapping in store.all("m3ter/externalmappings"):
        assert site.get(tables[mapping["externalTable"]], mapping["externalId"]) is not None
        if mapping["m3terEntity"] == "Account":
            mapped.add(mapping["m3terId"])
    billed = {bill["accountId"] for bill in bills(store)}
    assert 5 <= len(billed - mapped) <= 30


def test_prices_exist_in_every_currency(store: Store) -> None:
    charges = [
        price for price in store.all("chargebee/item_prices") if price["item_type"] == "charge"
    ]
    counted = Counter(charge["currency_code"] for charge in charges if charge["status"] == "active")
    assert counted == {"GBP": 11, "USD": 10, "EUR": 10, "JPY": 10, "KWD": 10}


def test_pending_invoices_are_on_time_late_and_never() -> None:
    world = World("month-end", 1, {"clock": "still", "auto_close_hours": 0})
    site = EmulatedSite(world.store, SITE)
    waiting = [case for case in cases(500) if case.waits]
    assert Counter(case.waits for case in waiting) == {"on-time": 30, "late": 10, "never": 10}

    def pending() -> set[str]:
        found = (invoice for invoice in site.all("invoice") if invoice["status"] == "pending")
        return {charge["subscription_id"] for charge in found}

    on_time = {case.subscription for case in waiting if case.waits == "on-time"}
    late = {case.subscription for case in waiting if case.waits == "late"}
    assert pending() == on_time
    world.move_clock(seconds=2 * 86_400)
    assert pending() == on_time | late


def test_the_site_has_troubles_of_its_own(store: Store) -> None:
    site = EmulatedSite(store, SITE)
    troubles = {case.trouble: case for case in cases(500) if case.trouble}
    cancelled = site.need("subscription", troubles["cancelled"].subscription)
    assert cancelled["status"] == "cancelled"
    other = site.need("subscription", troubles["currency"].subscription)
    assert other["currency_code"] != troubles["currency"].currency
    key = troubles["unbilled"].subscription
    assert site.where("unbilled_charge", "subscription_id", key)
    assert site.need("customer", troubles["credits"].customer)["promotional_credits"] == 500


def test_more_bills_than_accounts_are_daily() -> None:
    assert len(cases(100_000)) == MOST_ACCOUNTS
    large = build(MOST_ACCOUNTS + 20)
    daily = [bill for bill in bills(large) if bill["billingFrequency"] == "DAILY"]
    assert len(daily) == MOST_ACCOUNTS + 20
    first = [bill["startDate"] for bill in daily if bill["accountCode"] == Case(0).code]
    assert first == ["2026-11-30", "2026-11-29"]


def test_keys_are_spelled_as_the_switch_says() -> None:
    world = World("month-end", 1, {"month_end_bills": 20, "config_keys": "screaming"})
    config = next(world.store.all("m3ter/integrationconfigs"))
    assert config["configData"]["CHARGEBEE_CREATE_INVOICE"] is True
