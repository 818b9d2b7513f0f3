"""Progress: a bar with counts and ETA on a terminal, silence elsewhere.

A bar shows itself only once a task has lasted two seconds; short work leaves no trace.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TextIO

from reconciler.kernel.ports import Clock

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress

SILENT_SECONDS = 2.0


class SilentTask:
    """A task nobody watches."""

    def advance(self, count: int = 1, note: str = "") -> None:
        """Do nothing."""


class SilentProgress:
    """For pipes, files and CI."""

    @contextmanager
    def task(self, label: str, total: int | None) -> Iterator[SilentTask]:
        """Open a task that shows nothing."""
        del label, total
        yield SilentTask()


@dataclass(slots=True)
class BarTask:
    """A task that becomes visible when it lasts; safe to advance from many threads."""

    label: str
    total: int | None
    clock: Clock
    stream: TextIO
    started: float
    done: int = 0
    bar: RichProgress | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def advance(self, count: int = 1, note: str = "") -> None:
        """Count on; open the bar after two seconds."""
        with self.lock:
            self.done += count
            if self.bar is None and self.clock.monotonic() - self.started >= SILENT_SECONDS:
                self.bar = _open_bar(self.stream, self.label, self.total)
            if self.bar is not None:
                self.bar.update(self.bar.task_ids[0], completed=self.done, note=note)

    def close(self) -> None:
        """Take the bar away; results are printed elsewhere."""
        if self.bar is not None:
            self.bar.stop()


@dataclass(frozen=True, slots=True)
class BarProgress:
    """For a terminal; writes to the given stream, which is stderr."""

    clock: Clock
    stream: TextIO

    @contextmanager
    def task(self, label: str, total: int | None) -> Iterator[BarTask]:
        """Open a task with a bar of its own."""
        task = BarTask(label, total, self.clock, self.stream, self.clock.monotonic())
        try:
            yield task
        finally:
            task.close()


def _open_bar(stream: TextIO, label: str, total: int | None) -> RichProgress:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
        console=Console(file=stream, force_terminal=True),
        transient=True,
    )
    bar.add_task(label, total=total, note="")
    bar.start()
    return bar
