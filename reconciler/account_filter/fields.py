"""What a filter may ask of an account: its fields, the constants, and the kinds of values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from difflib import get_close_matches
from types import NoneType
from typing import Final, Literal, TypeAlias

from reconciler.kernel.value import JsonValue
from reconciler.m3ter.live import Account

FilterAccount: TypeAlias = Mapping[str, JsonValue]
"""An account under the filter's names; a missing name is null."""

Kind = Literal["null", "boolean", "number", "text", "map", "other"]

ADDRESS: Final = "address"
CUSTOM_FIELDS: Final = "customFields"

# Source: m3ter documentation, "Managing Multiple Third Party Destinations for Integrations".
PLAIN_FIELDS: Final = ("id", "accountName", "accountCode", "currency")
ADDRESS_FIELDS: Final = (
    "addressLine1",
    "addressLine2",
    "addressLine3",
    "addressLine4",
    "locality",
    "region",
    "postCode",
    "country",
)
FIELDS: Final = (*PLAIN_FIELDS, ADDRESS, CUSTOM_FIELDS)

# Fields of the account in m3ter's API that the page on filters does not list. A word like this
# is a field that was meant, never a text without quotes.
# Source: m3ter OpenAPI 2026-08-03, AccountResponse.
API_FIELDS: Final[Mapping[str, str]] = {
    "name": "accountName",
    "code": "accountCode",
    "emailAddress": "",
    "parentAccountId": "",
    "purchaseOrderNumber": "",
    "billEpoch": "",
    "statementDefinitionId": "",
    "daysBeforeBillDue": "",
}
_OTHER_WORDS: Final[Mapping[str, str]] = {
    **API_FIELDS,
    "accountId": "id",
    "customField": CUSTOM_FIELDS,
    "custom_fields": CUSTOM_FIELDS,
}
_OTHER_ADDRESS_WORDS: Final[Mapping[str, str]] = {
    "town": "locality",
    "city": "locality",
    "zip": "postCode",
    "zipCode": "postCode",
    "postalCode": "postCode",
    "state": "region",
    "county": "region",
    "street": "addressLine1",
    "line1": "addressLine1",
    "line2": "addressLine2",
    "line3": "addressLine3",
    "line4": "addressLine4",
    "countryCode": "country",
}

# Source: m3ter documentation, "m3ter Calculation Engine", Variables.
CONSTANTS: Final[Mapping[tuple[str, ...], Decimal | str]] = {
    ("Math", "PI"): Decimal("3.141592653589793"),
    ("DateTime", "TS_FMT"): "yyyy-MM-dd'T'HH:mm:ss.SSSX",
}


def filter_account(account: Account) -> FilterAccount:
    """Give an account of m3ter under the names that filters use."""
    return {
        "id": account.id,
        "accountName": account.name,
        "accountCode": account.code,
        "currency": account.currency or None,
        ADDRESS: account.address,
        CUSTOM_FIELDS: account.custom_fields,
    }


# In this order: a bool is an int too.
_KINDS: Final[tuple[tuple[type, Kind], ...]] = (
    (NoneType, "null"),
    (str, "text"),
    (bool, "boolean"),
    (int, "number"),
    (Mapping, "map"),
)


def kind_of(value: object) -> Kind:
    """Say what kind of value this is; a number is one only when it is finite and exact."""
    if isinstance(value, Decimal):
        return "number" if value.is_finite() else "other"
    return next((kind for type_, kind in _KINDS if isinstance(value, type_)), "other")


def is_field(parts: tuple[str, ...]) -> bool:
    """Tell whether a path names something that every account has."""
    return unknown_part(parts) is None


def unknown_part(parts: tuple[str, ...]) -> int | None:
    """Find the first name of a path that leads nowhere; ``None`` when all lead somewhere."""
    owner = parts[0]
    if owner not in FIELDS:
        return 0
    if len(parts) == 1:
        return None
    if owner in PLAIN_FIELDS or (owner == ADDRESS and parts[1] not in ADDRESS_FIELDS):
        return 1
    return 2 if parts[2:] else None


def suggestion(parts: tuple[str, ...], unknown: int) -> str:
    """Propose the name that was probably meant, or nothing."""
    if unknown == 0:
        fields = (ADDRESS, CUSTOM_FIELDS) if parts[1:] else FIELDS
        return _nearest(parts[0], fields, _OTHER_WORDS)
    if unknown == 1 and parts[0] == ADDRESS:
        return _nearest(parts[1], ADDRESS_FIELDS, _OTHER_ADDRESS_WORDS)
    return ""


def nearest_field(word: str, candidates: Iterable[str]) -> str:
    """Choose the candidate that a typing mistake makes most likely, or nothing."""
    by_case = {candidate.casefold(): candidate for candidate in candidates}
    close = get_close_matches(word.casefold(), by_case, n=1, cutoff=0.75)
    return by_case[close[0]] if close else ""


def _nearest(word: str, candidates: Iterable[str], others: Mapping[str, str]) -> str:
    return others[word] if word in others else nearest_field(word, candidates)
