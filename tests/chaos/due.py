"""What the definitions say must be in Chargebee, from raw data alone, with fractions.

Slow and obvious on purpose, and nothing of the code under test is imported: bills, mappings and the
site are the JSON that the emulator stores, definitions are the YAML that people write.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

Json = Mapping[str, Any]
ZERO_DECIMAL = ("JPY", "KRW", "XAF", "XOF")
MAPPED = ("USAGE", "OVERAGE_USAGE", "USAGE_CREDIT")
DATED = ("CREDIT_MEMO", "DEBIT_MEMO")
LARGEST_QUANTITY = 2_147_483_647
# The only kind of account filter that the scenarios have.
_COUNTRY = re.compile(r'customFields\.country == "(\w+)"')
LineKey = tuple[str, int, int, int]
"""Item price, amount in minor units, first and last second of the service period."""


@dataclass(frozen=True)
class Due:
    """What one bill must have become: lines, discounts by price, credit in minor units.

    ``rounding`` is what Chargebee computes beyond m3ter's amounts.
    """

    lines: Counter[LineKey]
    discounts: Counter[str]
    credit: int
    owner: str
    pending: bool
    currency: str
    rounding: int = 0


@dataclass(frozen=True)
class NotDue:
    """Nothing may be there for the bill, and it must be listed; ``why`` is for people."""

    why: str


@dataclass(frozen=True)
class Organisation:
    """Both vendors as they stand, and the push integrations."""

    m3ter: Mapping[str, Sequence[Json]]
    chargebee: Mapping[str, Sequence[Json]]
    integrations: Sequence[Json]

    def due(self) -> dict[str, Due | NotDue]:
        """Every bill of the organisation, by id."""
        return {bill["id"]: self.due_of(bill) for bill in self.m3ter["bills"]}

    def due_of(self, bill: Json) -> Due | NotDue:
        """One bill."""
        routes = [
            integration for integration in self.integrations if self._selects(integration, bill)
        ]
        if len(routes) != 1:
            return NotDue(f"{len(routes)} integrations take its account")
        spec = routes[0]["spec"]
        if bill["endDate"] < spec["push"]["since"]:
            return NotDue("its period ends before the push begins")
        if spec["entity"]["onlySendBillOnApproval"] and bill["status"] != "APPROVED":
            return NotDue("it is not approved")
        return _Drafting(self, routes[0], bill).due()

    def mappings(self, integration: Json) -> dict[tuple[str, str], str]:
        """What external mappings of an integration say: entity and id -> external id.

        Linked ones win over unlinked ones.
        """
        config = self._config(integration)
        found: dict[tuple[str, str], str] = {}
        for linked in (False, True):
            for mapping in self.m3ter["externalmappings"]:
                link = mapping.get("integrationConfigId")
                if link == config if linked else link is None:
                    found[mapping["m3terEntity"], mapping["m3terId"]] = mapping["externalId"]
        return found

    def _config(self, integration: Json) -> str:
        name = integration["spec"]["displayName"]
        (found,) = (
            entry["id"] for entry in self.m3ter["integrationconfigs"] if entry["name"] == name
        )
        return str(found)

    def _selects(self, integration: Json, bill: Json) -> bool:
        accounts = integration["spec"]["global"]["accountIds"]
        if accounts != "all" and {"code": bill["accountCode"]} not in accounts:
            return False
        only = _COUNTRY.search(integration["spec"]["entity"].get("accountFilter", ""))
        (account,) = (entry for entry in self.m3ter["accounts"] if entry["id"] == bill["accountId"])
        return only is None or account["customFields"]["country"] == only.group(1)


@dataclass(frozen=True)
class _Part:
    kind: str
    price: str
    amount: Fraction
    units: Fraction
    start: int
    end: int


class _Drafting:
    """One bill under one integration."""

    def __init__(self, world: Organisation, integration: Json, bill: Json) -> None:
        self.world, self.spec, self.bill = world, integration["spec"], bill
        self.page = self.spec["chargebee"]
        self.push = self.spec["push"]
        self.mapped = world.mappings(integration)
        self.places = 0 if bill["currency"] in ZERO_DECIMAL else 2
        self.problems: list[str] = []

    def due(self) -> Due | NotDue:
        owner = self.mapped.get(("Account", self.bill["accountId"]))
        parts = [part for line in self.bill["lineItems"] for part in self._parts(line)]
        if sum(self._minor(part.amount) for part in parts) == 0:
            return NotDue("it adds up to nothing")
        if owner is None:
            return NotDue("its account is not mapped")
        self._check_site(owner)
        lines: Counter[LineKey] = Counter()
        negative: Counter[str] = Counter()
        base: Counter[str] = Counter()
        rounding = 0
        for part in parts:
            billed = self._minor(part.amount)
            if billed < 0:
                negative[part.price] -= billed
                continue
            computed = self._computed(part)
            lines[part.price, computed, part.start, part.end] += 1
            base[part.price] += computed
            rounding += computed - billed
        discounts, credit = self._adjust(negative, base)
        if self.problems:
            return NotDue("; ".join(self.problems))
        way = not self.page.get("createInvoice", False)
        return Due(lines, discounts, credit, owner, way, self.bill["currency"], rounding)

    def _adjust(self, negative: Counter[str], base: Counter[str]) -> tuple[Counter[str], int]:
        policy = self.push.get("negativeLines", "refuse")
        if policy == "credit-note":
            if negative.total() > base.total():
                self.problems.append("its credits are above its charges")
            return Counter(), negative.total()
        if policy == "promotional-credit":
            return Counter(), negative.total()
        if negative and policy == "refuse":
            self.problems.append("it has negative lines")
        if policy == "discount" and any(negative[text] > base[text] for text in negative):
            self.problems.append("its discounts are above what they apply to")
        return negative, 0

    def _parts(self, line: Json) -> Iterator[_Part]:
        if line["lineItemType"] in self.spec["entity"].get("excludedLineItemTypes", ()):
            return
        rate = Fraction(line["conversionRate"])
        bands = line.get("usagePerPricingBand") or ()
        if self.page.get("splitUsageLineItems", "itemPerUsageBand") == "itemPerProduct":
            bands = ()
        for band in bands:
            amount = _amount(band, "convertedBandSubtotal", "bandSubtotal", rate)
            units = Fraction(band["bandUnits"])
            if amount or units:
                yield self._part(line, ("PricingBand", band["pricingBandId"]), amount, units)
        if not bands:
            amount = _amount(line, "convertedSubtotal", "subtotal", rate)
            mapped = ("Product", line.get("productId", ""))
            yield self._part(line, mapped, amount, Fraction(line["units"]))

    def _part(
        self, line: Json, mapped: tuple[str, str], amount: Fraction, units: Fraction
    ) -> _Part:
        kind = line["lineItemType"]
        start, end = line.get("servicePeriodStartDate"), line.get("servicePeriodEndDate")
        if start is None or end is None:
            if kind in DATED:
                self.problems.append(f"a {kind} line has no service period")
            start, end = self.bill["startDateTimeUTC"], self.bill["endDateTimeUTC"]
        price = self._price(kind, mapped)
        if not price:
            self.problems.append(f"a {kind} line has no price")
        return _Part(kind, price, amount, units, _instant(start), _instant(end))

    def _price(self, kind: str, mapped: tuple[str, str]) -> str:
        offers = [self.mapped.get(mapped)] if kind in MAPPED else []
        if kind in {"MINIMUM_SPEND", "MINIMUM_SPEND_REFUND"}:
            offers.append(self.page.get("minimumSpendItemPrice"))
        if kind == "STANDING_CHARGE":
            offers.append(self.page.get("standingChargeItemPrice"))
        offers += [self.page.get("priceIdMapping", {}).get(kind), self.page.get("defaultPriceId")]
        return next((str(offer) for offer in offers if offer), "")

    def _check_site(self, owner: str) -> None:
        """What Chargebee would refuse, or bill wrongly."""
        site = self.world.chargebee
        if self.push["accountIs"] == "customer":
            if not any(customer["id"] == owner for customer in site["customers"]):
                self.problems.append(f"there is no customer {owner}")
            return
        found = [
            subscription for subscription in site["subscriptions"] if subscription["id"] == owner
        ]
        if not found:
            self.problems.append(f"there is no subscription {owner}")
            return
        if found[0]["status"] == "cancelled":
            self.problems.append(f"subscription {owner} is cancelled")
        if found[0]["currency_code"] != self.bill["currency"]:
            self.problems.append(f"subscription {owner} is in {found[0]['currency_code']}")
        if any(charge["subscription_id"] == owner for charge in site.get("unbilled_charges", ())):
            self.problems.append(f"subscription {owner} has unbilled charges of others")

    def _minor(self, amount: Fraction) -> int:
        return int(half_up(amount, self.places) * 10**self.places)

    def _computed(self, one: _Part) -> int:
        """What Chargebee makes of the row that is sent."""
        billed = self._minor(one.amount)
        if self.push.get("rounding", "exact") == "exact" or one.units <= 0:
            return billed
        if not self.page.get("useMultidecimal", False):
            return billed
        units = half_up(one.units, self.page["multiDecimalUnitsDecimalPlaces"])
        price = half_up(one.amount / one.units, self.page["multiDecimalPriceDecimalPlaces"])
        if units == 0 or units > LARGEST_QUANTITY:
            return billed
        return self._minor(units * price)


def half_up(number: Fraction, places: int) -> Fraction:
    """Round to so many places; a tie goes away from zero."""
    step = Fraction(1, 10**places)
    count, rest = divmod(abs(number), step)
    if 2 * rest >= step:
        count += 1
    return step * count * (-1 if number < 0 else 1)


def _amount(of: Json, converted: str, plain: str, rate: Fraction) -> Fraction:
    found: int | Decimal | None = of.get(converted)
    return Fraction(of[plain]) * rate if found is None else Fraction(found)


def _instant(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())
