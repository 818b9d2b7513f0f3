"""The same ground inside this process: commands are functions, so that many tests stay quick."""

from __future__ import annotations

import time
from io import StringIO
from pathlib import Path

from chaos.due import Organisation
from chaos.ground import NOTHING, SECONDS_MAX, SQLITE, Control, Ended, Ground, prepare

from reconciler.cli.main import main
from reconciler.emulator.running import RunningEmulator, environment


class Inside(Ground):
    """A ground whose emulator and commands run in this process."""

    def run(self, *arguments: str, seconds: float = SECONDS_MAX) -> Ended:
        """Run a command to its end."""
        return self.run_with({}, *arguments)

    def run_with(self, environ: dict[str, str], *arguments: str) -> Ended:
        """Run a command with other variables."""
        out, err = StringIO(), StringIO()
        typed = ["-C", str(self.folder), *arguments]
        given = self.environment() | environ
        code = main(typed, given, stdin=StringIO(), stdout=out, stderr=err)
        return Ended(code, out.getvalue(), err.getvalue())


def beginning(folder: Path, emulator: RunningEmulator) -> Organisation:
    """Set everything up until the first push; gives what was there before it."""
    place = Inside(folder, Control(emulator.url), environment(emulator.url), NOTHING)
    prepare(place, SQLITE, 100_000)
    return place.before


def inside(folder: Path, emulator: RunningEmulator, before: Organisation) -> Inside:
    """Give the ground whose beginning was prepared."""
    place = Inside(folder, Control(emulator.url), environment(emulator.url), before)
    place.ahead = place.control.now() - time.time()
    return place
