"""Ctrl-C during a sync: heard at once, also while bills are waited for; what was sent is recorded."""

from __future__ import annotations

import io
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from fakes.sync_place import ENV, SyncPlace

from reconciler.cli.main import main

ACCOUNT = "acct-00000"
LONG = 20.0


@pytest.fixture
def place(tmp_path: Path, emulate: Any) -> SyncPlace:
    running = emulate("month-end", month_end_bills=40, clock="still", requests_per_second=0)
    return SyncPlace(tmp_path, running.url).setup()


def interrupted(place: SyncPlace, *arguments: str, at: str) -> tuple[int, str, float]:
    """Run a command, press Ctrl-C once it has printed a text; also gives how long it ran on."""
    assert threading.current_thread() is threading.main_thread()
    out, err = io.StringIO(), io.StringIO()
    pressed: list[float] = []

    def press() -> None:
        until = time.monotonic() + LONG
        while at not in err.getvalue() and time.monotonic() < until:
            time.sleep(0.05)
        pressed.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    typed = ["-C", str(place.root), *arguments, "--env", ENV]
    presser = threading.Thread(target=press)
    presser.start()
    code = main(typed, place.environ, stdin=io.StringIO(), stdout=out, stderr=err)
    ended = time.monotonic()
    presser.join()
    return code, out.getvalue() + err.getvalue(), ended - pressed[0]


def test_waiting_for_a_retry_ends_at_once(place: SyncPlace) -> None:
    bill = place.bill_of(ACCOUNT)
    place.fault("http_500")
    code, told, seconds = interrupted(
        place, "sync", "run", "--bill", bill, "--wait", "40m", at="waiting until"
    )
    assert code == 130, told
    assert seconds < LONG / 4
    assert f"for 1 bill (next: {ACCOUNT} at " in told
    assert "1 bill is tried again, the first at" in told


def test_a_worker_sends_what_is_ready_and_stops_when_it_is_told_to(place: SyncPlace) -> None:
    bill = place.bill_of(ACCOUNT)
    code, told, _ = interrupted(
        place, "sync", "worker", "--bill", bill, at=f"{ACCOUNT}  bill {bill}"
    )
    assert code == 130, told
    assert "until stopped" in told
    assert len(place.invoices_of(bill)) == 1


@pytest.mark.parametrize("text", ["40", "1h30m", "soon", "-1m", "m"])
def test_a_wait_that_is_no_duration_is_a_usage_error(place: SyncPlace, text: str) -> None:
    code, told = place.reconciler("sync", "run", "--env", ENV, "--wait", text)
    assert code == 10
    assert "write it as 90s, 40m or 2h, or 0" in told


def test_a_canary_that_fails_ends_the_run_before_the_rest(place: SyncPlace) -> None:
    place.fault("http_500", times=1)
    code, told = place.reconciler("sync", "run", "--env", ENV, "--canary", "1", "--wait", "0")
    assert code == 16, told
    assert "the canary did not come out as it was sent: nothing more was begun" in told
