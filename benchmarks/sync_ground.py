"""What the benchmarks of ``sync`` share: a ground to push on, and a process that is measured."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from chaos.due import Json  # noqa: E402 - after the path
from chaos.ground import COMMAND, Ground, ground  # noqa: E402
from chaos.month_end import ENVIRONMENT  # noqa: E402

SYNC = (*COMMAND, "sync", "run", "--env", ENVIRONMENT)
MINUTE = 60


@dataclass(frozen=True)
class Measured:
    """One process: how it ended, wall and CPU seconds, and its largest memory in MB."""

    code: int
    seconds: float
    cpu: float
    megabytes: float
    out: str


@contextmanager
def prepared(*switches: str, pace: int) -> Iterator[Ground]:
    """Everything up to the first push, in a folder of its own."""
    with (
        tempfile.TemporaryDirectory(prefix="reconciler-bench-") as folder,
        ground(Path(folder), *switches, pace=pace) as place,
    ):
        ended = place.run("ledger", "init", "--env", ENVIRONMENT)
        assert ended.code == 0, ended.err
        yield place


def measured(command: Sequence[str], folder: Path, environ: dict[str, str]) -> Measured:
    """Run one process to its end and ask the system what it took."""
    began = time.monotonic()
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen(
            command, cwd=folder, env=environ, stdin=subprocess.DEVNULL, stdout=out, stderr=out
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        text = out.read().decode("utf-8", "replace")
    seconds = time.monotonic() - began
    cpu, memory = used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
    return Measured(process.returncode, seconds, cpu, memory, text)


def pushed(place: Ground) -> Measured:
    """Push everything, measured."""
    return measured(SYNC, place.folder, place.environment())


def invoices(place: Ground) -> int:
    """How many invoices stand in Chargebee."""
    return len(place.control.state().chargebee["invoices"])


def per_minute(requests: Sequence[Json], skip: float = 0.0) -> float:
    """The sustained rate: requests a minute between the first and the last one.

    Args:
        requests: As the emulator logged them.
        skip: Seconds at the beginning that do not count.
    """
    times = [datetime.fromisoformat(one["time"]).timestamp() for one in requests]
    counted = [one for one in times if one >= times[0] + skip]
    return (len(counted) - 1) / (counted[-1] - counted[0]) * MINUTE
