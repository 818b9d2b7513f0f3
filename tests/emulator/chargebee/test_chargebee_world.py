"""Chargebee inside the emulated world: faults that take time, state files, the control surface."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fakes.chargebee_bench import basic, flat

from reconciler.emulator import control, wire
from reconciler.emulator.chargebee.sites import API_KEY
from reconciler.emulator.exchange import HttpRequest
from reconciler.emulator.world import World

CREATE = "/api/v2/invoices/create_for_charge_items_and_charges"
FORM = {"customer_id": "cust_acme_uk", "currency_code": "GBP", "charges": [{"amount": 5}]}


def post(world: World, form: dict[str, Any] = FORM, key: str = "") -> int | None:
    headers = {"authorization": basic(API_KEY), "chargebee-idempotency-key": key}
    body = urlencode(flat(form)).encode()
    request = HttpRequest("POST", CREATE, (), headers, body)
    delivery = world.exchange(request, world.arrive(request))
    return None if delivery.answer is None else delivery.answer.status


def numbered(world: World) -> list[str]:
    found = world.store.all("chargebee/invoices")
    return [entry["id"] for entry in found if entry["status"] != "pending"]


def fault(world: World, name: str, **more: Any) -> None:
    world.faults.add([{"match": {"vendor": "chargebee"}, "fault": name, "times": 1, **more}])


def test_a_slow_answer_keeps_its_key_and_its_customer_busy() -> None:
    world = World("starter", switches={"clock": "still"})
    fault(world, "latency", seconds=60)
    assert post(world, key="k") == 200
    assert post(world, key="k") == 409
    assert post(world) == 429
    assert post(world, {**FORM, "customer_id": "cust_globex_uk"}) == 200


def test_a_commit_after_the_cut_comes_once_and_in_its_time() -> None:
    world = World("starter", switches={"clock": "still"})
    fault(world, "commit_after_cut", seconds=60)
    assert post(world, key="k") is None
    assert numbered(world) == []
    world.move_clock(seconds=61)
    assert numbered(world) == ["1"]
    assert [entry.committed for entry in world.log.select()] == [True]


def test_what_was_committed_late_keeps_nothing_busy_any_longer() -> None:
    world = World("starter", switches={"clock": "still"})
    fault(world, "commit_after_cut", seconds=60)
    assert post(world, key="k") is None
    assert post(world, key="k") == 409
    assert post(world) == 429
    world.move_clock(seconds=61)
    assert post(world, key="k") == 200
    assert post(world) == 200
    assert numbered(world) == ["1", "2"]


def test_a_restart_goes_on_with_numbers_keys_and_appointments(tmp_path: Path) -> None:
    state = tmp_path / "state"
    switches = {"clock": "still"}
    first = World("starter", switches=switches, state=state)
    assert post(first, key="k") == 200
    first.close()
    second = World("starter", switches=switches, state=state)
    assert post(second, key="k") == 200
    assert numbered(second) == ["1"]
    assert post(second) == 200
    assert numbered(second) == ["1", "2"]
    second.move_clock(seconds=49 * 3600)
    pending = [
        invoice
        for invoice in second.store.all("chargebee/invoices")
        if invoice["status"] == "pending"
    ]
    second.close()
    assert pending == []


def test_the_control_surface_shows_the_site_without_its_key() -> None:
    world = World("starter", switches={"clock": "still"})
    request = HttpRequest("GET", "/_emulator/state", (("vendor", "chargebee"),), {})
    shown = control.handle(world, request).body
    assert API_KEY.encode() not in shown
    assert "invoices" in wire.decode(shown)["chargebee"]
