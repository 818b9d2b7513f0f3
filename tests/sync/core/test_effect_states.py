"""The states of an effect: every cell of the table, and what the counters say afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from fakes.push_data import NOW
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.kernel.address import BillId
from reconciler.sync.core.clocks import Clocks
from reconciler.sync.core.effect_states import (
    DECIDABLE,
    TABLE,
    ImpossibleTransitionError,
    after,
    idempotency_key,
)
from reconciler.sync.core.when_to_act import AskPerson, Look, RetryTimes, Send, next_move
from reconciler.sync.model.push import (
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
    UnknownOutcome,
    WindowClosed,
)

SETTINGS = RetryTimes()
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
    UnknownOutcome("cut"),
    Found("inv_1", (InvoiceLineId("li_1"),)),
    NotFound(),
    Undecidable("voided"),
    Redrafted(STEP),
)


def effect(state: PushState = PushState.INTENDED, **more: Any) -> Effect:
    return Effect(KEY, state, REQUEST, **more)


def minute(number: int) -> datetime:
    return NOW + timedelta(minutes=number)


def play(start: Effect, *events: tuple[int, Event]) -> Effect:
    """Play events at minutes after ``NOW``."""
    for minute, event in events:
        start = after(start, event, NOW + timedelta(minutes=minute), SETTINGS)
    return start


@pytest.mark.parametrize("state", list(PushState))
@pytest.mark.parametrize("event", ALL, ids=lambda entry: type(entry).__name__)
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
    twice = play(effect(), (0, Attempted()), (0, UnknownOutcome("cut")), (3, Attempted()))
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
        UnknownOutcome("cut again"),
    ],
)
def test_no_later_refusal_ends_the_doubt_of_an_earlier_attempt(later: Event) -> None:
    doubt = play(
        effect(), (0, Attempted()), (0, UnknownOutcome("cut")), (1, Attempted()), (1, later)
    )
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
    doubt = play(
        effect(),
        (0, Attempted()),
        (0, UnknownOutcome("cut")),
        (1, NotFound(minute(1))),
        (35, NotFound(minute(35))),
    )
    assert doubt.state is PushState.IN_DOUBT
    once = play(doubt, (36, NotFound(minute(36))), (37, NotFound(minute(37))))
    assert once.state is PushState.IN_DOUBT
    proven = play(once, (38, NotFound(minute(38))))
    assert proven.state is PushState.RETRY
    assert (proven.round_started_at, proven.empty_looks) == (None, ())
    assert proven.message == "looked for and not there: it never arrived"


def test_a_taken_key_with_nothing_to_be_found_is_for_a_person() -> None:
    taken = play(effect(), (0, Attempted()), (0, KeyConflict("in use")))
    assert taken.key_conflict
    gone = play(
        taken, (1, NotFound(minute(1))), (36, NotFound(minute(36))), (38, NotFound(minute(38)))
    )
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
    clocks = Clocks(NOW, NOW, NOW)
    assert next_move(not_sent, clocks, SETTINGS) == Look()
    assert next_move(not_sent, clocks, SETTINGS, looked=True) == Send()


def test_what_is_done_stays_done() -> None:
    with pytest.raises(ImpossibleTransitionError):
        after(effect(PushState.DONE), Resolved(None, "no"), NOW, SETTINGS)


class Chargebee:
    """The least of Chargebee: keys for 30 real minutes, arrivals that are late, lists that lag."""

    def __init__(self, lag: int) -> None:
        self.lag = timedelta(minutes=lag)
        self.coming: list[tuple[datetime, str]] = []
        self.made: list[datetime] = []
        self.keys: dict[str, datetime] = {}

    def post(self, key: str, at: datetime) -> None:
        known = self.keys.get(key)
        if known is not None and at - known < timedelta(minutes=30):
            return
        self.keys[key] = at
        self.made.append(at)

    def pass_time(self, now: datetime) -> None:
        for at, key in sorted(self.coming):
            if at <= now:
                self.coming.remove((at, key))
                self.post(key, at)

    def look(self, now: datetime) -> bool:
        return any(at + self.lag <= now for at in self.made)


@dataclass
class ThreeClocks:
    """Minutes by which each clock is ahead of what is true."""

    real: datetime = NOW
    machine: int = 0
    ledger: int = 0
    vendor: int | None = 0

    def read(self) -> Clocks:
        theirs = None if self.vendor is None else self.at(self.vendor)
        return Clocks(self.at(self.machine), self.at(self.ledger), theirs)

    def at(self, ahead: int) -> datetime:
        return self.real + timedelta(minutes=ahead)


@dataclass
class OneEffect:
    """One effect that is brought on as ``sync/push/push_loop.py`` does it."""

    site: Chargebee
    clocks: ThreeClocks
    effect: Effect = field(default_factory=effect)

    def visit(self, fault: str, pause: int, late: int) -> None:
        """Go on until nothing can be done now; the machine may be paused after a look."""
        looked = False
        while True:
            clocks = self.clocks.read()
            move = next_move(self.effect, clocks, SETTINGS, looked=looked)
            if isinstance(move, Look):
                seen = self.site.look(self.clocks.real)
                self.happens(Found("inv") if seen else NotFound(clocks.vendor))
                looked = True
                self.pass_time(pause)
            elif isinstance(move, Send):
                self.send(fault, late)
                return
            else:
                return

    def send(self, fault: str, late: int) -> None:
        self.happens(Attempted(self.clocks.read().vendor))
        if fault in {"cut-after", "answer", "died-after"}:
            self.site.post(idempotency_key(self.effect), self.clocks.real)
        elif fault == "late":
            arrives = self.clocks.real + timedelta(minutes=late)
            self.site.coming.append((arrives, idempotency_key(self.effect)))
        if fault == "answer":
            self.happens(Performed("inv"))
        elif fault == "busy":
            self.happens(NotPerformed("lock_timeout", "busy"))
        elif not fault.startswith("died"):
            self.happens(UnknownOutcome("cut"))

    def happens(self, event: Event) -> None:
        self.effect = after(self.effect, event, self.clocks.read().ledger, SETTINGS)

    def pass_time(self, minutes: int) -> None:
        self.clocks.real += timedelta(minutes=minutes)
        self.site.pass_time(self.clocks.real)


AHEAD = st.sampled_from([0, 0, 0, 1, -1, 3, -3, 25, -25, 60, -60, 90, -90])
VISITS = st.tuples(
    st.sampled_from(["cut-before", "cut-after", "late", "busy", "answer", "died", "died-after"]),
    st.sampled_from([0, 1, 2, 3, 8, 15, 19, 25, 33, 36, 40, 100]),
    st.integers(0, 9),
    st.integers(0, 10),
    st.tuples(AHEAD, AHEAD, st.one_of(AHEAD, st.none())),
)


@settings(max_examples=300)
@given(st.lists(VISITS, max_size=25), st.integers(0, 9), st.booleans())
def test_whatever_is_cut_and_whichever_clock_jumps_one_effect_makes_one_invoice(
    story: list[tuple[str, int, int, int, tuple[int, int, int | None]]], lag: int, shared: bool
) -> None:
    """Three clocks jump between any two visits; in the end the bill stands once, or a person has it.

    The machine may be paused for up to nine minutes between a look and a send; what is under way
    and not listed yet is so for less than twenty minutes.
    """
    one = OneEffect(Chargebee(lag), ThreeClocks())
    calm = [("answer", 3, 0, 0, (0, 0, 0))] * 100
    for fault, wait, pause, late, (machine, ledger, vendor) in [*story, *calm]:
        one.pass_time(wait)
        one.clocks.machine, one.clocks.vendor = machine, vendor
        one.clocks.ledger = ledger if shared else machine
        one.visit(fault, pause, late)
        assert len(one.site.made) <= 1
    if one.effect.state is PushState.DONE:
        assert len(one.site.made) == 1
    else:
        last = next_move(one.effect, one.clocks.read(), SETTINGS, looked=True)
        assert isinstance(last, AskPerson), "only a day of tries is given up"
