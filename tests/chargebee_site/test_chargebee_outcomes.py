"""What an answer proves about a write: the table of outcomes, row by row."""

from __future__ import annotations

from typing import Any

import pytest
from fakes.chargebee_world import START, draft_of
from hypothesis import given
from hypothesis import strategies as st

from reconciler.chargebee import wire
from reconciler.chargebee.outcomes import lost_stamp, outcome_of
from reconciler.chargebee.switches import ChargebeeSwitches
from reconciler.kernel.exact_json import encode
from reconciler.sync.model.push import (
    CredentialsRefused,
    InvoiceId,
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
from reconciler.transport.retry import Answer

PLAIN = ChargebeeSwitches()
DRAFT = draft_of()
CREATE = wire.create_invoice(DRAFT, (), PLAIN)
ADD = wire.add_line_request(DRAFT, 0, InvoiceId("d1"), (), PLAIN)
DELETE = wire.delete_lines(InvoiceId("d1"), [InvoiceLineId("li_1")], PLAIN)
VOID = wire.void_invoice(InvoiceId("17"), DRAFT.bill_id, PLAIN)


def error(status: int, code: str, **more: str) -> Answer:
    body = {"message": "no", "type": "invalid_request", "api_error_code": code, **more}
    return Answer(status, {}, encode(body).encode())


def judged(answer: Answer, request: StoredRequest = CREATE, **switches: Any) -> StepOutcome:
    return outcome_of(answer, request, frozenset(), ChargebeeSwitches(**switches), START)


REFUSALS: list[tuple[int, str, StoredRequest, type[StepOutcome]]] = [
    (400, "param_wrong_value", CREATE, Refused),
    (400, "payment_method_not_present", CREATE, Refused),
    (400, "payment_processing_failed", CREATE, KeyConflict),
    (400, "configuration_incompatible", CREATE, Refused),
    (401, "api_authentication_failed", CREATE, CredentialsRefused),
    (403, "api_authorization_failed", ADD, CredentialsRefused),
    (404, "site_not_found", CREATE, CredentialsRefused),
    (404, "resource_not_found", CREATE, Refused),
    (404, "resource_not_found", ADD, WindowClosed),
    (404, "resource_not_found", DELETE, WindowClosed),
    (404, "resource_not_found", VOID, Refused),
    (405, "http_method_not_supported", CREATE, Refused),
    (408, "internal_error", CREATE, UnknownOutcome),
    (409, "invalid_state_for_request", CREATE, Refused),
    (409, "invalid_state_for_request", ADD, WindowClosed),
    (409, "invalid_state_for_request", VOID, Refused),
    (422, "unable_to_process_request", CREATE, KeyConflict),
    (429, "api_request_limit_exceeded", CREATE, NotPerformed),
    (429, "third_party_api_request_limit_exceeded", CREATE, NotPerformed),
    (429, "lock_timeout", CREATE, NotPerformed),
    (500, "internal_error", CREATE, UnknownOutcome),
    (503, "site_read_only_mode", CREATE, UnknownOutcome),
    (302, "moved", CREATE, UnknownOutcome),
]


@pytest.mark.parametrize(("status", "code", "request_", "outcome"), REFUSALS)
def test_every_refusal_has_its_outcome(
    status: int, code: str, request_: StoredRequest, outcome: type[StepOutcome]
) -> None:
    assert isinstance(judged(error(status, code), request_), outcome)


def test_a_refusal_about_the_set_up_of_the_site_blames_no_bill() -> None:
    assert judged(error(400, "configuration_incompatible")) == Refused(
        "configuration_incompatible", "no", "", "site"
    )
    named = judged(error(400, "param_wrong_value", param="item_prices[quantity][1]"))
    assert named == Refused("param_wrong_value", "no", "item_prices[quantity][1]", "bill")


def test_a_404_that_names_a_parameter_of_ours_is_about_the_bill_not_the_invoice() -> None:
    missing = error(404, "resource_not_found", param="item_price[item_price_id]")
    assert isinstance(judged(missing, ADD), Refused)


def test_switches_change_the_readings_that_are_not_documented() -> None:
    third = error(429, "third_party_api_request_limit_exceeded")
    assert isinstance(judged(third, third_party_limit="unknown"), UnknownOutcome)
    failed = error(400, "payment_processing_failed")
    assert isinstance(judged(failed, failed_payment="refused"), Refused)
    gone = error(404, "resource_not_found")
    assert isinstance(judged(gone, ADD, missing_invoice="refused"), Refused)


def test_a_429_says_how_long_to_wait_when_it_says_so() -> None:
    limited = error(429, "api_request_limit_exceeded")
    waiting = Answer(429, {"retry-after": "7"}, limited.body)
    assert judged(waiting) == NotPerformed("api_request_limit_exceeded", "no", 7.0)
    assert judged(limited) == NotPerformed("api_request_limit_exceeded", "no", None)


@pytest.mark.parametrize("status", [200, 400, 404, 409, 422, 429, 500, 502])
@pytest.mark.parametrize("body", [b"<html>502 Bad Gateway</html>", b"", b"[]", b"\xff{}", b"{}"])
def test_a_body_that_is_not_chargebees_proves_nothing(status: int, body: bytes) -> None:
    assert isinstance(judged(Answer(status, {}, body)), UnknownOutcome)


@given(st.integers(200, 599), st.binary(max_size=60))
def test_no_answer_raises(status: int, body: bytes) -> None:
    assert judged(Answer(status, {}, body)) is not None


def lines(*rows: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"id": f"li_{number}", **row} for number, row in enumerate(rows, start=1)]


def as_line(position: int, **more: Any) -> dict[str, Any]:
    wanted = DRAFT.lines[position]
    return {
        "entity_id": wanted.price_id,
        "date_from": int(wanted.period.start.timestamp()),
        "date_to": int(wanted.period.end.timestamp()),
        "quantity": 3 if position == 0 else 1,
        "unit_amount": 13335 if position == 0 else 700,
        **more,
    }


def made(rows: list[dict[str, Any]], **headers: str) -> Answer:
    invoice: dict[str, Any] = {"id": "17", "line_items": rows, "cf_m3ter_bill_id": "bill-1"}
    return Answer(200, headers, encode({"invoice": invoice}).encode())


def test_our_lines_are_told_from_swept_ones_and_given_in_draft_order() -> None:
    swept = {"entity_id": "support-GBP", "date_from": 1, "date_to": 2}
    answer = made(lines(swept, as_line(1), as_line(0)))
    assert judged(answer) == Performed("17", (InvoiceLineId("li_3"), InvoiceLineId("li_2")))


def test_line_ids_are_left_out_rather_than_shifted_when_one_is_missing() -> None:
    assert judged(made(lines(as_line(1)))) == Performed("17", ())


def test_a_replayed_answer_says_so() -> None:
    answer = made(lines(as_line(0), as_line(1)), **{"chargebee-idempotency-replayed": "true"})
    outcome = judged(answer)
    assert isinstance(outcome, Performed)
    assert outcome.replayed


def test_an_added_line_is_the_only_new_one_like_ours() -> None:
    old, new = as_line(0), as_line(0)
    answer = made(lines(old, new))
    before = frozenset({InvoiceLineId("li_1")})
    assert outcome_of(answer, ADD, before, PLAIN, START) == Performed(
        "17", (InvoiceLineId("li_2"),)
    )


def test_two_new_lines_like_ours_are_for_a_person() -> None:
    twice = outcome_of(made(lines(as_line(0), as_line(0))), ADD, frozenset(), PLAIN, START)
    assert isinstance(twice, Undecidable)
    assert "li_1, li_2" in twice.reason
    parts = lines(as_line(0, unit_amount=1), as_line(0, unit_amount=2))
    assert isinstance(outcome_of(made(parts), ADD, frozenset(), PLAIN, START), Undecidable)


def test_an_added_line_that_the_answer_does_not_show_is_looked_for() -> None:
    assert isinstance(outcome_of(made([]), ADD, frozenset(), PLAIN, START), UnknownOutcome)
    other = lines({"entity_id": "support-GBP", "date_from": 1, "date_to": 2})
    assert isinstance(outcome_of(made(other), ADD, frozenset(), PLAIN, START), Undecidable)


def test_a_created_invoice_with_a_line_like_ours_too_many_is_for_a_person() -> None:
    found = judged(made(lines(as_line(0), as_line(1), as_line(1))))
    assert isinstance(found, Undecidable)
    assert "invoice 17" in found.reason
    assert "li_3" in found.reason


def test_an_added_line_is_found_although_the_site_shows_another_quantity() -> None:
    answer = made(lines(as_line(0, quantity=1, unit_amount=40005)))
    assert outcome_of(answer, ADD, None, PLAIN, START) == Performed("17", (InvoiceLineId("li_1"),))


def test_deleting_and_voiding_name_the_invoice_and_no_lines() -> None:
    assert judged(made([]), DELETE) == Performed("17")
    assert judged(made([]), VOID) == Performed("17")


def test_a_stamp_that_does_not_come_back_is_named() -> None:
    fields = ("cf_other", "cf_m3ter_bill_id")
    unstamped = Answer(200, {}, encode({"invoice": {"id": "17"}}).encode())
    assert lost_stamp(unstamped, CREATE, fields) == "cf_m3ter_bill_id"
    assert lost_stamp(made([]), CREATE, fields) == ""
    assert lost_stamp(unstamped, ADD, fields) == ""
    assert lost_stamp(error(500, "internal_error"), CREATE, fields) == ""
