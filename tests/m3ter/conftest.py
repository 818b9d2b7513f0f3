"""An organisation connected to the emulator, with a clock that waits for nobody."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from fakes.clock import FakeClock
from fakes.connecting import ORGANISATION, Connect, environment_spec

from reconciler.emulator.running import RunningEmulator, environment
from reconciler.kernel.ports import Clock
from reconciler.m3ter.ports import Organisation
from reconciler.settings import Settings
from reconciler.transport.client import CallLimits
from reconciler.wiring.organisation import DEFAULT_LIMITS, connect


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def connected(clock: FakeClock) -> Iterator[Connect]:
    """Connect to an emulator; further arguments are variables of the job."""
    with ExitStack() as stack:

        def start(
            emulator: RunningEmulator,
            *,
            organisation: str = ORGANISATION,
            using: Clock = clock,
            limits: CallLimits = DEFAULT_LIMITS,
            **variables: str,
        ) -> Organisation:
            settings = Settings.from_environment({**environment(emulator.url), **variables})
            spec = environment_spec(emulator.url, organisation)
            opened = connect(spec, settings, clock=using, limits=limits, chance=lambda: 0.5)
            return stack.enter_context(opened)

        yield start


@pytest.fixture
def organisation(emulator: RunningEmulator, connected: Connect) -> Organisation:
    """The scenario `starter`, connected."""
    return connected(emulator)
