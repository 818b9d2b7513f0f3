"""`sync close`: what `push.open: true` left open gets its number, once, as it was sent or not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes.emulated_http import EmulatedHttp
from fakes.prepared import PreparedOnce
from fakes.sync_place import ENV, Killed, Life, SyncPlace, standing_of

from reconciler.cli.progress import SilentProgress
from reconciler.emulator.running import RunningEmulator
from reconciler.emulator.world import World
from reconciler.kernel.address import BillId
from reconciler.sync.core.billing_month import BillingMonth
from reconciler.sync.core.closed import Closed, Fate
from reconciler.sync.judge.run_filter import RunFilter
from reconciler.sync.model.push import PushState, PushStatus
from reconciler.sync.model.standing import Group
from reconciler.sync.push.limits import RunLimits
from reconciler.sync.run.close_bills import CloseOrder, Closer, CloseResult

EUR, GBP, WAITS = "month-end-eur", "month-end-gbp", "month-end-gbp-pending"
MINUTE = 60
AGAIN = (2 * MINUTE, 38 * MINUTE, 3 * MINUTE, 38 * MINUTE, 3 * MINUTE)
Open = Callable[..., SyncPlace]


def left_open(folder: Path, emulator: RunningEmulator) -> None:
    """Begin with euro and sterling invoices that stay open."""
    place = SyncPlace(folder, emulator.url)
    place.write()
    for name in (EUR, GBP):
        file = f"{name}/integration.yaml"
        place.edit(file, "collection: off", "collection: off\n    open: true")
    place.begin()


@pytest.fixture
def make_place(
    prepared: PreparedOnce, running: Callable[[World], RunningEmulator], tmp_path: Path
) -> Open:
    """A month whose euro and sterling invoices stay open; takes switches."""

    def make(bills: int = 20, **switches: object) -> SyncPlace:
        calm = {"clock": "still", "requests_per_second": 0, "auto_close_hours": 0}
        chosen = calm | {"month_end_bills": bills} | switches
        world, _ = prepared.world(tmp_path, "month-end", chosen, left_open)
        return SyncPlace(tmp_path, running(world).url)

    return make


@pytest.fixture
def place(make_place: Open) -> SyncPlace:
    return make_place()


def sent(place: SyncPlace, *, credited: bool = False, name: str = EUR, lines: int = 1) -> str:
    """Send one bill to an open invoice; gives the bill."""
    drafts = place.drafts(name)
    bill = next(
        key
        for key, draft in drafts.items()
        if bool(draft.credits) is credited and len(draft.lines) >= lines
    )
    place.run(bill)
    (invoice,) = place.invoices_of(bill)
    assert invoice["status"] == "pending"
    return bill


def only(result: CloseResult) -> Closed:
    (closing,) = result.tally.of(*Fate)
    return closing


def closings(place: SyncPlace) -> list[Any]:
    """Closings that Chargebee carried out."""
    with EmulatedHttp(place.url) as http:
        found = http.requests(vendor="chargebee")
    return [
        request for request in found if request["path"].endswith("/close") and request["committed"]
    ]


def test_a_month_is_closed_once_with_its_money_and_reads_back_as_sent(place: SyncPlace) -> None:
    place.run()
    drafts = [
        entry for entry in place.state("chargebee", "invoices") if entry["status"] == "pending"
    ]
    ours = [draft for draft in drafts if draft.get("cf_m3ter_bill_id")]
    assert len(ours) > 5
    month = BillingMonth.parse("2026-11")
    result = place.close(month=month)
    assert result.tally.bills(Fate.CLOSED) == len(ours)
    assert not result.tally.of(Fate.OPEN, Fate.UNKNOWN)
    assert result.exit_code == 0
    for closing in result.tally.of(Fate.CLOSED):
        (invoice,) = place.invoices_of(closing.bill_id)
        assert invoice["id"] == closing.invoice
        assert invoice["status"] != "pending"
        assert place.row(closing.bill_id).status is PushStatus.COMPLETE
    assert len(closings(place)) == len(ours)
    again = place.close(month=month)
    assert again.tally.bills(Fate.CLOSED) == 0
    assert again.tally.bills(Fate.EARLIER) == len(ours)
    assert len(closings(place)) == len(ours)
    assert place.run().tally.bills(Group.SENT) == 0
    code, told = place.reconciler("sync", "reconcile", "--env", ENV, "--period", "2026-11")
    assert "edited" not in told
    assert code in {0, 17}, told


def test_other_months_integrations_and_accounts_stay_open(place: SyncPlace) -> None:
    place.run()
    assert place.close(month=BillingMonth.parse("2026-10")).tally.money == {}
    euro = place.close(integrations=frozenset({EUR}))
    assert {bill.integration for bill in euro.tally.of(Fate.CLOSED)} == {EUR}
    account = place.row(str(place.bill_of("acct-00000"))).account_id
    closing = only(place.close(accounts=frozenset({account})))
    assert closing.account == "acct-00000"


def test_a_credit_note_that_waited_is_sent_once_its_invoice_is_closed(place: SyncPlace) -> None:
    bill = sent(place, credited=True)
    again = place.run(bill).tally
    assert [standing.short for standing in again.listed[Group.WAITING]] == ["waits for its invoice"]
    assert "sync close" in again.listed[Group.WAITING][0].why
    closing = only(place.close(bill))
    assert (closing.fate, closing.why) == (Fate.CLOSED, "")
    (invoice,) = place.invoices_of(bill)
    (note,) = [
        credit_note
        for credit_note in place.state("chargebee", "credit_notes")
        if credit_note["reference_invoice_id"] == invoice["id"]
    ]
    assert note["cf_m3ter_bill_id"] == bill
    assert place.row(bill).status is PushStatus.COMPLETE
    assert place.run(bill).tally.bills(Group.UNCHANGED) == 1


def test_a_bill_that_changes_while_its_credit_waits_is_finished_as_it_was_begun(
    place: SyncPlace,
) -> None:
    bill = sent(place, credited=True)
    (before,) = place.effects(bill)
    held = place.row(bill)
    recalculate(place, bill)
    place.run(bill)
    assert place.row(bill).draft == held.draft
    assert place.effects(bill) == (before,)


def recalculate(place: SyncPlace, bill: str) -> None:
    """m3ter bills more than before."""
    found = next(
        candidate for candidate in place.state("m3ter", "bills") if candidate["id"] == bill
    )
    lines = [dict(line) for line in found["lineItems"]]
    lines[0] |= {"subtotal": lines[0]["subtotal"] + 1}
    if "convertedSubtotal" in lines[0]:
        lines[0]["convertedSubtotal"] += 1
    place.person_edits(bill, lineItems=lines)


def test_an_edited_line_is_named_and_nothing_is_closed(place: SyncPlace) -> None:
    bill = sent(place)
    (invoice,) = place.invoices_of(bill)
    line = invoice["line_items"][0]
    edited = [line | {"amount": line["amount"] + 1}, *invoice["line_items"][1:]]
    place.person_edits(invoice["id"], line_items=edited)
    row = place.row(bill)
    for foreign in (False, True):
        result = place.close(bill, foreign=foreign)
        closing = only(result)
        assert closing.fate is Fate.OPEN
        assert "not as it was sent" in closing.why
        assert closing.hint
        assert closing.page.endswith("#stays-open")
        assert result.exit_code == 14
    assert place.row(bill) == row
    assert not closings(place)


def test_a_foreign_line_is_closed_with_the_invoice_only_when_a_person_says_so(
    place: SyncPlace,
) -> None:
    bill = sent(place)
    (invoice,) = place.invoices_of(bill)
    charge = {"amount": "500", "description": "by hand"}
    place.person(f"/invoices/{invoice['id']}/add_charge", **charge)
    closing = only(place.close(bill))
    assert closing.fate is Fate.OPEN
    assert '"by hand" of' in closing.why
    assert "--with-foreign-lines" in closing.hint
    assert len(place.effects(bill)) == 1
    one = only(place.close(bill, foreign=True))
    assert (one.fate, one.why) == (Fate.CLOSED, "")


def test_bills_of_other_ways_are_named_with_the_reason(place: SyncPlace) -> None:
    waits = next(iter(place.drafts(WAITS)))
    final = next(iter(place.drafts("month-end-usd")))
    place.run(waits, final)
    nothing = "00000000-0000-4000-8000-00000000dead"
    told = {
        str(closing.bill_id): closing.why
        for closing in place.close(waits, final, nothing).tally.of(Fate.OPEN)
    }
    assert "subscription's own pending invoice" in told[waits]
    assert "final at once" in told[final]
    assert "nothing of it was sent" in told[nothing]
    assert not closings(place)


def test_an_invoice_that_a_person_closed_lets_the_bill_go_on(place: SyncPlace) -> None:
    bill = sent(place, credited=True)
    (invoice,) = place.invoices_of(bill)
    closed = place.person(f"/invoices/{invoice['id']}/close")["invoice"]
    closing = only(place.close(bill))
    assert (closing.fate, closing.invoice) == (Fate.EARLIER, closed["id"])
    assert [str(effect.key.step) for effect in place.effects(bill)] == [
        "create-invoice",
        "credit-note",
    ]
    plain = sent(place)
    (invoice,) = place.invoices_of(plain)
    place.person(f"/invoices/{invoice['id']}/close")
    assert place.close(plain).tally.bills(Fate.EARLIER) == 1
    assert len(place.effects(plain)) == 1


def test_an_invoice_that_a_person_voided_stays_as_it_is(place: SyncPlace) -> None:
    bill = sent(place)
    (invoice,) = place.invoices_of(bill)
    place.person(f"/invoices/{invoice['id']}/void")
    closing = only(place.close(bill))
    assert closing.fate is Fate.OPEN
    assert "was voided" in closing.why


@pytest.mark.parametrize(
    ("fault", "switches"),
    [
        *(
            (literal, {})
            for literal in ("cut_before_commit", "commit_after_cut", "http_504", "lock_timeout")
        ),
        ("cut_after_commit", {"line_ids_stable": False}),
        ("cut_before_commit", {"line_ids_stable": False}),
        ("cut_after_commit", {"draft_id_after_close": 200}),
        ("cut_after_commit", {"id_changes_at_close": False}),
        ("cut_after_commit", {"chargebee_list_lag_seconds": 300}),
    ],
)
def test_an_unknown_outcome_ends_in_one_closing(
    make_place: Open, fault: str, switches: dict[str, object]
) -> None:
    place = make_place(15, **switches)
    bill = sent(place, name=GBP)
    place.fault(fault)
    place.close(bill)
    for seconds in AGAIN:
        place.advance(seconds)
        place.run(bill)
    assert len(closings(place)) == 1
    (invoice,) = place.invoices_of(bill)
    assert invoice["status"] != "pending"
    assert place.row(bill).status is PushStatus.COMPLETE
    assert only_closing(place, bill).object_id == invoice["id"]
    assert place.close(bill).tally.bills(Fate.EARLIER) == 1


def only_closing(place: SyncPlace, bill: str) -> Any:
    (found,) = [effect for effect in place.effects(bill) if str(effect.key.step) == "close-invoice"]
    return found


def test_a_closing_that_a_person_was_quicker_with_is_found_and_not_refused(
    place: SyncPlace,
) -> None:
    bill = sent(place)
    with pytest.raises(Killed):
        place.close(bill, life=Life(dies_in="sending"))
    place.advance(6 * MINUTE)  # the lease of the dead
    (invoice,) = place.invoices_of(bill)
    place.person(f"/invoices/{invoice['id']}/close")
    place.run(bill)
    (invoice,) = place.invoices_of(bill)
    assert only_closing(place, bill).object_id == invoice["id"]
    assert place.row(bill).status is PushStatus.COMPLETE


@pytest.mark.chaos
@pytest.mark.parametrize("after", [False, True])
def test_a_closing_that_dies_anywhere_closes_once(
    make_place: Open, stride: int, after: bool
) -> None:
    place = make_place(40 if stride > 1 else 90)
    place.run()
    bills = [row.bill_id for row in rows(place)]
    dies_at = 1 - stride
    for bill in bills:
        dies_at += stride
        life = Life(dies_at, after)
        before = len(closings(place))
        try:
            place.close(bill, life=life)
        except Killed:
            place.advance(6 * MINUTE)  # the lease of the dead
            finish(place, bill)
            assert len(closings(place)) == before + 1
            (invoice,) = place.invoices_of(bill)
            assert invoice["status"] != "pending"
            assert place.row(bill).status is PushStatus.COMPLETE
            continue
        assert {"claim", "put_bill", "intend", "sending", "perform", "ended"} <= set(life.calls)
        return
    raise AssertionError("more calls than bills")


def finish(place: SyncPlace, bill: str) -> None:
    """Close again, and run on, until nothing is under way."""
    for seconds in AGAIN:
        place.close(bill)
        if place.row(bill).status is PushStatus.COMPLETE:
            return
        place.advance(seconds)
        place.run(bill)


def rows(place: SyncPlace) -> list[Any]:
    with place.open(reading=True) as opened:
        assert opened.opened is not None
        found = opened.opened.ledger.bills(opened.scope.site, [PushStatus.COMPLETE])
        return [row for row in found if row.integration in {EUR, GBP}]


def test_a_paused_site_and_a_stop_close_nothing(place: SyncPlace) -> None:
    bill = sent(place)
    row = place.row(bill)
    result = place.close(bill, stopped=lambda: True)
    assert result.exit_code == 130
    assert place.row(bill) == row
    with place.open() as opened:
        told = place.reconciler("sync", "pause", "--env", ENV, "--reason", "audit")[1]
        assert "paused" in told
        pusher = opened.pusher(RunFilter(), RunLimits(), lambda: False)
        closer = Closer(pusher, CloseOrder((BillId(bill),)))
        closing = only(closer.run(opened.workers, SilentProgress()))
    assert closing.fate is Fate.OPEN
    assert "audit" in closing.why
    assert place.row(bill) == row
    assert not closings(place)
    code, told = place.reconciler("sync", "close", "--env", ENV, bill)
    assert code == 13
    assert "paused" in told


def test_a_closing_that_would_collect_by_itself_is_refused(place: SyncPlace) -> None:
    bill = sent(place)
    (invoice,) = place.invoices_of(bill)
    place.person_edits(invoice["customer_id"], auto_collection="on")
    closing = only(place.close(bill))
    assert closing.fate is Fate.OPEN
    assert "would collect by itself" in closing.why
    assert not closings(place)


@pytest.mark.parametrize("how", ["close", "retry", "by hand", "by hand and retry"])
def test_a_refused_closing_is_named_and_tried_again_when_the_cause_is_gone(
    make_place: Open, how: str
) -> None:
    place = make_place()
    place.edit(f"{EUR}/integration.yaml", "collection: off", "collection: customer-default")
    place.apply()
    for customer in place.state("chargebee", "customers"):
        place.person_edits(customer["id"], net_term_days=0)  # what is closed is due at once
    bill = sent(place, credited=True)
    (invoice,) = place.invoices_of(bill)
    place.person_edits(invoice["customer_id"], auto_collection="on")
    customer = only(place.close(bill))
    assert customer.fate is Fate.OPEN
    assert "payment_method_not_present" in customer.why
    assert place.row(bill).status is PushStatus.PARTIAL
    place.run(bill)
    assert not closings(place)
    assert only_closing(place, bill).state is PushState.REFUSED
    place.person_edits(invoice["customer_id"], auto_collection="off")
    if how.startswith("by hand"):
        place.person(f"/invoices/{invoice['id']}/close")
    if "retry" in how:
        code, told = place.reconciler("sync", "retry", bill, "--env", ENV)
        assert code == 0, told
        assert ("is closed" in told) == (how == "by hand and retry")
        place.run(bill)
    else:
        assert only(place.close(bill)).fate is Fate.CLOSED
    assert len(closings(place)) == 1
    (invoice,) = place.invoices_of(bill)
    assert only_closing(place, bill).object_id == invoice["id"]
    assert place.row(bill).status is PushStatus.COMPLETE
    assert str(place.effects(bill)[-1].key.step) == "credit-note"


def test_a_refused_closing_is_not_tried_again_on_an_invoice_that_changed(
    make_place: Open,
) -> None:
    place = make_place()
    place.edit(f"{EUR}/integration.yaml", "collection: off", "collection: customer-default")
    place.apply()
    for customer in place.state("chargebee", "customers"):
        place.person_edits(customer["id"], net_term_days=0)
    bill = sent(place)
    (invoice,) = place.invoices_of(bill)
    place.person_edits(invoice["customer_id"], auto_collection="on")
    place.close(bill)
    place.person(f"/invoices/{invoice['id']}/add_charge", amount="5", description="theirs")
    code, told = place.reconciler("sync", "retry", bill, "--env", ENV)
    assert code == 10
    assert "theirs" in told
    place.person(f"/invoices/{invoice['id']}/void")
    code, told = place.reconciler("sync", "retry", bill, "--env", ENV)
    assert code == 10
    assert "deleted or voided" in told
    assert "voided" in only(place.close(bill)).why
    assert only_closing(place, bill).state is PushState.REFUSED


def test_a_bill_under_way_or_of_a_worker_is_left_alone(place: SyncPlace) -> None:
    bill = sent(place, credited=True)
    (invoice,) = place.invoices_of(bill)
    place.person(f"/invoices/{invoice['id']}/close")
    place.fault("cut_before_commit", "/api/v2/credit_notes")
    place.run(bill)
    closing = only(place.close(bill))
    assert closing.fate is Fate.OPEN
    assert "its step credit-note is IN_DOUBT" in closing.why


def test_an_invoice_that_is_voided_while_its_credit_waits_leaves_the_bill_partly_sent(
    place: SyncPlace,
) -> None:
    bill = sent(place, credited=True)
    (invoice,) = place.invoices_of(bill)
    place.person(f"/invoices/{invoice['id']}/void")
    told = standing_of(place.run(bill), bill)
    assert told.status is PushStatus.PARTIAL
    assert "deleted or voided before it was credited" in told.why
    assert len(place.effects(bill)) == 1


def test_what_cannot_be_read_is_not_closed_and_the_others_go_on(place: SyncPlace) -> None:
    bill = sent(place)
    row = place.row(bill)
    unreadable = {"vendor": "chargebee", "method": "GET", "path": "/api/v2/invoices/*"}
    place.fault("http_500", match=unreadable, times=60)
    closing = only(place.close(bill))
    assert closing.fate is Fate.OPEN
    assert "500" in closing.why
    assert place.row(bill) == row
    assert not closings(place)


def test_a_bill_whose_integration_is_gone_stays_open(place: SyncPlace) -> None:
    bill = sent(place)
    with place.open() as opened:
        routes = tuple(route for route in opened.scope.routes if route.name != EUR)
        opened.watch.scope = replace(opened.scope, routes=routes)
        pusher = opened.pusher(RunFilter(), RunLimits(), lambda: False)
        closer = Closer(pusher, CloseOrder((BillId(bill),)))
        closing = only(closer.run(opened.workers, SilentProgress()))
    assert closing.fate is Fate.OPEN
    assert "no longer a push integration" in closing.why


def test_the_command_says_what_was_closed_and_what_was_not(place: SyncPlace) -> None:
    bill = sent(place)
    for wrong in ((), (bill, "--all"), (bill, "--period", "2026-11"), (bill, "--account", "x")):
        code, told = place.reconciler("sync", "close", "--env", ENV, *wrong)
        assert code == 10, told
        assert "--period YYYY-MM" in told or "narrow --period" in told
    assert not closings(place)
    code, told = place.reconciler("sync", "close", "--env", ENV, "--all")
    assert code == 0, told
    (invoice,) = place.invoices_of(bill)
    assert f"1 invoice closed in {ENV}" in told
    assert invoice["id"] in told
    code, told = place.reconciler("sync", "close", "--env", ENV, "--period", "2026-11")
    assert "Closed earlier, nothing was sent: 1 bill." in told
    code, told = place.reconciler("sync", "close", "--env", ENV, "nobody")
    assert code == 10
    assert "there is no bill `nobody`" in told
    waits = next(iter(place.drafts(WAITS)))
    code, told = place.reconciler("sync", "close", "--env", ENV, waits, "--format", "json")
    assert code == 14
    assert '"fate":"stays open"' in told
    assert '"schema":"m3ter-reconciler/sync-close/v1"' in told
