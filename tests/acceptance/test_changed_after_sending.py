"""Bills that m3ter changes after they were sent: each policy, by the state of the invoice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fakes.emulated_http import EmulatedHttp
from fakes.prepared import PreparedOnce
from fakes.sync_place import ENV, Killed, Life, SyncPlace, standing_of

from reconciler.emulator.running import RunningEmulator
from reconciler.emulator.world import World
from reconciler.sync.model.push import PushStatus
from reconciler.sync.model.standing import Group
from reconciler.sync.run.world import SyncResult

GBP, EUR, WAITS = "month-end-gbp", "month-end-eur", "month-end-gbp-pending"
POLICIES = ("replace", "credit-and-rebill", "void-and-recreate")
MINUTE = 60
AGAIN = (2 * MINUTE, 38 * MINUTE, 3 * MINUTE, 38 * MINUTE, 3 * MINUTE)
Open = Callable[..., SyncPlace]


@pytest.fixture
def make_place(
    prepared: PreparedOnce, running: Callable[[World], RunningEmulator], tmp_path: Path
) -> Open:
    """A month under one policy for recalculated bills; ``open_`` leaves invoices pending."""

    def make(policy: str, *, open_: bool = False, bills: int = 20, **switches: object) -> SyncPlace:
        def policied(folder: Path, emulator: RunningEmulator) -> None:
            place = SyncPlace(folder, emulator.url)
            place.write()
            for name in (GBP, EUR):
                file = f"{name}/integration.yaml"
                place.edit(file, "recalculated: void-and-recreate", f"recalculated: {policy}")
                if open_:
                    place.edit(file, "collection: off", "collection: off\n    open: true")
            place.begin()

        calm = {"clock": "still", "requests_per_second": 0, "auto_close_hours": 0}
        chosen = calm | {"month_end_bills": bills} | switches
        world, _ = prepared.world(tmp_path, "month-end", chosen, policied, (policy, open_))
        return SyncPlace(tmp_path, running(world).url)

    return make


def recalculate(place: SyncPlace, bill: str, more: int = 1) -> None:
    """m3ter bills more on the first line than before."""
    found = next(
        candidate for candidate in place.state("m3ter", "bills") if candidate["id"] == bill
    )
    lines = [dict(line) for line in found["lineItems"]]
    first = next(
        line for line in lines if line["subtotal"] > 0 and not line.get("usagePerPricingBand")
    )
    first["subtotal"] += more
    if "convertedSubtotal" in first:
        first["convertedSubtotal"] += more
    place.person_edits(bill, lineItems=lines)


def plain_bill(place: SyncPlace, *, name: str = GBP, credited: bool = False) -> str:
    """A bill that has a line without bands, and credits only when asked for."""
    bills = {bill["id"]: bill for bill in place.state("m3ter", "bills")}
    return next(
        key
        for key, draft in place.drafts(name).items()
        if bool(draft.credits) is credited
        and not draft.discounts
        and any(
            line["subtotal"] > 0 and not line.get("usagePerPricingBand")
            for line in bills[key]["lineItems"]
        )
    )


def pay(place: SyncPlace, invoice: Any) -> None:
    """The customer paid it."""
    paid = {"status": "paid", "amount_paid": invoice["total"], "amount_due": 0}
    place.person_edits(invoice["id"], **paid)


def steps(place: SyncPlace, bill: str, generation: int = 2) -> list[str]:
    return [
        str(effect.key.step)
        for effect in place.effects(bill)
        if effect.key.generation == generation
    ]


def stands(place: SyncPlace, bill: str) -> list[Any]:
    """Invoices of the bill that hold, credit notes taken off."""
    return [
        invoice
        for invoice in place.invoices_of(bill)
        if invoice["status"] != "voided" and not invoice["deleted"] and left(place, invoice)
    ]


def left(place: SyncPlace, invoice: Any) -> int:
    notes = [
        note["total"]
        for note in place.state("chargebee", "credit_notes")
        if note["reference_invoice_id"] == invoice["id"] and note["status"] != "voided"
    ]
    total: int = invoice["sub_total"] - sum(notes)
    return total


def assert_as_billed(place: SyncPlace, bill: str, result: SyncResult) -> None:
    """One invoice holds, and it is what m3ter bills now."""
    row = place.row(bill)
    assert row.status is PushStatus.COMPLETE, row.message
    assert row.message.endswith("as sent"), row.message
    assert not result.tally.differing
    (invoice,) = stands(place, bill)
    assert row.expected is not None
    assert left(place, invoice) == row.expected.minor
    writes = len(place.chargebee_writes())
    assert place.run(bill).tally.bills(Group.UNCHANGED) == 1
    assert len(place.chargebee_writes()) == writes
    told = place.reconciler(
        "sync", "reconcile", "--env", ENV, "--period", "2026-11", "--format", "csv"
    )[1]
    assert not [
        splitline
        for splitline in told.splitlines()
        if bill in splitline and "difference" in splitline
    ], told


@pytest.mark.parametrize("policy", POLICIES)
def test_while_it_is_pending_its_lines_are_replaced_as_often_as_it_changes(
    make_place: Open, policy: str
) -> None:
    place = make_place(policy, open_=True)
    bill = plain_bill(place)
    place.run(bill)
    (first,) = place.invoices_of(bill)
    for generation in (2, 3):
        recalculate(place, bill)
        result = place.run(bill)
        assert result.tally.bills(Group.SENT) == 1
        assert steps(place, bill, generation)[-1] == "delete-lines"
        assert_as_billed(place, bill, result)
        (invoice,) = place.invoices_of(bill)
        assert invoice["id"] == first["id"]
        assert len(invoice["line_items"]) == len(first["line_items"])


@pytest.mark.parametrize("policy", POLICIES)
def test_once_it_is_due_each_policy_does_its_own(make_place: Open, policy: str) -> None:
    place = make_place(policy)
    bill = plain_bill(place)
    place.run(bill)
    (first,) = place.invoices_of(bill)
    recalculate(place, bill)
    result = place.run(bill)
    if policy == "replace":
        told = standing_of(result, bill)
        assert told.group is Group.DECIDE
        assert "cannot be replaced" in told.why
        assert place.invoices_of(bill) == [first]
        return
    wanted = {"credit-and-rebill": "credit-note/1", "void-and-recreate": "void-invoice"}
    assert steps(place, bill) == [wanted[policy], "create-invoice"]
    assert_as_billed(place, bill, result)
    recalculate(place, bill)
    assert_as_billed(place, bill, place.run(bill))
    assert steps(place, bill, 3) == [wanted[policy], "create-invoice"]


@pytest.mark.parametrize("policy", ["refuse", *POLICIES])
def test_once_it_is_paid_nothing_is_changed_and_a_person_reads_why(
    make_place: Open, policy: str
) -> None:
    place = make_place(policy)
    bill = plain_bill(place)
    place.run(bill)
    (invoice,) = place.invoices_of(bill)
    pay(place, invoice)
    recalculate(place, bill)
    writes = len(place.chargebee_writes())
    told = standing_of(place.run(bill), bill)
    assert told.group is Group.DECIDE
    assert "paid" in told.why
    assert len(place.chargebee_writes()) == writes


@pytest.mark.parametrize("policy", ["credit-and-rebill", "void-and-recreate"])
def test_an_invoice_that_was_closed_by_us_is_undone_by_its_new_id(
    make_place: Open, policy: str
) -> None:
    place = make_place(policy, open_=True)
    bill = plain_bill(place)
    place.run(bill)
    place.close(bill)
    (closed,) = place.invoices_of(bill)
    recalculate(place, bill)
    result = place.run(bill)
    assert result.tally.bills(Group.SENT) == 1, place.row(bill)
    undoing = next(effect for effect in place.effects(bill) if effect.key.generation == 2)
    assert undoing.invoice_id == closed["id"]
    (invoice,) = stands(place, bill)
    assert invoice["status"] == "pending"
    assert_as_billed(place, bill, result)
    place.close(bill)
    assert steps(place, bill)[-1] == "close-invoice"
    (invoice,) = stands(place, bill)
    assert invoice["status"] != "pending"


@pytest.mark.parametrize("policy", ["credit-and-rebill", "void-and-recreate"])
@pytest.mark.parametrize("fault", ["cut_before_commit", "cut_after_commit"])
def test_the_former_invoice_is_never_taken_for_the_new_one(
    make_place: Open, policy: str, fault: str
) -> None:
    place = make_place(policy, open_=True)
    bill = plain_bill(place)
    place.run(bill)
    (draft,) = place.invoices_of(bill)
    place.person(f"/invoices/{draft['id']}/close")
    recalculate(place, bill)
    path = "/api/v2/invoices/create_for_charge_items_and_charges"
    place.fault(fault, path)
    result = place.run(bill)
    for seconds in AGAIN:
        place.advance(seconds)
        result = place.run(bill)
    assert_as_billed(place, bill, result)
    assert len(place.invoices_of(bill)) == 2


@pytest.mark.parametrize("policy", ["credit-and-rebill", "void-and-recreate"])
def test_a_bill_with_a_credit_note_is_undone_with_it(make_place: Open, policy: str) -> None:
    place = make_place(policy)
    bill = plain_bill(place, name=EUR, credited=True)
    place.run(bill)
    assert steps(place, bill, 1) == ["create-invoice", "credit-note"]
    recalculate(place, bill)
    result = place.run(bill)
    assert_as_billed(place, bill, result)


def test_what_cannot_be_replaced_is_never_sent_a_second_time(make_place: Open) -> None:
    place = make_place("replace", open_=True)
    bill = plain_bill(place)
    place.run(bill)
    (invoice,) = place.invoices_of(bill)
    part = {
        "line_item_id": invoice["line_items"][0]["id"],
        "discount_type": "document_level_discount",
        "discount_amount": 1,
    }
    place.person_edits(invoice["id"], line_item_discounts=[part])
    recalculate(place, bill)
    before, writes = place.row(bill), len(place.chargebee_writes())
    for _ in range(3):
        told = standing_of(place.run(bill), bill)
        assert told.group is Group.DECIDE
        assert "discounts" in told.why
        row = place.row(bill)
        assert (row.status, row.generation) == (PushStatus.REOPENED, 1)
        assert (row.draft, row.input_hash) == (before.draft, before.input_hash)
    assert len(place.chargebee_writes()) == writes
    assert len(place.effects(bill)) == 1
    place.person_edits(invoice["id"], line_item_discounts=[])
    assert_as_billed(place, bill, place.run(bill))


def test_a_changed_bill_that_is_blocked_goes_on_once_it_is_put_right(make_place: Open) -> None:
    place = make_place("void-and-recreate")
    bill = plain_bill(place)
    place.run(bill)
    recalculate(place, bill)
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
    for _ in range(2):
        told = standing_of(place.run(bill), bill)
        assert told.group is Group.BLOCKED
        assert place.row(bill).status is PushStatus.REOPENED
    place.person_edits(bill, lineItems=found["lineItems"])
    result = place.run(bill)
    assert steps(place, bill) == ["void-invoice", "create-invoice"]
    assert_as_billed(place, bill, result)


def test_a_bill_of_which_nothing_is_left_is_for_a_person(make_place: Open) -> None:
    place = make_place("void-and-recreate")
    bill = plain_bill(place)
    place.run(bill)
    place.person_edits(bill, lineItems=[])
    writes = len(place.chargebee_writes())
    for _ in range(2):
        told = standing_of(place.run(bill), bill)
        assert told.group is Group.DECIDE
        assert "bills nothing of it any more" in told.why
        assert place.row(bill).status is PushStatus.REOPENED
    assert len(place.chargebee_writes()) == writes
    assert (
        place.reconciler("sync", "decide", bill, "--skip", "--env", ENV, "--reason", "agreed")[0]
        == 0
    )
    assert place.run(bill).tally.bills(Group.NOTHING) == 1


@pytest.mark.parametrize("policy", POLICIES)
def test_a_bill_whose_promotional_credit_was_given_is_left_to_a_person(
    make_place: Open, policy: str
) -> None:
    place = make_place(policy)
    for text in (EUR, GBP):
        place.edit(f"{text}/integration.yaml", "credit-note", "promotional-credit")
    place.apply()
    bill = plain_bill(place, name=EUR, credited=True)
    result = place.run(bill)
    assert result.tally.bills(Group.SENT) == 1
    assert not result.tally.differing
    (credit,) = place.state("chargebee", "promotional_credits")
    assert credit["reference"] == bill
    assert all(not amount.minor for amount in result.tally.unexplained.money)
    recalculate(place, bill)
    told = standing_of(place.run(bill), bill)
    assert told.group is Group.DECIDE
    assert f"promotional credit {credit['id']} was given" in told.why
    assert len(place.state("chargebee", "promotional_credits")) == 1


def test_a_reopened_bill_is_listed_with_its_money_until_it_is_approved_again(
    make_place: Open,
) -> None:
    place = make_place("void-and-recreate")
    same, changed = plain_bill(place), plain_bill(place, name=EUR)
    place.run(same, changed)
    for bill in (same, changed):
        place.person_edits(bill, status="PENDING")
    recalculate(place, changed)
    writes = len(place.chargebee_writes())
    for _ in range(2):
        result = place.run(same, changed)
        for bill, how in ((same, "amounts are the same"), (changed, "amounts changed")):
            told = standing_of(result, bill)
            assert told.status is PushStatus.REOPENED
            assert how in told.why
            assert told.money is not None
            assert place.row(bill).status is PushStatus.REOPENED
    assert len(place.chargebee_writes()) == writes
    for bill in (same, changed):
        place.person_edits(bill, status="APPROVED")
    result = place.run(same, changed)
    assert result.tally.bills(Group.UNCHANGED) == 1
    assert result.tally.bills(Group.SENT) == 1
    assert place.row(same).status is PushStatus.COMPLETE
    assert place.row(same).message == "approved, and again as it was sent"
    assert_as_billed(place, changed, result)
    assert steps(place, changed) == ["void-invoice", "create-invoice"]


def test_a_bill_moves_on_to_the_next_pending_invoice_when_the_first_one_closed(
    make_place: Open,
) -> None:
    place = make_place("refuse")
    bill = plain_bill(place, name=WAITS)
    draft = place.drafts(WAITS)[bill]
    place.fault("auto_close")
    place.run(bill)
    assert place.row(bill).status is PushStatus.WAITING
    before = place.effects(bill)[0]
    place.run(bill)
    assert place.effects(bill) == (before,)
    second = place.person(
        "/invoices/create_for_charge_items_and_charges",
        subscription_id=draft.target.external_id,
        currency_code=draft.currency.code,
        create_pending_invoice="true",
        **{"charges[amount][0]": "100", "charges[description][0]": "their own"},
    )["invoice"]
    result = place.run(bill)
    assert result.tally.bills(Group.SENT) == 1, place.row(bill).message
    assert {effect.object_id for effect in place.effects(bill)} == {second["id"]}
    (invoice,) = [
        entry for entry in place.state("chargebee", "invoices") if entry["id"] == second["id"]
    ]
    ours = [line for line in invoice["line_items"] if line["entity_type"] == "charge_item_price"]
    assert len(ours) == len(draft.lines)
    assert sum(entry["amount"] for entry in ours) == draft.expected.minor
    assert place.row(bill).message.endswith("as sent")


def test_on_the_pending_path_lines_are_replaced_and_a_closed_invoice_is_left_alone(
    make_place: Open,
) -> None:
    place = make_place("refuse")
    bill = plain_bill(place, name=WAITS)
    place.run(bill)
    former = {key for effect in place.effects(bill) for key in effect.line_ids}
    recalculate(place, bill)
    result = place.run(bill)
    assert result.tally.bills(Group.SENT) == 1, place.row(bill).message
    newest = [effect for effect in place.effects(bill) if effect.key.generation == 2]
    assert str(newest[-1].key.step) == "delete-lines"
    key = newest[-1].object_id
    (invoice,) = [entry for entry in place.state("chargebee", "invoices") if entry["id"] == key]
    assert not former & {line["id"] for line in invoice["line_items"]}
    assert place.row(bill).message.endswith("as sent")
    place.person(f"/invoices/{key}/close")
    recalculate(place, bill)
    told = standing_of(place.run(bill), bill)
    assert told.group is Group.DECIDE
    assert "closed" in told.why or "paid" in told.why


@pytest.mark.chaos
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("way", ["replace", "credit-and-rebill", "void-and-recreate"])
def test_a_second_sending_that_dies_anywhere_ends_in_one_invoice(
    make_place: Open, way: str, stride: int, after: bool
) -> None:
    place = make_place(way, open_=way == "replace", bills=40)
    place.run()
    bills = [
        bill["id"]
        for bill in place.state("m3ter", "bills")
        if len(place.invoices_of(bill["id"])) == 1
        and place.row(bill["id"]).integration == GBP
        and any(
            line["subtotal"] > 0 and not line.get("usagePerPricingBand")
            for line in bill["lineItems"]
        )
    ]
    dies_at = 14
    for bill in bills[:7]:
        recalculate(place, bill)
        dies_at += stride
        try:
            place.run(bill, life=Life(dies_at, after))
        except Killed:
            place.advance(6 * MINUTE)
        result = place.run(bill)
        for seconds in AGAIN:
            if place.row(bill).status is PushStatus.COMPLETE:
                break
            place.advance(seconds)
            result = place.run(bill)
        assert place.row(bill).generation == 2
        (invoice,) = stands(place, bill)
        row = place.row(bill)
        assert row.expected is not None
        assert left(place, invoice) == row.expected.minor
        assert not result.tally.differing


def test_the_emulated_log_shows_every_undoing_once(make_place: Open) -> None:
    place = make_place("void-and-recreate")
    bill = plain_bill(place)
    place.run(bill)
    recalculate(place, bill)
    place.fault("cut_after_commit", "/api/v2/invoices/*")
    for seconds in (0, *AGAIN):
        place.advance(seconds)
        place.run(bill)
    with EmulatedHttp(place.url) as http:
        found = http.requests(vendor="chargebee")
    voided = [
        request for request in found if request["path"].endswith("/void") and request["committed"]
    ]
    assert len(voided) == 1
    assert len(stands(place, bill)) == 1


def test_an_invoice_that_closed_before_a_line_was_replaced_is_judged_anew(
    make_place: Open,
) -> None:
    place = make_place("void-and-recreate", open_=True)
    bill = plain_bill(place)
    place.run(bill)
    recalculate(place, bill)
    place.fault("auto_close")
    told = standing_of(place.run(bill), bill)
    assert told.group is Group.DECIDE
    assert "closed before a line of it was replaced" in told.why
    assert place.row(bill).status is PushStatus.REOPENED
    result = place.run(bill)
    assert steps(place, bill, 3) == ["void-invoice", "create-invoice"]
    assert_as_billed(place, bill, result)


def test_a_closed_invoice_that_cannot_be_replaced_is_left_to_a_person_and_stays_listed(
    make_place: Open,
) -> None:
    place = make_place("replace", open_=True)
    bill = plain_bill(place)
    place.run(bill)
    recalculate(place, bill)
    place.fault("auto_close")
    place.run(bill)
    writes = len(place.chargebee_writes())
    for _ in range(3):
        told = standing_of(place.run(bill), bill)
        assert told.group is Group.DECIDE
        assert "its lines cannot be replaced" in told.why
        assert place.plan().tally.listed[Group.DECIDE]
    assert len(place.chargebee_writes()) == writes
    assert len(stands(place, bill)) == 1


def test_lines_are_not_replaced_by_credits_alone(make_place: Open) -> None:
    place = make_place("void-and-recreate", open_=True)
    place.edit(f"{EUR}/integration.yaml", ": credit-note", ": credit-note-standalone")
    place.apply()
    bill = plain_bill(place, name=EUR)
    place.run(bill)
    found = next(
        candidate for candidate in place.state("m3ter", "bills") if candidate["id"] == bill
    )
    first = next(line for line in found["lineItems"] if line["subtotal"] > 0)
    less = {**first, "subtotal": -5, "convertedSubtotal": -5, "usagePerPricingBand": []}
    place.person_edits(bill, lineItems=[{**less, "lineItemType": "AD_HOC"}])
    writes = len(place.chargebee_writes())
    for _ in range(2):
        told = standing_of(place.run(bill), bill)
        assert told.group is Group.DECIDE
        assert "only credits are left of the bill" in told.why
        assert place.row(bill).status is PushStatus.REOPENED
    assert len(place.chargebee_writes()) == writes


def test_a_bill_of_which_only_credits_are_left_does_not_wait_for_lines_that_closed_out(
    make_place: Open,
) -> None:
    place = make_place("replace")
    file = f"{WAITS}/integration.yaml"
    place.edit(
        file, "    recalculated:", "    negativeLines: credit-note-standalone\n    recalculated:"
    )
    place.apply()
    bill = plain_bill(place, name=WAITS)
    place.fault("auto_close")
    place.run(bill)
    assert place.row(bill).status is PushStatus.WAITING
    found = next(
        candidate for candidate in place.state("m3ter", "bills") if candidate["id"] == bill
    )
    first = next(line for line in found["lineItems"] if line["subtotal"] > 0)
    less = {**first, "subtotal": -5, "convertedSubtotal": -5, "usagePerPricingBand": []}
    place.person_edits(bill, lineItems=[{**less, "lineItemType": "AD_HOC"}])
    result = place.run(bill)
    assert result.tally.bills(Group.SENT) == 1, place.row(bill)
    assert steps(place, bill) == ["credit-note"]
    (note,) = place.state("chargebee", "credit_notes")
    assert note["total"] == 500
    writes = len(place.chargebee_writes())
    place.run(bill)
    assert len(place.chargebee_writes()) == writes


def test_a_doubt_that_only_a_person_ends_is_planned_for_a_person(make_place: Open) -> None:
    place = make_place("refuse", open_=True)
    bill = plain_bill(place)
    path = "/api/v2/invoices/create_for_charge_items_and_charges"
    place.fault("cut_after_commit", path)
    told = standing_of(place.run(bill), bill)
    assert told.group is Group.UNDER_WAY
    assert str(_planned(place, bill)) == "under way"
    (invoice,) = place.invoices_of(bill)
    place.person(f"/invoices/{invoice['id']}/void")
    place.advance(40 * MINUTE)
    told = standing_of(place.run(bill), bill)
    assert told.group is Group.DECIDE
    assert place.row(bill).status is PushStatus.UNKNOWN
    assert _planned(place, bill) is Group.DECIDE


def test_a_bill_that_was_tried_for_a_day_is_planned_for_a_person_until_he_says_again(
    make_place: Open,
) -> None:
    place = make_place("refuse", open_=True)
    bill = plain_bill(place)
    path = "/api/v2/invoices/create_for_charge_items_and_charges"
    place.fault("lock_timeout", path, times=30)
    for _ in range(30):
        place.run(bill)
        place.advance(61 * MINUTE)
    assert place.row(bill).status is PushStatus.AWAITING_RETRY
    assert _planned(place, bill) is Group.DECIDE
    assert place.reconciler("sync", "retry", bill, "--env", ENV)[0] == 0
    assert _planned(place, bill) is Group.UNDER_WAY
    with EmulatedHttp(place.url) as http:
        http.control("DELETE", "/faults")
    place.advance(MINUTE)
    assert place.run(bill).tally.bills(Group.SENT) == 1


def _planned(place: SyncPlace, bill: str) -> Group:
    listed = place.plan().tally.listed.values()
    return next(
        standing.group for some in listed for standing in some if standing.who.bill_id == bill
    )
