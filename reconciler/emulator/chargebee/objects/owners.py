"""Whom an invoice is for: customer, subscription and currency, checked against each other."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.emulator.chargebee.parameters.refusals import wrong_state, wrong_value
from reconciler.emulator.chargebee.site import EmulatedSite, JsonObject

_CURRENCY = re.compile(r"^[A-Z]{3}$")


@dataclass(frozen=True, slots=True)
class InvoiceOwner:
    """The parties of an invoice.

    Attributes:
        customer: Who pays.
        subscription: What for, if it is known.
        currency: What in.
    """

    customer: JsonObject
    subscription: JsonObject | None
    currency: str

    @property
    def subscription_id(self) -> str | None:
        """The subscription's id, if there is one."""
        return None if self.subscription is None else str(self.subscription["id"])

    def setting(self, name: str, default: Any) -> Any:
        """A setting where the subscription's comes before the customer's."""
        of_subscription = (self.subscription or {}).get(name)
        return self.customer.get(name, default) if of_subscription is None else of_subscription


def owner_of(
    site: EmulatedSite, values: Mapping[str, Any], *, prefix: str = "", currency: str | None = None
) -> InvoiceOwner:
    """Find the owner that the parameters name.

    Args:
        site: Where to look.
        values: ``customer_id``, ``subscription_id``, ``currency_code``.
        prefix: Name of the object on the wire that the two ids stand in.
        currency: Taken instead of ``currency_code`` where an operation has none.

    Raises:
        RefusalError: 404 for an unknown id, 400 for none or for ids and currencies that do not
            belong together, 409 for a subscription that cannot be billed.
    """
    subscription = _subscription(site, values.get("subscription_id"), _name(prefix, "subscription"))
    customer_id = values.get("customer_id") or (subscription or {}).get("customer_id")
    if customer_id is None:
        reason = "cannot be blank when there is no subscription_id"
        raise wrong_value(_name(prefix, "customer"), reason)
    customer = site.need("customer", customer_id, _name(prefix, "customer"))
    if subscription is not None and subscription["customer_id"] != customer_id:
        reason = f"is not a subscription of the customer {customer_id}"
        raise wrong_value(_name(prefix, "subscription"), reason)
    chosen = currency or currency_of(site, values, subscription)
    return InvoiceOwner(customer, subscription, chosen)


def currency_of(
    site: EmulatedSite, values: Mapping[str, Any], subscription: JsonObject | None
) -> str:
    """The currency of a new document.

    Source: Chargebee API docs: currency_code is required if multicurrency is enabled.
    """
    given = values.get("currency_code")
    if given is None and site.switches.on("multicurrency"):
        raise wrong_value("currency_code", "cannot be blank")
    code = str(given or site.base_currency)
    if not _CURRENCY.match(code):
        raise wrong_value("currency_code", "is not a currency code")
    if not site.switches.on("multicurrency") and code != site.base_currency:
        raise wrong_value("currency_code", "is not enabled for this site")
    if subscription is not None and subscription["currency_code"] != code:
        reason = f"is not the currency of the subscription {subscription['id']}"
        raise wrong_value("currency_code", reason)
    return code


def _name(prefix: str, what: str) -> str:
    return f"{prefix}[{what}_id]" if prefix else f"{what}_id"


def _subscription(site: EmulatedSite, key: str | None, param: str) -> JsonObject | None:
    if key is None:
        return None
    subscription = site.need("subscription", key, param)
    refused = site.switches.text("cancelled_subscription") == "refuse"
    if refused and subscription["status"] in {"cancelled", "transferred"}:
        raise wrong_state(f"The subscription {key} is {subscription['status']}.")
    return subscription
