"""What the benchmarks of ``sync`` share: a ground to push on, and a process that is measured."""

from __future__ import annotations

import subprocess
import sys
import tempfile
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

TAKEN = ROOT / "benchmarks" / "taken.py"
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
def prepared(*switches: str, pace: int, within: str | None = None) -> Iterator[Ground]:
    """Everything up to the first push, in a folder of its own; this tree is what is measured.

    Args:
        switches: Of the emulator.
        pace: Requests a minute that the environment allows.
        within: Where the folder is; by default where temporary files are.
    """
    with (
        tempfile.TemporaryDirectory(prefix="reconciler-bench-", dir=within) as folder,
        ground(Path(folder), *switches, pace=pace, PYTHONPATH=str(ROOT)) as place,
    ):
        ended = place.run("ledger", "init", "--env", ENVIRONMENT)
        assert ended.code == 0, ended.err
        yield place


def measured(command: Sequence[str], folder: Path, environ: dict[str, str]) -> Measured:
    """Run one process to its end and ask the system what it took."""
    with tempfile.TemporaryDirectory() as holder:
        report, printed = Path(holder, "report"), Path(holder, "printed")
        with printed.open("wb") as out:
            code = subprocess.run(
                [sys.executable, str(TAKEN), str(report), *command],
                cwd=folder,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                check=False,
            ).returncode
        seconds, cpu, megabytes = map(float, report.read_text(encoding="ascii").split())
        text = printed.read_text(encoding="utf-8", errors="replace")
    return Measured(code, seconds, cpu, megabytes, text)


def pushed(place: Ground) -> Measured:
    """Push everything, measured."""
    return measured(SYNC, place.folder, place.environment())


def invoices(place: Ground) -> int:
    """How many invoices stand in Chargebee."""
    return place.control.counts()["chargebee/invoices"]


def per_minute(requests: Sequence[Json], skip: float = 0.0) -> float:
    """The sustained rate: requests a minute between the first and the last one.

    Args:
        requests: As the emulator logged them.
        skip: Seconds at the beginning that do not count.
    """
    times = [datetime.fromisoformat(request["time"]).timestamp() for request in requests]
    counted = [time for time in times if time >= times[0] + skip]
    return (len(counted) - 1) / (counted[-1] - counted[0]) * MINUTE
