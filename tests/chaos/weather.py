"""Fault rules: a fifth of all requests of both vendors meets one, of every kind."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

# What stands in for others of its kind is as fast as can be, so that a run is worth its time.
_KINDS: Mapping[str, Mapping[str, Any]] = {
    "latency": {"seconds": Decimal("0.05")},
    "slow": {"seconds": Decimal("0.1")},
    "rate_limit": {},
    "rate_limit_retry_after": {"seconds": 1},
    "http_500": {},
    "http_502": {},
    "http_503": {},
    "http_504": {"commit": True},
    "html_502": {"commit": True},
    "cut_before_commit": {},
    "cut_after_commit": {},
    "commit_after_cut": {"seconds": 45},
    "lost_response": {"seconds": Decimal("0.2")},
    "version_conflict": {},
    "expired_token": {},
    "empty_page": {},
    "list_lag": {},
    "lock_timeout": {},
    "third_party_rate_limit": {},
}
# After these a person must decide; they have tests of their own.
DECIDED_BY_PEOPLE = ("auto_close", "foreign_line")
# Chargebee forgetting a key before its 30 minutes are over; nothing can be exactly once then. What
# happens after the 30 minutes is tested by letting them pass.
BREACH_OF_PROMISE = ("idempotency_expiry",)


def storm(share: str = "0.2") -> list[dict[str, Any]]:
    """Rules that together hit a share of all requests."""
    each = Decimal(share) / len(_KINDS)
    return [{"fault": kind, "probability": each, **more} for kind, more in _KINDS.items()]
