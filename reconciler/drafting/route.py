"""What decides how a bill is drafted: settings, mappings, and readings of undocumented rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from reconciler.definitions.kinds.integration import ChargebeePage, IntegrationSpec, PushPolicy
from reconciler.definitions.model import Defined
from reconciler.errors import InvalidError
from reconciler.kernel.address import IntegrationId, MappingId
from reconciler.kernel.line_item import LineItemType
from reconciler.kernel.money import CurrencyTable, chargebee_currencies
from reconciler.kernel.problem import Origin
from reconciler.m3ter.live import LiveMapping


class NotAPushRouteError(InvalidError):
    """A definition without ``push`` or without its Chargebee page cannot send bills."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"integration {name} cannot push: it needs `push` and `chargebee` settings."
            " Nothing was sent. Run `reconciler validate`"
        )


@dataclass(frozen=True, slots=True)
class KnownMapping:
    """An external mapping, and where git holds it.

    Attributes:
        entity: m3ter's word, for example ``Account``, ``Product`` or ``PricingBand``.
        table: External table.
        link: Id of the configuration it is linked to, or ``None``.
        origin: The row in the files; ``None`` when git does not hold it.
    """

    entity: str
    m3ter_id: str
    table: str
    external_id: str
    link: IntegrationId | None
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class Candidates:
    """The mappings of one m3ter object that may be used, by level, without repeats."""

    linked: tuple[KnownMapping, ...] = ()
    unlinked: tuple[KnownMapping, ...] = ()


@dataclass(frozen=True, slots=True)
class MappingIndex:
    """The mappings that a route may use, by entity and m3ter id.

    Linked to this integration first, then unlinked; one linked to another is never used. Whether
    m3ter's own connector does the same is not published.
    """

    by_object: Mapping[tuple[str, str], Candidates] = field(default_factory=dict)

    def of(self, entity: str, m3ter_id: str) -> Candidates:
        """Give the mappings of one object."""
        return self.by_object.get((entity.casefold(), m3ter_id), Candidates())


def index(
    mappings: Iterable[KnownMapping], this: IntegrationId | None, *, enforced: bool
) -> MappingIndex:
    """Sort mappings for a route.

    Args:
        mappings: Of the route's external system.
        this: Id of the route's configuration, or ``None`` when it has none yet.
        enforced: ``enforceExternalMappingsForConfig``: only linked ones count.
    """
    linked: dict[tuple[str, str], dict[tuple[str, str], KnownMapping]] = {}
    unlinked: dict[tuple[str, str], dict[tuple[str, str], KnownMapping]] = {}
    for mapping in mappings:
        if mapping.link is None and enforced:
            continue
        if mapping.link is not None and mapping.link != this:
            continue
        level = unlinked if mapping.link is None else linked
        target = level.setdefault((mapping.entity.casefold(), mapping.m3ter_id), {})
        target.setdefault((mapping.table.casefold(), mapping.external_id), mapping)
    return MappingIndex(
        {
            key: Candidates(_sorted(linked.get(key, {})), _sorted(unlinked.get(key, {})))
            for key in linked.keys() | unlinked.keys()
        }
    )


def from_live(
    mappings: Iterable[LiveMapping], system: str, origins: Mapping[MappingId, Origin]
) -> tuple[KnownMapping, ...]:
    """Take the live mappings of one external system."""
    return tuple(
        KnownMapping(
            mapping.entity,
            mapping.m3ter_id,
            mapping.table,
            mapping.external_id,
            mapping.integration_id,
            origins.get(mapping.id),
        )
        for mapping in mappings
        if mapping.system.casefold() == system.casefold()
    )


def _sorted(found: Mapping[tuple[str, str], KnownMapping]) -> tuple[KnownMapping, ...]:
    return tuple(found[key] for key in sorted(found))


@dataclass(frozen=True, slots=True)
class Readings:
    """Our reading of what neither vendor documents; every one can be changed.

    Attributes:
        currencies: Minor units; Chargebee's published zero-decimal list may be out of date.
        account_entity: m3ter's word for accounts in external mappings.
        account_tables: Tables that hold what ``accountIs`` names.
        product_entity: m3ter's word for products in external mappings.
        band_entity: m3ter's word for pricing bands in external mappings.
        band_falls_to_product: Whether a band without a mapping takes its product's.
        mapped_types: Line item types that external mappings apply to.
        dated_types: Credit and debit line types, which must have a service period.
        catalogue_types: Types that take the catalogue's price when m3ter gives no amount.
        band_tolerance: Minor units by which bands may miss their line before the bill is blocked.
        period_end: How the exclusive end of a period is told: as it is, or its last second.
        bill_end_date: Whether a bill's ``endDate`` is the day after the last one.
        midnight_utc: Whether ``…T00:00:00Z`` on a line is that instant or the date of it.
        whole_units: Without multi-decimals, under ``as-m3ter``: ``quantity-one`` unless units and
            price are whole, or both ``rounded``.
        description_limit: Characters of a line's name.
        details_limit: Characters of the text under a line.
        order_number_limit: Characters of a purchase order number.
    """

    currencies: CurrencyTable = field(default_factory=chargebee_currencies)
    account_entity: str = "Account"
    # Source: m3ter guide "Creating and managing external mappings for accounts" shows Subscription
    account_tables: Mapping[str, tuple[str, ...]] = field(
        default_factory=lambda: {"subscription": ("Subscription",), "customer": ("Customer",)}
    )
    product_entity: str = "Product"
    band_entity: str = "PricingBand"
    band_falls_to_product: bool = False
    mapped_types: frozenset[str] = frozenset(
        {LineItemType.USAGE, LineItemType.OVERAGE_USAGE, LineItemType.USAGE_CREDIT}
    )
    # Source: m3ter guide "Configuring Chargebee integrations": credit and debit line items need
    # service period dates
    dated_types: frozenset[str] = frozenset({LineItemType.CREDIT_MEMO, LineItemType.DEBIT_MEMO})
    # Source: m3ter guide "Configuring Chargebee integrations": the charge item's own value is used
    # when a pricing has none
    catalogue_types: frozenset[str] = frozenset(
        {LineItemType.MINIMUM_SPEND, LineItemType.STANDING_CHARGE}
    )
    band_tolerance: int = 1
    period_end: Literal["exclusive", "last-second"] = "exclusive"
    bill_end_date: Literal["exclusive", "inclusive"] = "exclusive"
    midnight_utc: Literal["instant", "date"] = "instant"
    whole_units: Literal["quantity-one", "rounded"] = "quantity-one"
    # Source: Chargebee OpenAPI 2026-09-24, item_prices.description
    description_limit: int = 250
    # Source: Chargebee's Zod schemas 3.33, item_prices.entity_description; its OpenAPI says 2,000
    details_limit: int = 500
    # Source: Chargebee OpenAPI 2026-09-24, po_number
    order_number_limit: int = 100


@dataclass(frozen=True, slots=True)
class DraftingRules:
    """One push integration as it holds in one environment.

    Attributes:
        defined: The definition from the applied record, with origins.
        mappings: Sorted for this route.
        fallback: What to think of lines that fall to the default price.
        site_zone: IANA name of the site's time zone; dates of invoices are meant in it.
        flat_prices: Item prices that are flat fees, as far as the catalogue was read; rows at them
            are sent as quantity 1, because what a quantity does to a flat fee is not documented.
    """

    defined: Defined[IntegrationSpec]
    mappings: MappingIndex
    fallback: Literal["forbid", "warn", "allow"] = "warn"
    site_zone: str = "UTC"
    flat_prices: frozenset[str] = frozenset()
    readings: Readings = field(default_factory=Readings)

    @property
    def policy(self) -> PushPolicy:
        """The push settings."""
        if self.defined.spec.push is None:
            raise NotAPushRouteError(self.defined.name)
        return self.defined.spec.push

    @property
    def page(self) -> ChargebeePage:
        """The Chargebee page."""
        if self.defined.spec.chargebee is None:
            raise NotAPushRouteError(self.defined.name)
        return self.defined.spec.chargebee
