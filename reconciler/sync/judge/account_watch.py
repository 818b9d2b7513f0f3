"""Knows who else may bill an account; what is read counts for sixty seconds."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from reconciler.kernel.address import BillId
from reconciler.kernel.ports import Clock
from reconciler.m3ter.live import NativeRun
from reconciler.m3ter.ports import Organisation
from reconciler.selection.interlock import Interlock, InterlockSettings, Knowledge, interlock
from reconciler.sync.in_force.push_route import BILL
from reconciler.sync.in_force.scope import SyncScope
from reconciler.sync.judge.account_facts import About, claim, push_claim
from reconciler.sync.judge.native_routes import RouteScope, changed_routes, is_ours, native_routes

KNOWN_MAX = 1_000
"""Bills whose facts are kept until they are worked on; a bill that is forgotten is read again."""


@dataclass(slots=True)
class Watch:
    """Knows, at most sixty seconds old, who else may bill an account; safe from many threads."""

    scope: SyncScope
    organisation: Organisation
    clock: Clock
    settings: InterlockSettings = field(default_factory=InterlockSettings)
    _known: dict[BillId, About] = field(default_factory=dict)
    _native: tuple[RouteScope, ...] = ()
    _changed: Mapping[str, str] = field(default_factory=dict)
    _read_at: datetime | None = None
    _moment: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def about(self, bills: Sequence[tuple[BillId, str]]) -> dict[BillId, About]:
        """Read what the interlock needs of some bills: two calls, and one per bill m3ter sent.

        Args:
            bills: Ids and account codes.
        """
        now, moment = self.clock.now(), self.clock.monotonic()
        codes = {code for _, code in bills if code}
        accounts = self.organisation.codes.accounts(codes) if codes else {}
        latest = self.organisation.runs.latest(BILL, [one for one, _ in bills])
        return {
            bill: About(now, accounts.get(code), self._runs(bill) if bill in latest else (), moment)
            for bill, code in bills
        }

    def expect(self, bills: Sequence[tuple[BillId, str]]) -> Mapping[BillId, About]:
        """Read it for bills that will be worked on soon, and remember it until they are."""
        found = self.about(bills)
        self._known.update(found)
        for one in list(self._known)[: max(0, len(self._known) - KNOWN_MAX)]:
            self._known.pop(one, None)
        return found

    def known(self, bill: BillId) -> About | None:
        """Give what was read ahead for a bill, once."""
        return self._known.pop(bill, None)

    def peek(self, bill: BillId) -> About | None:
        """Give what was read ahead for a bill, and keep it."""
        return self._known.get(bill)

    def one(self, bill: BillId, code: str) -> About:
        """Read it for a single bill."""
        return self.about([(bill, code)])[bill]

    def fresh(self, about: About) -> bool:
        """Whether something that was read still counts."""
        return self._age(about.read_at, about.moment) <= self.settings.max_age

    def interlock(self, route: str, about: About) -> Interlock:
        """Decide whether a push may send a bill now."""
        return interlock(route, self._knowledge(about), self.clock.now(), self.settings)

    def _knowledge(self, about: About) -> Knowledge:
        with self._lock:
            self._refresh()
            native, changed, read_at = self._native, self._changed, self._read_at
        assert read_at is not None
        return Knowledge(
            read_at=min(read_at, about.read_at),
            native=tuple(claim(one.name, one.scope, about) for one in native),
            pushes=tuple(push_claim(one, about, changed) for one in self.scope.routes),
            runs=tuple(one for one in about.runs if is_ours(one.destination)),
        )

    def _refresh(self) -> None:
        """Read the configurations again once they are half as old as they may get."""
        now, moment = self.clock.now(), self.clock.monotonic()
        half = self.settings.max_age / 2
        if self._read_at is not None and self._age(self._read_at, self._moment) < half:
            return
        live = self.organisation.integrations.list()
        self._native = native_routes(live, self.scope.dialect)
        self._changed = changed_routes(self.scope.routes, live)
        self._read_at, self._moment = now, moment

    def _age(self, read_at: datetime, moment: float) -> timedelta:
        """Give an age by the clock that says more: the machine's may be set back meanwhile."""
        passed = timedelta(seconds=self.clock.monotonic() - moment)
        return max(abs(self.clock.now() - read_at), passed)

    def _runs(self, bill: BillId) -> tuple[NativeRun, ...]:
        return tuple(self.organisation.runs.of_entity(BILL, bill))
