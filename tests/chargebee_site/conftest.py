"""An emulated Chargebee site, and a destination that speaks to it by a clock that stands still."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from fakes.chargebee_world import ChargebeeWorld

from reconciler.emulator.running import RunningEmulator

Open = Callable[..., ChargebeeWorld]


@pytest.fixture
def world(emulate: Callable[..., RunningEmulator]) -> Iterator[Open]:
    """Start an emulator with switches and open a destination on it."""
    with ExitStack() as stack:

        def start(scenario: str = "starter", **switches: object) -> ChargebeeWorld:
            running = emulate(scenario, clock="still", **switches)
            return stack.enter_context(ChargebeeWorld(running.url))

        yield start
