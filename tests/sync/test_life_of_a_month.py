"""The life of a small month, by a seed: whatever happens, every bill stands once, or is listed.

A life that fails is printed as the events that are needed for it; ``replay`` takes them as they are
printed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from fakes.month_events import Event, happens, life_of
from fakes.month_judge import Stands, Version, doubled, fits
from fakes.month_of_life import Month
from fakes.month_verdict import verdict
from fakes.prepared import PreparedOnce
from fakes.sync_place import beginning

from reconciler.emulator.running import RunningEmulator
from reconciler.emulator.world import World

CALM = {"clock": "still", "requests_per_second": 0, "month_end_bills": 15}
SHORT, LONG = range(2), range(300)
STEPS = 25
STEPS_IN_FULL = 70
TRIES = 60
"""So many shorter lives are tried when one fails."""
Replay = Callable[[int, Sequence[Event]], list[str]]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "seed" in metafunc.fixturenames:
        full = metafunc.config.getoption("--chaos-full")
        metafunc.parametrize("seed", LONG if full else SHORT)


@pytest.fixture
def replay(prepared: PreparedOnce, tmp_path: Path) -> Replay:
    """Live a life from its beginning, and judge what came of it; nothing found is well."""
    lives: list[int] = []

    def live(seed: int, events: Sequence[Event]) -> list[str]:
        lives.append(seed)
        folder = tmp_path / f"life-{len(lives)}"
        world, _ = prepared.world(folder, "month-end", CALM, beginning)
        try:
            with RunningEmulator(world) as emulator:
                return _lived(Month.of(folder, emulator.url, world, seed), events)
        finally:
            world.close()

    return live


def _lived(month: Month, events: Sequence[Event]) -> list[str]:
    for event in events:
        happens(month, event)
    month.settle()
    return verdict(month)


def shortest(replay: Replay, seed: int, events: Sequence[Event]) -> list[Event]:
    """Leave events out as long as something is still wrong."""
    kept, size, tries = list(events), max(1, len(events) // 2), 0
    while size and tries < TRIES:
        at = 0
        while at < len(kept) and tries < TRIES:
            fewer, tries = kept[:at] + kept[at + size :], tries + 1
            if replay(seed, fewer):
                kept = fewer
            else:
                at += size
        size //= 2
    return kept


@pytest.mark.chaos
def test_every_bill_stands_once_or_is_listed(
    replay: Replay, seed: int, request: pytest.FixtureRequest
) -> None:
    full = request.config.getoption("--chaos-full")
    events = life_of(seed, STEPS_IN_FULL if full else STEPS)
    wrong = replay(seed, events)
    if wrong:
        fewer = shortest(replay, seed, events)
        pytest.fail(f"replay({seed}, {fewer}):\n" + "\n".join(replay(seed, fewer) or wrong))


def test_a_life_that_goes_wrong_is_told_by_the_events_that_it_needs() -> None:
    events: list[Event] = [(name, 0, 0) for name in ("run", "time", "lock", "run", "calm")]

    def wrong_once_locked(_: int, lived: Sequence[Event]) -> list[str]:
        return ["locked"] if any(name == "lock" for name, _, _ in lived) else []

    assert shortest(wrong_once_locked, 1, events) == [("lock", 0, 0)]


@pytest.mark.parametrize(
    ("sets", "total", "fitting", "wrong"),
    [
        ({"1": (100, 200)}, 250, True, ""),
        ({"1": (100, 200)}, 300, False, ""),
        ({}, 0, False, ""),
        ({"1": (100, 100)}, 200, False, "which no version bills"),
        ({"1": (100, 200), "2": (100, 200)}, 600, False, "stands on 2 invoices"),
        ({"1": (100, 100, 200)}, 400, False, "which no version bills"),
    ],
)
def test_the_judge_tells_one_version_from_all_else(
    sets: dict[str, tuple[int, ...]], total: int, *, fitting: bool, wrong: str
) -> None:
    version = Version(charges=(100, 200), credits=(50,))
    standing = Stands(sets, total, tuple(sets))
    assert fits(standing, version) is fitting
    told = doubled(standing, [version], parted=False)
    assert wrong in told
    assert bool(told) is bool(wrong)


def test_the_judge_finds_a_second_invoice_that_nobody_sent(
    prepared: PreparedOnce, tmp_path: Path
) -> None:
    world, _ = prepared.world(tmp_path, "month-end", CALM, beginning)
    try:
        with RunningEmulator(world) as emulator:
            month = Month.of(tmp_path, emulator.url, world, 1)
            month.run()
            month.pass_time(260_000)
            month.run()
            assert verdict(month) == []
            bill, sent = _sent(month, world)
            world.store.put("chargebee/invoices", {**sent, "id": "twice"})
            (told,) = [text for text in verdict(month) if "stands on 2 invoices" in text]
            assert bill in told
            world.store.delete("chargebee/invoices", "twice")
            world.store.delete("chargebee/invoices", str(sent["id"]))
            assert any("nobody is told" in text for text in verdict(month))
    finally:
        world.close()


def _sent(month: Month, world: World) -> tuple[str, dict[str, object]]:
    for invoice in world.store.all("chargebee/invoices"):
        if invoice.get("cf_m3ter_bill_id") and invoice["status"] == "posted":
            return invoice["cf_m3ter_bill_id"], invoice
    raise AssertionError(month.told)
