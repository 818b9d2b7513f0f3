"""Waiting for a subscription's pending invoice: which one, how long, and whether time is left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from reconciler.definitions.kinds.integration import PendingPolicy
from reconciler.kernel.times import duration
from reconciler.sync.model.invoice import Invoice


@dataclass(frozen=True, slots=True)
class UseInvoice:
    """Add the lines to this one."""

    invoice: Invoice


@dataclass(frozen=True, slots=True)
class KeepWaiting:
    """There is none yet; ``until`` is when the wait is over."""

    until: datetime


@dataclass(frozen=True, slots=True)
class WaitIsOver:
    """None came in time; ``then`` is what the policy says."""

    then: Literal["error", "create"]
    since: datetime


@dataclass(frozen=True, slots=True)
class NotStarted:
    """There is one, but a person must look first."""

    why: str


PendingChoice = UseInvoice | KeepWaiting | WaitIsOver | NotStarted


def choose_pending(
    invoices: Sequence[Invoice],
    period_end: datetime,
    waiting_since: datetime,
    policy: PendingPolicy,
    now: datetime,
) -> PendingChoice:
    """Choose the pending invoice that a bill belongs to.

    Args:
        invoices: Of the subscription, in any state.
        period_end: End of the bill's period.
        waiting_since: When the bill was first ready to be sent.
        policy: ``push.pending``.
        now: The time.
    """
    reach = timedelta(days=policy.match_days)
    open_ones = [other for other in invoices if other.status == "pending" and not other.deleted]
    matching = [invoice for invoice in open_ones if _dated(invoice, period_end, reach)]
    if len(matching) > 1:
        names = " and ".join(sorted(invoice.id for invoice in matching))
        return NotStarted(f"several pending invoices are dated near the bill's end: {names}")
    if matching:
        return UseInvoice(matching[0])
    until = waiting_since + duration(policy.wait_up_to)
    return KeepWaiting(until) if now < until else WaitIsOver(policy.then, waiting_since)


def time_left(
    invoice: Invoice, lines: int, per_line: timedelta, policy: PendingPolicy, now: datetime
) -> str:
    """Say why adding lines must not begin: the invoice may close in the middle.

    Args:
        invoice: The pending invoice; without a date nothing is known of its closing.
        lines: How many are still to be added.
        per_line: Time for each, from the rate limit.
        policy: ``push.pending``; ``closesAfter`` counts from the invoice's date.
        now: The time.

    Returns:
        Empty when the lines need at most half of what is left before closing.
    """
    if invoice.date is None:
        return f"invoice {invoice.id} has no date, so nobody knows when it closes"
    closes = invoice.date + duration(policy.closes_after)
    needed, left = lines * per_line, closes - now
    if needed * 2 <= left:
        return ""
    return (
        f"{lines} lines need {needed}, more than half of the time before invoice {invoice.id}"
        f" closes at {closes:%Y-%m-%d %H:%M} UTC"
    )


def _dated(invoice: Invoice, period_end: datetime, reach: timedelta) -> bool:
    return invoice.date is not None and abs(invoice.date - period_end) <= reach
