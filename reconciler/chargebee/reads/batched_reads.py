"""Values by key that are remembered while they are fresh, and read many at a time."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Generic, TypeVar

from reconciler.kernel.ports import Clock

Value = TypeVar("Value")

KEPT_MAX = 5_000
"""Values that are kept; those that nobody asked for longest go first."""
EXPECTED_MAX = 1_000
"""Keys that are kept as expected; one that falls out is read alone."""


class Remembered(Generic[Value]):
    """Values by key that are read again when they are old; safe for many threads.

    Args:
        clock: Tells how old they are.
        seconds: How old they may be.
        most: How many are kept.
    """

    def __init__(self, clock: Clock, seconds: float, most: int = KEPT_MAX) -> None:
        self._clock = clock
        self._seconds = seconds
        self._most = most
        self._lock = Lock()
        self._known: OrderedDict[str, tuple[float, Value]] = OrderedDict()

    def get(self, key: str, ask: Callable[[], Value]) -> Value:
        """Give a value, from memory or by asking."""
        found = self.find(key)
        if found is not None:
            return found
        value = ask()
        self.put(key, value)
        return value

    def find(self, key: str) -> Value | None:
        """Give a value that is remembered and not old."""
        with self._lock:
            known = self._known.get(key)
            if known is None or self._clock.monotonic() - known[0] >= self._seconds:
                return None
            self._known.move_to_end(key)
        return known[1]

    def put(self, key: str, value: Value) -> None:
        """Remember a value."""
        with self._lock:
            self._known[key] = (self._clock.monotonic(), value)
            self._known.move_to_end(key)
            if len(self._known) > self._most:
                self._known.popitem(last=False)


@dataclass(frozen=True, slots=True)
class _Batch:
    """Keys that are read together.

    Attributes:
        left: Those that nobody has asked for yet, in order.
        reading: Held by whoever reads them; the others wait for what comes.
    """

    left: dict[str, None]
    reading: Lock = field(default_factory=Lock)


class BatchedCache(Generic[Value]):
    """Values that are read for a whole batch as soon as one of it is asked for.

    A batch that takes longer than its values are fresh is read again, but only what is left of it.

    Args:
        remembered: Keeps them.
        alone: Reads a single one.
        many: Reads several; what it leaves out is read singly when it is asked for.
    """

    def __init__(
        self,
        remembered: Remembered[Value],
        alone: Callable[[str], Value],
        many: Callable[[Sequence[str]], Mapping[str, Value]],
    ) -> None:
        self._remembered = remembered
        self._one = alone
        self._many = many
        self._lock = Lock()
        self._expected: OrderedDict[str, _Batch] = OrderedDict()

    def expect(self, keys: Iterable[str]) -> None:
        """Hear which keys will be asked for; nothing is read yet."""
        batch = _Batch(dict.fromkeys(keys))
        with self._lock:
            for key in batch.left:
                self._expected[key] = batch
                self._expected.move_to_end(key)
            while len(self._expected) > EXPECTED_MAX:
                self._expected.popitem(last=False)

    def get(self, key: str) -> Value:
        """Give a value, from memory, with its batch, or alone."""
        found = self._remembered.find(key)
        if found is None:
            found = self._with_batch(key)
        if found is None:
            found = self._one(key)
            self._remembered.put(key, found)
        self._forget(key)
        return found

    def _with_batch(self, key: str) -> Value | None:
        with self._lock:
            batch = self._expected.get(key)
        if batch is None:
            return None
        with batch.reading:
            found = self._remembered.find(key)
            return self._listed(batch).get(key) if found is None else found

    def _listed(self, batch: _Batch) -> Mapping[str, Value]:
        """Read what is left of a batch and is not fresh; one alone is not worth a list."""
        with self._lock:
            left = tuple(batch.left)
        stale = [key for key in left if self._remembered.find(key) is None]
        if len(stale) == 1:
            return {}
        found = self._many(stale)
        for key in stale:
            if key in found:
                self._remembered.put(key, found[key])
            else:
                self._forget(key)
        return found

    def _forget(self, key: str) -> None:
        """Hear that a key needs no list any more."""
        with self._lock:
            batch = self._expected.pop(key, None)
            if batch is not None:
                batch.left.pop(key, None)
