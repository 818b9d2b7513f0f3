"""What a site has of what pushes name: item prices and the custom field of the stamp."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from reconciler.chargebee.reads.catalogue import Catalogue
from reconciler.chargebee.steps.preflight import UNKNOWN_PRICE, unfit


@dataclass(frozen=True, slots=True)
class ChargebeeCatalogue:
    """Implements ``sync.ports.site_catalogue.SiteCatalogue``."""

    catalogue: Catalogue

    def unfit_prices(self, ids: Collection[str]) -> Mapping[str, str]:
        """Say why some of these item prices can bill no line; those that fit are left out.

        Raises:
            DestinationError: When they cannot be read.
        """
        there = self.catalogue.prices(ids)
        why = {one: list(unfit(there[one])) if one in there else [UNKNOWN_PRICE] for one in ids}
        return {one: ", ".join(texts) for one, texts in sorted(why.items()) if texts}

    def custom_fields(self) -> Mapping[str, frozenset[str]] | None:
        """Give kinds of objects by custom field; ``None`` when the site does not tell.

        Raises:
            DestinationError: When they cannot be read.
        """
        return self.catalogue.custom_fields()
