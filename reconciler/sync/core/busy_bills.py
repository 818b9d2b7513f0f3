"""How long a bill that another worker holds is left alone: a moment first, then longer."""

from __future__ import annotations

from dataclasses import dataclass, field

LONGEST_SECONDS = 15.0
"""A holder that died keeps a bill for minutes; looking more rarely than this wins nothing."""
REMEMBERED_MAX = 10_000
"""Bills whose count is kept; a worker that runs for months begins to count anew then."""


@dataclass(slots=True)
class BusyBills:
    """Counts how often bills were found busy in a row."""

    _found: dict[str, int] = field(default_factory=dict)

    def again_in(self, bill: str, first: float) -> float:
        """Give the seconds until a busy bill is looked at again: twice as many each time.

        Args:
            bill: Which one.
            first: Seconds after it was found busy for the first time.
        """
        before = self._found.get(bill, 0)
        if len(self._found) >= REMEMBERED_MAX:
            self._found.clear()
        self._found[bill] = before + 1
        # longer waits are given as they are asked for
        return max(first, min(LONGEST_SECONDS, first * 2.0 ** min(before, 16)))

    def free(self, bill: str) -> None:
        """Hear that a bill was not busy any more."""
        self._found.pop(bill, None)
