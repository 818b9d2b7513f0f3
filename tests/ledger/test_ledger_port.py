"""Every method of the port, over both databases."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from fakes.clock import FakeClock
from fakes.push_effects import (
    BILL,
    OTHER_SITE,
    SITE,
    WHY,
    key,
    line_step,
    row,
    stamped,
    step,
)

from reconciler.kernel.address import BillId
from reconciler.ledger import bills as bill_rows
from reconciler.ledger import bills as stamp_rows
from reconciler.ledger.effects import NoSuchEffectError
from reconciler.ledger.history import SqlHistory
from reconciler.ledger.ledger import SqlLedger
from reconciler.sync.core.effect_states import ImpossibleTransitionError
from reconciler.sync.model.push import (
    Found,
    InvoiceId,
    InvoiceLineId,
    NotFound,
    NotPerformed,
    Performed,
    PushState,
    PushStatus,
    Refused,
    Resolved,
    Undecidable,
    UnknownOutcome,
)
from reconciler.sync.ports.ledger import Lease, LeaseLostError, Ledger, Provenance


def held(ledger: Ledger, bill: str = BILL, worker: str = "one", seconds: float = 60) -> Lease:
    lease = ledger.claim(SITE, BillId(bill), worker, seconds)
    assert lease is not None
    return lease


def test_only_one_worker_holds_a_bill(ledger: SqlLedger) -> None:
    held(ledger)
    assert ledger.claim(SITE, BILL, "two", 60) is None
    assert ledger.claim(SITE, BillId("bill-2"), "two", 60) is not None
    assert ledger.claim(OTHER_SITE, BILL, "two", 60) is not None


def test_a_lease_that_is_over_is_taken_with_a_higher_fence(
    ledger: SqlLedger, clock: FakeClock
) -> None:
    first = held(ledger)
    clock.advance(60)
    second = held(ledger, worker="two")
    assert (first.fence, second.fence) == (1, 2)
    assert second.until == clock.now() + timedelta(seconds=60)


def test_a_released_bill_is_free_at_once_and_its_fence_never_falls(ledger: SqlLedger) -> None:
    ledger.release(held(ledger))
    assert held(ledger, worker="two").fence == 2


def test_a_lost_lease_is_released_without_harm(ledger: SqlLedger, clock: FakeClock) -> None:
    lost = held(ledger)
    clock.advance(61)
    second = held(ledger, worker="two")
    ledger.release(lost)
    assert ledger.renew(second, 60).fence == 2


def test_releasing_late_does_not_make_a_lease_longer(ledger: SqlLedger, clock: FakeClock) -> None:
    lost = held(ledger, seconds=10)
    clock.advance(100)
    ledger.release(lost)
    clock.time -= timedelta(seconds=50)
    assert ledger.claim(SITE, BILL, "two", 60) is not None


def test_a_renewed_lease_lasts_longer(ledger: SqlLedger, clock: FakeClock) -> None:
    lease = held(ledger, seconds=10)
    clock.advance(9)
    longer = ledger.renew(lease, 10)
    clock.advance(9)
    assert ledger.claim(SITE, BILL, "two", 60) is None
    assert longer.until == clock.now() + timedelta(seconds=1)


def test_whoever_lost_the_lease_records_nothing(ledger: SqlLedger, clock: FakeClock) -> None:
    one = key()
    lost = held(ledger)
    ledger.intend(lost, one, step(one), WHY)
    clock.advance(60)
    for act in (
        lambda: ledger.renew(lost, 60),
        lambda: ledger.sending(lost, one),
        lambda: ledger.intend(lost, key(1), step(key(1)), WHY),
        lambda: ledger.redraft(lost, one, step(one), WHY),
        lambda: ledger.looked(lost, one, NotFound()),
        lambda: ledger.resolved(lost, one, Resolved("inv_1", "seen"), "ann"),
        lambda: ledger.put_bill(lost, row()),
    ):
        with pytest.raises(LeaseLostError, match="another worker"):
            act()
    assert [(effect.state, effect.attempts) for effect in ledger.effects(SITE, BILL)] == [
        (PushState.INTENDED, 0)
    ]
    assert ledger.bill(SITE, BILL) is None


def test_an_effect_keeps_every_byte_and_digit(ledger: SqlLedger) -> None:
    lease = held(ledger)
    made, lines = key(), key(3, kind="add-line")
    ledger.intend(lease, made, step(made), WHY)
    ledger.intend(lease, lines, line_step(lines, "li_2", "li_1"), WHY)
    first, second = ledger.effects(SITE, BILL)
    assert (first.key, first.request, first.lines_before) == (made, step(made).request, None)
    assert (second.key, second.request) == (lines, line_step(lines).request)
    assert second.lines_before == frozenset(map(InvoiceLineId, ["li_1", "li_2"]))
    assert (second.invoice_id, second.draft_line) == (InvoiceId("inv_1"), 4)


def test_an_effect_that_exists_is_given_back_as_it_stands(ledger: SqlLedger) -> None:
    lease, one = held(ledger), key()
    ledger.intend(lease, one, step(one, b"first"), WHY)
    ledger.sending(lease, one)
    again = ledger.intend(lease, one, step(one, b"second"), WHY)
    assert (again.request.body, again.state) == (b"first", PushState.SENDING)
    assert len(ledger.effects(SITE, BILL)) == 1


def test_effects_are_in_order_of_generation_and_intent(ledger: SqlLedger) -> None:
    lease = held(ledger)
    order = [key(generation=2), key(2, kind="add-line"), key(1, kind="add-line"), key()]
    for entry in order:
        ledger.intend(lease, entry, step(entry), WHY)
    assert [effect.key for effect in ledger.effects(SITE, BILL)] == [*order[1:], order[0]]


def test_an_attempt_is_recorded_before_and_after(ledger: SqlLedger, clock: FakeClock) -> None:
    lease, one = held(ledger), key()
    ledger.intend(lease, one, step(one), WHY)
    assert ledger.sending(lease, one).state is PushState.SENDING
    (open_one,) = ledger.attempts(SITE, BILL)
    assert (open_one.key, open_one.number, open_one.ended_at) == (one, 1, None)
    assert (open_one.started_at, open_one.worker) == (clock.now(), "one")
    clock.advance(2)
    done = ledger.ended(lease, one, Performed("inv_1", (InvoiceLineId("li_1"),)), "success")
    assert (done.state, done.object_id) == (PushState.DONE, "inv_1")
    assert ledger.effects(SITE, BILL) == (done,)
    (closed,) = ledger.attempts(SITE, BILL)
    assert (closed.ended_at, closed.outcome) == (clock.now(), "Performed")
    assert closed.message == "as inv_1"


def test_a_refused_effect_is_made_anew_with_another_key(ledger: SqlLedger) -> None:
    lease, one = held(ledger), key()
    ledger.intend(lease, one, step(one), WHY)
    ledger.sending(lease, one)
    ledger.ended(lease, one, Refused("param_wrong_value", "no such price", "x"), "bill")
    why = Provenance("run-2", "chargebee-uk", 8, "fff", 4, "c" * 64)
    again = ledger.redraft(lease, one, step(one, b"new"), why)
    assert (again.state, again.rejections, again.request.body) == (PushState.INTENDED, 1, b"new")
    history = SqlHistory(ledger.database)
    assert history.provenance(SITE, BILL) == {one: why}


def test_an_unknown_outcome_survives_everything_but_proof(
    ledger: SqlLedger, clock: FakeClock
) -> None:
    lease, one = held(ledger, seconds=100_000), key()
    ledger.intend(lease, one, step(one), WHY)
    ledger.sending(lease, one)
    assert ledger.ended(lease, one, UnknownOutcome("cut"), "transient").state is PushState.IN_DOUBT
    states = []
    for minutes in (1, 36, 3):
        clock.advance(minutes * 60)
        assert ledger.looked(lease, one, NotFound()).state is PushState.IN_DOUBT, "no vendor's time"
        states.append(ledger.looked(lease, one, NotFound(clock.now())).state)
        if states[-1] is PushState.RETRY:
            break
    assert states == [PushState.IN_DOUBT, PushState.IN_DOUBT, PushState.RETRY]
    assert ledger.looked(lease, one, Undecidable("voided")).state is PushState.PERSON


def test_times_and_looks_are_given_back_as_they_were(ledger: SqlLedger, clock: FakeClock) -> None:
    clock.time = datetime(2026, 12, 1, 6, 0, 0, 123456, tzinfo=UTC)
    lease, one = held(ledger, seconds=9999), key()
    ledger.intend(lease, one, step(one), WHY)
    theirs = clock.now() - timedelta(minutes=3, microseconds=7)
    sent = ledger.sending(lease, one, theirs)
    assert (sent.round_vendor_at, sent.last_vendor_at, sent.doubt) == (theirs, theirs, "")
    assert [row.vendor_at for row in ledger.attempts(SITE, BILL)] == [theirs]
    ledger.ended(lease, one, UnknownOutcome("cut"), None)
    looked = ledger.looked(lease, one, NotFound(theirs))
    assert (looked.empty_looks, looked.doubt) == ((theirs,), "open")
    assert ledger.effects(SITE, BILL) == (looked,)
    assert looked.round_started_at == looked.failed_since == clock.now()


def test_a_person_decides_and_stays_on_record(ledger: SqlLedger, clock: FakeClock) -> None:
    lease, one = held(ledger), key()
    ledger.intend(lease, one, step(one), WHY)
    ledger.looked(lease, one, Undecidable("two invoices"))
    done = ledger.resolved(lease, one, Resolved("inv_9", "Ann found it"), "ann")
    assert (done.state, done.object_id) == (PushState.DONE, "inv_9")
    (decision,) = SqlHistory(ledger.database).decisions(SITE, str(one))
    assert (decision.what, decision.actor) == ("sent as inv_9", "ann")
    assert (decision.why, decision.at) == ("Ann found it", clock.now())


def test_a_person_may_say_that_it_was_not_sent(ledger: SqlLedger) -> None:
    lease, one = held(ledger), key()
    ledger.intend(lease, one, step(one), WHY)
    ledger.looked(lease, one, Undecidable("two invoices"))
    assert ledger.resolved(lease, one, Resolved(None, "no"), "ann").state is PushState.RETRY


def test_a_decision_said_twice_is_one(ledger: SqlLedger) -> None:
    lease, one = held(ledger), key()
    ledger.intend(lease, one, step(one), WHY)
    for _ in range(2):
        assert ledger.resolved(lease, one, Resolved("inv_9", ""), "ann").state is PushState.DONE
    with pytest.raises(ImpossibleTransitionError):
        ledger.resolved(lease, one, Resolved("inv_8", ""), "ann")


def test_an_outcome_said_twice_is_one(ledger: SqlLedger) -> None:
    lease, one = held(ledger), key()
    ledger.intend(lease, one, step(one), WHY)
    ledger.sending(lease, one)
    answers = [ledger.ended(lease, one, NotPerformed("429", "wait"), None) for _ in range(2)]
    assert answers[0] == answers[1]
    assert answers[0].failures == 1


def test_a_late_answer_of_a_worker_that_lost_its_lease_but_not_the_bill_counts(
    ledger: SqlLedger, clock: FakeClock
) -> None:
    lease, one = held(ledger), key()
    ledger.intend(lease, one, step(one), WHY)
    ledger.sending(lease, one)
    clock.advance(600)
    assert ledger.ended(lease, one, Refused("x", "y"), None).state is PushState.REFUSED


def taken_over(ledger: SqlLedger, clock: FakeClock) -> tuple[Lease, Lease]:
    """One worker sent and went silent; another sent the same again and waits for its answer."""
    one = key()
    silent = held(ledger)
    ledger.intend(silent, one, step(one), WHY)
    ledger.sending(silent, one)
    clock.advance(61)
    other = held(ledger, worker="two")
    assert ledger.sending(other, one).state is PushState.IN_DOUBT
    return silent, other


def test_a_late_refusal_says_nothing_about_what_another_worker_sent(
    ledger: SqlLedger, clock: FakeClock
) -> None:
    silent, other = taken_over(ledger, clock)
    late = ledger.ended(silent, key(), Refused("x", "late"), None)
    assert (late.state, late.rejections) == (PushState.IN_DOUBT, 0)
    assert ledger.ended(other, key(), Performed("inv_1"), "success").state is PushState.DONE
    assert [attempt.outcome for attempt in ledger.attempts(SITE, BILL)] == ["Refused", "Performed"]


def test_a_late_success_names_the_invoice(ledger: SqlLedger, clock: FakeClock) -> None:
    silent, other = taken_over(ledger, clock)
    assert ledger.ended(silent, key(), Performed("inv_1"), "success").state is PushState.DONE
    effect = ledger.ended(other, key(), Performed("inv_1", replayed=True), "success")
    assert effect.object_id == "inv_1"


def test_a_late_success_does_not_replace_what_was_found(
    ledger: SqlLedger, clock: FakeClock
) -> None:
    silent, other = taken_over(ledger, clock)
    ledger.looked(other, key(), Found("inv_1"))
    effect = ledger.ended(silent, key(), Performed("inv_2"), "success")
    assert (effect.object_id, effect.message) == ("inv_1", "an attempt also made inv_2")
    assert ledger.effects(SITE, BILL) == (effect,)
    assert "as inv_2" in [attempt.message for attempt in ledger.attempts(SITE, BILL)]


def test_what_cannot_happen_is_refused_and_not_recorded(ledger: SqlLedger) -> None:
    lease, one = held(ledger), key()
    with pytest.raises(NoSuchEffectError, match="acme-test/bill-1/1/create-invoice"):
        ledger.sending(lease, one)
    with pytest.raises(NoSuchEffectError):
        ledger.ended(lease, one, Performed("inv_1"), None)
    ledger.intend(lease, one, step(one), WHY)
    with pytest.raises(ImpossibleTransitionError):
        ledger.ended(lease, one, Performed("inv_1"), None)
    assert ledger.effects(SITE, BILL)[0].state is PushState.INTENDED
    assert ledger.attempts(SITE, BILL) == ()


def test_the_sequence_rises_with_everything_about_an_effect(ledger: SqlLedger) -> None:
    lease, one = held(ledger), key()
    seen = [ledger.identity.sequence]
    acts: list[Callable[[], object]] = [
        lambda: ledger.intend(lease, one, step(one), WHY),
        lambda: ledger.sending(lease, one),
        lambda: ledger.ended(lease, one, Refused("x", "y"), None),
        lambda: ledger.redraft(lease, one, step(one), WHY),
        lambda: ledger.looked(lease, one, NotFound()),
        lambda: ledger.resolved(lease, one, Resolved("inv_1", "x"), "ann"),
    ]
    for act in acts:
        act()
        seen.append(ledger.identity.sequence)
    assert seen == list(range(7))


def test_what_may_send_and_what_a_person_decides_is_noted_outside_at_once(
    ledger: SqlLedger,
) -> None:
    notes: list[int] = []
    noting = SqlLedger(ledger.database, ledger.settings, lambda note: notes.append(note.sequence))
    lease, one = held(ledger), key()
    noting.intend(lease, one, step(one), WHY)
    assert notes == []
    for turn in range(1, 4):
        noting.sending(lease, one)
        assert notes[-1] == noting.identity.sequence == 2 * turn
        noting.ended(lease, one, UnknownOutcome("cut"), None)
    noting.resolved(lease, one, Resolved("inv_1", "x"), "ann")
    noting.pause(SITE, "ann", "wait")
    noting.disable(SITE, "chargebee-uk", "x")
    assert notes == [2, 4, 6, 8, 9, 10]


def test_a_bill_is_put_and_put_again(ledger: SqlLedger) -> None:
    lease = held(ledger)
    ledger.put_bill(lease, row())
    assert ledger.bill(SITE, BILL) == row()
    done = row(status=PushStatus.COMPLETE, billed=None, expected=None, message="")
    ledger.put_bill(lease, done)
    assert ledger.bill(SITE, BILL) == done
    assert ledger.bill(OTHER_SITE, BILL) is None
    assert list(ledger.bills(SITE)) == [done]


def test_one_sum_without_the_other_keeps_its_currency(ledger: SqlLedger) -> None:
    only = row(billed=None, next_at=datetime(2026, 12, 1, 7, 0, 0, 5, tzinfo=UTC))
    ledger.put_bill(held(ledger), only)
    assert ledger.bill(SITE, BILL) == only


def test_bills_stream_by_period_and_id_over_pages(ledger: SqlLedger) -> None:
    rows = [
        row(f"b{number:04d}", period_end=date(2026, 10 + number % 3, 1))
        for number in range(bill_rows.PAGE + 20)
    ]
    for entry in rows:
        ledger.put_bill(held(ledger, entry.bill_id), entry)
    streamed = [(bill.period_end, bill.bill_id) for bill in ledger.bills(SITE)]
    assert streamed == sorted((row.period_end, row.bill_id) for row in rows)
    assert list(ledger.bills(OTHER_SITE)) == []


def test_bills_are_chosen_by_status(ledger: SqlLedger) -> None:
    for name, status in (("a", PushStatus.COMPLETE), ("b", PushStatus.ERROR)):
        ledger.put_bill(held(ledger, name), row(name, status))
    chosen = ledger.bills(SITE, [PushStatus.ERROR, PushStatus.PARTIAL])
    assert [row.bill_id for row in chosen] == ["b"]
    assert list(ledger.bills(SITE, [])) == []


def test_marks_are_the_newest_since_the_last_enabling(ledger: SqlLedger) -> None:
    lease = held(ledger)
    for number, mark in enumerate(("systemic", "bill", "success"), start=1):
        one = key(number, kind="add-line")
        ledger.intend(lease, one, step(one), WHY)
        ledger.sending(lease, one)
        ledger.ended(lease, one, Performed("inv_1"), mark)  # type: ignore[arg-type]
    assert ledger.marks(SITE, "chargebee-uk", 10) == ("systemic", "bill", "success")
    assert ledger.marks(SITE, "chargebee-uk", 2) == ("bill", "success")
    assert ledger.marks(SITE, "other", 10) == ()
    ledger.enable(SITE, "chargebee-uk", "ann")
    assert ledger.marks(SITE, "chargebee-uk", 10) == ()


def test_a_push_is_disabled_once_until_it_is_enabled(ledger: SqlLedger) -> None:
    assert ledger.disabled(SITE, "chargebee-uk") is None
    ledger.disable(SITE, "chargebee-uk", "ten failures")
    ledger.disable(SITE, "chargebee-uk", "later")
    assert ledger.disabled(SITE, "chargebee-uk") == "ten failures"
    ledger.enable(SITE, "chargebee-uk", "ann")
    assert ledger.disabled(SITE, "chargebee-uk") is None
    (decision,) = SqlHistory(ledger.database).decisions(SITE, "chargebee-uk")
    assert (decision.what, decision.actor) == ("enabled", "ann")


def test_a_site_is_paused_and_resumed(ledger: SqlLedger) -> None:
    assert ledger.paused(SITE) is None
    ledger.pause(SITE, "ann", "month end")
    ledger.pause(SITE, "ben", "still")
    assert ledger.paused(SITE) == "ben, 01 Dec 2026, 06:00 UTC: still"
    assert ledger.paused(OTHER_SITE) is None
    ledger.resume(SITE, "ann")
    assert ledger.paused(SITE) is None
    said = [decision.what for decision in SqlHistory(ledger.database).decisions(SITE, SITE)]
    assert said == ["paused", "paused", "resumed"]


def test_decisions_below_a_subject_are_found_and_no_others(ledger: SqlLedger) -> None:
    history = SqlHistory(ledger.database)
    made = history.decide(SITE, "cut%over/bill-1", "skip", "ann", "paid by hand")
    history.decide(SITE, "cutXover/bill-1", "skip", "ann", "")
    assert history.decisions(SITE, "cut%over") == (made,)


def test_stamps_are_indexed_by_bill_and_replaced_when_read_again(ledger: SqlLedger) -> None:
    assert ledger.put_stamps(SITE, [stamped(1), stamped(2, "bill-2"), stamped(3, None)]) == 2
    voided = stamped(1, status="voided", deleted=True, updated_at=datetime(2026, 12, 2, tzinfo=UTC))
    assert ledger.put_stamps(SITE, [voided, stamped(4)]) == 1
    assert ledger.stamps(SITE, BILL) == (voided, stamped(4))
    assert ledger.stamps(OTHER_SITE, BILL) == ()


def test_many_stamps_are_put_in_batches(ledger: SqlLedger) -> None:
    many = [stamped(number) for number in range(stamp_rows.BATCH + 5)]
    assert ledger.put_stamps(SITE, iter([*many, many[0]])) == len(many)
    assert ledger.put_stamps(SITE, []) == 0
    assert len(ledger.stamps(SITE, BILL)) == len(many)


def test_lines_are_known_by_whichever_bill_made_them(ledger: SqlLedger) -> None:
    lease, one = held(ledger), key(1, kind="add-line")
    ledger.intend(lease, one, line_step(one, "li_0"), WHY)
    ledger.sending(lease, one)
    ledger.ended(lease, one, Performed("inv_1", (InvoiceLineId("li_1"),)), None)
    asked = [InvoiceLineId(literal) for literal in ("li_0", "li_1", "li_", "li%")]
    assert ledger.lines_known(SITE, asked) == {InvoiceLineId("li_1")}
    assert ledger.lines_known(SITE, []) == frozenset()
    assert ledger.lines_known(OTHER_SITE, asked) == frozenset()


def test_lines_that_a_person_says_are_not_ours_were_there_before(ledger: SqlLedger) -> None:
    lease, one = held(ledger), key(1, kind="add-line")
    ledger.intend(lease, one, line_step(one, "li_0"), WHY)
    ledger.looked(lease, one, Undecidable("a line just like it"))
    said = Resolved(None, "no", (InvoiceLineId("li_1"),))
    found = ledger.resolved(lease, one, said, "ann").lines_before
    assert sorted(found or ()) == ["li_0", "li_1"]
