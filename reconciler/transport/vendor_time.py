"""A vendor's own time, as the ``Date`` header of its answers tells it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from reconciler.kernel.ports import Clock


class VendorTime:
    """Remembers the newest answer that bore a time; safe for use by many threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._heard: tuple[datetime, float] | None = None

    def hear(self, headers: Mapping[str, str]) -> None:
        """Hear an answer; one without a time says nothing.

        Args:
            headers: Names in lower case.
        """
        at = http_date(headers.get("date", ""))
        if at is not None:
            self._heard = (at, self._clock.monotonic())

    def now(self, since: float = float("-inf")) -> datetime | None:
        """Give the vendor's time: that of the newest answer, and what went by since.

        It is never ahead of the vendor's, for this machine may have been paused meanwhile.

        Args:
            since: Only answers from this moment of the monotonic clock on.

        Returns:
            ``None`` when no such answer bore a time.
        """
        heard = self._heard
        if heard is None or heard[1] < since:
            return None
        at, moment = heard
        return at + timedelta(seconds=self._clock.monotonic() - moment)


def http_date(text: str) -> datetime | None:
    """Read an HTTP date in UTC; ``None`` for any other text.

    Source: RFC 9110, sections 5.6.7 and 6.6.1: the form, and the Date header of an answer.
    """
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    # Source: RFC 5322, section 3.3: "-0000" is UTC without a zone
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
