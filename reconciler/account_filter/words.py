"""Which words of a comparison are text without quotes.

The vendor's own examples write ``address.country == UK``. A single word is such a text when it
names no field and the other side reads one; anywhere else it can only be a field that was meant.

Source: m3ter documentation, "Managing Multiple Third Party Destinations for Integrations".
"""

from __future__ import annotations

from typing import TypeGuard

from reconciler.account_filter.fields import API_FIELDS, FIELDS, is_field
from reconciler.account_filter.syntax import Expression, Path, Relation, children


def bare_word(comparison: Relation) -> Path | None:
    """Find the side of a comparison that is text without quotes."""
    left, right = comparison.left, comparison.right
    if _may_be_text(right) and (isinstance(left, Path) or _reads_field(left)):
        return right
    if _may_be_text(left) and _reads_field(right):
        return left
    return None


def _may_be_text(side: Expression) -> TypeGuard[Path]:
    match side:
        case Path(parts=(word,)):
            return word not in FIELDS and word not in API_FIELDS
        case _:
            return False


def _reads_field(side: Expression) -> bool:
    waiting = [side]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Path) and is_field(node.parts):
            return True
        waiting.extend(children(node))
    return False
