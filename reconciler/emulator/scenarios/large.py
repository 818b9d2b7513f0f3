"""Scenario `large`: 20 configurations, 10,000 mappings, 5,000 accounts; for speed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from reconciler.emulator.m3ter import organisation
from reconciler.emulator.m3ter.http import entities, resources
from reconciler.emulator.m3ter.http.tokens import ORGANISATION
from reconciler.emulator.m3ter.integrations import configs, mappings
from reconciler.emulator.scenarios.m3ter_objects import account, credential, user
from reconciler.emulator.store import JsonObject, Store

START = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
CONFIGS = 20
ACCOUNTS = 5_000
MAPPINGS = 10_000


def fill(store: Store) -> None:
    """Make the organisation: every account has a customer and a subscription in Chargebee."""
    organisation.fill(store)
    user(store, "billing-oncall@example.com", "Billing", "Oncall", ORGANISATION)
    entities.create(
        store, resources.PRODUCTS, {"name": "API calls", "code": "api-calls"}, quiet=True
    )
    key = credential(store, "Chargebee (test)", "CHARGEBEE_AUTH", "CHARGEBEE")
    accounts = [
        account(store, f"account-{number:04}", f"Account {number:04}", "UK", "GBP")
        for number in range(ACCOUNTS)
    ]
    per_config = ACCOUNTS // CONFIGS
    for number in range(CONFIGS):
        mine = accounts[number * per_config : (number + 1) * per_config]
        config = _configuration(store, f"Chargebee {number:02}", key["id"], mine)
        _mappings(store, config["id"], mine)


def _configuration(
    store: Store, name: str, credential_id: str, accounts: Sequence[JsonObject]
) -> JsonObject:
    """One configuration for some accounts, its keys in the style of the switch."""
    style = store.switches.text("config_keys")
    account_ids = {"camel": "accountIds", "screaming": "ACCOUNT_IDS"}[style]
    on_approval = {"camel": "onlySendBillOnApproval", "screaming": "ONLY_SEND_BILL_ON_APPROVAL"}
    return configs.create(
        store,
        {
            "name": name,
            "entityType": "Bill",
            "destination": "Chargebee",
            "integrationCredentialsId": credential_id,
            "configData": {
                account_ids: [owner["id"] for owner in accounts],
                on_approval[style]: True,
            },
        },
    )


def _mappings(store: Store, config_id: str, accounts: Sequence[JsonObject]) -> None:
    """Two mappings for each account, linked to its configuration."""
    for owner in accounts:
        for table in ("Subscription", "Customer"):
            mappings.create(
                store,
                {
                    "m3terEntity": "Account",
                    "m3terId": owner["id"],
                    "externalSystem": "Chargebee",
                    "externalTable": table,
                    "externalId": f"{table.lower()}-{owner['code']}",
                    "integrationConfigId": config_id,
                },
            )
