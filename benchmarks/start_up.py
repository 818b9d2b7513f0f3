"""Start-up beside bare Python."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from statistics import median

REPOSITORY = Path(__file__).parent.parent
TRIES = 7


def run() -> None:
    """Print how many milliseconds more than bare Python the shortest commands take."""
    bare = _seconds([sys.executable, "-c", "pass"])
    for arguments in (["--help"], ["validate", "-C", str(REPOSITORY)]):
        ours = _seconds([sys.executable, "-m", "reconciler", *arguments])
        name = arguments[0] if arguments[0] == "--help" else "validate of the example"
        print(
            f"{name:<36} {1000 * ours:6.0f} ms   bare Python {1000 * bare:4.0f} ms   "
            f"{1000 * (ours - bare):4.0f} ms more, {ours / bare:.1f} times"
        )


def _seconds(command: list[str]) -> float:
    found = []
    for _ in range(TRIES):
        started = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        found.append(time.perf_counter() - started)
    return median(found)
