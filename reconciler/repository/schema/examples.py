"""One example document for each kind and form, shown by editors."""

from __future__ import annotations

from typing import Any, Final

from reconciler.definitions.model import KindName

EXAMPLES: Final[dict[KindName, dict[str, Any]]] = {
    "Project": {
        "apiVersion": "m3ter-reconciler/v1",
        "kind": "Project",
        "metadata": {"name": "acme-billing"},
        "spec": {"prune": "confirm", "adoption": "by-name"},
    },
    "Environment": {
        "apiVersion": "m3ter-reconciler/v1",
        "kind": "Environment",
        "metadata": {"name": "sandbox"},
        "spec": {
            "protected": False,
            "m3ter": {
                "organizationId": "11111111-1111-4111-8111-111111111111",
                "accessKey": {"env": "M3TER_API_KEY"},
                "apiSecret": {"env": "M3TER_API_SECRET"},
            },
            "credentials": {"chargebee-uk": {"name": "Chargebee UK (test)"}},
        },
    },
    "Integration": {
        "apiVersion": "m3ter-reconciler/v1",
        "kind": "Integration",
        "metadata": {"name": "chargebee-uk"},
        "spec": {
            "displayName": "Chargebee UK bills",
            "entityType": "Bill",
            "destination": "Chargebee",
            "connection": {"credential": "chargebee-uk"},
            "global": {"accountIds": [{"code": "acme-uk"}, {"code": "globex-uk"}]},
            "entity": {"onlySendBillOnApproval": True},
            "chargebee": {
                "createInvoice": True,
                "defaultPriceId": "usage-other-GBP",
                "priceIdMapping": {"USAGE": "usage-GBP"},
            },
        },
    },
    "MappingSet": {
        "apiVersion": "m3ter-reconciler/v1",
        "kind": "MappingSet",
        "metadata": {"name": "chargebee-uk-accounts"},
        "spec": {
            "integration": "chargebee-uk",
            "externalSystem": "Chargebee",
            "externalTable": "Subscription",
            "m3terEntity": "Account",
            "rows": {
                "csv": "accounts.csv",
                "m3ter": {"code": "account_code"},
                "externalId": {"sandbox": "sandbox", "production": "production"},
            },
        },
    },
    "Dialect": {
        "apiVersion": "m3ter-reconciler/v1",
        "kind": "Dialect",
        "metadata": {"name": "chargebee-sandbox"},
        "spec": {
            "environment": "sandbox",
            "destination": "Chargebee",
            "entityType": "Bill",
            "wireNames": {"destination": "Chargebee", "entityType": "Bill"},
            "evidence": {"source": "discover", "at": "2026-11-22T10:00:00Z"},
            "keys": {"chargebee.createInvoice": "chargebeeCreateInvoice"},
            "values": {"chargebee.splitUsageLineItems": {"itemPerProduct": "ITEM_PER_PRODUCT"}},
        },
    },
}

_CHANGES: Final[dict[KindName, dict[str, Any]]] = {
    "Project": {"prune": "never"},
    "Environment": {"fallback": "forbid"},
    "Integration": {
        "displayName": "Chargebee UK bills (live)",
        "entity": {"accountFilter": None},
        "chargebee": {"priceIdMapping": {"USAGE": "usage-live-GBP"}},
    },
    "MappingSet": {"rows": {"csv": "accounts-live.csv"}},
    "Dialect": {"keys": {"chargebee.createInvoice": "CHARGEBEE_CREATE_INVOICE"}},
}

PATCH_EXAMPLES: Final[dict[KindName, dict[str, Any]]] = {
    kind: {
        **example,
        "metadata": {**example["metadata"], "environment": "production"},
        "spec": _CHANGES[kind],
    }
    for kind, example in EXAMPLES.items()
}
