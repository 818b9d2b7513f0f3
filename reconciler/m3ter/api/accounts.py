"""Codes to ids and back: accounts, products, plans, aggregations, pricings and their bands."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal

from reconciler.errors import InvalidError
from reconciler.kernel.value import JsonObject
from reconciler.m3ter.api.session import OrganisationSession, batches
from reconciler.m3ter.api.wire.fields import number, objects, required, text
from reconciler.m3ter.api.wire.objects import decode_account
from reconciler.m3ter.live import Account

ACCOUNTS = "/accounts"
# Source: m3ter OpenAPI 2026-08-03, ListAccounts: pageSize at most 100, filters ids and codes
PAGE_SIZE = 100


@dataclass(frozen=True, slots=True)
class Resource:
    """Where objects of one m3ter entity are listed.

    Attributes:
        codes: Whether the list can be filtered by ``codes``; all can be by ``ids``.
    """

    path: str
    page_size: int
    codes: bool


# Source: m3ter OpenAPI 2026-08-03, ListProducts, ListPlans, ListPlanTemplates, ListAggregations,
# ListCompoundAggregations, ListPricings, ListMeters, ListCounters. The entity names are those of
# `m3terEntity`, which are not published; upper and lower case are not told apart.
RESOURCES: Mapping[str, Resource] = {
    "account": Resource(ACCOUNTS, 100, codes=True),
    "product": Resource("/products", 200, codes=False),
    "plan": Resource("/plans", 100, codes=False),
    "plantemplate": Resource("/plantemplates", 100, codes=False),
    "aggregation": Resource("/aggregations", 100, codes=True),
    "compoundaggregation": Resource("/compoundaggregations", 100, codes=True),
    "pricing": Resource("/pricings", 100, codes=False),
    "meter": Resource("/meters", 100, codes=True),
    "counter": Resource("/counters", 200, codes=True),
}
BAND = "pricingband"


class NoCodesError(InvalidError):
    """Objects of an entity cannot be found by code."""

    def __init__(self, entity: str) -> None:
        super().__init__(
            f"m3ter's {entity} objects cannot be found by code. Nothing was planned for them."
            " Name them by id: `m3ter: {id: …}`."
        )


class M3terCodes:
    """Implements ``m3ter.ports.Codes``.

    A pricing band has no code at m3ter. Here it bears the code of its pricing, ``#`` and its lower
    limit: ``api-calls-2026#1000``.
    """

    def __init__(self, session: OrganisationSession) -> None:
        self._session = session

    def accounts(self, codes: Collection[str]) -> Mapping[str, Account]:
        """Find accounts by code; codes that do not exist are missing from the answer."""
        found = self._filtered(RESOURCES["account"], "codes", codes)
        accounts = (decode_account(account) for account in found)
        wanted = set(codes)
        return {owner.code: owner for owner in accounts if owner.code in wanted}

    def all_accounts(self) -> Iterator[Account]:
        """Stream every account, by pages of 100."""
        items = self._session.items(ACCOUNTS, size=PAGE_SIZE, intent="list the accounts")
        return map(decode_account, items)

    def entities(self, entity: str, codes: Collection[str]) -> Mapping[str, str]:
        """Find ids of products, plans, aggregations, pricings or bands by code.

        Raises:
            NoCodesError: For an entity that is none of these.
        """
        wanted = set(codes)
        if not wanted:
            return {}
        if entity.lower() == BAND:
            return {code: identity for identity, code in self._bands() if code in wanted}
        resource = _resource(entity)
        found = self._filtered(resource, "codes", wanted) if resource.codes else self._all(resource)
        return {
            code: required(found_entity, "id")
            for found_entity in found
            if (code := text(found_entity, "code")) in wanted
        }

    def entity_codes(self, entity: str, ids: Collection[str]) -> Mapping[str, str]:
        """Find codes by id; ids without a code are missing from the answer."""
        wanted = set(ids)
        if not wanted:
            return {}
        if entity.lower() == BAND:
            return {identity: code for identity, code in self._bands() if identity in wanted}
        if entity.lower() not in RESOURCES:
            return {}
        found = self._filtered(_resource(entity), "ids", wanted)
        return {
            required(found_entity, "id"): code
            for found_entity in found
            if (code := text(found_entity, "code"))
        }

    def _filtered(
        self, resource: Resource, name: Literal["codes", "ids"], values: Collection[str]
    ) -> list[JsonObject]:
        ask = partial(self._batch, resource, name)
        many = self._session.map(ask, batches(values, min(PAGE_SIZE, resource.page_size)))
        return [entity for some in many for entity in some]

    def _batch(
        self, resource: Resource, name: str, values: tuple[str, ...]
    ) -> tuple[JsonObject, ...]:
        query = self._session.listed(name, values)
        intent = f"find {len(values)} objects of {resource.path} by {name}"
        size = resource.page_size
        return tuple(self._session.items(resource.path, query, size=size, intent=intent))

    def _all(self, resource: Resource) -> Iterator[JsonObject]:
        intent = f"list all objects of {resource.path}"
        return self._session.items(resource.path, size=resource.page_size, intent=intent)

    def _bands(self) -> Iterator[tuple[str, str]]:
        """Stream the ids and codes of all bands of pricings that have a code."""
        for pricing in self._all(RESOURCES["pricing"]):
            code = text(pricing, "code")
            for band in objects(pricing, "pricingBands") if code else ():
                limit = number(band, "lowerLimit")
                if limit is not None and (identity := text(band, "id")):
                    yield identity, f"{code}#{limit.normalize():f}"


def _resource(entity: str) -> Resource:
    try:
        return RESOURCES[entity.lower()]
    except KeyError:
        raise NoCodesError(entity) from None
