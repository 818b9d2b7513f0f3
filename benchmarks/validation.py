"""``validate`` of many files beside check-jsonschema on the same files."""

from __future__ import annotations

import copy
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.large import document, write
from reconciler.kernel.value import JsonObject
from reconciler.wiring.repository import save_schemas

FILES = 2_000
ROWS = 100_000
_SPEC: JsonObject = {
    "displayName": "Chargebee UK bills",
    "destination": "Chargebee",
    "connection": "disconnected",
    "protect": True,
    "global": {
        "accountIds": [{"code": "acme-uk"}, {"code": "globex-uk"}, {"code": "initech-uk"}],
        "restrictedAccountIds": [{"code": "internal-demo"}],
        "integrationDisabledNotificationUsers": [{"email": "billing-oncall@example.com"}],
    },
    "entity": {
        "onlySendBillOnApproval": True,
        "useExternalMappingAccountCode": False,
        "excludedLineItemTypes": ["MINIMUM_SPEND_REFUND"],
        "accountFilter": 'customFields != null AND customFields.country == "UK"',
    },
    "chargebee": {
        "minimumSpendItemPrice": "min-spend-GBP",
        "standingChargeItemPrice": "standing-GBP",
        "createInvoice": True,
        "useMultidecimal": True,
        "multiDecimalPriceDecimalPlaces": 3,
        "multiDecimalUnitsDecimalPlaces": 3,
        "splitUsageLineItems": "itemPerProduct",
        "defaultPriceId": "usage-other-GBP",
        "priceIdMapping": {"USAGE": "usage-GBP", "AD_HOC": "adhoc-GBP"},
        "sortLineItemsBy": "none",
    },
}


def run() -> None:
    """Print how much faster ours is; each in a process of its own, start-up included."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        files = _write_files(root)
        save_schemas(root)
        ours = _seconds([sys.executable, "-m", "reconciler", "validate", "-C", folder])
        schema = root / "schemas" / "integration.schema.json"
        peer = ["check-jsonschema", "--schemafile", str(schema), *map(str, files)]
        theirs = _seconds([sys.executable, "-m", "check_jsonschema", *peer[1:]])
        print(
            f"validate of {FILES:,} definitions        {ours:6.2f} s   "
            f"check-jsonschema {theirs:6.2f} s   {theirs / ours:5.1f} times as fast"
        )
        _write_rows(root)
        more = _seconds([sys.executable, "-m", "reconciler", "validate", "-C", folder]) - ours
        print(f"and {ROWS:,} CSV rows beside them      {more:6.2f} s more")


def _write_files(root: Path) -> list[Path]:
    folder = root / "integrations.d"
    project: JsonObject = {"prune": "never", "adoption": "by-name"}
    write(folder / "project.yaml", document("Project", "many", project))
    files = [folder / f"integration-{number:04}.yaml" for number in range(FILES)]
    for number, file in enumerate(files):
        spec = copy.deepcopy(dict(_SPEC)) | {"displayName": f"Chargebee {number:04}"}
        write(file, document("Integration", f"chargebee-{number:04}", spec))
    return files


def _write_rows(root: Path) -> None:
    spec: JsonObject = {
        "externalSystem": "Chargebee",
        "externalTable": "Subscription",
        "m3terEntity": "Account",
        "rows": {"csv": "rows.csv", "m3ter": {"code": "code"}, "externalId": "external_id"},
    }
    folder = root / "integrations.d"
    write(folder / "rows.yaml", document("MappingSet", "rows", spec))
    lines = [f"account-{number:06},sub_{number:06}\n" for number in range(ROWS)]
    (folder / "rows.csv").write_text("code,external_id\n" + "".join(lines), encoding="utf-8")


def _seconds(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - started
