"""Worlds that are prepared once and copied for every test that begins with them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reconciler.emulator.running import RunningEmulator
from reconciler.emulator.world import World

Prepare = Callable[[Path, RunningEmulator], Any]


@dataclass(frozen=True)
class Kept:
    """A beginning: its folder, its state file, and what preparing it gave."""

    folder: Path
    state: Path
    told: Any


@dataclass
class PreparedOnce:
    """Keeps, for each kind of beginning, the folder and the emulator's state file.

    Attributes:
        root: Where they are kept.
    """

    root: Path
    known: dict[str, Kept] = field(default_factory=dict)

    def world(
        self,
        folder: Path,
        scenario: str,
        switches: Mapping[str, object],
        prepare: Prepare,
        named: object = "",
    ) -> tuple[World, Any]:
        """Give a world as it is after ``prepare``, and what that gave; fill the folder as it did.

        Args:
            folder: An empty folder of the test.
            scenario: The world's scenario.
            switches: The world's switches.
            prepare: Works in a folder beside the emulator.
            named: Tells beginnings of one function apart.
        """
        source = f"{prepare.__module__} {prepare.__qualname__}"
        key = f"{source} {named} {scenario} {sorted(switches.items())}"
        if key not in self.known:
            self.known[key] = self._prepared(scenario, switches, prepare)
        kept = self.known[key]
        shutil.copytree(kept.folder, folder, dirs_exist_ok=True)
        state = self.root / f"{len(self.known)}-{folder.parent.name}-{folder.name}"
        shutil.copy(kept.state, state)
        return World(scenario, switches=switches, state=state), kept.told

    def _prepared(self, scenario: str, switches: Mapping[str, object], prepare: Prepare) -> Kept:
        folder = self.root / f"prepared-{len(self.known)}"
        folder.mkdir()
        state = self.root / f"{folder.name}-state"
        world = World(scenario, switches=switches, state=state)
        with RunningEmulator(world) as emulator:
            told = prepare(folder, emulator)
        world.close()
        return Kept(folder, state, told)
