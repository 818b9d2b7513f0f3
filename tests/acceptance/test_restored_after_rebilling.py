"""A restored ledger that does not know of a second sending bills it no third time."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fakes.prepared import PreparedOnce
from fakes.sync_place import ENV, SyncPlace

from reconciler.emulator.running import RunningEmulator
from reconciler.emulator.world import World

GBP = "month-end-gbp"


def plain(line: dict[str, Any]) -> bool:
    """Whether a line has an amount of its own."""
    return bool(line["subtotal"] > 0 and not line.get("usagePerPricingBand"))


@pytest.mark.parametrize("policy", ["credit-and-rebill", "void-and-recreate"])
def test_a_bill_billed_anew_after_the_backup_stops_for_a_person(
    prepared: PreparedOnce, running: Callable[[World], RunningEmulator], tmp_path: Path, policy: str
) -> None:
    def policied(folder: Path, emulator: RunningEmulator) -> None:
        made = SyncPlace(folder, emulator.url)
        made.write()
        file = f"{GBP}/integration.yaml"
        made.edit(file, "recalculated: void-and-recreate", f"recalculated: {policy}")
        made.begin()

    calm = {"clock": "still", "requests_per_second": 0, "month_end_bills": 20}
    world, _ = prepared.world(tmp_path / "r", "month-end", calm, policied, policy)
    place = SyncPlace(tmp_path / "r", running(world).url)
    bills = {entry["id"]: entry for entry in place.state("m3ter", "bills")}
    bill = next(
        key
        for key, draft in place.drafts(GBP).items()
        if not draft.credits and not draft.discounts and any(map(plain, bills[key]["lineItems"]))
    )
    place.run(bill)
    ledger, backup = place.root / ".reconciler/ledger.sqlite", tmp_path / "backup"
    shutil.copy(ledger, backup)
    lines = [dict(line) for line in bills[bill]["lineItems"]]
    changed = next(filter(plain, lines))
    for name in {"subtotal", "convertedSubtotal"} & set(changed):
        changed[name] += 1
    place.person_edits(bill, lineItems=lines)
    place.run(bill)
    assert len(place.invoices_of(bill)) == 2
    for file in ledger.parent.glob("ledger.sqlite*"):
        file.unlink()
    shutil.copy(backup, ledger)
    code, told = place.reconciler("ledger", "rebuild", "--env", ENV, "--since", "2026-10-01")
    assert code in {0, 14}, told
    place.advance(3 * 24 * 3600)
    for _ in range(4):
        place.run(bill)
        place.advance(45 * 60)
    assert len(place.invoices_of(bill)) == 2
    assert bill in place.reconciler("sync", "plan", "--env", ENV, "--format", "json")[1]
