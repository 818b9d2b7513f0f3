"""A customer's balances per currency: promotional credits, refundable credits, excess payments."""

from __future__ import annotations

from reconciler.emulator.chargebee.site import JsonObject, Site

KINDS = ("promotional_credits", "excess_payments", "refundable_credits", "unbilled_charges")


def balance(customer: JsonObject, kind: str, currency: str) -> int:
    """What a customer has of one kind in one currency, in minor units."""
    for one in customer.get("balances", ()):
        if one["currency_code"] == currency:
            return int(one[kind])
    return 0


def changed(customer: JsonObject, kind: str, currency: str, amount: int) -> JsonObject:
    """The customer with so much more of it."""
    rows = {one["currency_code"]: one for one in customer.get("balances", ())}
    empty = dict.fromkeys(KINDS, 0) | {"currency_code": currency, "object": "customer_balance"}
    row = rows.get(currency, empty)
    rows[currency] = row | {kind: row[kind] + amount}
    return _summed(customer | {"balances": list(rows.values())})


def change(site: Site, customer_id: str, kind: str, currency: str, amount: int) -> JsonObject:
    """Store a change of a customer's balance and return the customer."""
    customer = site.need("customer", customer_id)
    if not amount:
        return customer
    return site.put("customer", changed(customer, kind, currency, amount))


def _summed(customer: JsonObject) -> JsonObject:
    """The plain fields show the balance in the customer's own currency."""
    own = customer.get("preferred_currency_code")
    return customer | {kind: balance(customer, kind, str(own)) for kind in KINDS}
