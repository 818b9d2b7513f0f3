"""Judges what stands at Chargebee for a bill, from the emulator's tables alone; nothing of ours.

Every line of every version of a bill has an amount of its own, so that the amounts on an invoice
tell which version they are of.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from reconciler.emulator.store import Store

Json = Mapping[str, Any]
STAMP = "cf_m3ter_bill_id"
OURS = "charge_item_price"
ZERO_DECIMAL = ("JPY",)


@dataclass(frozen=True)
class Version:
    """What a bill came to, in minor units, charges and credits apart."""

    charges: tuple[int, ...]
    credits: tuple[int, ...]

    @property
    def total(self) -> int:
        """What is to stand at Chargebee in the end."""
        return sum(self.charges) - sum(self.credits)


@dataclass(frozen=True)
class Stands:
    """What stands at Chargebee for a bill.

    Attributes:
        sets: Amounts of our lines by invoice; those that were credited in full left out.
        total: Lines less discounts, credit notes and promotional credits.
        found: Every invoice that holds, also when it was credited in full.
    """

    sets: Mapping[str, tuple[int, ...]]
    total: int
    found: tuple[str, ...]

    @property
    def anything(self) -> bool:
        """Whether there is anything."""
        return bool(self.sets) or self.total != 0


def version_of(bill: Json) -> Version:
    """What m3ter bills, by fractions."""
    places = 1 if bill["currency"] in ZERO_DECIMAL else 100
    exact = [Fraction(line["subtotal"]) * places for line in bill["lineItems"]]
    assert all(entry.denominator == 1 for entry in exact)
    amounts = sorted(int(entry) for entry in exact)
    charges = tuple(amount for amount in amounts if amount > 0)
    return Version(charges, tuple(-amount for amount in amounts if amount < 0))


def stands(store: Store, bill: str, customer: str) -> Stands:
    """Read what stands for a bill; its customer has no other bill."""
    sets: dict[str, tuple[int, ...]] = {}
    found: list[str] = []
    total = -sum(
        credit["amount"]
        for credit in store.all("chargebee/promotional_credits")
        if credit["reference"] == bill and credit["type"] == "increment"
    )
    alone = [
        note["total"]
        for note in store.all("chargebee/credit_notes")
        if note["customer_id"] == customer
        and note["status"] != "voided"
        and not note.get("reference_invoice_id")
    ]
    total -= sum(alone)
    for invoice in _invoices(store, bill, customer):
        lines = tuple(sorted(line["amount"] for line in invoice["line_items"] if _is_ours(line)))
        found.append(invoice["id"])
        discounts = _discounts(invoice)
        credited = _credited(store, invoice["id"])
        total += sum(lines) - discounts - credited
        if lines and credited < sum(lines) - discounts:
            sets[invoice["id"]] = lines
    return Stands(sets, total, tuple(found))


def fits(standing: Stands, version: Version) -> bool:
    """Whether exactly one version stands, to the minor unit."""
    if standing.total != version.total or len(standing.sets) > 1:
        return False
    lines = next(iter(standing.sets.values()), ())
    # a bill that is credited down to nothing leaves no lines that count
    return lines == version.charges or (not lines and version.total == 0)


def doubled(standing: Stands, versions: list[Version], *, parted: bool) -> str:
    """Say what is there twice, or of two versions at once; persons may have taken some away.

    Args:
        standing: What is there.
        versions: What was ever due.
        parted: A person is told that lines were replaced only in part: two versions may be there.
    """
    if len(standing.sets) > 1:
        return f"stands on {len(standing.sets)} invoices: {dict(standing.sets)}"
    for key, lines in standing.sets.items():
        there = Counter(lines)
        due = [Counter(version.charges) for version in versions]
        due += [entry + other for entry in due for other in due] if parted else []
        if not any(there <= entry for entry in due):
            return f"invoice {key} holds {lines}, which no version bills"
    return ""


def _invoices(store: Store, bill: str, customer: str) -> Iterator[Json]:
    for invoice in store.all("chargebee/invoices"):
        holds = invoice["status"] != "voided" and not invoice.get("deleted")
        if holds and (invoice.get(STAMP) == bill or invoice["customer_id"] == customer):
            yield invoice


def _is_ours(line: Json) -> bool:
    return bool(line["entity_type"] == OURS)


def _discounts(invoice: Json) -> int:
    return sum(
        discount["discount_amount"]
        for discount in invoice["line_item_discounts"]
        if discount.get("discount_type") != "promotional_credits"
    )


def _credited(store: Store, invoice: str) -> int:
    return sum(
        note["total"]
        for note in store.all("chargebee/credit_notes")
        if note.get("reference_invoice_id") == invoice and note["status"] != "voided"
    )
