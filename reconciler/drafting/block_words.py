"""Each reason that blocks a bill, in a few words for lists and counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from reconciler.drafting.draft import BlockCode, BlockReason

SHORT: Final[Mapping[BlockCode, str]] = {
    BlockCode.ACCOUNT_MAPPING: "missing account mapping",
    BlockCode.AMBIGUOUS_MAPPING: "two mappings for one thing",
    BlockCode.AMOUNT: "an amount that cannot be sent",
    BlockCode.BANDS: "bands that do not add up",
    BlockCode.CURRENCY: "a currency that is not known",
    BlockCode.DECIMAL_PLACES: "decimal places are not set",
    BlockCode.FALLBACK: "falls to the default price, which is forbidden",
    BlockCode.LINE_TYPE: "a line type that is not known",
    BlockCode.NEGATIVE_LINE: "a line below zero",
    BlockCode.PERIOD: "a credit or debit line without a service period",
    BlockCode.PREFLIGHT: "Chargebee is not ready for it",
    BlockCode.PRICE: "a line without a price",
    BlockCode.TIME_ZONE: "a time zone that is not known",
    BlockCode.TOO_MANY_LINES: "more lines than an invoice is trusted with",
}


def in_short(reasons: Iterable[BlockReason]) -> str:
    """Name the kinds of reasons, each once."""
    return ", ".join(dict.fromkeys(SHORT[reason.code] for reason in reasons))
