"""How fast requests may follow each other at one Chargebee site; the one rule for all buckets."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.definitions.kinds.environment import ChargebeeConnection
from reconciler.kernel.ports import Clock
from reconciler.transport.rate_limit import TokenBucket

BURST_SECONDS = 1.0
"""Seconds of the rate that may follow each other at once; they make up for late wake-ups."""


@dataclass(frozen=True, slots=True)
class SitePace:
    """A steady rate and a burst that together never pass ``requestsPerMinute``.

    Attributes:
        per_second: So low that 60 seconds of it, the burst and the one request that straddles the
            minute stay within the limit.
    """

    per_second: float
    burst: float


def pace_of(site: ChargebeeConnection) -> SitePace:
    """Give the pace of a site: no 60 seconds see more than ``requestsPerMinute``."""
    burst = max(1.0, site.requests_per_minute / 60 * BURST_SECONDS)
    return SitePace(max(1.0, site.requests_per_minute - burst - 1) / 60, burst)


def own_bucket(site: ChargebeeConnection, clock: Clock) -> TokenBucket:
    """Build the bucket of one process, where no other process shares it."""
    pace = pace_of(site)
    return TokenBucket(pace.per_second, clock, burst=pace.burst)
