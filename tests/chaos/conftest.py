"""How much chaos: a small size by default, all of it with ``--chaos-full``."""

from __future__ import annotations

from dataclasses import dataclass

import pytest


@dataclass(frozen=True)
class Size:
    """How many bills, and how often a pusher is killed."""

    bills: int
    kills: int
    full: bool


@pytest.fixture
def size(request: pytest.FixtureRequest) -> Size:
    """The size of this run."""
    full = bool(request.config.getoption("--chaos-full"))
    return Size(500, 200, full) if full else Size(30, 6, full)
