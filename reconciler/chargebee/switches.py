"""What is open about Chargebee's API, each as a switch with the best guess as default."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from reconciler.errors import InvalidError


class UnknownChargebeeSwitchError(InvalidError):
    """``RECONCILER_CHARGEBEE`` names a switch or a value that does not exist."""

    def __init__(self, name: str, value: str, allowed: Iterable[str]) -> None:
        super().__init__(
            f"RECONCILER_CHARGEBEE has {name}={value}, which is not known. Nothing was sent."
            f" Known are: {', '.join(allowed)}."
        )


@dataclass(frozen=True, slots=True)
class ChargebeeSwitches:
    """How this site is spoken to, and how its answers are read; set by ``RECONCILER_CHARGEBEE``.

    Attributes:
        failed_payment: A charge that failed inside the call may leave an invoice behind, so it is
            looked for; or it is read as a refusal that leaves nothing.
        third_party_limit: Whether a 429 because of a third party proves that nothing was done.
        missing_invoice: What 404 for the invoice in the path says: that it was closed and has
            another id now, or that the request is wrong.
        flat_fee_quantity: Whether a quantity is sent with a flat fee.
        repeated_discount: A discount on a price that stands in several rows: sent, or blocked
            because nobody says whether it is given once.
        paused_billing: Whether a paused or future subscription may be billed.
        cancelled_billing: Whether a cancelled subscription may be billed.
        unset_collection: What closing an open invoice does where neither the subscription nor the
            customer shows an auto-collection setting.
        events: Whether the list of events is asked who changed an invoice; only reports do.
        custom_fields: Whether the stamp's field is looked for in the site's list of fields.
        response_schema: Whether requests say that they want Product Catalog 2.0 answers, for sites
            that have both catalogues.
        void_reason: ``void_reason_code``, where the site demands one; empty sends none.
        credit_reason: ``create_reason_code`` of credit notes; empty sends none.
        promotional_amount: Whether promotional credits are sent in minor units or as a decimal.
        max_lines: Most lines of an invoice; several hundred are said to fail.
    """

    failed_payment: Literal["look-first", "refused"] = "look-first"
    third_party_limit: Literal["not-performed", "unknown"] = "not-performed"
    missing_invoice: Literal["closed", "refused"] = "closed"
    flat_fee_quantity: Literal["omit", "send"] = "omit"
    repeated_discount: Literal["send", "block"] = "send"
    paused_billing: Literal["block", "allow"] = "block"
    cancelled_billing: Literal["block", "allow"] = "block"
    unset_collection: Literal["collects", "off"] = "collects"
    events: Literal["ask", "never"] = "ask"
    custom_fields: Literal["check", "trust"] = "check"
    response_schema: Literal["site", "items"] = "site"
    promotional_amount: Literal["minor", "decimal"] = "minor"
    void_reason: str = ""
    credit_reason: str = ""
    max_lines: int = 250


ALLOWED: Mapping[str, tuple[str, ...]] = {
    "failed_payment": ("look-first", "refused"),
    "third_party_limit": ("not-performed", "unknown"),
    "missing_invoice": ("closed", "refused"),
    "flat_fee_quantity": ("omit", "send"),
    "repeated_discount": ("send", "block"),
    "paused_billing": ("block", "allow"),
    "cancelled_billing": ("block", "allow"),
    "unset_collection": ("collects", "off"),
    "events": ("ask", "never"),
    "custom_fields": ("check", "trust"),
    "response_schema": ("site", "items"),
    "promotional_amount": ("minor", "decimal"),
}
# Source: Chargebee request schemas, npm package chargebee 3.33.0: both codes at most 100 characters
_TEXTS: Mapping[str, int] = {"void_reason": 100, "credit_reason": 100}
_NUMBERS = frozenset({"max_lines"})


def parse_chargebee_switches(settings: Mapping[str, str]) -> ChargebeeSwitches:
    """Read the switches.

    Raises:
        UnknownChargebeeSwitchError: For a name or value that does not exist.
    """
    switches = ChargebeeSwitches()
    for name, value in settings.items():
        if not _known(name, value):
            raise UnknownChargebeeSwitchError(name, value, _described())
        given: str | int = int(value) if name in _NUMBERS else value
        switches = replace(switches, **{name: given})  # type: ignore[arg-type]
    return switches


def _known(name: str, value: str) -> bool:
    if name in _NUMBERS:
        return value.isascii() and value.isdigit() and int(value) > 0
    if name in _TEXTS:
        return len(value) <= _TEXTS[name]
    return value in ALLOWED.get(name, ())


def _described() -> list[str]:
    choices = [f"{name}={'|'.join(values)}" for name, values in ALLOWED.items()]
    return [
        *choices,
        *(f"{text}=TEXT" for text in _TEXTS),
        *(f"{number}=NUMBER" for number in _NUMBERS),
    ]
