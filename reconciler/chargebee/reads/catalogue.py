"""Subscriptions, customers, item prices, waiting charges and custom fields, from cached reads."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from reconciler.chargebee.errors import ChargebeeRefusedReadError
from reconciler.chargebee.form import Pairs, segment
from reconciler.chargebee.invoice_json import an_object, text
from reconciler.chargebee.reads.batched_reads import BatchedCache, Remembered
from reconciler.chargebee.reads.invoices import gone
from reconciler.chargebee.session import SiteSession, among
from reconciler.chargebee.steps.preflight import (
    UNKNOWN_PRICE,
    DraftReads,
    OwnerFacts,
    PriceFacts,
    unfit,
)
from reconciler.drafting.draft import BilledParty, InvoiceDraft
from reconciler.kernel.value import JsonObject, JsonValue


class Catalogue:
    """What the site has; shared by all bills of a run, safe for many threads."""

    def __init__(
        self, session: SiteSession, *, seconds: float = 600.0, waiting: float = 60.0
    ) -> None:
        self._session = session
        self._prices = Remembered[tuple[PriceFacts | None]](session.clock, seconds)
        self._fields = Remembered[tuple[dict[str, frozenset[str]] | None]](session.clock, seconds)
        clock = session.clock
        self._owners = {
            "subscription": BatchedCache(
                Remembered[OwnerFacts](clock, seconds), self._subscription, self._subscriptions
            ),
            "customer": BatchedCache(
                Remembered[OwnerFacts](clock, seconds), self._customer, self._customers
            ),
        }
        self._unbilled = {
            kind: BatchedCache(
                Remembered[int](clock, waiting),
                partial(self._count, kind),
                partial(self._counts, kind),
            )
            for kind in self._owners
        }

    def expect(self, targets: Iterable[BilledParty]) -> None:
        """Hear who is billed next; their facts are read together once the first is asked for."""
        listed = list(targets)
        for kind in self._owners:
            keys = [party.external_id for party in listed if party.kind == kind]
            self._owners[kind].expect(keys)
            self._unbilled[kind].expect(keys)

    def facts(self, draft: InvoiceDraft, lost_stamp: str = "") -> DraftReads:
        """Read, or remember, everything that the preflight of a draft needs."""
        owner = self.owner(draft.target)
        return DraftReads(
            owner=owner,
            prices=self.prices(line.price_id for line in draft.lines),
            unbilled=0 if owner.why or draft.way == "pending" else self.waiting(draft.target),
            fields=self.custom_fields(),
            lost_stamp=lost_stamp,
        )

    def owner(self, target: BilledParty) -> OwnerFacts:
        """Read whoever is billed."""
        return self._owners[target.kind].get(target.external_id)

    def prices(self, ids: Iterable[str]) -> dict[str, PriceFacts]:
        """Read item prices; one that does not exist is left out."""
        wanted = sorted(set(ids))
        known = {price_id: self._prices.find(price_id) for price_id in wanted}
        for batch in _batches([key for key, value in known.items() if value is None]):
            query = [("id[in]", among(batch)), ("sort_by[asc]", "id")]
            listed = self._session.pages("/item_prices", "item_price", query)
            found = {text(price, "id"): _price(price) for price in listed}
            for price_id in batch:
                known[price_id] = (found.get(price_id),)
                self._prices.put(price_id, (found.get(price_id),))
        facts = ((key, value[0]) for key, value in known.items() if value is not None)
        return {key: value for key, value in facts if value is not None}

    def flat_prices(self, ids: Iterable[str]) -> frozenset[str]:
        """Tell which item prices are flat fees."""
        found = self.prices(ids)
        return frozenset(key for key, facts in found.items() if facts.model == "flat_fee")

    def custom_fields(self) -> dict[str, frozenset[str]] | None:
        """Read the site's custom fields; ``None`` when it does not list them."""
        if self._session.switches.custom_fields == "trust":
            return None
        return self._fields.get("", self._read_fields)[0]

    def _read_fields(self) -> tuple[dict[str, frozenset[str]] | None]:
        found: dict[str, set[str]] = {}
        try:
            for config in self._session.pages("/custom_field_configs", "custom_field_config"):
                name = text(config, "api_name", "") or text(config, "cf_name", "")
                if config.get("status", "active") == "active":
                    found.setdefault(name, set()).update(_kinds(config))
        except ChargebeeRefusedReadError:
            return (None,)
        return ({name: frozenset(kinds) for name, kinds in found.items()},)

    def _subscription(self, key: str) -> OwnerFacts:
        found = self._session.read(f"/subscriptions/{segment(key)}")
        if found is None:
            return OwnerFacts("", "", "", "does not exist in Chargebee")
        return self._of_subscription(key, found)

    def _subscriptions(self, keys: Sequence[str]) -> dict[str, OwnerFacts]:
        """Read subscriptions by lists, which leave out deleted and unknown ones.

        Source: Chargebee request schemas, npm package chargebee 3.33.0, list subscriptions:
        ``id[in]``; each entry has the customer beside it. An entry without one is left out too.
        """
        found: dict[str, OwnerFacts] = {}
        for entry in self._listed("/subscriptions", keys):
            if isinstance(entry.get("customer"), Mapping):
                key = text(an_object(entry.get("subscription"), "a listed subscription"), "id")
                found[key] = self._of_subscription(key, entry)
        return found

    def _of_subscription(self, key: str, found: JsonObject) -> OwnerFacts:
        """Read a subscription that has its customer beside it."""
        subscription = an_object(found.get("subscription"), f"subscription {key}")
        customer = text(subscription, "customer_id")
        why = "was deleted in Chargebee" if gone(subscription) else ""
        payer = found.get("customer")
        if isinstance(payer, dict) and not why:
            why = _wrong_customer(payer, customer)
        return OwnerFacts(
            customer,
            text(subscription, "status"),
            text(subscription, "currency_code", ""),
            why,
            self._collects((("subscription", key, subscription), ("customer", customer, payer))),
        )

    def _customer(self, key: str) -> OwnerFacts:
        found = self._session.read(f"/customers/{segment(key)}")
        if found is None:
            return OwnerFacts("", "", "", "does not exist in Chargebee")
        return self._of_customer(key, an_object(found.get("customer"), f"customer {key}"))

    def _customers(self, keys: Sequence[str]) -> dict[str, OwnerFacts]:
        """Read customers by lists, which leave out deleted and unknown ones.

        Source: Chargebee request schemas, npm package chargebee 3.33.0, list customers: ``id[in]``.
        """
        listed = (
            an_object(entry.get("customer"), "customer")
            for entry in self._listed("/customers", keys)
        )
        return {
            text(customer, "id"): self._of_customer(text(customer, "id"), customer)
            for customer in listed
        }

    def _of_customer(self, key: str, customer: JsonObject) -> OwnerFacts:
        collects = self._collects((("customer", key, customer),))
        return OwnerFacts(text(customer, "id"), "", "", _wrong_customer(customer, key), collects)

    def _listed(self, path: str, keys: Sequence[str]) -> Iterator[JsonObject]:
        for batch in _batches(keys):
            query = [("id[in]", among(batch)), ("sort_by[asc]", "created_at")]
            yield from self._session.entries(path, query)

    def _collects(self, owners: Iterable[tuple[str, str, JsonValue]]) -> str:
        """Name the first owner whose own auto-collection decides, when that is on.

        Source: Chargebee OpenAPI 2026-09-24, close: the subscription's setting, else the
        customer's. What holds where neither shows one is not documented: a switch.
        """
        name = ""
        for kind, key, data in owners:
            name = f"{kind} {key}"
            given = data.get("auto_collection") if isinstance(data, Mapping) else None
            if given is not None:
                return "" if given == "off" else name
        return name if self._session.switches.unset_collection == "collects" else ""

    def waiting(self, target: BilledParty) -> int:
        """Count the charges that a new invoice would sweep in.

        Source: Chargebee API docs, unbilled charges: those of the subscription, or of all
        subscriptions of the customer.
        """
        return self._unbilled[target.kind].get(target.external_id)

    def _count(self, kind: str, key: str) -> int:
        return sum(1 for charge in self._charges([(f"{kind}_id[is]", key)]))

    def _counts(self, kind: str, keys: Sequence[str]) -> dict[str, int]:
        """Count the charges of several owners.

        Source: Chargebee request schemas, npm package chargebee 3.33.0, list unbilled charges:
        ``subscription_id[in]`` and ``customer_id[in]``.
        """
        found = dict.fromkeys(keys, 0)
        for batch in _batches(keys):
            for charge in self._charges([(f"{kind}_id[in]", among(batch))]):
                owner = text(charge, f"{kind}_id")
                found[owner] = found.get(owner, 0) + 1
        return found

    def _charges(self, query: Pairs) -> Iterator[JsonObject]:
        listed = self._session.pages("/unbilled_charges", "unbilled_charge", query)
        return (charge for charge in listed if not gone(charge))


@dataclass(frozen=True, slots=True)
class ChargebeeCatalogue:
    """Implements ``sync.ports.site_catalogue.SiteCatalogue``."""

    catalogue: Catalogue

    def unfit_prices(self, ids: Collection[str]) -> Mapping[str, str]:
        """Say why some of these item prices can bill no line; those that fit are left out.

        Raises:
            DestinationError: When they cannot be read.
        """
        facts = self.catalogue.prices(ids)
        why = {
            price_id: list(unfit(facts[price_id])) if price_id in facts else [UNKNOWN_PRICE]
            for price_id in ids
        }
        return {price_id: ", ".join(texts) for price_id, texts in sorted(why.items()) if texts}

    def custom_fields(self) -> Mapping[str, frozenset[str]] | None:
        """Give kinds of objects by custom field; ``None`` when the site does not tell.

        Raises:
            DestinationError: When they cannot be read.
        """
        return self.catalogue.custom_fields()


# Ids of a batch, together, in one query; gateways cut request lines at 8 KiB.
_BATCH_LENGTH_MAX = 3000
_BATCH_SIZE = 100


def _wrong_customer(customer: JsonObject, expected: str) -> str:
    if gone(customer):
        return f"belongs to customer {expected}, who was deleted in Chargebee"
    if customer.get("id") != expected:
        return f"belongs to customer {expected}, and Chargebee answered {customer.get('id')}"
    return ""


def _price(data: JsonObject) -> PriceFacts:
    return PriceFacts(
        item_type=text(data, "item_type", ""),
        status="deleted" if data.get("deleted") is True else text(data, "status", "active"),
        currency=text(data, "currency_code", ""),
        model=text(data, "pricing_model", ""),
        inclusive=data.get("price_type") == "tax_inclusive",
        priced=data.get("price") is not None or data.get("price_in_decimal") is not None,
    )


def _kinds(data: JsonObject) -> set[str]:
    """Read which kinds of objects a custom field is for, as one word or as a list."""
    several = data.get("entity_types")
    kind = data.get("entity_type")
    words = several if isinstance(several, Sequence) and not isinstance(several, str) else [kind]
    return {str(word).lower().replace(" ", "_") for word in words if word}


def _batches(ids: Sequence[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    length = 0
    for key in ids:
        cost = len(segment(key)) + 9
        if batch and (len(batch) == _BATCH_SIZE or length + cost > _BATCH_LENGTH_MAX):
            yield batch
            batch, length = [], 0
        batch.append(key)
        length += cost
    if batch:
        yield batch
