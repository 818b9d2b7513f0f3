"""Scenario `large`: 20 configurations, 10,000 mappings, 5,000 accounts; for speed."""

from __future__ import annotations

from datetime import UTC, datetime

from reconciler.emulator.m3ter import configs, entities, mappings, organisation, resources
from reconciler.emulator.m3ter.tokens import ORGANISATION
from reconciler.emulator.scenarios.m3ter_objects import account, credential, user
from reconciler.emulator.store import Store

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
    style = store.switches.text("config_keys")
    account_ids = {"camel": "accountIds", "screaming": "ACCOUNT_IDS"}[style]
    on_approval = {"camel": "onlySendBillOnApproval", "screaming": "ONLY_SEND_BILL_ON_APPROVAL"}
    for number in range(CONFIGS):
        mine = accounts[number * per_config : (number + 1) * per_config]
        config = configs.create(
            store,
            {
                "name": f"Chargebee {number:02}",
                "entityType": "Bill",
                "destination": "Chargebee",
                "integrationCredentialsId": key["id"],
                "configData": {
                    account_ids: [one["id"] for one in mine],
                    on_approval[style]: True,
                },
            },
        )
        for one in mine:
            for table in ("Subscription", "Customer"):
                mappings.create(
                    store,
                    {
                        "m3terEntity": "Account",
                        "m3terId": one["id"],
                        "externalSystem": "Chargebee",
                        "externalTable": table,
                        "externalId": f"{table.lower()}-{one['code']}",
                        "integrationConfigId": config["id"],
                    },
                )
