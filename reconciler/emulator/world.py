"""The emulated world: one store, two vendors, the faults and the log, made anew by every reset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from email.utils import format_datetime
from pathlib import Path

from reconciler.emulator import journal
from reconciler.emulator.chargebee.protocol import ChargebeeHalf
from reconciler.emulator.clock import parse_instant
from reconciler.emulator.delivery import Delivery, shape
from reconciler.emulator.exchange import Half, HttpAnswer, HttpRequest
from reconciler.emulator.faults import HALF_FAULTS, FaultBook, FaultRule
from reconciler.emulator.m3ter.api import M3terHalf
from reconciler.emulator.request_log import Entry, RequestLog
from reconciler.emulator.scenarios.catalogue import SCENARIOS, UnknownScenarioError
from reconciler.emulator.store import Store
from reconciler.emulator.switches.table import Switches

_COMMIT_LATER_SECONDS = 1.0


class World:
    """State and behaviour of both vendors behind one port.

    Attributes:
        scenario: Name of the scenario the data comes from.
        seed: Seed of ids and faults.
        store: What both vendors remember.
        faults: Rules in force.
        log: Requests so far.
    """

    def __init__(
        self,
        scenario: str,
        seed: int = 1,
        switches: Mapping[str, object] | None = None,
        *,
        state: Path | None = None,
    ) -> None:
        """Build the scenario, or go on from the state file if it exists.

        Raises:
            UnknownScenarioError: On a name that is not in the catalogue.
            UnknownSwitchError, SwitchValueError: On a switch that is none.
            BrokenStateFileError: If the state file cannot be read.
        """
        self._first = (scenario, seed, dict(switches or {}))
        self._state = state
        self._journal: journal.Journal | None = None
        self._begin(*self._first, starts=0)
        if state is not None and state.exists():
            self._restore(state)
        self._record(starts=self._starts)

    def reset(
        self,
        scenario: str | None = None,
        seed: int | None = None,
        switches: Mapping[str, object] | None = None,
    ) -> None:
        """Begin anew: data, clock, switches, faults and log; what is left out is as at the start.

        Raises:
            UnknownScenarioError, UnknownSwitchError, SwitchValueError: Nothing was changed then.
        """
        first = self._first
        self._begin(
            first[0] if scenario is None else scenario,
            first[1] if seed is None else seed,
            first[2] if switches is None else switches,
            starts=0,
        )
        self._record(starts=0)

    def close(self) -> None:
        """Close the state file, if there is one."""
        self.store.journal = None
        if self._journal is not None:
            self._journal.close()

    def half(self, path: str) -> tuple[str, Half]:
        """The vendor that a path belongs to; unknown paths are m3ter's, which answers 404."""
        if path.startswith("/api/v2/"):
            return "chargebee", self.chargebee
        return "m3ter", self.m3ter

    def arrive(self, request: HttpRequest) -> Entry:
        """Put a request into the log."""
        vendor, _ = self.half(request.path)
        query = "&".join(f"{name}={value}" for name, value in request.query)
        entry = Entry(vendor, request.method, request.path, query, self.store.now())
        return self.log.begin(entry)

    def reading_cut(self, request: HttpRequest) -> int | None:
        """Bytes of this request after which the connection is cut; ``None`` reads it whole."""
        vendor, _ = self.half(request.path)
        rules = self.faults.hitting(vendor, request, while_reading=True)
        return min((rule.bytes or 0 for rule in rules), default=None)

    def exchange(self, request: HttpRequest, entry: Entry) -> Delivery:
        """Carry a request out, with all the faults that hit it."""
        self.store.run_due()
        vendor, half = self.half(request.path)
        delivery = Delivery()
        held: HttpAnswer | None = None
        carry_out = True
        for rule in self.faults.hitting(vendor, request):
            if rule.fault in HALF_FAULTS:
                held = held or half.fault(rule.fault, request)
                carry_out = carry_out and held is None
            elif rule.fault in {"cut_before_commit", "commit_after_cut"}:
                return self._cut(rule, half, request, entry)
            else:
                answer = shape(rule, half, delivery)
                held = held or answer
                carry_out = carry_out and (answer is None or rule.commit)
        answer = self._carry_out(half, request, entry) if carry_out else None
        delivery.answer = held or answer
        self._hold(request, delivery.delay_seconds)
        if delivery.answer is not None:
            entry.status = delivery.answer.status
            delivery.answer = self._dated(vendor, delivery.answer)
        return delivery

    def _dated(self, vendor: str, answer: HttpAnswer) -> HttpAnswer:
        """Let an answer of the site bear its time, as of now also where it is an earlier one.

        Source: RFC 9110, section 6.6.1: the Date header of an answer.
        """
        if vendor != "chargebee" or not self.store.switches.on("date_header"):
            return answer
        date = format_datetime(self.store.now(), usegmt=True)
        return replace(answer, headers=(*answer.headers, ("date", date)))

    def _cut(self, rule: FaultRule, half: Half, request: HttpRequest, entry: Entry) -> Delivery:
        if rule.fault == "cut_before_commit":
            return Delivery(cut_after_bytes=0)
        seconds = _COMMIT_LATER_SECONDS if rule.seconds is None else rule.seconds
        self._hold(request, seconds)
        self.store.later(seconds, lambda: self._commit_later(half, request, entry))
        return Delivery(cut_after_bytes=0, later_seconds=seconds)

    def _hold(self, request: HttpRequest, seconds: float) -> None:
        """Let Chargebee's limits and locks see that a request is still running."""
        _, half = self.half(request.path)
        if seconds and isinstance(half, ChargebeeHalf):
            half.hold(request, seconds)

    def _commit_later(self, half: Half, request: HttpRequest, entry: Entry) -> None:
        """Commit what was cut off; it is held for real seconds, and the clock may be ahead."""
        if isinstance(half, ChargebeeHalf):
            half.release(request)
        self._carry_out(half, request, entry)

    def _carry_out(self, half: Half, request: HttpRequest, entry: Entry) -> HttpAnswer:
        before = self.store.writes
        answer = half.handle(request)
        entry.committed = answer.committed or self.store.writes != before
        return answer

    def _begin(
        self, scenario: str, seed: int, switches: Mapping[str, object], *, starts: int
    ) -> None:
        if scenario not in SCENARIOS:
            raise UnknownScenarioError(scenario)
        checked = Switches(switches)
        chosen = SCENARIOS[scenario]
        self.scenario, self.seed, self._starts = scenario, seed, starts
        self.store = Store(start=chosen.start, seed=seed, switches=checked)
        self.store.clock.hold(chosen.start)
        chosen.fill(self.store)
        self.store.clock.release(chosen.start, ticks=checked.text("clock") == "ticks")
        self._new_halves()

    def _new_halves(self) -> None:
        self.m3ter: Half = M3terHalf(self.store)
        self.chargebee: Half = ChargebeeHalf(self.store)
        self.faults = FaultBook(self.seed)
        self.log = RequestLog()

    def _restore(self, path: Path) -> None:
        """Go on from a state file, with another random source than the run before it."""
        head, lines = journal.read(path)
        self.scenario, self.seed, self._starts = head.scenario, head.seed, head.starts + 1
        self.store = Store(start=head.at, seed=head.seed, switches=Switches(head.switches))
        last = head.at
        for line in lines:
            # what lists show depends on when an object was made
            at = parse_instant(line["at"])
            self.store.clock.set(at)
            last = max(last, at)
            if "put" in line:
                self.store.put(line["put"], line["object"])
            else:
                self.store.delete(line["delete"], line["id"])
        self.store.clock.set(last)
        self.store.random.seed(f"{self.seed} start {self._starts}")
        self._new_halves()

    def _record(self, *, starts: int) -> None:
        """Write the state file anew from what is there, and every change from now on."""
        if self._state is None:
            return
        if self._journal is not None:
            self._journal.close()
        now = self.store.now()
        switches = self.store.switches.as_dict()
        head = journal.Head(self.scenario, self.seed, switches, starts, now)
        self._journal = journal.Journal(self._state, head)
        for kind in self.store.kinds():
            for row in self.store.table(kind).oldest():
                self._journal.put(kind, row.data, row.created)
        self._journal.publish()
        self.store.journal = self._journal

    def move_clock(self, *, seconds: float | None = None, at: datetime | None = None) -> None:
        """Advance or set the emulated clock and do what has become due."""
        if seconds is not None:
            self.store.clock.advance(seconds)
        if at is not None:
            self.store.clock.set(at)
        self.store.run_due()
