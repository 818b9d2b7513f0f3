"""Fixtures that every test may use: emulators that start on a free port and surely end."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from fakes.postgres_fixtures import own_postgres, postgres, postgres_url
from fakes.prepared import PreparedOnce
from fakes.sync_place import SyncPlace, beginning
from hypothesis import HealthCheck, settings

from reconciler.emulator.running import RunningEmulator
from reconciler.emulator.world import World

__all__ = ["own_postgres", "postgres", "postgres_url"]
ROOT = Path(__file__).parent.parent
Emulate = Callable[..., RunningEmulator]
EmulateProcess = Callable[..., tuple[str, "subprocess.Popen[str]"]]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the chaos suite run in full."""
    parser.addoption(
        "--chaos-full",
        action="store_true",
        help="run the chaos tests in full size, and every crash point of the others; long",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Choose how hard the laws are tried; on CI the same examples every time."""
    slow = [HealthCheck.too_slow]
    settings.register_profile(
        "short", max_examples=40, deadline=None, suppress_health_check=slow, derandomize=False
    )
    settings.register_profile("ci", settings.get_profile("short"), derandomize=True)
    settings.register_profile("full", settings.get_profile("short"), max_examples=300)
    short = "ci" if os.environ.get("CI") else "short"
    settings.load_profile("full" if config.getoption("--chaos-full") else short)


@pytest.fixture
def stride(request: pytest.FixtureRequest) -> int:
    """How far apart crash points are tried: every one under ``--chaos-full``, else every sixth."""
    return 1 if request.config.getoption("--chaos-full") else 6


@pytest.fixture
def running() -> Iterator[Callable[[World], RunningEmulator]]:
    """Serve worlds in threads of this process; ends and closes them."""
    with ExitStack() as stack:

        def start(world: World) -> RunningEmulator:
            stack.callback(world.close)
            return stack.enter_context(RunningEmulator(world))

        yield start


@pytest.fixture
def emulate(running: Callable[[World], RunningEmulator]) -> Emulate:
    """Start emulators in threads of this process; the arguments are those of ``World``."""

    def start(scenario: str = "starter", seed: int = 1, **switches: object) -> RunningEmulator:
        return running(World(scenario, seed, switches))

    return start


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> PreparedOnce:
    """What many tests begin with, made once."""
    return PreparedOnce(tmp_path_factory.mktemp("prepared"))


@pytest.fixture
def month_end(
    prepared: PreparedOnce, running: Callable[[World], RunningEmulator], tmp_path: Path
) -> Callable[..., SyncPlace]:
    """Make a month of bills whose definitions are applied, with a ledger; time stands still."""

    def make(bills: int, **switches: object) -> SyncPlace:
        calm = {"clock": "still", "requests_per_second": 0, "month_end_bills": bills}
        world, _ = prepared.world(tmp_path, "month-end", calm | switches, beginning)
        return SyncPlace(tmp_path, running(world).url)

    return make


@pytest.fixture
def emulator(emulate: Emulate) -> RunningEmulator:
    """One emulator with scenario `starter`; m3ter's limit per second is off."""
    return emulate(requests_per_second=0)


@pytest.fixture
def emulate_process() -> Iterator[EmulateProcess]:
    """Start `reconciler emulate` as a process; gives its URL and handle, and ends it."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> tuple[str, subprocess.Popen[str]]:
        process = subprocess.Popen(
            [sys.executable, "-m", "reconciler", "emulate", "--port", "0", *arguments],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        started.append(process)
        assert process.stdout is not None
        line = process.stdout.readline()
        url = next((word for word in line.split() if word.startswith("http://")), "")
        assert url, f"no ready line but {line!r}"
        return url, process

    yield start
    for process in started:
        process.terminate()
        process.wait(10)
        assert process.stdout is not None
        process.stdout.close()
