"""What a quantity costs at an item price: flat, per unit, tiered, volume, stairstep, packages.

Everything is exact and in major units; rounding comes after, once per line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce

from reconciler.emulator.chargebee.money import EXACT

ZERO = Decimal(0)
ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class Tier:
    """One step of a tiered price.

    Attributes:
        start: First unit of the tier, counted from 1 (or any decimal above the tier below).
        end: Last unit, ``None`` for no end.
        price: Major units per unit, per package or flat, as ``kind`` says.
        kind: ``per_unit``, ``flat_fee`` or ``package``.
        package: Units in one package.
    """

    start: Decimal
    end: Decimal | None
    price: Decimal
    kind: str = "per_unit"
    package: int = 1

    def cost(self, units: Decimal) -> Decimal:
        """What that many units of this tier cost."""
        match self.kind:
            case "flat_fee":
                return self.price
            case "package":
                whole, rest = divmod(units, self.package)
                return EXACT.multiply(whole + bool(rest), self.price)
            case _:
                return EXACT.multiply(units, self.price)


def cost(model: str, quantity: Decimal, price: Decimal, tiers: Sequence[Tier]) -> Decimal:
    """The exact amount for a quantity.

    Args:
        model: Chargebee's pricing model.
        quantity: Units after free ones.
        price: Unit price of ``flat_fee`` and ``per_unit``.
        tiers: Steps of the other models, ascending.
    """
    match model:
        case "flat_fee":
            return price
        case "tiered":
            return reduce(EXACT.add, (tier.cost(n) for tier, n in used(quantity, tiers)), ZERO)
        case "volume" | "stairstep":
            tier = reached(quantity, tiers)
            if tier is None:
                return ZERO
            return tier.price if model == "stairstep" else tier.cost(quantity)
        case _:
            return EXACT.multiply(quantity, price)


def used(quantity: Decimal, tiers: Sequence[Tier]) -> list[tuple[Tier, Decimal]]:
    """How many units fall into each tier that is reached."""
    below = ZERO
    found: list[tuple[Tier, Decimal]] = []
    for tier in tiers:
        top = quantity if tier.end is None else min(quantity, tier.end)
        if top > below:
            found.append((tier, EXACT.subtract(top, below)))
            below = top
    return found


def reached(quantity: Decimal, tiers: Sequence[Tier]) -> Tier | None:
    """The tier that the whole quantity falls into; the last one beyond the end."""
    for tier in tiers:
        if tier.end is None or quantity <= tier.end:
            return tier if quantity > 0 else None
    return tiers[-1] if tiers else None
