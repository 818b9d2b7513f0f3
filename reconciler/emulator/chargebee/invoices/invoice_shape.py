"""An invoice as data: making one, and keeping its totals right. Nothing here stores anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from reconciler.emulator.chargebee.invoices.discounts import discounted
from reconciler.emulator.chargebee.invoices.lines import LineMaker, Place, Priced
from reconciler.emulator.chargebee.objects.owners import InvoiceOwner
from reconciler.emulator.chargebee.parameters.refusals import not_found, too_many, wrong_value
from reconciler.emulator.chargebee.site import EmulatedSite, JsonObject

EMPTY_LISTS = (
    "line_items",
    "line_item_tiers",
    "line_item_discounts",
    "discounts",
    "linked_payments",
    "applied_credits",
    "adjustment_credit_notes",
    "issued_credit_notes",
    "dunning_attempts",
    "linked_orders",
    "notes",
)


@dataclass(frozen=True, slots=True)
class Content:
    """What stands on an invoice.

    Attributes:
        lines: Line items.
        tiers: ``line_item_tiers``.
        parts: ``line_item_discounts``.
        discounts: ``discounts``.
    """

    lines: tuple[JsonObject, ...] = ()
    tiers: tuple[JsonObject, ...] = ()
    parts: tuple[JsonObject, ...] = ()
    discounts: tuple[JsonObject, ...] = ()

    def with_lines(self, priced: Sequence[Priced]) -> Content:
        """More lines, behind those that are there."""
        return replace(
            self,
            lines=(*self.lines, *(part.line for part in priced)),
            tiers=(*self.tiers, *(tier for part in priced for tier in part.tiers)),
        )


def content_of(site: EmulatedSite, owner: InvoiceOwner, values: Mapping[str, Any]) -> Content:
    """Lines and discounts from the parameters of a create call.

    Raises:
        RefusalError: The first thing that is wrong with a line, a coupon or a discount.
    """
    maker = LineMaker(site, owner.currency, owner.customer["id"], owner.subscription_id)
    tiers = values.get("item_tiers", ())
    items = values.get("item_prices", ())
    if site.switches.text("repeated_item_price") == "refuse":
        _refuse_repeats([row.values["item_price_id"] for row in items])
    priced = [maker.item(row.values, Place("item_prices", row.index), tiers) for row in items]
    charges = values.get("charges", ())
    priced += [maker.adhoc(row.values, Place("charges", row.index)) for row in charges]
    _refuse_coupons(values)
    content = Content().with_lines(priced)
    lines, parts, shown = discounted(site, content.lines, values.get("discounts", ()))
    return replace(content, lines=tuple(lines), parts=tuple(parts), discounts=tuple(shown))


def check_size(site: EmulatedSite, lines: Sequence[object]) -> None:
    """Refuse more lines than the site takes on one invoice."""
    limit = site.switches.number("max_lines")
    if limit and len(lines) > limit:
        raise too_many(f"An invoice cannot have more than {limit} line items.")


def new_invoice(
    site: EmulatedSite, owner: InvoiceOwner, content: Content, values: Mapping[str, Any]
) -> JsonObject:
    """A pending invoice with these contents; custom fields are taken from the parameters."""
    check_size(site, content.lines)
    now = site.now()
    note = values.get("invoice_note")
    invoice: JsonObject = {
        "id": site.new_id("draft_inv_"),
        "customer_id": owner.customer["id"],
        "subscription_id": owner.subscription_id,
        "recurring": False,
        "status": "pending",
        "price_type": "tax_exclusive",
        "date": values.get("invoice_date", now),
        "net_term_days": values.get("net_term_days", owner.setting("net_term_days", 0)),
        "po_number": values.get("po_number", (owner.subscription or {}).get("po_number")),
        "exchange_rate": Decimal("1.0"),
        "currency_code": owner.currency,
        "base_currency_code": site.base_currency,
        "tax": 0,
        "amount_paid": 0,
        "write_off_amount": 0,
        "round_off_amount": 0,
        "first_invoice": False,
        "has_advance_charges": False,
        "is_gifted": False,
        "term_finalized": True,
        "deleted": False,
        "channel": "web",
        **{name: [] for name in EMPTY_LISTS},
        "notes": [{"note": note, "object": "note"}] if note else [],
        "shipping_address": values.get("shipping_address"),
        "_created_at": now,
        **custom_fields(values),
    }
    return totalled(with_content(invoice, content))


def with_content(invoice: JsonObject, content: Content) -> JsonObject:
    """The invoice with these contents instead."""
    return invoice | {
        "line_items": list(content.lines),
        "line_item_tiers": list(content.tiers),
        "line_item_discounts": list(content.parts),
        "discounts": list(content.discounts),
    }


def content_in(invoice: JsonObject) -> Content:
    """The contents of an invoice."""
    return Content(
        tuple(invoice["line_items"]),
        tuple(invoice["line_item_tiers"]),
        tuple(invoice["line_item_discounts"]),
        tuple(invoice["discounts"]),
    )


def totalled(invoice: JsonObject) -> JsonObject:
    """The invoice with every sum computed anew.

    Source: Chargebee API reference of 2024: sub_total is the sum of line amounts less the line
    discounts; amount_due is total less payments, applied credits and adjustment credit notes.
    """
    discounts = sum(discount["discount_amount"] for discount in invoice["line_item_discounts"])
    sub_total = sum(line["amount"] for line in invoice["line_items"]) - discounts
    total = sub_total + invoice["tax"]
    credited = sum(credit["applied_amount"] for credit in invoice["applied_credits"])
    adjusted = sum(note["cn_total"] for note in invoice["adjustment_credit_notes"])
    due = total - invoice["amount_paid"] - credited - adjusted
    return invoice | {
        "sub_total": sub_total,
        "total": total,
        "credits_applied": credited,
        "amount_adjusted": adjusted,
        "amount_due": due,
        "amount_to_collect": due,
    }


def custom_fields(values: Mapping[str, Any]) -> JsonObject:
    """The custom fields among parameters."""
    return {name: value for name, value in values.items() if name.startswith("cf_")}


def _refuse_repeats(prices: Sequence[str]) -> None:
    for index, price in enumerate(prices):
        if price in prices[:index]:
            raise wrong_value(f"item_prices[item_price_id][{index}]", "is given twice")


def _refuse_coupons(values: Mapping[str, Any]) -> None:
    """No emulated site has coupons, so that none is found."""
    for index, coupon in enumerate(values.get("coupon_ids", ())):
        raise not_found("coupon", coupon, f"coupon_ids[{index}]")
    if "coupon" in values:
        raise not_found("coupon", values["coupon"], "coupon")
