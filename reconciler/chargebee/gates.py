"""Who may speak to the site at one time: so many per method, one per subscription or invoice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import BoundedSemaphore, Lock

# Source: Chargebee KB "What are the Chargebee API limits", 2024-03: 50 GET and 50 POST at one time
# on test sites; other tools share them, and a host has at most 16 threads
MOST_TOGETHER = 16


@dataclass(slots=True)
class _Turn:
    """A lock and how many threads hold or await it."""

    lock: Lock = field(default_factory=Lock)
    users: int = 0


class Gates:
    """Concurrency of one process at one site.

    Source: Chargebee API v1 specification, 429 ``lock_timeout``: several requests at one time for
    the same resource refuse each other, so they are never sent together.
    """

    def __init__(self, reads: int = MOST_TOGETHER, writes: int = MOST_TOGETHER) -> None:
        self._reads = BoundedSemaphore(reads)
        self._writes = BoundedSemaphore(writes)
        self._guard = Lock()
        self._turns: dict[str, _Turn] = {}

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Hold one of the places for reads."""
        with self._reads:
            yield

    @contextmanager
    def writing(self, subjects: frozenset[str]) -> Iterator[None]:
        """Hold the subjects alone, then one of the places for writes.

        Args:
            subjects: What the request works on; taken in one order, so that nobody waits in a ring.
        """
        taken: list[str] = []
        try:
            for subject in sorted(subjects):
                self._take(subject)
                taken.append(subject)
            with self._writes:
                yield
        finally:
            for subject in reversed(taken):
                self._give_back(subject)

    def _take(self, subject: str) -> None:
        with self._guard:
            turn = self._turns.setdefault(subject, _Turn())
            turn.users += 1
        turn.lock.acquire()

    def _give_back(self, subject: str) -> None:
        with self._guard:
            turn = self._turns[subject]
            turn.users -= 1
            if not turn.users:
                del self._turns[subject]
        turn.lock.release()
