"""Approvals that were given without the review they need: who did so lately, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Final

from reconciler.plan.model.applied import AppliedRecord
from reconciler.plan.model.plan import Approval

BREAK_GLASS: Final = "break-glass"
"""Stands in the place of a forge."""
SHOWN: Final = timedelta(days=30)


def lately(records: Iterable[AppliedRecord], now: datetime) -> Iterator[Approval]:
    """Give the approvals of the last 30 days that no review gave, newest first, each once.

    Args:
        records: Newest first.
        now: The time.
    """
    recent = takewhile(lambda record: datetime.fromisoformat(record.at) > now - SHOWN, records)
    approvals = (
        approval
        for record in recent
        for approval in record.approvals
        if approval.forge == BREAK_GLASS
    )
    yield from dict.fromkeys(approvals)
