"""Definitions for the emulator's scenario `month-end`, written from what its m3ter holds.

The demo and the tests push with them. They are made from the answer of the emulator's
``GET /_emulator/state?vendor=m3ter``, as a person would write them with the Console beside him.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from reconciler.kernel.line_item import LineItemType

Json = Mapping[str, Any]
Rows = list[tuple[str, str]]

LEDGER_ID: Final = "6f0c2d1e-0000-4000-8000-000000000012"
ENVIRONMENT: Final = "month-end"
_PANELS: Final[Mapping[str, Sequence[tuple[str, str]]]] = {
    "entity": (
        ("onlySendBillOnApproval", "onlySendBillOnApproval"),
        ("useExternalMappingAccountCode", "useExternalMappingAccountCode"),
        ("excludedLineItemTypes", "excludedLineItemTypes"),
        ("accountFilter", "accountFilter"),
        ("enforceExternalMappingsForConfig", "enforceExternalMappingsForConfig"),
    ),
    "chargebee": (
        ("minimumSpendItemPrice", "chargebeeMinimumSpendItemPrice"),
        ("standingChargeItemPrice", "chargebeeStandingChargeItemPrice"),
        ("createInvoice", "chargebeeCreateInvoice"),
        ("useMultidecimal", "chargebeeUseMultidecimal"),
        ("multiDecimalPriceDecimalPlaces", "chargebeeMultiDecimalPriceDecimalPlaces"),
        ("multiDecimalUnitsDecimalPlaces", "chargebeeMultiDecimalUnitsDecimalPlaces"),
        ("splitUsageLineItems", "splitUsageLineItems"),
        ("defaultPriceId", "chargebeeDefaultPriceId"),
        ("priceIdMapping", "chargebeePriceIdMapping"),
        ("sortLineItemsBy", "sortLineItemsBy"),
    ),
}
_WORDS: Final = {
    "ITEM_PER_USAGE_BAND": "itemPerUsageBand",
    "ITEM_PER_PRODUCT": "itemPerProduct",
    "NONE": "none",
    "SUBTOTAL": "subtotal",
    "AGGREGATION_ID": "aggregationId",
}
_NEGATIVE: Final = {"GBP": "credit-note", "USD": "discount", "EUR": "credit-note"}
_OWN_PRICE: Final = ("MINIMUM_SPEND", "MINIMUM_SPEND_REFUND", "STANDING_CHARGE")
_HEAD: Final = "apiVersion: m3ter-reconciler/v1\n"


def month_end_files(
    state: Json, *, per_second: int = 50, per_minute: int = 3000, dialect: bool = False
) -> dict[str, str]:
    """Write the definitions.

    Args:
        state: Everything that the emulated m3ter stores.
        per_second: Requests to m3ter.
        per_minute: Requests to Chargebee.
        dialect: Also write the dialect, which ``reconciler discover`` finds otherwise.

    Returns:
        Texts by path below ``integrations.d``.
    """
    codes = {entity["id"]: entity["code"] for kind in _coded(state) for entity in kind}
    files = {
        "project.yaml": _project(),
        "environment.yaml": _environment(per_second, per_minute),
    }
    if dialect:
        files["dialect.yaml"] = _dialect()
    for config in _all(state, "integrationconfigs"):
        name = config["name"].lower().replace(" ", "-")
        files[f"{name}/integration.yaml"] = _integration(name, config, codes)
        for entity, table, rows in _sets(state, config["id"], codes):
            stem = f"{entity.lower()}s"
            key = "id" if entity == "PricingBand" else "code"
            files[f"{name}/{stem}.yaml"] = _set(f"{name}-{stem}", name, (entity, table), key)
            files[f"{name}/{stem}.csv"] = _csv(key, rows)
    return files


def _all(state: Json, kind: str) -> list[Json]:
    return list(state["m3ter"].get(kind, ()))


def _coded(state: Json) -> list[list[Json]]:
    return [_all(state, "accounts"), _all(state, "products")]


def _project() -> str:
    return (
        f"{_HEAD}kind: Project\nmetadata: {{name: month-end}}\n"
        "spec:\n  prune: confirm\n  adoption: by-name\n  onDrift: approve\n"
        "  state: {backend: directory, path: .reconciler/state}\n"
    )


def _environment(per_second: int, per_minute: int) -> str:
    return (
        f"{_HEAD}kind: Environment\nmetadata: {{name: {ENVIRONMENT}}}\n"
        "spec:\n"
        "  protected: false\n"
        "  m3ter:\n"
        "    organizationId: 11111111-1111-4111-8111-111111111111\n"
        "    accessKey: {env: M3TER_API_KEY}\n"
        "    apiSecret: {env: M3TER_API_SECRET}\n"
        f"    requestsPerSecond: {per_second}\n"
        "  chargebee:\n"
        "    site: acme-test\n"
        "    baseUrl: https://acme-test.chargebee.com\n"
        "    apiKey: {env: CHARGEBEE_API_KEY}\n"
        f"    requestsPerMinute: {per_minute}\n"
        "    timezone: UTC\n"
        "    priceDecimalPlaces: 6\n"
        "    quantityDecimalPlaces: 6\n"
        f"  ledger: {{id: {LEDGER_ID}, sqlite: .reconciler/ledger.sqlite}}\n"
        "  fallback: warn            # lines that fall to the default price are sent, and listed\n"
    )


def _integration(name: str, config: Json, codes: Mapping[str, str]) -> str:
    data = config["configData"]
    currency = data["chargebeeMinimumSpendItemPrice"].rpartition("-")[2]
    accounts = ", ".join(
        f"{{code: {code}}}" for code in sorted(codes[i] for i in data["accountIds"])
    )
    lines = [
        f"{_HEAD}kind: Integration\nmetadata: {{name: {name}}}\nspec:",
        f"  displayName: {config['name']}",
        "  entityType: Bill",
        "  destination: Chargebee",
        "  delivery: push            # m3ter stays disconnected; `reconciler sync` sends",
        "  connection: disconnected",
        f"  global:\n    accountIds: [{accounts}]",
    ]
    data = {**_complete(data), **data}
    for panel, settings in _PANELS.items():
        lines.append(f"  {panel}:")
        lines += [f"    {ours}: {_plain(data[wire])}" for ours, wire in settings if wire in data]
    lines += ["  push:", "    since: 2026-12-01"]
    lines.append(f"    accountIs: {'customer' if currency == 'JPY' else 'subscription'}")
    lines.append("    collection: off")
    if data["chargebeeCreateInvoice"]:
        lines.append(f"    negativeLines: {_NEGATIVE.get(currency, 'refuse')}")
        lines.append("    recalculated: void-and-recreate")
    else:
        lines.append("    recalculated: replace")
        lines.append("    pending: {waitUpTo: 5d, closesAfter: 48h, matchDays: 3, then: error}")
    return "\n".join(lines) + "\n"


def _complete(data: Json) -> Json:
    """Leave types out that have no price: `validate` asks to decide about every type."""
    if "chargebeeDefaultPriceId" in data:
        return {}
    priced = {*data["chargebeePriceIdMapping"], *_OWN_PRICE}
    return {
        "excludedLineItemTypes": [
            item_type.value for item_type in LineItemType if item_type not in priced
        ]
    }


def _plain(value: Any) -> str:  # noqa: ANN401  any setting
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {member}" for key, member in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(value) + "]"
    return _WORDS.get(value, str(value))


def _sets(state: Json, config: str, codes: Mapping[str, str]) -> Iterator[tuple[str, str, Rows]]:
    """Give the mappings of a configuration by entity and table."""
    found: dict[tuple[str, str], Rows] = {}
    for mapping in _all(state, "externalmappings"):
        if mapping["integrationConfigId"] == config:
            key = codes.get(mapping["m3terId"], mapping["m3terId"])
            place = (mapping["m3terEntity"], mapping["externalTable"])
            found.setdefault(place, []).append((key, mapping["externalId"]))
    for (entity, table), rows in sorted(found.items()):
        yield entity, table, sorted(rows)


def _set(name: str, integration: str, of: tuple[str, str], key: str) -> str:
    entity, table = of
    return (
        f"{_HEAD}kind: MappingSet\nmetadata: {{name: {name}}}\n"
        "spec:\n"
        f"  integration: {integration}\n"
        "  externalSystem: Chargebee\n"
        f"  externalTable: {table}\n"
        f"  m3terEntity: {entity}\n"
        "  rows:\n"
        f"    csv: {entity.lower()}s.csv\n"
        f"    m3ter: {{{key}: {key}}}\n"
        "    externalId: external_id\n"
    )


def _csv(key: str, rows: Rows) -> str:
    return "\n".join([f"{key},external_id", *(f"{code},{other}" for code, other in rows)]) + "\n"


def _dialect() -> str:
    keys = [
        *(("global." + literal, literal) for literal in ("accountIds", "restrictedAccountIds")),
        *((f"{panel}.{ours}", wire) for panel, some in _PANELS.items() for ours, wire in some),
    ]
    users = "integrationDisabledNotificationUsers"
    keys.append((f"global.{users}", users))
    split = "{itemPerUsageBand: ITEM_PER_USAGE_BAND, itemPerProduct: ITEM_PER_PRODUCT}"
    sort = "{none: NONE, subtotal: SUBTOTAL, aggregationId: AGGREGATION_ID}"
    return (
        f"{_HEAD}kind: Dialect\nmetadata: {{name: chargebee-{ENVIRONMENT}}}\n"
        "spec:\n"
        f"  environment: {ENVIRONMENT}\n"
        "  destination: Chargebee\n"
        "  entityType: Bill\n"
        "  wireNames: {destination: Chargebee, entityType: Bill}\n"
        "  evidence: {source: person, by: the demo, at: 2026-12-01T09:00:00Z}\n"
        "  keys:\n"
        + "".join(f"    {ours}: {wire}\n" for ours, wire in keys)
        + "  values:\n"
        + f"    chargebee.splitUsageLineItems: {split}\n"
        + f"    chargebee.sortLineItemsBy: {sort}\n"
    )
