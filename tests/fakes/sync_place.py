"""A repository for the emulator's month-end, applied once; opens everything that a sync works with.

``Mortal`` wraps a port and dies at one of its calls, as a process that is killed does.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fakes.clock import FakeClock
from fakes.emulated_http import EmulatedHttp

from reconciler.cli.demo.month_end_files import month_end_files
from reconciler.cli.main import main
from reconciler.cli.progress import SilentProgress
from reconciler.definitions.core.as_data import rendered
from reconciler.drafting.draft import InvoiceDraft
from reconciler.emulator import wire
from reconciler.emulator.chargebee.sites import API_KEY
from reconciler.emulator.m3ter.http.tokens import ACCESS_KEY, API_SECRET
from reconciler.emulator.running import RunningEmulator
from reconciler.kernel.address import BillId
from reconciler.settings import Settings
from reconciler.sync.judge.run_filter import RunFilter
from reconciler.sync.model.push import Effect
from reconciler.sync.model.standing import BillStanding, Group
from reconciler.sync.ports.ledger import BillRow
from reconciler.sync.push.limits import RunLimits
from reconciler.sync.run.bill_stream import stream
from reconciler.sync.run.close_bills import CloseOrder, Closer, CloseResult
from reconciler.sync.run.due_again import NO_PATIENCE, RunPatience
from reconciler.sync.run.plan import SyncPlan, plan_sync
from reconciler.sync.run.world import SyncResult
from reconciler.wiring.desk import open_desk
from reconciler.wiring.sync_desk import PushDesk, open_push
from reconciler.workers.embedded import EmbeddedWorkers

START = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
ENV = "month-end"


class Killed(BaseException):
    """The process died."""


@dataclass
class Life:
    """Counts the calls of ports; dies at one of them, and stays dead.

    Attributes:
        dies_at: Number of the call, from 1; 0 never.
        after: Die once the call is done, instead of before.
        dies_in: Name of the call, when its number is not known.
    """

    dies_at: int = 0
    after: bool = False
    dies_in: str = ""
    calls: list[str] = field(default_factory=list)
    dead: bool = False

    def pass_by(self, name: str, call: Any) -> Any:
        if self.dead:
            raise Killed(name)
        self.calls.append(name)
        mine = len(self.calls) == self.dies_at or name == self.dies_in
        if mine and not self.after:
            self.dead = True
            raise Killed(name)
        answer = call()
        if mine:
            self.dead = True
            raise Killed(name)
        return answer


class Mortal:
    """A port whose calls a ``Life`` counts."""

    def __init__(self, port: Any, life: Life) -> None:
        self._port = port
        self._life = life

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        if not callable(found):
            return found
        return lambda *args, **kwargs: self._life.pass_by(name, lambda: found(*args, **kwargs))


def beginning(folder: Path, emulator: RunningEmulator) -> None:
    """Write the definitions, apply them and make the ledger."""
    SyncPlace(folder, emulator.url).setup()


@dataclass
class SyncPlace:
    """One repository, one emulator, one clock."""

    root: Path
    url: str
    clock: FakeClock = field(default_factory=lambda: FakeClock(START))
    notices: list[tuple[str, str, str]] = field(default_factory=list)

    @property
    def environ(self) -> dict[str, str]:
        return {
            "M3TER_API_KEY": ACCESS_KEY,
            "M3TER_API_SECRET": API_SECRET,
            "M3TER_BASE_URL": self.url,
            "CHARGEBEE_API_KEY": API_KEY,
            "CHARGEBEE_BASE_URL": self.url,
            "USER": "tester",
        }

    def setup(self) -> SyncPlace:
        """Write the definitions, apply them and make the ledger."""
        self.write()
        self.begin()
        return self

    def begin(self) -> None:
        """Apply the definitions and make the ledger."""
        self.apply()
        assert self.reconciler("ledger", "init", "--env", ENV)[0] == 0

    def write(self) -> None:
        """Write the definitions."""
        with EmulatedHttp(self.url) as http:
            state = http.control("GET", "/state", None, vendor="m3ter")
        for path, text in month_end_files(state, dialect=True, per_minute=100_000).items():
            file = self.root / "integrations.d" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")

    def apply_frozen(self) -> None:
        """Put the files in force without a plan, as `keep-git` would."""
        settings = Settings.from_environment(self.environ)
        desk = open_desk(self.root, ENV, self.environ, settings, progress=SilentProgress())
        head = desk.chain.head(ENV)
        assert head is not None
        desk.chain.append(
            replace(
                head,
                sequence=head.sequence + 1,
                previous=head.id,
                id=None,
                definitions=rendered(desk.effective),
            )
        )

    def apply(self) -> None:
        text = self.reconciler("plan", "--env", ENV)[1]
        asked = sorted(set(re.findall(r"[a-z-]+@[0-9a-f]{12}", text)))
        approvals = [part for entry in asked for part in ("--approve", entry)]
        code, told = self.reconciler("apply", "--env", ENV, "--yes", *approvals)
        assert code == 0, told

    def reconciler(self, *arguments: str) -> tuple[int, str]:
        """Run a command; gives its exit code and both streams."""
        out, err = io.StringIO(), io.StringIO()
        code = main(
            ["-C", str(self.root), *arguments],
            self.environ,
            stdin=io.StringIO(),
            stdout=out,
            stderr=err,
        )
        return code, out.getvalue() + err.getvalue()

    def edit(self, path: str, old: str, new: str) -> None:
        file = self.root / "integrations.d" / path
        text = file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, new), encoding="utf-8")

    def notify(self, event: str, title: str, text: str) -> None:
        self.notices.append((event, title, text))

    @contextmanager
    def open(
        self, life: Life | None = None, *, reading: bool = False, threads: int = 1
    ) -> Iterator[PushDesk]:
        """Open everything, on the fake clock; with a ``Life``, ledger and site may die."""
        settings = Settings.from_environment(self.environ)
        desk = open_desk(self.root, ENV, self.environ, settings, progress=SilentProgress())
        with ExitStack() as stack:
            place = stack.enter_context(open_push(replace(desk, clock=self.clock), reading=reading))
            place = replace(
                place, workers=EmbeddedWorkers(self.clock, threads=threads), notifier=self
            )
            if life is not None and place.opened is not None:
                mortal: Any = Mortal(place.opened.ledger, life)
                place = replace(
                    place,
                    destination=Mortal(place.destination, life),  # type: ignore[arg-type]
                    opened=replace(place.opened, ledger=mortal),
                    view=mortal,
                )
            yield place

    def run(
        self,
        *bills: str,
        life: Life | None = None,
        limits: RunLimits | None = None,
        narrow: RunFilter | None = None,
        stopped: Any = lambda: False,
        threads: int = 1,
        patience: RunPatience = NO_PATIENCE,
    ) -> SyncResult:
        """Run a sync, of some bills or of all."""
        wanted = narrow or RunFilter(bills=frozenset(map(BillId, bills)))
        with self.open(life, threads=threads) as place:
            place.refuse_held(wanted.integrations, thawed=False)
            place.read_stamps()
            return place.run(wanted, limits or RunLimits(), stopped, patience)

    def close(
        self,
        *bills: str,
        life: Life | None = None,
        stopped: Any = lambda: False,
        foreign: bool = False,
        **order: Any,
    ) -> CloseResult:
        """Close the open invoices of some bills, or of all."""
        wanted = CloseOrder(tuple(map(BillId, bills)), with_foreign_lines=foreign, **order)
        with self.open(life) as place:
            place.refuse_held(wanted.integrations, thawed=False)
            closer = Closer(place.pusher(RunFilter(), RunLimits(), stopped), wanted)
            return closer.run(place.workers, SilentProgress())

    def drafts(self, *integrations: str) -> dict[str, InvoiceDraft]:
        """Drafts of the bills that some integrations would send now."""
        found: dict[str, InvoiceDraft] = {}
        with self.open(reading=True) as place:
            judge = place.judge(RunFilter())
            for bill in stream(judge, place.organisation.bills, lambda _: None):
                row = place.view.bill(place.scope.site, bill.id)
                about = place.watch.one(bill.id, bill.account_code)
                standing = judge.judge(bill, about, row).standing
                if (
                    standing.group is Group.READY
                    and standing.draft
                    and standing.integration in integrations
                ):
                    found[str(bill.id)] = standing.draft
        return found

    def row(self, bill: str) -> BillRow:
        """What the ledger holds of a bill."""
        with self.open(reading=True) as place:
            found = place.view.bill(place.scope.site, BillId(bill))
        assert found is not None
        return found

    def effects(self, bill: str) -> tuple[Effect, ...]:
        with self.open(reading=True) as place:
            return place.view.effects(place.scope.site, BillId(bill))

    def person(self, path: str, **form: str) -> Any:
        """What a person does in Chargebee."""
        with EmulatedHttp(self.url) as http:
            answer = http.http.post(f"/api/v2{path}", data=form, auth=(API_KEY, ""))
        assert answer.status_code == 200, answer.text
        return wire.decode(answer.content)

    def person_edits(self, key: str, **patch: Any) -> None:
        with EmulatedHttp(self.url) as http:
            body = {"id": key, "patch": patch, "user": "k.smith"}
            http.control("POST", "/user-edit", body)

    def plan(self) -> SyncPlan:
        with self.open(reading=True) as place:
            judge = place.judge(RunFilter())
            return plan_sync(judge, place.organisation.bills, SilentProgress())

    def advance(self, seconds: float) -> None:
        """Move both clocks."""
        self.clock.advance(seconds)
        with EmulatedHttp(self.url) as http:
            http.control("POST", "/clock", {"advance_seconds": int(seconds)})

    def state(self, vendor: str, kind: str) -> list[Any]:
        with EmulatedHttp(self.url) as http:
            found = http.control("GET", "/state", None, vendor=vendor)[vendor].get(kind, [])
        return list(found)

    def invoices_of(self, bill: str) -> list[Any]:
        return [
            invoice
            for invoice in self.state("chargebee", "invoices")
            if invoice.get("cf_m3ter_bill_id") == bill
        ]

    def bill_of(self, account: str) -> str:
        found = [
            bill["id"] for bill in self.state("m3ter", "bills") if bill["accountCode"] == account
        ]
        return str(found[0])

    def chargebee_writes(self) -> list[Any]:
        with EmulatedHttp(self.url) as http:
            found = http.requests(vendor="chargebee")
        return [request for request in found if request["method"] == "POST"]

    def fault(self, fault: str, path: str = "/api/v2/invoices/*", **rule: Any) -> None:
        match = {"vendor": "chargebee", "method": "POST", "path": path}
        with EmulatedHttp(self.url) as http:
            http.fault(fault, **({"match": match, "times": 1} | rule))


def standing_of(result: SyncResult, bill: str) -> BillStanding:
    for listed in result.tally.listed.values():
        for standing in listed:
            if standing.who.bill_id == bill:
                return standing
    raise AssertionError(f"bill {bill} is not listed")
