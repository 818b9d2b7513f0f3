"""The definitions that say what scenario `large` has: 20 integrations, 10,000 mappings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from reconciler.definitions.kinds.environment import EnvironmentSpec
from reconciler.kernel.value import JsonObject, JsonValue
from reconciler.m3ter.live import LiveIntegration
from reconciler.m3ter.ports import IntegrationBody, Organisation
from reconciler.repository.edit.writer import csv_text, yaml_text
from reconciler.settings import Settings
from reconciler.wiring.organisation import connect

ORGANISATION = "11111111-1111-4111-8111-111111111111"
CREDENTIAL = "Chargebee (test)"
RATE = 45
PRICE = "usage-other-GBP"
DIALECT: JsonObject = {
    "environment": "sandbox",
    "destination": "Chargebee",
    "entityType": "Bill",
    "wireNames": {"destination": "Chargebee", "entityType": "Bill"},
    "evidence": {"source": "person", "by": "benchmark", "at": "2026-12-01T09:00:00Z"},
    "keys": {
        "chargebee.defaultPriceId": "chargebeeDefaultPriceId",
        "global.accountIds": "accountIds",
        "entity.onlySendBillOnApproval": "onlySendBillOnApproval",
    },
}


def write_large(folder: Path, environ: Mapping[str, str], settings: Settings) -> None:
    """Write ``integrations.d`` so that git says exactly what the emulated organisation has."""
    connection = {**ENVIRONMENT["m3ter"], "baseUrl": environ["M3TER_BASE_URL"]}  # type: ignore[dict-item]
    spec = EnvironmentSpec.model_validate({**ENVIRONMENT, "m3ter": connection}, strict=False)
    with connect(spec, settings) as organisation:
        _write_all(folder / "integrations.d", organisation)


def _write_all(root: Path, organisation: Organisation) -> None:
    codes = {account.id: account.code for account in organisation.codes.all_accounts()}
    rows: defaultdict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for row in organisation.mappings.list():
        key = (str(row.integration_id), row.table)
        rows[key][codes[row.m3ter_id]] = row.external_id  # type: ignore[index]
    write(root / "project.yaml", document("Project", "large", _PROJECT))
    write(root / "sandbox.yaml", document("Environment", "sandbox", ENVIRONMENT))
    write(root / "dialect.yaml", document("Dialect", "chargebee", DIALECT))
    for number, live in enumerate(organisation.integrations.list()):
        _set_price(organisation, live)
        name = f"chargebee-{number:02}"
        accounts = live.config_data["accountIds"]
        assert isinstance(accounts, list)
        listed: list[JsonValue] = [{"code": codes[owner]} for owner in accounts]
        spec: JsonObject = {
            "displayName": live.name,
            "destination": "Chargebee",
            "connection": {"credential": "shared"},
            "global": {"accountIds": listed},
            "entity": {"onlySendBillOnApproval": True},
            "chargebee": {"defaultPriceId": PRICE},
        }
        write(root / name / "integration.yaml", document("Integration", name, spec))
        for table in ("Customer", "Subscription"):
            _write_set(root / name, name, table, rows[live.id, table])


def _set_price(organisation: Organisation, live: LiveIntegration) -> None:
    """Give a configuration the default price that validation insists on."""
    body = IntegrationBody(
        destination=live.destination,
        entity_type=live.entity_type,
        name=live.name,
        config_data={**live.config_data, "chargebeeDefaultPriceId": PRICE},
        credential_id=live.credential_id,
        extra={},
    )
    organisation.integrations.update(live.id, live.version, body)


def _write_set(folder: Path, integration: str, table: str, rows: dict[str, str]) -> None:
    file = f"{table.lower()}.csv"
    spec: JsonObject = {
        "integration": integration,
        "externalSystem": "Chargebee",
        "externalTable": table,
        "m3terEntity": "Account",
        "rows": {"csv": file, "m3ter": {"code": "account"}, "externalId": "external_id"},
    }
    name = f"{integration}-{table.lower()}"
    write(folder / f"{table.lower()}.yaml", document("MappingSet", name, spec))
    cells = {code: (code, row) for code, row in rows.items()}
    (folder / file).write_text(csv_text(("account", "external_id"), cells), encoding="utf-8")


def write(file: Path, document: JsonObject) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(yaml_text([document]), encoding="utf-8")


def document(kind: str, name: str, spec: JsonObject) -> JsonObject:
    return {
        "apiVersion": "m3ter-reconciler/v1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": spec,
    }


_PROJECT: JsonObject = {"prune": "confirm", "adoption": "by-name"}
ENVIRONMENT: JsonObject = {
    "protected": False,
    "m3ter": {
        "organizationId": ORGANISATION,
        "baseUrl": "https://api.m3ter.com",
        "accessKey": {"env": "M3TER_API_KEY"},
        "apiSecret": {"env": "M3TER_API_SECRET"},
        "requestsPerSecond": RATE,
    },
    "credentials": {"shared": {"name": CREDENTIAL}},
}
