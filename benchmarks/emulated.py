"""An emulator in a process of its own, so that its work is not counted as ours."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from reconciler.emulator.running import environment


@contextmanager
def emulator(scenario: str, *switches: str) -> Iterator[dict[str, str]]:
    """Start one on a free port; gives the environment that points at it, and ends it."""
    options = [part for switch in switches for part in ("--switch", switch)]
    command = ["emulate", "--scenario", scenario, "--port", "0", *options]
    with subprocess.Popen(
        [sys.executable, "-m", "reconciler", *command],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        url = next(word for word in line.split() if word.startswith("http://"))
        try:
            yield {**os.environ, **environment(url)}
        finally:
            process.terminate()
