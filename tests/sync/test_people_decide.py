"""What people say about bills, and what is refused because it does not fit where the bill stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fakes.sync_place import ENV, SyncPlace, standing_of

from reconciler.errors import ExitCode
from reconciler.kernel.address import BillId
from reconciler.sync.judge.run_filter import RunFilter
from reconciler.sync.model.push import InvoiceId, PushState, PushStatus
from reconciler.sync.model.standing import Group
from reconciler.sync.people.decisions import BillDecisions
from reconciler.sync.people.leased_bill import BillHeldError, CannotDecideError
from reconciler.sync.push.limits import RunLimits

EUR, GBP = "month-end-eur", "month-end-gbp"
MINUTE = 60
CREATE = "/api/v2/invoices/create_for_charge_items_and_charges"
CREDIT = "/api/v2/promotional_credits/add"


@pytest.fixture
def place(tmp_path: Path, emulate: Any) -> SyncPlace:
    """A month whose credits are promotional."""
    running = emulate("month-end", month_end_bills=20, clock="still", requests_per_second=0)
    made = SyncPlace(tmp_path, running.url)
    made.write()
    for name in (EUR, GBP):
        made.edit(f"{name}/integration.yaml", "credit-note", "promotional-credit")
    made.apply()
    assert made.reconciler("ledger", "init", "--env", ENV)[0] == 0
    return made


def bill_of(place: SyncPlace, *, credited: bool = False) -> BillId:
    drafts = place.drafts(EUR, GBP)
    return next(BillId(key) for key, draft in drafts.items() if bool(draft.credits) is credited)


@contextmanager
def hand(place: SyncPlace) -> Iterator[BillDecisions]:
    with place.open() as opened:
        yield opened.decider()


def doubtful(place: SyncPlace, path: str, *, credited: bool = False) -> BillId:
    """A bill of which nobody knows whether its last step arrived, and which asks a person."""
    bill = bill_of(place, credited=credited)
    place.fault("cut_after_commit", path)
    place.run(bill)
    return bill


def test_a_credit_in_doubt_is_resolved_by_the_credit_and_not_by_an_invoice(
    place: SyncPlace,
) -> None:
    bill = doubtful(place, CREDIT, credited=True)
    (credit,) = place.state("chargebee", "promotional_credits")
    with hand(place) as decider:
        with pytest.raises(CannotDecideError, match="no credit pc_none that stands"):
            decider.sent_as(bill, InvoiceId("pc_none"), "seen")
        told = decider.sent_as(bill, InvoiceId(credit["id"]), "seen")
    assert credit["id"] in told
    assert place.run(bill).tally.bills(Group.SENT) == 1
    assert place.row(bill).message.endswith("as sent")
    assert len(place.state("chargebee", "promotional_credits")) == 1


def test_a_credit_that_did_not_arrive_is_given_once_a_person_said_so(place: SyncPlace) -> None:
    bill = bill_of(place, credited=True)
    place.fault("cut_before_commit", CREDIT)
    place.run(bill)
    with hand(place) as decider:
        assert "counts as not sent" in decider.not_sent(bill, "looked")
    place.advance(2 * MINUTE)
    assert place.run(bill).tally.bills(Group.SENT) == 1
    assert len(place.state("chargebee", "promotional_credits")) == 1


@pytest.mark.parametrize("make", ["missing", "voided", "stamped"])
def test_an_invoice_that_is_not_the_bills_is_not_taken_for_it(place: SyncPlace, make: str) -> None:
    bill = doubtful(place, CREATE)
    (invoice,) = place.invoices_of(bill)
    key = InvoiceId("none" if make == "missing" else invoice["id"])
    if make == "voided":
        place.person(f"/invoices/{key}/void")
    if make == "stamped":
        place.person_edits(key, cf_m3ter_bill_id="another")
    said = {"missing": "no invoice none", "voided": "voided or deleted", "stamped": "stamp of bill"}
    with hand(place) as decider:
        for decide in (decider.sent_as, decider.adopt):
            with pytest.raises(CannotDecideError, match=said[make]) as refused:
                decide(bill, key, "seen")
            assert refused.value.exit_code is ExitCode.INVALID
    (effect,) = place.effects(bill)
    assert effect.state is PushState.IN_DOUBT


def test_a_step_in_doubt_is_neither_adopted_nor_skipped_nor_retried(place: SyncPlace) -> None:
    bill = doubtful(place, CREATE)
    (invoice,) = place.invoices_of(bill)
    with hand(place) as decider:
        calls: list[tuple[Callable[[], str], str]] = [
            (lambda: decider.adopt(bill, InvoiceId(invoice["id"]), "x"), "use `sync decide`"),
            (lambda: decider.skip(bill, "x"), "resolve it first"),
            (lambda: decider.retry(bill), "`sync decide` says so"),
        ]
        for call, said in calls:
            with pytest.raises(CannotDecideError, match=said):
                call()


def test_what_is_sent_is_not_decided_again(place: SyncPlace) -> None:
    bill = bill_of(place)
    place.run(bill)
    (invoice,) = place.invoices_of(bill)
    key = InvoiceId(invoice["id"])
    with hand(place) as decider:
        calls: list[Callable[[], str]] = [
            lambda: decider.sent_as(bill, key, "x"),
            lambda: decider.adopt(bill, key, "x"),
            lambda: decider.skip(bill, "x"),
            lambda: decider.retry(bill),
            lambda: decider.not_sent(bill, "x"),
        ]
        for call in calls:
            with pytest.raises(CannotDecideError):
                call()
    assert place.row(bill).status is PushStatus.COMPLETE
    place.person_edits(bill, status="PENDING")
    place.run(bill)
    with hand(place) as decider, pytest.raises(CannotDecideError, match="sent already"):
        decider.adopt(bill, key, "x")


def test_a_bill_that_a_worker_holds_is_for_later(place: SyncPlace) -> None:
    bill = bill_of(place)
    with hand(place) as decider:
        lease = decider.ledger.claim(decider.site, bill, "someone", 300)
        assert lease is not None
        with pytest.raises(BillHeldError) as held:
            decider.skip(bill, "x")
        assert held.value.exit_code is ExitCode.LOCKED
        decider.ledger.release(lease)
        assert "is not sent" in decider.skip(bill, "agreed by phone")
    assert standing_of_plan(place, bill) is Group.NOTHING


def standing_of_plan(place: SyncPlace, bill: BillId) -> Group:
    tally = place.run(bill).tally
    return next(group for group in tally.groups if tally.bills(group))


def test_a_skipped_bill_is_sent_after_a_retry_and_a_new_one_needs_none(place: SyncPlace) -> None:
    bill = bill_of(place)
    with hand(place) as decider:
        assert "never begun" in decider.retry(bill)
        decider.skip(bill, "not yet")
    assert place.run(bill).tally.bills(Group.NOTHING) == 1
    with hand(place) as decider:
        assert "judged again" in decider.retry(bill)
    assert place.run(bill).tally.bills(Group.SENT) == 1


def test_a_step_that_never_left_is_tried_again_as_it_was_stored(place: SyncPlace) -> None:
    bill = bill_of(place)
    asked = iter([False] * 2)
    place.run(bill, stopped=lambda: next(asked, True))
    if place.row(bill).status is not PushStatus.STARTED or not place.effects(bill):
        place.fault("lock_timeout", CREATE)
        place.run(bill)
    before = place.effects(bill)[0].request
    with hand(place) as decider:
        assert "sent again" in decider.retry(bill)
    place.run(bill)
    assert place.effects(bill)[0].request == before
    assert place.row(bill).status is PushStatus.COMPLETE


def test_a_refused_bill_that_can_no_longer_be_drafted_stays_refused(place: SyncPlace) -> None:
    bill = refused(place)
    found = next(
        candidate for candidate in place.state("m3ter", "bills") if candidate["id"] == bill
    )
    undated = {
        key: line
        for key, line in found["lineItems"][0].items()
        if not key.startswith("servicePeriod")
    }
    wrong = {**undated, "lineItemType": "DEBIT_MEMO", "id": "undated"}
    place.person_edits(bill, lineItems=[*found["lineItems"], wrong])
    with hand(place) as decider, pytest.raises(CannotDecideError, match="cannot be drafted"):
        decider.retry(bill)
    assert place.effects(bill)[0].state is PushState.REFUSED
    place.person_edits(bill, lineItems=found["lineItems"])
    with hand(place) as decider:
        assert list(decider.refused()) == [bill]
        assert "sent again" in decider.retry(bill)
    assert place.run(bill).tally.bills(Group.SENT) == 1


def refused(place: SyncPlace) -> BillId:
    """A bill that Chargebee refused for a reason that is gone again."""
    bill = bill_of(place)
    draft = place.drafts(EUR, GBP)[bill]
    price = draft.lines[0].price_id
    with place.open() as opened:
        opened.destination.check(draft)  # remembers the price as it is now
        place.person_edits(price, status="archived")
        result = opened.run(RunFilter(bills=frozenset({bill})), RunLimits(), lambda: False)
    place.person_edits(price, status="active")
    assert standing_of(result, bill).status is PushStatus.ERROR
    return bill


def test_a_bill_in_doubt_is_not_sent_again_once_another_route_may_bill_its_account(
    place: SyncPlace,
) -> None:
    bill = bill_of(place)
    place.fault("cut_before_commit", CREATE)
    place.run(bill)
    configs = place.state("m3ter", "integrationconfigs")
    other = next(config for config in configs if config["name"] == "Month end JPY")
    credential = "c0000000-0000-4000-8000-000000000001"
    place.person_edits(
        other["id"], integrationCredentialsId=credential, configData={"accountIds": []}
    )
    place.advance(2 * MINUTE)
    writes = len(place.chargebee_writes())
    told = standing_of(place.run(bill), bill)
    assert told.status is PushStatus.UNKNOWN
    assert told.page.endswith("#double-route")
    assert "another route may bill the account" in told.why
    assert len(place.chargebee_writes()) == writes


def test_a_step_that_gave_up_is_tried_again_when_a_person_says_so(place: SyncPlace) -> None:
    bill = bill_of(place)
    place.fault("lock_timeout", CREATE)
    place.run(bill)
    (effect,) = place.effects(bill)
    assert effect.state is PushState.RETRY
    with hand(place) as decider:
        assert "sent again" in decider.retry(bill)
    assert place.row(bill).status is PushStatus.AWAITING_RETRY
    place.advance(2 * MINUTE)
    assert place.run(bill).tally.bills(Group.SENT) == 1


@pytest.mark.parametrize(("path", "credited"), [(CREATE, False), (CREDIT, True)])
def test_what_stands_in_chargebee_does_not_count_as_not_sent(
    place: SyncPlace, path: str, *, credited: bool
) -> None:
    bill = doubtful(place, path, credited=credited)
    before = place.row(bill)
    with (
        hand(place) as decider,
        pytest.raises(CannotDecideError, match="is in Chargebee, as or on"),
    ):
        decider.not_sent(bill, "not seen")
    assert place.row(bill) == before
    place.advance(2 * MINUTE)
    assert place.run(bill).tally.bills(Group.SENT) == 1
    assert len(place.invoices_of(bill)) == 1
