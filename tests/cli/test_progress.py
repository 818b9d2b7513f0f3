from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import UTC, datetime

from reconciler.cli.progress import BarProgress, SilentProgress


@dataclass
class StoppedClock:
    seconds: float = 0.0

    def now(self) -> datetime:
        return datetime(2026, 12, 1, tzinfo=UTC)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


def test_short_work_leaves_no_trace_on_the_terminal() -> None:
    stream, clock = io.StringIO(), StoppedClock()
    with BarProgress(clock, stream).task("reading", 10) as task:
        clock.sleep(1.9)
        task.advance(10)
    assert stream.getvalue() == ""


def test_work_of_more_than_two_seconds_shows_its_counts_and_its_remark() -> None:
    stream, clock = io.StringIO(), StoppedClock()
    with BarProgress(clock, stream).task("pushing", 412) as task:
        task.advance(3)
        clock.sleep(2.5)
        task.advance(284, note="£56,102.20 sent")
    assert "287/412" in stream.getvalue()
    assert "£56,102.20 sent" in stream.getvalue()


def test_progress_without_a_terminal_is_silent() -> None:
    with SilentProgress().task("reading", None) as task:
        task.advance(5, note="nobody sees this")
