from __future__ import annotations

from reconciler.emulator.chargebee.site import EmulatedSite
from reconciler.emulator.chargebee.sites import SITE
from reconciler.emulator.world import World


def test_the_examples_subscriptions_and_prices_are_there() -> None:
    site = EmulatedSite(World("starter").store, SITE)
    for name in ("sub_test_acme_uk", "sub_initech_us", "sub_test_globex_us"):
        assert site.need("subscription", name)["status"] == "active"
    for name in ("api-calls-GBP", "storage-USD", "api-calls-2026-USD", "min-spend-GBP"):
        assert site.need("item_price", name)["item_type"] == "charge"


def test_only_american_subscriptions_have_pending_invoices() -> None:
    site = EmulatedSite(World("starter").store, SITE)
    pending = [invoice for invoice in site.all("invoice") if invoice["status"] == "pending"]
    assert len(pending) == 6
    assert {entry["currency_code"] for entry in pending} == {"USD"}
