"""A bill is estimated by Chargebee before it is sent, and only then."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fakes.sync_place import ENV, SyncPlace

GBP, WAITS = "month-end-gbp", "month-end-gbp-pending"
ESTIMATE = "/api/v2/estimates/create_invoice_for_items"


@pytest.fixture
def place(tmp_path: Path, emulate: Any) -> SyncPlace:
    calm = {"clock": "still", "requests_per_second": 0, "auto_close_hours": 0}
    return SyncPlace(tmp_path, emulate("month-end", month_end_bills=20, **calm).url).setup()


def explained(place: SyncPlace, bill: str) -> str:
    code, text = place.reconciler("sync", "explain", bill, "--estimate", "--env", ENV)
    assert code == 0, text
    return " ".join(text.split())


def test_a_bill_that_is_ready_is_estimated_as_predicted_and_then_made_so(place: SyncPlace) -> None:
    bill, draft = next(
        (key, value)
        for key, value in place.drafts(GBP).items()
        if not value.credits and value.lines
    )
    text = explained(place, bill)
    said = f"Chargebee would make of it: {draft.expected} before tax, as predicted."
    assert f"{said} Tax £0.00, in all {draft.expected}." in text
    assert [request["path"] for request in place.chargebee_writes()] == [ESTIMATE]
    assert place.invoices_of(bill) == []
    place.run(bill)
    (invoice,) = place.invoices_of(bill)
    assert invoice["sub_total"] == draft.expected.minor
    writes = len(place.chargebee_writes())
    assert "No estimate: it is sent" in explained(place, bill)
    assert len(place.chargebee_writes()) == writes


def test_what_chargebee_would_add_is_told_before_it_is_sent(place: SyncPlace) -> None:
    bill, draft = next(
        (key, value) for key, value in place.drafts(GBP).items() if not value.credits
    )
    charge = {"charges[amount][0]": "500", "charges[description][0]": "Set-up"}
    owner = next(
        subscription["id"]
        for subscription in place.state("chargebee", "subscriptions")
        if draft.target.external_id in {subscription["id"], subscription["customer_id"]}
    )
    place.person("/unbilled_charges", subscription_id=owner, currency_code="GBP", **charge)
    text = explained(place, bill)
    assert f"before tax, and {draft.expected} is predicted." in text
    assert '"Set-up", £5.00: not of this bill' in text
    assert "1 unbilled charge of" in text, "preflight blocks it as well"


def test_lines_for_a_pending_invoice_have_no_estimate(place: SyncPlace) -> None:
    bill = next(iter(place.drafts(WAITS)))
    assert "Chargebee estimates new invoices only" in explained(place, bill)
    assert place.chargebee_writes() == []


def test_without_the_flag_nothing_is_asked(place: SyncPlace) -> None:
    bill = next(iter(place.drafts(GBP)))
    assert place.reconciler("sync", "explain", bill, "--env", ENV)[0] == 0
    assert place.chargebee_writes() == []
