"""A customer's balances per currency: promotional credits, refundable credits, excess payments."""

from __future__ import annotations

from reconciler.emulator.chargebee.objects.owners import currency_of
from reconciler.emulator.chargebee.parameters.facts_credits import ADD_PROMOTIONAL_CREDIT
from reconciler.emulator.chargebee.parameters.forms import Tree
from reconciler.emulator.chargebee.parameters.refusals import not_configured, wrong_value
from reconciler.emulator.chargebee.site import EmulatedSite, JsonObject, public

KINDS = ("promotional_credits", "excess_payments", "refundable_credits", "unbilled_charges")


def balance(customer: JsonObject, kind: str, currency: str) -> int:
    """What a customer has of one kind in one currency, in minor units."""
    for balance in customer.get("balances", ()):
        if balance["currency_code"] == currency:
            return int(balance[kind])
    return 0


def balance_changed(customer: JsonObject, kind: str, currency: str, amount: int) -> JsonObject:
    """The customer with so much more of it."""
    rows = {balance["currency_code"]: balance for balance in customer.get("balances", ())}
    empty = dict.fromkeys(KINDS, 0) | {"currency_code": currency, "object": "customer_balance"}
    row = rows.get(currency, empty)
    rows[currency] = row | {kind: row[kind] + amount}
    return _summed(customer | {"balances": list(rows.values())})


def change(
    site: EmulatedSite, customer_id: str, kind: str, currency: str, amount: int
) -> JsonObject:
    """Store a change of a customer's balance and return the customer."""
    customer = site.need("customer", customer_id)
    if not amount:
        return customer
    return site.put("customer", balance_changed(customer, kind, currency, amount))


def _summed(customer: JsonObject) -> JsonObject:
    """The plain fields show the balance in the customer's own currency."""
    own = customer.get("preferred_currency_code")
    return customer | {kind: balance(customer, kind, str(own)) for kind in KINDS}


_KIND = "promotional_credits"


def add(site: EmulatedSite, form: Tree, _: str) -> JsonObject:
    """Give credits."""
    return _change(site, form, "increment")


def deduct(site: EmulatedSite, form: Tree, _: str) -> JsonObject:
    """Take credits away, at most those that are there."""
    return _change(site, form, "decrement")


def _change(site: EmulatedSite, form: Tree, kind: str) -> JsonObject:
    values = site.reading().read(ADD_PROMOTIONAL_CREDIT, form)
    customer = site.need("customer", values["customer_id"], "customer_id")
    currency = currency_of(site, values, None)
    if "amount_in_decimal" in values:
        if not site.switches.on("multidecimal"):
            message = "Multi-decimal is not enabled for this site."
            raise not_configured(message, "amount_in_decimal")
        amount = site.money.to_minor(values["amount_in_decimal"], currency)
    elif "amount" in values:
        amount = values["amount"]
    else:
        raise wrong_value("amount", "cannot be blank")
    if kind == "decrement" and amount > balance(customer, _KIND, currency):
        raise wrong_value("amount", "is more than the customer has")
    signed = amount if kind == "increment" else -amount
    customer = change(site, customer["id"], _KIND, currency, signed)
    credit = site.put(
        "promotional_credit",
        {
            "id": site.new_id("pc_"),
            "customer_id": customer["id"],
            "type": kind,
            "amount": amount,
            "currency_code": currency,
            "description": values["description"],
            "credit_type": values.get("credit_type", "general"),
            "reference": values.get("reference"),
            "closing_balance": balance(customer, _KIND, currency),
            "done_by": "api",
            "created_at": site.now(),
        },
    )
    content = {"customer": customer, "promotional_credit": credit}
    site.raise_event(
        "promotional_credits_added" if kind == "increment" else "promotional_credits_deducted",
        content,
    )
    return {name: public(value) for name, value in content.items()}
