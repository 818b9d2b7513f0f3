"""The order of lines: as on the bill, by subtotal, or by aggregation id; stable, bands together."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Literal

from reconciler.drafting.line_split import Part
from reconciler.kernel.rounding import total

SortBy = Literal["none", "subtotal", "aggregationId"]


def sorted_lines(lines: Sequence[Sequence[Part]], by: SortBy) -> tuple[tuple[Part, ...], ...]:
    """Sort lines, each with its parts, ascending; lines without the key come last.

    That the order is ascending is inferred; m3ter names only the three settings.
    """
    groups = [tuple(one) for one in lines if one]
    if by == "subtotal":
        groups.sort(key=_by_amount)
    elif by == "aggregationId":
        groups.sort(key=_by_aggregation)
    return tuple(groups)


def _by_amount(parts: tuple[Part, ...]) -> tuple[bool, Decimal]:
    if (converted := parts[0].line.converted_subtotal) is not None:
        return False, converted
    amounts = [one.source.amount for one in parts if one.source.amount is not None]
    return not amounts, total(amounts)


def _by_aggregation(parts: tuple[Part, ...]) -> tuple[bool, str]:
    identity = parts[0].line.aggregation_id
    return not identity, identity
