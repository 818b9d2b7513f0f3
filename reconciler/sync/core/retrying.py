"""When a transient failure is tried again: after 1, 2, 5 and 15 minutes, then hourly, for a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class RetrySchedule:
    """The delays.

    Attributes:
        delays: After the first failures in a row, in order.
        afterwards: After every later one.
        give_up_after: Since the first failure of the row.
    """

    delays: tuple[timedelta, ...] = (
        timedelta(minutes=1),
        timedelta(minutes=2),
        timedelta(minutes=5),
        timedelta(minutes=15),
    )
    afterwards: timedelta = timedelta(hours=1)
    give_up_after: timedelta = timedelta(hours=24)


def retry_at(
    failures: int, failed_since: datetime | None, last_attempt: datetime, schedule: RetrySchedule
) -> datetime | None:
    """Say when to try again.

    Args:
        failures: In a row; 0 means at once.
        failed_since: First failure of the row; ``None`` never gives up.
        last_attempt: The latest attempt.
        schedule: The delays.

    Returns:
        The time, at once being that of the last attempt, or ``None`` to give up.
    """
    if not failures:
        return last_attempt
    few = failures <= len(schedule.delays)
    due = last_attempt + (schedule.delays[failures - 1] if few else schedule.afterwards)
    if failed_since is not None and due - failed_since > schedule.give_up_after:
        return None
    return due
