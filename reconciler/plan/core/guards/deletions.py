"""Guards about how much is deleted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Final, Literal

from reconciler.definitions.kinds.project import MaxDeletes
from reconciler.kernel.address import Address
from reconciler.plan.core.guards.hit import hit
from reconciler.plan.model.applied import Binding
from reconciler.plan.model.change import Change, Delete, FieldValue
from reconciler.plan.model.plan import GuardHit

FRACTION_COUNTS_FROM: Final = 10
"""Existing objects from which the allowed share of deletions counts."""


def deletions(changes: Iterable[Change]) -> tuple[Delete, ...]:
    """Give the deletions that leave nothing in their place."""
    return tuple(
        one
        for one in changes
        if isinstance(one, Delete) and not one.address.key.endswith(f"@{one.live.id}")
    )


def max_deletes(
    changes: Iterable[Change],
    bindings: Mapping[Address, Binding],
    limit: MaxDeletes,
    *,
    prune: Literal["never", "confirm", "allow"],
) -> Iterator[GuardHit]:
    """Ask before many deletions; under ``prune: confirm`` before each."""
    planned = deletions(changes)
    if prune == "confirm":
        for one in planned:
            yield hit(
                "max-deletes",
                f"{one.address} would be deleted, and the project asks first (`prune: confirm`)",
                address=one.address,
                field="prune",
                live=FieldValue(one.live.id),
            )
    count, existing = len(planned), len(bindings)
    if why := _too_many(count, existing, limit):
        yield hit(
            "max-deletes",
            why,
            field="count",
            base=FieldValue(existing),
            desired=FieldValue(sorted(str(one.address) for one in planned)),
        )


def empty_scope(
    changes: Iterable[Change], bindings: Mapping[Address, Binding], wanted: Mapping[str, int]
) -> Iterator[GuardHit]:
    """Ask before the last object of a kind or of a mapping set goes."""
    planned = deletions(changes)
    going = Counter(scope for one in planned for scope in _scopes(one.address))
    there = Counter(scope for address in bindings for scope in _scopes(address))
    for scope in sorted(going):
        if wanted.get(scope, -1) == 0:
            yield hit(
                "empty-scope",
                f"git has no {scope} any more: {going[scope]} of {there[scope]} objects that this "
                "repository manages would be deleted",
                field=scope,
                base=FieldValue(there[scope]),
                desired=FieldValue(0),
            )


def _scopes(address: Address) -> tuple[str, ...]:
    return (address.kind, f"{address.kind}/{address.name}")


def _too_many(count: int, existing: int, limit: MaxDeletes) -> str:
    share = Decimal(count) / existing if existing else Decimal(0)
    allowed = f"allowed are {limit.count}"
    if existing >= FRACTION_COUNTS_FROM:
        allowed += f" and {_percent(limit.fraction)} ({int(limit.fraction * existing)})"
    else:
        allowed += f"; shares count from {FRACTION_COUNTS_FROM} objects up"
    by_share = existing >= FRACTION_COUNTS_FROM and share > limit.fraction
    if count <= limit.count and not by_share:
        return ""
    return f"{count} deletions of {existing} managed objects are {_percent(share)}; {allowed}"


def _percent(share: Decimal) -> str:
    return f"{(share * 100).quantize(Decimal('0.1')).normalize():f} %"
