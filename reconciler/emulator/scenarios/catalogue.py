"""The scenarios by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from reconciler.emulator.scenarios import large, month_end, starter
from reconciler.emulator.store import Store


@dataclass(frozen=True, slots=True)
class Scenario:
    """A named starting point.

    Attributes:
        summary: One line for people.
        start: Emulated instant at which it begins.
        fill: Puts its objects into an empty store, with ids from the store's random source.
    """

    summary: str
    start: datetime
    fill: Callable[[Store], None]


class UnknownScenarioError(ValueError):
    """No scenario has that name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"unknown scenario `{name}`; known: {', '.join(SCENARIOS)}")


SCENARIOS: Mapping[str, Scenario] = {
    "starter": Scenario("the organisation of the example repository", starter.START, starter.fill),
    "large": Scenario("20 configurations, 10,000 mappings", large.START, large.fill),
    "month-end": Scenario("a month of bills to push", month_end.START, month_end.fill),
}
