"""Who made a difference, in words and in the row of a table."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from typing import Final

from reconciler.kernel.text.figures import day
from reconciler.kernel.value import JsonObject
from reconciler.sync.model.invoice_change import ChangedBy

# Source: Chargebee API docs, event.source
_NOBODY: Final[Mapping[str, str]] = {
    "admin_console": "somebody in Chargebee's own pages",
    "api": "a program, through the API",
    "scheduled_job": "Chargebee itself, at a set time",
    "hosted_page": "the customer, on a hosted page",
    "portal": "the customer, in the portal",
    "migration": "a migration",
    "bulk_operation": "a bulk operation",
}


def by_text(one: ChangedBy) -> str:
    """Tell it after a difference: ``added in Chargebee by k.smith, 3 Dec 2026, 10:11 UTC``."""
    when = one.at.astimezone(UTC)
    return f"{one.did} in Chargebee by {who(one)}, {day(when)}, {when:%H:%M} UTC"


def who(one: ChangedBy) -> str:
    """Name the person, else what is known of where it came from."""
    if not one.user:
        return _NOBODY.get(one.source, f"`{one.source}`" if one.source else "somebody unnamed")
    return f"{one.user}, through the API" if one.source == "api" else one.user


def by_cells(one: ChangedBy | None) -> JsonObject:
    """Give the cells of a row: what was done, by whom, and when."""
    if one is None:
        return {}
    return {"did": one.did, "by": one.user or one.source, "at": f"{one.at:%Y-%m-%dT%H:%M:%SZ}"}
