"""The definitions under which the chaos suite pushes scenario `month-end`, made from what is live.

They are written as JSON, which is YAML, by the emulator's own encoder: the same data goes to the
judge, so that nothing of the code under test stands between the two.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from chaos.due import Json

from reconciler.emulator import wire

ENVIRONMENT = "chaos"
LEDGER = "0d0e0a7d-0000-4000-8000-000000000001"
SINCE = "2026-11-15"
_POLICIES: Mapping[str, Mapping[str, Any]] = {
    "Month end GBP": {"negativeLines": "refuse"},
    "Month end USD": {"negativeLines": "discount"},
    "Month end EUR": {"negativeLines": "credit-note"},
    "Month end JPY": {"negativeLines": "promotional-credit", "accountIs": "customer"},
    "Month end KWD": {"rounding": "as-m3ter", "open": True},
}
_PAGE = {
    "chargebeeMinimumSpendItemPrice": "minimumSpendItemPrice",
    "chargebeeStandingChargeItemPrice": "standingChargeItemPrice",
    "chargebeeCreateInvoice": "createInvoice",
    "chargebeeUseMultidecimal": "useMultidecimal",
    "chargebeeMultiDecimalPriceDecimalPlaces": "multiDecimalPriceDecimalPlaces",
    "chargebeeMultiDecimalUnitsDecimalPlaces": "multiDecimalUnitsDecimalPlaces",
    "splitUsageLineItems": "splitUsageLineItems",
    "chargebeeDefaultPriceId": "defaultPriceId",
    "chargebeePriceIdMapping": "priceIdMapping",
    "sortLineItemsBy": "sortLineItemsBy",
}
_ENTITY = (
    "onlySendBillOnApproval",
    "useExternalMappingAccountCode",
    "excludedLineItemTypes",
    "accountFilter",
    "enforceExternalMappingsForConfig",
)
_VALUES = {
    "ITEM_PER_USAGE_BAND": "itemPerUsageBand",
    "ITEM_PER_PRODUCT": "itemPerProduct",
    "SUBTOTAL": "subtotal",
    "AGGREGATION_ID": "aggregationId",
}


def integrations(m3ter: Mapping[str, Sequence[Json]]) -> list[Json]:
    """The push integrations, one for each live configuration that has accounts."""
    codes = {account["id"]: account["code"] for account in m3ter["accounts"]}
    return [_integration(account, codes) for account in _with_accounts(m3ter)]


def mapping_sets(m3ter: Mapping[str, Sequence[Json]]) -> list[Json]:
    """The live mappings of each integration, by entity."""
    names = {account["id"]: _name(account) for account in _with_accounts(m3ter)}
    groups: dict[tuple[str, str, str], list[Json]] = {}
    for mapping in m3ter["externalmappings"]:
        if mapping["integrationConfigId"] not in names:
            continue
        key = (
            names[mapping["integrationConfigId"]],
            mapping["m3terEntity"],
            mapping["externalTable"],
        )
        groups.setdefault(key, []).append(mapping)
    return [_mapping_set(*key, rows) for key, rows in groups.items()]


def write(
    folder: Path,
    m3ter: Mapping[str, Sequence[Json]],
    ledger: Json,
    pace: int,
    notices: Sequence[Json] = (),
) -> list[Json]:
    """Write ``integrations.d`` and give the integrations.

    Args:
        folder: The repository.
        m3ter: Tables of the organisation.
        ledger: ``spec.ledger`` without its id.
        pace: ``requestsPerMinute`` of the site.
        notices: Whom to tell of what.
    """
    pushes = integrations(m3ter)
    documents = [_project(), _environment(ledger, pace, notices), *pushes, *mapping_sets(m3ter)]
    where = folder / "integrations.d"
    where.mkdir(parents=True, exist_ok=True)
    for number, document in enumerate(documents):
        (where / f"{number:03}.yaml").write_bytes(wire.encode(dict(document)) + b"\n")
    return pushes


def _with_accounts(m3ter: Mapping[str, Sequence[Json]]) -> list[Json]:
    return [
        integration
        for integration in m3ter["integrationconfigs"]
        if integration["configData"]["accountIds"]
    ]


def _integration(config: Json, codes: Mapping[str, str]) -> Json:
    data = config["configData"]
    page = {name: _value(data[key]) for key, name in _PAGE.items() if key in data}
    push: dict[str, Any] = {"since": SINCE, "accountIs": "subscription", "collection": "off"}
    push |= _POLICIES.get(config["name"], {})
    if not page["createInvoice"]:
        push |= {"pending": {"waitUpTo": "5d", "closesAfter": "48h", "matchDays": 3}}
    spec = {
        "displayName": config["name"],
        "entityType": "Bill",
        "destination": "Chargebee",
        "delivery": "push",
        "connection": "disconnected",
        "global": {"accountIds": [{"code": codes[entry]} for entry in data["accountIds"]]},
        "entity": {name: data[name] for name in _ENTITY if name in data},
        "chargebee": page,
        "push": push,
    }
    return _document("Integration", _name(config), spec)


def _mapping_set(name: str, entity: str, table: str, rows: Sequence[Json]) -> Json:
    spec = {
        "integration": name,
        "externalSystem": "Chargebee",
        "externalTable": table,
        "m3terEntity": entity,
        "rows": [
            {"m3ter": {"id": row["m3terId"]}, "externalId": row["externalId"]}
            for row in sorted(rows, key=lambda row: str(row["m3terId"]))
        ],
    }
    return _document("MappingSet", f"{name}-{entity.lower()}-{table.lower()}", spec)


def _project() -> Json:
    spec = {
        "prune": "never",
        "adoption": "by-name",
        "onDrift": "approve",
        "state": {"backend": "directory", "path": ".reconciler/state"},
    }
    return _document("Project", "chaos", spec)


def _environment(ledger: Json, pace: int, notices: Sequence[Json]) -> Json:
    spec = {
        "protected": False,
        "m3ter": {
            "organizationId": "11111111-1111-4111-8111-111111111111",
            "accessKey": {"env": "M3TER_API_KEY"},
            "apiSecret": {"env": "M3TER_API_SECRET"},
            "requestsPerSecond": 50,
        },
        "chargebee": {
            "site": "acme-test",
            "baseUrl": "https://acme-test.chargebee.com",
            "apiKey": {"env": "CHARGEBEE_API_KEY"},
            "requestsPerMinute": pace,
            "timezone": "Europe/London",
            "priceDecimalPlaces": 6,
            "quantityDecimalPlaces": 6,
        },
        "ledger": {"id": LEDGER, **ledger},
        "fallback": "warn",
        "notices": list(notices),
    }
    return _document("Environment", ENVIRONMENT, spec)


def _document(kind: str, name: str, spec: Json) -> Json:
    head = {"apiVersion": "m3ter-reconciler/v1", "kind": kind, "metadata": {"name": name}}
    return {**head, "spec": dict(spec)}


def _name(config: Json) -> str:
    return str(config["name"]).lower().replace(" ", "-")


def _value(value: Any) -> Any:
    return _VALUES.get(value, value) if isinstance(value, str) else value
