"""The states of an effect: every cell of the table, and what the counters say afterwards."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from fakes.push_data import NOW
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.look_first import AskPerson, Look, LookFirst, Send, next_move
from reconciler.core.push_machine import (
    DECIDABLE,
    TABLE,
    ImpossibleTransitionError,
    after,
    idempotency_key,
)
from reconciler.domain.address import BillId
from reconciler.domain.push import (
    Attempted,
    CredentialsRefused,
    Effect,
    Event,
    Found,
    InvoiceId,
    InvoiceLineId,
    KeyConflict,
    NotFound,
    NotPerformed,
    Performed,
    PushKey,
    PushState,
    Redrafted,
    Refused,
    Resolved,
    SiteName,
    Step,
    StepKind,
    StepName,
    StoredRequest,
    Undecidable,
    Unknown,
    WindowClosed,
)

SETTINGS = LookFirst()
KEY = PushKey(SiteName("acme-test"), BillId("bill-1"), 1, StepName(StepKind.CREATE_INVOICE))
REQUEST = StoredRequest("/invoices/create_for_charge_items_and_charges", b"a=1")
STEP = Step(KEY.step, StoredRequest("/new", b"b=2"), InvoiceId("i"), frozenset(), 4)
ALL: tuple[Event, ...] = (
    Attempted(),
    Performed("inv_1", (InvoiceLineId("li_1"),)),
    NotPerformed("api_request_limit_exceeded", "slow down"),
    Refused("param_wrong_value", "no such price"),
    KeyConflict("key in use"),
    WindowClosed("not pending"),
    CredentialsRefused("wrong key"),
    Unknown("cut"),
    Found("inv_1", (InvoiceLineId("li_1"),)),
    NotFound(),
    Undecidable("voided"),
    Redrafted(STEP),
)


def effect(state: PushState = PushState.INTENDED, **more: Any) -> Effect:
    return Effect(KEY, state, REQUEST, **more)


def play(start: Effect, *events: tuple[int, Event]) -> Effect:
    """Play events at minutes after ``NOW``."""
    for minute, event in events:
        start = after(start, event, NOW + timedelta(minutes=minute), SETTINGS)
    return start


@pytest.mark.parametrize("state", list(PushState))
@pytest.mark.parametrize("event", ALL, ids=lambda one: type(one).__name__)
def test_every_cell_of_the_table_holds_and_nothing_else_can_happen(
    state: PushState, event: Event
) -> None:
    wanted = TABLE[state].get(type(event))
    if wanted is None:
        with pytest.raises(ImpossibleTransitionError, match=f"is {state}; {type(event).__name__}"):
            after(effect(state), event, NOW, SETTINGS)
    else:
        assert after(effect(state), event, NOW, SETTINGS).state is wanted


def test_an_answer_names_the_object() -> None:
    done = play(effect(), (0, Attempted()), (0, Performed("inv_1", (InvoiceLineId("li_1"),))))
    assert (done.state, done.object_id, done.line_ids) == (PushState.DONE, "inv_1", ("li_1",))
    assert (done.attempts, done.failures) == (1, 0)


def test_the_first_attempt_of_a_round_keeps_its_time() -> None:
    twice = play(effect(), (0, Attempted()), (0, Unknown("cut")), (3, Attempted()))
    assert twice.round_started_at == NOW
    assert twice.last_attempt_at == NOW + timedelta(minutes=3)
    assert (twice.attempts, twice.failures, twice.message) == (2, 1, "cut")


def test_a_process_that_died_under_an_attempt_leaves_doubt() -> None:
    again = play(effect(), (0, Attempted()), (1, Attempted()))
    assert again.state is PushState.IN_DOUBT


@pytest.mark.parametrize(
    "later",
    [
        NotPerformed("lock_timeout", "busy"),
        Refused("param_wrong_value", "no"),
        WindowClosed("closed"),
        CredentialsRefused("wrong key"),
        Unknown("cut again"),
    ],
)
def test_no_later_refusal_ends_the_doubt_of_an_earlier_attempt(later: Event) -> None:
    doubt = play(effect(), (0, Attempted()), (0, Unknown("cut")), (1, Attempted()), (1, later))
    assert doubt.state is PushState.IN_DOUBT
    assert doubt.rejections == 0
    assert doubt.round_started_at == NOW


def test_a_definite_refusal_changes_the_key_and_a_rate_limit_does_not() -> None:
    sent = play(effect(), (0, Attempted()))
    refused = play(sent, (0, Refused("x", "y")))
    limited = play(sent, (0, NotPerformed("api_request_limit_exceeded", "slow")))
    assert refused.state is PushState.REFUSED
    assert idempotency_key(refused) != idempotency_key(sent)
    assert limited.state is PushState.RETRY
    assert idempotency_key(limited) == idempotency_key(sent)
    assert limited.round_started_at is None
    assert limited.message == "api_request_limit_exceeded: slow"


def test_a_key_is_64_hexadecimal_digits_and_belongs_to_one_effect() -> None:
    one = idempotency_key(effect())
    other = replace(KEY, generation=2)
    assert len(one) == 64
    assert one != idempotency_key(replace(effect(), key=other))
    assert one == idempotency_key(replace(effect(), request=STEP.request))


def test_two_empty_looks_late_and_apart_prove_that_nothing_arrived() -> None:
    doubt = play(effect(), (0, Attempted()), (0, Unknown("cut")), (34, NotFound()))
    assert doubt.state is PushState.IN_DOUBT
    once = play(doubt, (35, NotFound()), (36, NotFound()))
    assert once.state is PushState.IN_DOUBT
    proven = play(once, (37, NotFound()))
    assert proven.state is PushState.RETRY
    assert (proven.round_started_at, proven.empty_looks) == (None, ())
    assert proven.message == "looked for and not there: it never arrived"


def test_a_taken_key_with_nothing_to_be_found_is_for_a_person() -> None:
    taken = play(effect(), (0, Attempted()), (0, KeyConflict("in use")))
    assert taken.key_conflict
    gone = play(taken, (1, NotFound()), (36, NotFound()), (38, NotFound()))
    assert gone.state is PushState.PERSON
    assert "the key is taken" in gone.message


def test_what_only_a_person_can_judge_says_why() -> None:
    stopped = play(effect(), (0, Undecidable("invoice inv_1 was voided")))
    assert (stopped.state, stopped.message) == (PushState.PERSON, "invoice inv_1 was voided")


def test_a_corrected_step_replaces_the_request_of_a_refused_one() -> None:
    new = play(effect(), (0, Attempted()), (0, Refused("x", "y")), (5, Redrafted(STEP)))
    assert (new.state, new.request, new.invoice_id) == (PushState.INTENDED, STEP.request, "i")
    assert (new.lines_before, new.draft_line, new.failures) == (frozenset(), 4, 0)
    assert new.rejections == 1


@pytest.mark.parametrize("state", sorted(DECIDABLE))
def test_a_person_may_decide_whatever_is_not_done(state: PushState) -> None:
    sent = after(effect(state), Resolved("inv_9", "seen"), NOW, SETTINGS)
    assert (sent.state, sent.object_id, sent.message) == (PushState.DONE, "inv_9", "seen")
    not_sent = after(effect(state), Resolved(None, "looked"), NOW, SETTINGS)
    assert (not_sent.state, not_sent.rejections) == (PushState.RETRY, 1)
    assert next_move(not_sent, NOW, SETTINGS) == Send()


def test_what_is_done_stays_done() -> None:
    with pytest.raises(ImpossibleTransitionError):
        after(effect(PushState.DONE), Resolved(None, "no"), NOW, SETTINGS)


class Chargebee:
    """The least of Chargebee: keys for 30 minutes, and what was made."""

    def __init__(self) -> None:
        self.made: list[datetime] = []
        self.keys: dict[str, datetime] = {}

    def post(self, key: str, at: datetime, *, arrives: bool) -> None:
        if not arrives:
            return
        known = self.keys.get(key)
        if known is not None and at - known < timedelta(minutes=30):
            return
        self.keys[key] = at
        self.made.append(at)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                ["cut-before", "cut-after", "busy", "answer", "died-before", "died-after"]
            ),
            st.integers(0, 400),
        ),
        max_size=30,
    ),
    st.integers(-2, 2),
)
def test_whatever_is_cut_and_however_late_one_effect_makes_one_invoice(
    story: list[tuple[str, int]], skew: int
) -> None:
    """Any faults at any times, our clock up to two minutes off: never two invoices, in the end one."""
    site, one, minute, ours = Chargebee(), effect(), 0, NOW
    for fault, pause in [*story, *[("answer", 3)] * 60]:
        minute += pause
        real = NOW + timedelta(minutes=minute)
        ours = real + timedelta(minutes=skew * (len(site.keys) % 2))
        match next_move(one, ours, SETTINGS):
            case Send():
                one = after(one, Attempted(), ours, SETTINGS)
                arrives = fault in {"cut-after", "answer", "died-after"}
                site.post(idempotency_key(one), real, arrives=arrives)
                if fault == "answer":
                    one = after(one, Performed("inv"), ours, SETTINGS)
                elif fault == "busy":
                    one = after(one, NotPerformed("lock_timeout", "busy"), ours, SETTINGS)
                elif fault.startswith("cut"):
                    one = after(one, Unknown("cut"), ours, SETTINGS)
            case Look():
                found = Found("inv") if site.made else NotFound()
                one = after(one, found, ours, SETTINGS)
            case _:
                pass
        assert len(site.made) <= 1
    if one.state is PushState.DONE:
        assert len(site.made) == 1
    else:
        assert isinstance(next_move(one, ours, SETTINGS), AskPerson), "given up only after a day"
        assert ours - NOW > timedelta(hours=24)
