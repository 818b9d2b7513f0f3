"""A stored draft is read back as it was, and a damaged one is refused in words."""

from __future__ import annotations

from typing import Any

import pytest
from drafting import oracle
from fakes.bill_strategies import any_bill, route_of, settings
from fakes.push_data import NOW, bill, drafted, line, route
from hypothesis import given

from reconciler.drafting.draft import InvoiceDraft
from reconciler.drafting.draft_bill import draft_bill
from reconciler.drafting.draft_json import DamagedDraftError, draft_from_json, draft_to_json
from reconciler.kernel.exact_json import canonical, decode
from reconciler.m3ter.bill import Bill

LINES = (line("USAGE", "10", units="3"), line("USAGE", "-3"), line("MINIMUM_SPEND", None))


@given(any_bill, settings())
def test_every_draft_is_read_back_equal(one: Bill, chosen: oracle.Settings) -> None:
    outcome = draft_bill(one, route_of(chosen), NOW)
    if isinstance(outcome, InvoiceDraft):
        assert draft_from_json(draft_to_json(outcome)) == outcome


@pytest.mark.parametrize("policy", ["discount", "credit-note"])
def test_discounts_credits_and_catalogue_prices_are_read_back_too(policy: str) -> None:
    draft = drafted(bill(*LINES), route(push={"negative_lines": policy, "invoice_date": "today"}))
    assert draft_from_json(draft_to_json(draft)) == draft


def stored() -> dict[str, Any]:
    value = decode(draft_to_json(drafted(bill(line()), route())))
    assert isinstance(value, dict)
    return value


@pytest.mark.parametrize(
    "change",
    [
        {"form": "invoice-draft/2"},
        {"draft": {}},
        {"draft": stored()["draft"] | {"bill_version": "3"}},
        {"draft": stored()["draft"] | {"way": "by post"}},
        {"draft": stored()["draft"] | {"invoice_at": "soon"}},
        {"draft": stored()["draft"] | {"lines": [{"pricing": {"is": "Free"}}]}},
        {"draft": stored()["draft"] | {"lines": None}},
    ],
)
def test_a_damaged_draft_is_refused_in_words(change: dict[str, Any]) -> None:
    with pytest.raises(DamagedDraftError, match="cannot be read back"):
        draft_from_json(canonical(stored() | change))


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"form": "invoice-draft/1"}'])
def test_what_is_no_draft_is_refused(data: bytes) -> None:
    with pytest.raises(DamagedDraftError):
        draft_from_json(data)


def test_a_draft_of_before_promotional_credits_is_read_back() -> None:
    body = decode(draft_to_json(drafted(bill(line()), route())))
    assert isinstance(body, dict)
    inner = {key: value for key, value in body["draft"].items() if key != "credits_as"}
    old = canonical({**body, "draft": inner})
    assert draft_from_json(old).credits_as == "credit-note"
