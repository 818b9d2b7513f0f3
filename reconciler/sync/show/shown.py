"""What a plan and a run show of themselves."""

from __future__ import annotations

from datetime import timedelta
from typing import Protocol

from reconciler.sync.core.tally import SyncTally


class ShownScope(Protocol):
    """What is shown of what is in force."""

    @property
    def name(self) -> str:
        """The environment."""
        ...

    @property
    def site(self) -> str:
        """The site."""
        ...

    @property
    def record(self) -> int:
        """The applied record; 0 for the files."""
        ...

    @property
    def commit(self) -> str:
        """Its commit."""
        ...

    @property
    def routes(self) -> tuple[ShownRoute, ...]:
        """The push integrations."""
        ...


class ShownRoute(Protocol):
    """One push integration."""

    @property
    def name(self) -> str:
        """Its name."""
        ...


class ShownPlan(Protocol):
    """What a plan shows."""

    @property
    def scope(self) -> ShownScope:
        """What is in force."""
        ...

    @property
    def tally(self) -> SyncTally:
        """The sums."""
        ...

    @property
    def paused(self) -> str:
        """Who paused the site."""
        ...

    @property
    def disabled(self) -> dict[str, str]:
        """Disabled pushes and why."""
        ...

    @property
    def per_minute(self) -> int:
        """Requests a minute."""
        ...

    @property
    def takes(self) -> timedelta:
        """How long it takes."""
        ...


class ShownRun(Protocol):
    """What the result of a run shows."""

    @property
    def scope(self) -> ShownScope:
        """What was in force."""
        ...

    @property
    def tally(self) -> SyncTally:
        """The sums."""
        ...

    @property
    def run(self) -> str:
        """The run's id."""
        ...

    @property
    def stopped(self) -> bool:
        """Whether a signal ended it."""
        ...

    @property
    def limit(self) -> str:
        """The limit that ended it."""
        ...

    @property
    def notes(self) -> list[str]:
        """What else must be known."""
        ...
