"""Talking to one site: whose it is, pages, one write at a time, what a failed read says."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest
from fakes.chargebee_world import START, FreeLimit, draft_of
from fakes.clock import FakeClock

from reconciler.chargebee import wire
from reconciler.chargebee.destination import SiteSettings, durations_at, open_site
from reconciler.chargebee.errors import (
    ChargebeeKeyRefusedError,
    ChargebeeRefusedReadError,
    ChargebeeUnreachableError,
    UnreadableChargebeeAnswerError,
    WrongSiteError,
)
from reconciler.chargebee.gates import Gates
from reconciler.chargebee.invoice_json import AnswerReading, read_invoice
from reconciler.chargebee.outcomes import Refusal
from reconciler.chargebee.reads.catalogue import Catalogue
from reconciler.chargebee.reads.estimates import estimate
from reconciler.chargebee.reads.invoices import Invoices
from reconciler.chargebee.session import SiteSession, subjects_of
from reconciler.chargebee.steps import crediting
from reconciler.chargebee.switches import (
    ChargebeeSwitches,
    UnknownChargebeeSwitchError,
    parse_chargebee_switches,
)
from reconciler.drafting.draft import BilledParty
from reconciler.errors import ExitCode
from reconciler.kernel.exact_json import encode
from reconciler.kernel.secret import Secret
from reconciler.sync.model.invoice import Estimated
from reconciler.sync.model.push import InvoiceId, SiteName, StoredRequest
from reconciler.transport.client import Request
from reconciler.transport.retry import Answer, LostAnswerError, TransportError

KEY = "live_top_secret"


@dataclass
class Script:
    """A client that answers from a list and remembers what it was asked."""

    answers: list[Answer | TransportError]
    asked: list[Request] = field(default_factory=list)

    def send(self, request: Request) -> Answer:
        self.asked.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, TransportError):
            raise answer
        return answer


def answer(body: Any, status: int = 200) -> Answer:
    return Answer(status, {}, encode(body).encode())


def refusal(status: int, code: str) -> Answer:
    return answer({"message": f"{KEY} is bad", "api_error_code": code}, status)


def speaking(
    *answers: Answer | TransportError, url: str = "https://acme-test.chargebee.com", **more: Any
) -> tuple[SiteSession, Script]:
    script = Script([*answers])
    session = SiteSession(
        script,
        FreeLimit(),
        FakeClock(START),
        site=SiteName("acme-test"),
        base_url=url,
        api_key=Secret(KEY),
        chance=lambda: 0.0,
        **more,
    )
    return session, script


def test_the_key_is_the_user_of_basic_authentication() -> None:
    session, script = speaking(answer({"list": []}))
    session.check()
    assert script.asked[0].path == "/api/v2/invoices"
    given = script.asked[0].headers["Authorization"].removeprefix("Basic ")
    assert base64.b64decode(given).decode() == f"{KEY}:"
    assert KEY not in repr(session) + repr(script.asked[0])


@pytest.mark.parametrize(
    "url", ["https://acme.chargebee.com", "https://acme-test.eu.chargebee.com"]
)
def test_an_address_of_another_site_is_refused_before_anything_is_asked(url: str) -> None:
    session, script = speaking(answer({"list": []}), url=url)
    with pytest.raises(WrongSiteError, match="leads to acme") as caught:
        session.check()
    assert caught.value.exit_code is ExitCode.REFUSED_IDENTITY
    assert script.asked == []


def test_a_time_zone_that_the_newest_invoice_contradicts_is_refused() -> None:
    shown = {"invoice": {"id": "1", "site_details_at_creation": {"timezone": "Asia/Tokyo"}}}
    session, _ = speaking(answer({"list": [shown]}))
    session.check("Asia/Tokyo")
    session.check()
    with pytest.raises(WrongSiteError, match="time zone is Asia/Tokyo by its newest invoice"):
        open_site(session, SiteSettings(zone="Europe/London"))


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        ([refusal(401, "api_authentication_failed")], ChargebeeKeyRefusedError),
        ([refusal(403, "api_authorization_failed")], ChargebeeKeyRefusedError),
        ([refusal(404, "site_not_found")], WrongSiteError),
        ([refusal(400, "param_wrong_value")], ChargebeeRefusedReadError),
        ([Answer(404, {}, b"<html>")], ChargebeeRefusedReadError),
        ([Answer(200, {}, b"<html>")], UnreadableChargebeeAnswerError),
        ([refusal(503, "site_not_ready")], ChargebeeUnreachableError),
        ([refusal(429, "api_request_limit_exceeded")], ChargebeeUnreachableError),
        ([LostAnswerError("GET", "cut")], ChargebeeUnreachableError),
    ],
)
def test_a_failed_read_says_what_happened_and_that_nothing_was_sent(
    answers: list[Answer | TransportError], error: type[Exception]
) -> None:
    session, _ = speaking(*answers)
    with pytest.raises(error, match="Nothing was sent") as caught:
        session.read("/invoices/1")
    assert KEY not in str(caught.value)


def test_a_resource_that_is_not_there_is_none_and_a_list_that_is_not_there_an_error() -> None:
    session, _ = speaking(refusal(404, "resource_not_found"))
    assert session.read("/invoices/1") is None
    with pytest.raises(ChargebeeRefusedReadError, match="no such list"):
        [*session.pages("/widgets", "widget")]


def test_reads_are_repeated_after_passing_trouble() -> None:
    good = answer({"list": [{"invoice": {"id": "1"}}]})
    session, script = speaking(Answer(502, {}, b"<html>"), LostAnswerError("GET", "cut"), good)
    assert [invoice["id"] for invoice in session.pages("/invoices", "invoice")] == ["1"]
    assert len(script.asked) == 3


def test_pages_that_repeat_their_mark_end_in_an_error() -> None:
    loop = answer({"list": [{"invoice": {"id": "1"}}], "next_offset": "a"})
    session, _ = speaking(loop)
    with pytest.raises(UnreadableChargebeeAnswerError, match="repeat themselves"):
        [*session.pages("/invoices", "invoice")]
    empty, script = speaking(answer({"list": [], "next_offset": "a"}))
    with pytest.raises(UnreadableChargebeeAnswerError, match="repeat themselves"):
        [*empty.pages("/invoices", "invoice")]
    assert len(script.asked) == 7


def test_the_header_for_sites_with_two_catalogues_is_sent_when_asked_for() -> None:
    switches = ChargebeeSwitches(response_schema="items")
    session, script = speaking(answer({"list": []}), switches=switches)
    session.read("/invoices")
    assert script.asked[0].headers["chargebee-response-schema-type"] == "items"


def test_a_write_is_sent_once_byte_for_byte_with_its_key() -> None:
    session, script = speaking(Answer(502, {}, f"<html>{KEY}".encode()))
    request = StoredRequest("/invoices/1/void", b"comment=a%2Cb", (("chargebee-x", "y"),))
    outcome = session.write(request, "k" * 64, "bill-1")
    assert outcome == Answer(502, {}, b"<html>[redacted]")
    (sent,) = script.asked
    assert (sent.method, sent.path, sent.body) == ("POST", "/api/v2/invoices/1/void", request.body)
    assert sent.headers["chargebee-idempotency-key"] == "k" * 64
    assert sent.headers["chargebee-x"] == "y"
    assert sent.headers["Content-Type"] == "application/x-www-form-urlencoded"


def test_writes_work_alone_on_their_invoice_or_owner() -> None:
    plain = ChargebeeSwitches()
    draft = draft_of()
    create = wire.create_invoice(draft, (), plain)
    assert subjects_of(create) == {"subscription_id=sub_test_acme_uk"}
    add = wire.add_line_request(draft, 0, InvoiceId("d1"), (), plain)
    assert subjects_of(add) == {"invoices/d1"}
    on = crediting.CreditOn(InvoiceId("17"), "adjustment")
    credit = crediting.credit_negative(draft, on, plain)
    assert subjects_of(credit) == {"reference_invoice_id=17"}


def test_gates_let_one_through_per_subject_and_many_besides() -> None:
    gates = Gates(reads=1, writes=2)
    inside: list[str] = []
    entered, leave = threading.Event(), threading.Event()

    def work(name: str, subjects: Iterable[str]) -> None:
        with gates.writing(frozenset(subjects)):
            inside.append(name)
            entered.set()
            assert leave.wait(5)

    first = threading.Thread(target=work, args=("first", {"a", "b"}))
    first.start()
    assert entered.wait(5)
    second = threading.Thread(target=work, args=("second", {"b", "c"}))
    second.start()
    with gates.writing(frozenset({"d"})), gates.reading():
        assert inside == ["first"]
    leave.set()
    first.join(5)
    second.join(5)
    assert inside == ["first", "second"]


def test_the_pace_counts_a_read_and_a_write_for_each_line() -> None:
    assert durations_at(120).per_line.total_seconds() == 1


# --- what answers may look like ------------------------------------------------------------------

PLAIN: dict[str, Any] = {
    "id": "17",
    "status": "posted",
    "customer_id": "c",
    "currency_code": "GBP",
    "line_items": [{"id": "li_1", "amount": 5, "unit_amount": 5, "discount_amount": 2}],
}
READING = AnswerReading(("cf_a", "cf_b"))


def test_an_invoice_with_only_the_least_is_read() -> None:
    invoice = read_invoice(PLAIN | {"cf_b": "bill-7", "deleted": True}, READING)
    assert (invoice.stamp, invoice.deleted, invoice.date) == ("bill-7", True, None)
    assert invoice.lines[0].discount.minor == 2
    assert str(invoice.lines[0].unit_price) == "0.05"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"id": None}, "id is no text"),
        ({"status": "strange"}, "status is 'strange'"),
        ({"line_items": "x"}, "line_items is no list"),
        ({"line_items": [1]}, "it is no object"),
        ({"line_items": [{"id": "li_1", "amount": "5"}]}, "amount is no whole number"),
        ({"line_items": [{"id": "l", "quantity_in_decimal": "x"}]}, "is no number"),
        ({"line_items": [{"id": "l", "quantity_in_decimal": "NaN"}]}, "is no number"),
        ({"date": True}, "date is no whole number"),
    ],
)
def test_an_invoice_that_cannot_be_is_an_error_with_its_name(
    changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(UnreadableChargebeeAnswerError, match=said):
        read_invoice(PLAIN | changes, READING)


def test_credit_notes_that_the_invoice_lists_count_unless_they_are_voided() -> None:
    notes = [{"cn_total": 7}, {"cn_total": 9, "cn_status": "voided"}]
    invoice = read_invoice(PLAIN | {"issued_credit_notes": notes, "amount_paid": None}, READING)
    assert invoice.credited is not None
    assert invoice.credited.minor == 7


def test_the_lines_of_a_very_long_invoice_are_read_page_by_page() -> None:
    first = PLAIN | {"line_items_next_offset": "x"}
    second = PLAIN | {"line_items": [{"id": "li_2"}]}
    session, script = speaking(answer({"invoice": first}), answer({"invoice": second}))
    invoice = Invoices(session, READING).read(InvoiceId("17"))
    assert invoice is not None
    assert [line.id for line in invoice.lines] == ["li_1", "li_2"]
    assert ("line_items_offset", "x") in script.asked[1].query
    endless, _ = speaking(answer({"invoice": first}))
    with pytest.raises(UnreadableChargebeeAnswerError, match="never end"):
        Invoices(endless, READING).read(InvoiceId("17"))


def test_custom_fields_are_read_in_either_form_and_may_be_trusted() -> None:
    configs = [
        {"custom_field_config": {"api_name": "cf_a", "entity_type": "Credit Note"}},
        {"custom_field_config": {"api_name": "cf_a", "entity_types": ["invoice"]}},
        {"custom_field_config": {"api_name": "cf_b", "status": "inactive"}},
    ]
    session, _ = speaking(answer({"list": configs}))
    assert Catalogue(session).custom_fields() == {"cf_a": frozenset({"credit_note", "invoice"})}
    absent, _ = speaking(refusal(404, "resource_not_found"))
    assert Catalogue(absent).custom_fields() is None
    trusting, script = speaking(answer({}), switches=ChargebeeSwitches(custom_fields="trust"))
    assert Catalogue(trusting).custom_fields() is None
    assert script.asked == []


def test_many_prices_are_asked_for_in_batches() -> None:
    session, script = speaking(answer({"list": []}))
    ids = [f"price-{number:03}-{'x' * 60}" for number in range(120)]
    assert Catalogue(session).prices(ids) == {}
    assert len(script.asked) > 2
    assert all(len(dict(request.query)["id[in]"]) < 3500 for request in script.asked)


def test_an_answer_about_another_customer_is_told() -> None:
    body = {"subscription": {"customer_id": "c1", "status": "active"}, "customer": {"id": "c2"}}
    session, _ = speaking(answer(body))
    assert "Chargebee answered c2" in Catalogue(session).owner(draft_of().target).why


def test_a_listed_subscription_without_its_customer_is_read_alone() -> None:
    bare = {"subscription": {"id": "s1", "customer_id": "c1", "status": "active"}}
    session, script = speaking(
        answer({"list": [bare]}), answer({**bare, "customer": {"id": "c1", "deleted": True}})
    )
    catalogue = Catalogue(session)
    first, second = (BilledParty("subscription", key) for key in ("s1", "s2"))
    catalogue.expect([first, second])
    assert "who was deleted in Chargebee" in catalogue.owner(first).why
    assert [request.path for request in script.asked] == [
        "/api/v2/subscriptions",
        "/api/v2/subscriptions/s1",
    ]


# --- switches ------------------------------------------------------------------------------------


def test_switches_are_read_by_name() -> None:
    read = parse_chargebee_switches(
        {"failed_payment": "refused", "max_lines": "100", "void_reason": "Other"}
    )
    assert read == ChargebeeSwitches(failed_payment="refused", max_lines=100, void_reason="Other")


@pytest.mark.parametrize(
    ("name", "value"),
    [("nothing", "x"), ("max_lines", "0"), ("max_lines", "x"), ("void_reason", "x" * 101)],
)
def test_an_unknown_switch_is_refused_with_the_known_ones(name: str, value: str) -> None:
    with pytest.raises(UnknownChargebeeSwitchError, match="failed_payment=look-first") as caught:
        parse_chargebee_switches({name: value})
    assert caught.value.exit_code is ExitCode.INVALID


# --- trying out ----------------------------------------------------------------------------------

TRIED = StoredRequest("/estimates/create_invoice_for_items", b"currency_code=GBP")


def test_what_is_tried_out_carries_no_idempotency_key_and_is_repeated() -> None:
    session, script = speaking(LostAnswerError("POST", "cut"), answer({"estimate": {}}))
    assert session.try_out(TRIED) == {"estimate": {}}
    assert [request.method for request in script.asked] == ["POST", "POST"]
    assert all(request.body == TRIED.body for request in script.asked)
    assert not any("idempotency" in name for request in script.asked for name in request.headers)


@pytest.mark.parametrize("status", [400, 404, 409, 422])
def test_a_refusal_of_what_is_tried_out_is_an_answer(status: int) -> None:
    session, _ = speaking(refusal(status, "param_wrong_value"))
    found = session.try_out(TRIED)
    assert isinstance(found, Refusal)
    assert found.code == "param_wrong_value"
    assert KEY not in found.message


@pytest.mark.parametrize(
    ("given", "error"),
    [
        (refusal(401, "api_authentication_failed"), ChargebeeKeyRefusedError),
        (refusal(404, "site_not_found"), WrongSiteError),
        (refusal(503, "site_not_ready"), ChargebeeUnreachableError),
        (LostAnswerError("POST", "cut"), ChargebeeUnreachableError),
        (Answer(200, {}, b"<html>"), UnreadableChargebeeAnswerError),
        (Answer(404, {}, b"<html>"), ChargebeeRefusedReadError),
    ],
)
def test_what_cannot_be_tried_out_ends_as_a_failed_read_does(
    given: Answer | TransportError, error: type[Exception]
) -> None:
    session, _ = speaking(given)
    with pytest.raises(error, match="Nothing was sent"):
        session.try_out(TRIED)


def test_tax_is_read_apart_and_lines_need_no_ids() -> None:
    row = {"entity_id": "p", "amount": 100, "unit_amount": 100, "quantity": 1}
    shown = {
        "currency_code": "GBP",
        "sub_total": 200,
        "total": 240,
        "line_items": [row, row],
        "taxes": [{"name": "VAT", "amount": 30}, {"name": "Other", "amount": 10}],
    }
    session, _ = speaking(answer({"estimate": {"invoice_estimate": shown}}))
    made = estimate(session, TRIED, "cf_m3ter_bill_id", READING)
    assert isinstance(made, Estimated)
    assert (made.sub_total.minor, made.tax.minor, made.total.minor) == (200, 40, 240)
    assert [invoice_line.id for invoice_line in made.invoice.lines] == ["line 1", "line 2"]


def test_an_estimate_without_an_invoice_is_unreadable() -> None:
    session, _ = speaking(answer({}))
    with pytest.raises(UnreadableChargebeeAnswerError, match="estimate"):
        estimate(session, TRIED, "cf_m3ter_bill_id", READING)
