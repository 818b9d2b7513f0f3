"""An organisation connected to the emulator, with a clock that waits for nobody."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from fakes.clock import FakeClock

from reconciler.domain.kinds.environment import EnvironmentSpec
from reconciler.emulator.running import RunningEmulator, environment
from reconciler.ports.organisation import Organisation
from reconciler.ports.runtime import Clock
from reconciler.settings import Settings
from reconciler.transport.client import Limits
from reconciler.wiring.organisation import DEFAULT_LIMITS, connect

ORGANISATION = "11111111-1111-4111-8111-111111111111"
Connect = Callable[..., Organisation]


def environment_spec(url: str, organisation: str = ORGANISATION) -> EnvironmentSpec:
    return EnvironmentSpec.model_validate(
        {
            "protected": False,
            "m3ter": {
                "organizationId": organisation,
                "baseUrl": url,
                "accessKey": {"env": "M3TER_API_KEY"},
                "apiSecret": {"env": "M3TER_API_SECRET"},
            },
        }
    )


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
            limits: Limits = DEFAULT_LIMITS,
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
