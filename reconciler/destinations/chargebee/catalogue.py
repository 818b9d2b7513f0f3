"""Subscriptions, customers, item prices, waiting charges and custom fields, from cached reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from threading import Lock
from typing import Generic, TypeVar

from reconciler.destinations.chargebee.errors import ChargebeeRefusedReadError
from reconciler.destinations.chargebee.form import Pairs, segment
from reconciler.destinations.chargebee.invoices import gone, owner_filter
from reconciler.destinations.chargebee.preflight import Facts, OwnerFacts, PriceFacts
from reconciler.destinations.chargebee.reading import an_object, text
from reconciler.destinations.chargebee.session import Session, among
from reconciler.domain.draft import InvoiceDraft, Target
from reconciler.domain.value import JsonObject
from reconciler.ports.runtime import Clock

Value = TypeVar("Value")

# Ids of a batch, together, in one query; gateways cut request lines at 8 KiB.
_BATCH_LENGTH_MAX = 3000
_BATCH_SIZE = 100


class Remembered(Generic[Value]):
    """Values by key that are read again when they are old."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._seconds = seconds
        self._lock = Lock()
        self._known: dict[str, tuple[float, Value]] = {}

    def get(self, key: str, ask: Callable[[], Value]) -> Value:
        """Give a value, from memory or by asking."""
        found = self.find(key)
        if found is not None:
            return found
        value = ask()
        self.put(key, value)
        return value

    def find(self, key: str) -> Value | None:
        """Give a value that is remembered and not old."""
        with self._lock:
            at, value = self._known.get(key, (None, None))
        fresh = at is not None and self._clock.monotonic() - at < self._seconds
        return value if fresh else None

    def put(self, key: str, value: Value) -> None:
        """Remember a value."""
        with self._lock:
            self._known[key] = (self._clock.monotonic(), value)


class Catalogue:
    """What the site has; shared by all bills of a run, safe for many threads."""

    def __init__(self, session: Session, *, seconds: float = 600.0, waiting: float = 60.0) -> None:
        self._session = session
        self._owners = Remembered[OwnerFacts](session.clock, seconds)
        self._prices = Remembered[tuple[PriceFacts | None]](session.clock, seconds)
        self._fields = Remembered[tuple[dict[str, frozenset[str]] | None]](session.clock, seconds)
        self._unbilled = Remembered[int](session.clock, waiting)

    def facts(self, draft: InvoiceDraft, lost_stamp: str = "") -> Facts:
        """Read, or remember, everything that the preflight of a draft needs."""
        owner = self.owner(draft.target)
        return Facts(
            owner=owner,
            prices=self.prices(line.price_id for line in draft.lines),
            unbilled=0 if owner.why or draft.way == "pending" else self._waiting(draft.target),
            fields=self.custom_fields(),
            lost_stamp=lost_stamp,
        )

    def owner(self, target: Target) -> OwnerFacts:
        """Read whoever is billed."""
        ask = self._subscription if target.kind == "subscription" else self._customer
        key = target.external_id
        return self._owners.get(f"{target.kind} {key}", lambda: ask(key))

    def prices(self, ids: Iterable[str]) -> dict[str, PriceFacts]:
        """Read item prices; one that does not exist is left out."""
        wanted = sorted(set(ids))
        missing = [one for one in wanted if self._prices.find(one) is None]
        for batch in _batches(missing):
            query = [("id[in]", among(batch)), ("sort_by[asc]", "id")]
            listed = self._session.pages("/item_prices", "item_price", query)
            found = {text(one, "id"): _price(one) for one in listed}
            for one in batch:
                self._prices.put(one, (found.get(one),))
        known = {one: (self._prices.find(one) or (None,))[0] for one in wanted}
        return {key: value for key, value in known.items() if value is not None}

    def flat_prices(self, ids: Iterable[str]) -> frozenset[str]:
        """Tell which item prices are flat fees."""
        found = self.prices(ids)
        return frozenset(key for key, one in found.items() if one.model == "flat_fee")

    def custom_fields(self) -> dict[str, frozenset[str]] | None:
        """Read the site's custom fields; ``None`` when it does not list them."""
        if self._session.switches.custom_fields == "trust":
            return None
        return self._fields.get("", self._read_fields)[0]

    def _read_fields(self) -> tuple[dict[str, frozenset[str]] | None]:
        found: dict[str, set[str]] = {}
        try:
            for one in self._session.pages("/custom_field_configs", "custom_field_config"):
                name = text(one, "api_name", "") or text(one, "cf_name", "")
                if one.get("status", "active") == "active":
                    found.setdefault(name, set()).update(_kinds(one))
        except ChargebeeRefusedReadError:
            return (None,)
        return ({name: frozenset(kinds) for name, kinds in found.items()},)

    def _subscription(self, key: str) -> OwnerFacts:
        found = self._session.read(f"/subscriptions/{segment(key)}")
        if found is None:
            return OwnerFacts("", "", "", "does not exist in Chargebee")
        one = an_object(found.get("subscription"), f"subscription {key}")
        customer = text(one, "customer_id")
        why = "was deleted in Chargebee" if gone(one) else ""
        payer = found.get("customer")
        if isinstance(payer, dict) and not why:
            why = _wrong_customer(payer, customer)
        return OwnerFacts(customer, text(one, "status"), text(one, "currency_code", ""), why)

    def _customer(self, key: str) -> OwnerFacts:
        found = self._session.read(f"/customers/{segment(key)}")
        if found is None:
            return OwnerFacts("", "", "", "does not exist in Chargebee")
        one = an_object(found.get("customer"), f"customer {key}")
        return OwnerFacts(text(one, "id"), "", "", _wrong_customer(one, key))

    def _waiting(self, target: Target) -> int:
        """Count the charges that a new invoice would sweep in.

        Source: Chargebee API docs, unbilled charges: those of the subscription, or of all
        subscriptions of the customer.
        """
        key = f"{target.kind} {target.external_id}"
        return self._unbilled.get(key, lambda: self._count(owner_filter(target, "")))

    def _count(self, query: Pairs) -> int:
        listed = self._session.pages("/unbilled_charges", "unbilled_charge", query)
        return sum(1 for one in listed if not gone(one))


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
    one = data.get("entity_type")
    words = several if isinstance(several, Sequence) and not isinstance(several, str) else [one]
    return {str(word).lower().replace(" ", "_") for word in words if word}


def _batches(ids: Sequence[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    length = 0
    for one in ids:
        cost = len(segment(one)) + 9
        if batch and (len(batch) == _BATCH_SIZE or length + cost > _BATCH_LENGTH_MAX):
            yield batch
            batch, length = [], 0
        batch.append(one)
        length += cost
    if batch:
        yield batch
