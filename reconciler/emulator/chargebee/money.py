"""Money as Chargebee counts it: whole minor units, two places for most currencies, else none."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal, Inexact
from typing import Final

# Source: Chargebee API docs, currencies: amounts of these are whole major units, every other
# currency has two places, also those with three in ISO 4217. As an older page names them.
DOCUMENTED: Final = frozenset({"JPY", "KRW", "XAF", "XOF"})
# Source: ISO 4217, currencies without a minor unit.
WITHOUT_MINOR_UNIT: Final = DOCUMENTED | frozenset(
    {"BIF", "CLP", "DJF", "GNF", "ISK", "KMF", "PYG", "RWF", "UGX", "VND", "VUV", "XPF"}
)
ZERO_DECIMAL: Final = {"documented": DOCUMENTED, "iso": WITHOUT_MINOR_UNIT}
_ROUNDING: Final = {"up": ROUND_HALF_UP, "even": ROUND_HALF_EVEN}
# Wide enough for a 39-digit price times a 33-digit quantity: no product ever loses a digit.
EXACT: Final = Context(prec=120, traps=[Inexact])
_ROUND: Final = Context(prec=120)


@dataclass(frozen=True, slots=True)
class UnitCrossing:
    """Crosses between major and minor units.

    Attributes:
        zero_decimal: Currencies whose minor unit is the major one.
        tie: Where half a minor unit goes: ``up`` (away from zero) or ``even``.
    """

    zero_decimal: frozenset[str] = DOCUMENTED
    tie: str = "up"

    def places(self, currency: str) -> int:
        """Decimal places of a currency's minor unit."""
        return 0 if currency in self.zero_decimal else 2

    def to_minor(self, major: Decimal, currency: str) -> int:
        """Round an amount in major units to whole minor units."""
        return self._whole(major.scaleb(self.places(currency), EXACT))

    def to_major(self, minor: int, currency: str) -> Decimal:
        """Minor units as an exact amount in major units."""
        return Decimal(minor).scaleb(-self.places(currency), EXACT)

    def share(self, amount: int, percent: Decimal) -> int:
        """A percentage of minor units, rounded."""
        return self._whole(EXACT.multiply(Decimal(amount), percent).scaleb(-2, EXACT))

    def _whole(self, number: Decimal) -> int:
        return int(number.quantize(Decimal(1), rounding=_ROUNDING[self.tie], context=_ROUND))


def nearest(number: Decimal) -> int:
    """The whole number nearest to a quantity, half up."""
    return int(number.quantize(Decimal(1), rounding=ROUND_HALF_UP, context=_ROUND))


def cut(number: Decimal, places: int) -> Decimal:
    """A number rounded half up to at most that many places."""
    if decimals(number) <= places:
        return number
    return number.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP, context=_ROUND)


def decimals(number: Decimal) -> int:
    """How many decimal places a number needs, trailing zeros aside."""
    text = fixed_point(number)
    return len(text.partition(".")[2])


def fixed_point(number: Decimal) -> str:
    """Write a decimal without exponent and without trailing zeros."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def split(total: int, weights: list[int]) -> list[int]:
    """Share minor units by weight, so that the shares add up; the largest remainders come first."""
    whole = sum(weights)
    if not whole:
        return [0] * len(weights)
    shares = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % whole), i))
    for i in by_remainder[: total - sum(shares)]:
        shares[i] += 1
    return shares
