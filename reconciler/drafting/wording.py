"""Names of lines and the text under them, within the destination's limits."""

from __future__ import annotations

from reconciler.drafting.line_split import Part
from reconciler.drafting.route import Readings

_ELLIPSIS = "…"


def name_of(part: Part, readings: Readings) -> str:
    """Name a row: m3ter's description, else the type in words; with band and child account."""
    line = part.line
    text = line.description or line.type.replace("_", " ").capitalize()
    endings = ""
    if part.source.band is not None:
        endings += f", band {part.source.band}"
    if child := line.child_account_code or line.child_account_id:
        endings += f" ({' '.join(child.split())})"
    return fit(text, readings.description_limit, endings)


def details_of(part: Part, figures: str, readings: Readings) -> str:
    """Write the text under a row: the real figures first, then what they are about."""
    line = part.line
    product = line.product_name or line.product_code
    facts = [figures, product and f"product {product}"]
    facts.extend(f"{key} {value}" for key, value in sorted(line.segment.items()))
    return fit("; ".join(one for one in facts if one), readings.details_limit)


def fit(text: str, limit: int, ending: str = "") -> str:
    """Put a text on one line and cut it to so many characters; the ending is kept."""
    text = " ".join(text.split())
    if len(text) + len(ending) <= limit:
        return text + ending
    ending = ending[: max(0, limit - 1)]
    return text[: limit - 1 - len(ending)] + _ELLIPSIS + ending
