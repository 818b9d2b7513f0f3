"""Leases and effects against a model of a few lines, in any order of events and time."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest
from fakes.clock import FakeClock
from fakes.push_effects import BILL, SITE, WHY, expected, key, step
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from reconciler.ledger.opening import create_ledger, open_ledger
from reconciler.ledger.sql.sqlite_file import open_sqlite
from reconciler.sync.core.effect_states import ImpossibleTransitionError, after
from reconciler.sync.core.when_to_act import RetryTimes
from reconciler.sync.model.push import (
    Attempted,
    Effect,
    Event,
    Found,
    NotFound,
    NotPerformed,
    Performed,
    PushState,
    Refused,
    Resolved,
    StepOutcome,
    Undecidable,
    UnknownOutcome,
)
from reconciler.sync.ports.ledger import Lease, LeaseLostError

SETTINGS = RetryTimes()
OUTCOMES: list[StepOutcome] = [
    Performed("inv_1"),
    NotPerformed("429", "wait"),
    Refused("x", "no"),
    UnknownOutcome("cut"),
]
LOOKS = [NotFound(), Found("inv_1"), Undecidable("two")]


@dataclass
class Held:
    """What the model knows of one worker: its lease, and whether a request is in flight."""

    lease: Lease
    flying: bool = False


class LedgerAgainstModel(RuleBasedStateMachine):
    """Two workers and a person, one bill, one effect."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = FakeClock()
        self.file = Path(self.folder.name) / "ledger.sqlite"
        self.database = open_sqlite(self.file, self.clock)
        self.ledger = create_ledger(self.database, expected(), SETTINGS)
        self.workers: dict[str, Held] = {}
        self.fence = 0
        self.until: datetime | None = None
        self.effect: Effect | None = None
        self.sequence = 0
        self.begun = 0

    def teardown(self) -> None:
        self.database.close()
        self.folder.cleanup()

    def holds(self, worker: str) -> bool:
        lease = self.workers[worker].lease
        assert self.until is not None
        return lease.fence == self.fence and self.until > self.clock.now()

    @rule(worker=st.sampled_from(["one", "two"]), seconds=st.integers(1, 120))
    def claim(self, worker: str, seconds: int) -> None:
        free = self.until is None or self.until <= self.clock.now()
        lease = self.ledger.claim(SITE, BILL, worker, seconds)
        assert (lease is not None) is free
        if lease is not None:
            self.fence += 1
            assert lease.fence == self.fence
            self.until = lease.until
            self.workers[worker] = Held(lease)

    @rule(worker=st.sampled_from(["one", "two"]))
    def take_over(self, worker: str) -> None:
        """The one who holds the bill goes silent, and a worker goes on with it."""
        if self.until is not None and self.until > self.clock.now():
            self.clock.advance((self.until - self.clock.now()).total_seconds())
        self.claim(worker, 60)
        self.act(worker, None)
        self.send(worker)

    @precondition(lambda self: bool(self.workers))
    @rule(worker=st.sampled_from(["one", "two"]))
    def release(self, worker: str) -> None:
        if worker in self.workers:
            held = self.holds(worker)
            self.ledger.release(self.workers[worker].lease)
            if held:
                self.until = self.clock.now()

    @rule(seconds=st.sampled_from([1, 30, 121, 2200, 4000]))
    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds)

    @rule(worker=st.sampled_from(["one", "two"]))
    def intend(self, worker: str) -> None:
        self.act(worker, None)

    @rule(worker=st.sampled_from(["one", "two"]))
    def send(self, worker: str) -> None:
        if self.act(worker, Attempted()):
            self.workers[worker].flying = True
            self.begun += 1

    @precondition(lambda self: self.effect is not None)
    @rule(worker=st.sampled_from(["one", "two"]), found=st.sampled_from(LOOKS))
    def look(self, worker: str, found: NotFound | Found | Undecidable) -> None:
        self.act(worker, found)

    @precondition(lambda self: self.effect is not None)
    @rule(worker=st.sampled_from(["one", "two"]), sent=st.booleans())
    def decide(self, worker: str, *, sent: bool) -> None:
        self.act(worker, Resolved("inv_1" if sent else None, "said"))

    @precondition(lambda self: any(worker.flying for worker in self.workers.values()))
    @rule(worker=st.sampled_from(["one", "two"]), outcome=st.sampled_from(OUTCOMES))
    def hear(self, worker: str, outcome: StepOutcome) -> None:
        held = self.workers.get(worker)
        if held is None or not held.flying or self.effect is None:
            return
        held.flying = False
        heard = self.ledger.ended(held.lease, key(), outcome, None)
        self.sequence += 1
        final = self.effect.state in {PushState.DONE, PushState.PERSON}
        under_way = self.effect.state in {PushState.SENDING, PushState.IN_DOUBT}
        current = held.lease.fence == self.fence and under_way
        event: Event | None = outcome
        if final:
            event = None
        elif not current:
            event = Found("inv_1") if isinstance(outcome, Performed) else None
        if event is not None:
            self.effect = after(self.effect, event, self.clock.now(), SETTINGS)
        if event is None and isinstance(outcome, Performed):
            assert heard.state is self.effect.state
            self.effect = heard
        assert heard == self.effect

    @precondition(lambda self: self.effect is not None)
    @rule()
    def crash_and_open_again(self) -> None:
        self.database.close()
        self.database = open_sqlite(self.file, self.clock)
        self.ledger = open_ledger(self.database, expected(), SETTINGS)
        if self.until is not None:
            self.until = min(self.until, self.clock.now())
        for held in self.workers.values():
            held.flying = False

    def act(self, worker: str, event: Event | None) -> bool:
        """Let a worker record something; the model says whether it may."""
        if worker not in self.workers:
            return False
        lease = self.workers[worker].lease
        if not self.holds(worker):
            with pytest.raises(LeaseLostError):
                self.record(lease, event)
            return False
        if event is None:
            self.effect = self.effect or Effect(key(), PushState.INTENDED, step(key()).request)
            assert self.record(lease, event) == self.effect
        elif self.effect is None:
            return False
        else:
            return self.move(lease, event)
        self.sequence += 1
        return True

    def move(self, lease: Lease, event: Event) -> bool:
        assert self.effect is not None
        done = self.effect.state is PushState.DONE
        if isinstance(event, Resolved) and done and event.object_id == self.effect.object_id:
            assert self.record(lease, event) == self.effect
        else:
            try:
                wanted = after(self.effect, event, self.clock.now(), SETTINGS)
            except ImpossibleTransitionError:
                with pytest.raises(ImpossibleTransitionError):
                    self.record(lease, event)
                return False
            assert self.record(lease, event) == wanted
            self.effect = wanted
        self.sequence += 1
        return True

    def record(self, lease: Lease, event: Event | None) -> Effect:
        match event:
            case None:
                return self.ledger.intend(lease, key(), step(key()), WHY)
            case Attempted():
                return self.ledger.sending(lease, key())
            case NotFound() | Found() | Undecidable():
                return self.ledger.looked(lease, key(), event)
            case _:
                assert isinstance(event, Resolved)
                return self.ledger.resolved(lease, key(), event, "ann")

    @invariant()
    def the_ledger_agrees(self) -> None:
        kept = self.ledger.effects(SITE, BILL)
        assert kept == (() if self.effect is None else (self.effect,))
        assert self.ledger.identity.sequence == self.sequence
        assert len(self.ledger.attempts(SITE, BILL)) == self.begun


LedgerAgainstModel.TestCase.settings = settings(
    max_examples=20, stateful_step_count=25, deadline=None
)
TestLedgerAgainstModel = LedgerAgainstModel.TestCase
