"""Real processes, really ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from decimal import Decimal

import pytest
from fakes.place import Place

from reconciler.errors import ExitCode

SECONDS_MAX = 20


def applying(place: Place) -> subprocess.Popen[str]:
    command = ["apply", "-C", str(place.folder), "--env", "sandbox", "--yes"]
    return subprocess.Popen(
        [sys.executable, "-m", "reconciler", *command],
        env={**os.environ, **place.environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for_writes(place: Place, count: int) -> None:
    end = time.monotonic() + SECONDS_MAX
    while len(place.writes()) < count:
        assert time.monotonic() < end
        time.sleep(0.005)


@pytest.mark.parametrize("writes", [1, 5, 13])
def test_a_killed_process_is_made_good_by_the_next(place: Place, writes: int) -> None:
    place.fault("latency", seconds=Decimal("0.1"), match={"method": "POST"})
    place.fault("latency", seconds=Decimal("0.2"), match={"method": "PUT"})
    with applying(place) as process:
        wait_for_writes(place, writes)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert process.returncode == -signal.SIGKILL
    place.emulator.world.faults.clear()
    place.apply()
    assert place.is_in_sync()
    assert Counter(
        config["name"] for config in place.configs() if "Chargebee" in config["name"]
    ) == {
        "Chargebee UK bills": 1,
        "Chargebee US bills": 1,
    }
    assert (
        len([mapping for mapping in place.mappings() if mapping["externalSystem"] == "Chargebee"])
        == 10
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_lets_what_is_in_flight_finish_and_is_recorded(
    place: Place, number: signal.Signals
) -> None:
    place.fault("latency", seconds=Decimal("0.3"), match={"method": "POST"})
    with applying(place) as process:
        wait_for_writes(place, 1)
        process.send_signal(number)
        out, err = process.communicate(timeout=SECONDS_MAX)
    assert process.returncode == ExitCode.INTERRUPTED, (out, err)
    assert "stopping: what is in flight is finished and recorded" in err
    assert "not attempted" in out
    head = place.state().head("sandbox")
    assert head is not None
    assert head.receipt is not None
    done = [outcome for outcome in head.receipt.outcomes if outcome.outcome.type == "done"]
    assert len(done) == len(place.writes()) == 2
    place.emulator.world.faults.clear()
    place.apply()
    assert place.is_in_sync()
