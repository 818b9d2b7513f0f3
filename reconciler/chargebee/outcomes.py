"""Answers to writes -> what a step ended in (pure). In doubt it is ``Unknown``, never a guess.

status | body                                  | outcome
-------+---------------------------------------+---------------------------------------------------
2xx    | the object that was asked for         | Performed
2xx    | and a line like ours more than was sent| Undecidable
2xx    | the invoice without the line added to it | Unknown
2xx    | anything else                         | Unknown
401    | any                                   | CredentialsRefused
403    | any                                   | CredentialsRefused
422    | unable_to_process_request             | KeyConflict
429    | one of its three codes                | NotPerformed (third party: a switch)
409    | about the pending invoice in the path | WindowClosed
404    | about the pending invoice in the path | WindowClosed (a switch); else Refused
404    | site_not_found                        | CredentialsRefused
400    | payment failed                        | KeyConflict: look for what it left (a switch)
4xx    | with an ``api_error_code``            | Refused
any    | not JSON, or without that code        | Unknown
5xx    | any                                   | Unknown

Source: Chargebee API v1 specification of 2026-06-12, error schemas; chargebee-java 4.0.1, codes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Literal

from reconciler.chargebee import form
from reconciler.chargebee.errors import short
from reconciler.chargebee.our_lines import our_lines
from reconciler.chargebee.steps.credit_wire import CREDIT_PATH, PROMOTE_PATH
from reconciler.chargebee.switches import ChargebeeSwitches
from reconciler.chargebee.wire import ADD_SUFFIX, CLOSE_SUFFIX, CREATE_PATH, DELETE_SUFFIX
from reconciler.kernel.exact_json import NotJsonError, decode
from reconciler.kernel.runbook import Page, page
from reconciler.kernel.value import JsonObject
from reconciler.sync.model.push import (
    CredentialsRefused,
    InvoiceLineId,
    KeyConflict,
    NotPerformed,
    Performed,
    Refused,
    StepOutcome,
    StoredRequest,
    Undecidable,
    Unknown,
    WindowClosed,
)
from reconciler.transport.retry import Answer, retry_after

# Source: constant of the Python package chargebee 3.29.0
REPLAYED_HEADER = "chargebee-idempotency-replayed"
RATE_LIMITED = "api_request_limit_exceeded"
_THIRD_PARTY = "third_party_api_request_limit_exceeded"
# Everything else answers with the invoice that it made or changed.
_MADE: Mapping[str, str] = {CREDIT_PATH: "credit_note", PROMOTE_PATH: "promotional_credit"}
_DEFINITE = range(400, 500)
_PASSING = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY})
# Source: Chargebee API v1 specification, 400 codes of type payment; method-not-present comes before
# any charge is tried
_PAYMENT_FAILED = frozenset(
    {
        "payment_processing_failed",
        "payment_method_verification_failed",
        "payment_intent_invalid",
        "payment_intent_invalid_amount",
    }
)
_ABOUT: Mapping[str, Literal["bill", "site"]] = {
    "configuration_incompatible": "site",
    "http_method_not_supported": "site",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error body of Chargebee; ``code`` is empty when it is none of Chargebee's."""

    code: str = ""
    message: str = ""
    parameter: str = ""


def outcome_of(
    answer: Answer,
    request: StoredRequest,
    before: Collection[InvoiceLineId] | None,
    switches: ChargebeeSwitches,
    now: datetime,
) -> StepOutcome:
    """Say what an answer proves about the request.

    Args:
        answer: What came back.
        request: What was sent.
        before: Line ids on the invoice before the request, where it works on one.
        switches: Our reading of what Chargebee does not document.
        now: For ``Retry-After`` dates.
    """
    body = body_of(answer)
    if HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
        return _performed(answer, body, request, before)
    refusal = refusal_of(body)
    if answer.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return CredentialsRefused(_said(answer, refusal))
    definite = answer.status in _DEFINITE and answer.status not in _PASSING
    if not definite or not refusal.code:
        return Unknown(_said(answer, refusal))
    return _refused(answer, refusal, request, switches, now)


def body_of(answer: Answer) -> JsonObject | None:
    """Read a body; ``None`` when it is no JSON object."""
    try:
        found = decode(answer.body)
    except (NotJsonError, UnicodeDecodeError):
        return None
    return found if isinstance(found, Mapping) else None


def refusal_of(body: JsonObject | None) -> Refusal:
    """Read an error body."""
    if body is None:
        return Refusal()
    fields = (body.get(one) for one in ("api_error_code", "message", "param"))
    return Refusal(*(short(one) if isinstance(one, str) else "" for one in fields))


def lost_stamp(answer: Answer, request: StoredRequest, fields: Collection[str]) -> str:
    """Name the custom field that was sent and did not come back; empty when all is well."""
    sent = form.decode(request.body)
    body = body_of(answer) or {}
    made = body.get("invoice")
    if request.path != CREATE_PATH or not isinstance(made, Mapping):
        return ""
    return next(
        (one for one in fields if (was := form.value_of(sent, one)) and made.get(one) != was), ""
    )


def _performed(
    answer: Answer,
    body: JsonObject | None,
    request: StoredRequest,
    before: Collection[InvoiceLineId] | None,
) -> StepOutcome:
    name = _MADE.get(request.path, "invoice")
    made = body.get(name) if body is not None else None
    key = made.get("id") if isinstance(made, Mapping) else None
    if not isinstance(made, Mapping) or not isinstance(key, str) or not key:
        return Unknown(f"HTTP {answer.status} without the {name} that was asked for")
    if request.path.endswith(CLOSE_SUFFIX) and made.get("status") == "pending":
        return Unknown(f"HTTP {answer.status}, and invoice {key} is still pending")
    replayed = answer.headers.get(REPLAYED_HEADER, "").lower() == "true"
    if request.path == CREATE_PATH:
        return _lines_of(key, made, request, None, replayed=replayed)
    if request.path.endswith(ADD_SUFFIX):
        return _lines_of(key, made, request, before or (), replayed=replayed)
    return Performed(key, (), replayed)


def _lines_of(
    key: str,
    made: JsonObject,
    request: StoredRequest,
    before: Collection[InvoiceLineId] | None,
    *,
    replayed: bool,
) -> StepOutcome:
    """Say which lines are ours, where nothing is left to choose; else it is for a person.

    An invoice that we made is known by its stamp, also without its lines. A line on another's is
    known by nothing else.
    """
    name = "item_prices" if before is None else "item_price"
    ours = our_lines(form.read_rows(form.decode(request.body), name), made, before)
    if ours.spare:
        shown = ", ".join(ours.spare if before is None else sorted({*ours.ids, *ours.spare}))
        return Undecidable(
            f"Chargebee took it, and a line like it stands twice on invoice {key}, new since then:"
            f" {shown}. Take off the one that is not the bill's, then `reconciler sync resolve`"
            f" with --sent {key}. See {page(Page.LINES_ALIKE)}"
        )
    if before is None or ours.ids:
        return Performed(key, ours.ids, replayed)
    if ours.others:
        return Undecidable(f"Chargebee took it on invoice {key}, where no new line is like ours")
    return Unknown(f"the answer does not show the line that was added to invoice {key}")


def _refused(
    answer: Answer,
    refusal: Refusal,
    request: StoredRequest,
    switches: ChargebeeSwitches,
    now: datetime,
) -> StepOutcome:
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        return _limited(answer, refusal, switches, now)
    if answer.status == HTTPStatus.UNPROCESSABLE_ENTITY:
        return KeyConflict(_said(answer, refusal))
    if refusal.code == "site_not_found":
        return CredentialsRefused(_said(answer, refusal))
    if _window_closed(answer, refusal, request, switches):
        return WindowClosed(_said(answer, refusal))
    if refusal.code in _PAYMENT_FAILED and switches.failed_payment == "look-first":
        return KeyConflict(f"the charge failed, and an invoice may be left: {refusal.message}")
    about = _ABOUT.get(refusal.code, "bill")
    return Refused(refusal.code, refusal.message, refusal.parameter, about)


def _limited(
    answer: Answer, refusal: Refusal, switches: ChargebeeSwitches, now: datetime
) -> StepOutcome:
    if refusal.code == _THIRD_PARTY and switches.third_party_limit == "unknown":
        return Unknown(_said(answer, refusal))
    return NotPerformed(refusal.code, refusal.message, retry_after(answer.headers, now))


def _window_closed(
    answer: Answer, refusal: Refusal, request: StoredRequest, switches: ChargebeeSwitches
) -> bool:
    """Whether a refusal is about the state or absence of the pending invoice in the path.

    Chargebee says 404 for every referenced resource and names it in ``param``, which is empty for
    the one in the path.
    """
    if not request.path.endswith((ADD_SUFFIX, DELETE_SUFFIX)):
        return False
    if answer.status == HTTPStatus.NOT_FOUND:
        return not refusal.parameter and switches.missing_invoice == "closed"
    return answer.status == HTTPStatus.CONFLICT


def _said(answer: Answer, refusal: Refusal) -> str:
    if not refusal.code and not refusal.message:
        return f"HTTP {answer.status} with a body that is not Chargebee's"
    return f"HTTP {answer.status} {refusal.code}: {refusal.message}"
