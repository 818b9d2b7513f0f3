"""What a site must have before anything can be pushed to it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol


class SiteCatalogue(Protocol):
    """One site; nothing here writes."""

    def unfit_prices(self, ids: Collection[str]) -> Mapping[str, str]:
        """Say why some of these item prices can bill no line; those that fit are left out.

        Raises:
            DestinationError: When they cannot be read.
        """
        ...

    def custom_fields(self) -> Mapping[str, frozenset[str]] | None:
        """Give kinds of objects by custom field; ``None`` when the site does not tell.

        Raises:
            DestinationError: When they cannot be read.
        """
        ...
