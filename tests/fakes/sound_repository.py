"""A repository without any problem, for tests that break one thing in it."""

from __future__ import annotations

from typing import Any

from fakes.repository_in_memory import RepositoryInMemory

UK = ("Integration", "uk", None)
ACCOUNTS = ("MappingSet", "uk-accounts", None)
PRICES = ("MappingSet", "uk-prices", None)
SANDBOX = ("Environment", "sandbox", None)
PRODUCTION = ("Environment", "production", None)
PROJECT = ("Project", "acme", None)
DIALECT = ("Dialect", "sandbox-chargebee", None)
CSV = "integrations.d/accounts.csv"


def sound_repository() -> RepositoryInMemory:
    """Make one integration with linked accounts and prices, two environments and a dialect."""
    return RepositoryInMemory(
        specs={
            PROJECT: {"prune": "confirm", "adoption": "by-name"},  # type: ignore[dict-item]
            SANDBOX: environment(1, "acme-test"),  # type: ignore[dict-item]
            PRODUCTION: environment(2, "acme"),  # type: ignore[dict-item]
            UK: integration(),  # type: ignore[dict-item]
            ACCOUNTS: {  # type: ignore[dict-item]
                "integration": "uk",
                "externalSystem": "Chargebee",
                "externalTable": "Subscription",
                "m3terEntity": "Account",
                "rows": {
                    "csv": "accounts.csv",
                    "m3ter": {"code": "account_code"},
                    "externalId": {"sandbox": "sandbox", "production": "production"},
                },
            },
            PRICES: {  # type: ignore[dict-item]
                "integration": "uk",
                "externalSystem": "Chargebee",
                "externalTable": "ItemPrice",
                "m3terEntity": "Product",
                "rows": [{"m3ter": {"code": "api-calls"}, "externalId": "api-calls-GBP"}],
            },
            DIALECT: {  # type: ignore[dict-item]
                "environment": "sandbox",
                "destination": "Chargebee",
                "entityType": "Bill",
                "wireNames": {"destination": "Chargebee", "entityType": "Bill"},
                "evidence": {"source": "discover", "at": "2026-11-22T10:00:00Z"},
                "keys": {
                    "global.accountIds": "accounts",
                    "chargebee.splitUsageLineItems": "split",
                },
                "values": {"chargebee.splitUsageLineItems": {"itemPerProduct": "PRODUCT"}},
            },
        },
        csv={
            CSV: [
                ["account_code", "sandbox", "production"],
                ["acme-uk", "sub_1", "sub_2"],
                ["globex-uk", "sub_3", "sub_4"],
            ]
        },
    )


def environment(number: int, site: str) -> dict[str, Any]:
    """Make an environment with an organisation, a site and a ledger of its own."""
    return {
        "protected": False,
        "m3ter": {
            "organizationId": f"{str(number) * 8}-1111-4111-8111-111111111111",
            "accessKey": {"env": "M3TER_API_KEY"},
            "apiSecret": {"env": "M3TER_API_SECRET"},
        },
        "chargebee": {
            "site": site,
            "baseUrl": f"https://{site}.chargebee.com",
            "apiKey": {"env": "CHARGEBEE_API_KEY"},
            "timezone": "Europe/London",
        },
        "credentials": {"uk": {"name": "Chargebee UK"}},
        "ledger": {"id": f"6f0c2d1e-0000-4000-8000-00000000000{number}", "sqlite": "l.sqlite"},
    }


def integration() -> dict[str, Any]:
    """Make an integration that m3ter sends itself."""
    return {
        "displayName": "UK bills",
        "destination": "Chargebee",
        "connection": {"credential": "uk"},
        "global": {
            "accountIds": [{"code": "acme-uk"}, {"code": "globex-uk"}],
            "restrictedAccountIds": [{"code": "internal-demo"}],
        },
        "entity": {
            "onlySendBillOnApproval": True,
            "useExternalMappingAccountCode": True,
            "excludedLineItemTypes": ["MINIMUM_SPEND_REFUND"],
            "accountFilter": 'customFields != null AND customFields.country == "UK"',
            "enforceExternalMappingsForConfig": True,
        },
        "chargebee": {
            "createInvoice": True,
            "useMultidecimal": True,
            "multiDecimalPriceDecimalPlaces": 3,
            "multiDecimalUnitsDecimalPlaces": 3,
            "defaultPriceId": "other-GBP",
            "priceIdMapping": {"USAGE": "usage-GBP"},
        },
    }


def push() -> dict[str, Any]:
    """Make push settings with every required field."""
    return {"since": "2026-12-01", "accountIs": "subscription", "collection": "off"}
