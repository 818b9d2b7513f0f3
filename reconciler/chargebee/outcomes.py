"""Answers to writes -> what a step ended in (pure); in doubt ``UnknownOutcome``, never a guess."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from http import HTTPStatus
from typing import Literal

from reconciler.chargebee import form
from reconciler.chargebee.errors import quoted
from reconciler.chargebee.form import Row
from reconciler.chargebee.steps.crediting import CREDIT_PATH, PROMOTE_PATH
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
    UnknownOutcome,
    WindowClosed,
)
from reconciler.transport.retry import Answer, retry_after


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error body of Chargebee; ``code`` is empty when it is none of Chargebee's."""

    code: str = ""
    message: str = ""
    parameter: str = ""


@dataclass(frozen=True, slots=True)
class OurLines:
    """What an answer shows of the lines that were sent.

    Attributes:
        ids: One per row, in the order of the request; empty unless every row was found, for
            positions must not shift.
        spare: Lines that are just like one of ours beyond those: which is ours is anybody's guess.
        others: Further lines of the answer that were not there before.
    """

    ids: tuple[InvoiceLineId, ...]
    spare: tuple[InvoiceLineId, ...] = ()
    others: tuple[InvoiceLineId, ...] = ()


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
        return UnknownOutcome(_said(answer, refusal))
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
    fields = (body.get(literal) for literal in ("api_error_code", "message", "param"))
    return Refusal(*(quoted(field) if isinstance(field, str) else "" for field in fields))


def lost_stamp(answer: Answer, request: StoredRequest, fields: Collection[str]) -> str:
    """Name the custom field that was sent and did not come back; empty when all is well."""
    sent = form.form_pairs(request.body)
    body = body_of(answer) or {}
    invoice = body.get("invoice")
    if request.path != CREATE_PATH or not isinstance(invoice, Mapping):
        return ""
    return next(
        (
            field
            for field in fields
            if (was := form.value_of(sent, field)) and invoice.get(field) != was
        ),
        "",
    )


def _performed(
    answer: Answer,
    body: JsonObject | None,
    request: StoredRequest,
    before: Collection[InvoiceLineId] | None,
) -> StepOutcome:
    name = _MADE.get(request.path, "invoice")
    content = body.get(name) if body is not None else None
    key = content.get("id") if isinstance(content, Mapping) else None
    if not isinstance(content, Mapping) or not isinstance(key, str) or not key:
        return UnknownOutcome(f"HTTP {answer.status} without the {name} that was asked for")
    if request.path.endswith(CLOSE_SUFFIX) and content.get("status") == "pending":
        return UnknownOutcome(f"HTTP {answer.status}, and invoice {key} is still pending")
    replayed = answer.headers.get(REPLAYED_HEADER, "").lower() == "true"
    if request.path == CREATE_PATH:
        return _lines_of(key, content, request, None, replayed=replayed)
    if request.path.endswith(ADD_SUFFIX):
        return _lines_of(key, content, request, before or (), replayed=replayed)
    return Performed(key, (), replayed)


def _lines_of(
    key: str,
    old_bill: JsonObject,
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
    ours = our_lines(form.read_rows(form.form_pairs(request.body), name), old_bill, before)
    if ours.spare:
        shown = ", ".join(ours.spare if before is None else sorted({*ours.ids, *ours.spare}))
        return Undecidable(
            f"Chargebee took it, and a line like it stands twice on invoice {key}, new since then:"
            f" {shown}. Take off the one that is not the bill's, then `reconciler sync decide`"
            f" with --sent {key}. See {page(Page.LINES_ALIKE)}"
        )
    if before is None or ours.ids:
        return Performed(key, ours.ids, replayed)
    if ours.others:
        return Undecidable(f"Chargebee took it on invoice {key}, where no new line is like ours")
    return UnknownOutcome(f"the answer does not show the line that was added to invoice {key}")


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
        return UnknownOutcome(_said(answer, refusal))
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


# Request field -> field of the line that Chargebee makes of it.
_SAME = {"item_price_id": "entity_id", "date_from": "date_from", "date_to": "date_to"}
_FIGURES = {
    "quantity": "quantity",
    "quantity_in_decimal": "quantity_in_decimal",
    "unit_price": "unit_amount",
    "unit_price_in_decimal": "unit_amount_in_decimal",
}


def our_lines(
    sent: Sequence[Row], invoice: JsonObject, before: Collection[str] | None = None
) -> OurLines:
    """Find the lines of a request on the invoice that the answer shows.

    Chargebee sweeps waiting charges into a new invoice, and a person may add to a pending one, so
    not every line is ours. Figures may be shown otherwise than they were sent; then a line with
    the price and the days of exactly one row is that row's.

    Args:
        sent: The rows of the request.
        invoice: As the answer shows it.
        before: Line ids on it before the request.
    """
    left = [our_line for our_line in _lines(invoice) if our_line["id"] not in (before or ())]
    found: dict[int, InvoiceLineId] = {}
    spare: set[InvoiceLineId] = set()
    for fields in ({**_SAME, **_FIGURES}, _SAME):
        missing = [position for position in range(len(sent)) if position not in found]
        for position in missing:
            line = next(
                (candidate for candidate in left if _equal(sent[position], candidate, fields)), None
            )
            if line is not None:
                found[position] = _id(line)
                left.remove(line)
        new = [sent[position] for position in missing if position in found]
        spare |= {
            _id(candidate)
            for candidate in left
            if any(_equal(row, candidate, fields) for row in new)
        }
    ids = tuple(found[position] for position in range(len(sent))) if len(found) == len(sent) else ()
    others = tuple(_id(candidate) for candidate in left if _id(candidate) not in spare)
    return OurLines(ids, tuple(sorted(spare)), others)


def _id(line: JsonObject) -> InvoiceLineId:
    return InvoiceLineId(str(line["id"]))


def _lines(invoice: JsonObject) -> Iterator[JsonObject]:
    lines = invoice.get("line_items")
    if isinstance(lines, Sequence) and not isinstance(lines, str):
        yield from (line for line in lines if isinstance(line, Mapping) and line.get("id"))


def _equal(row: Row, line: JsonObject, fields: Mapping[str, str]) -> bool:
    """Whether all that was sent, and that the line shows, is equal."""
    return all(
        _same(row[ours], line[theirs])
        for ours, theirs in fields.items()
        if ours in row and line.get(theirs) is not None
    ) and (row.get("item_price_id") == line.get("entity_id"))


def _same(sent: str, shown: object) -> bool:
    if sent == str(shown):
        return True
    try:
        return Decimal(sent) == Decimal(str(shown))
    except InvalidOperation:
        return False
