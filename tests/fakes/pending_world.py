"""One bill on its way to a pending invoice, all in memory: quick enough for laws over many lives.

The ledger is a value, so that a copy of it can be taken and put back; the site is the emulator's
own half without a network.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import SimpleNamespace
from typing import Any, cast

from fakes.chargebee_bench import START, Bench
from fakes.chargebee_world import FreeLimit, draft_of
from fakes.clock import FakeClock
from fakes.push_effects import row

from reconciler.chargebee.destination import ChargebeeDestination, SiteSettings
from reconciler.chargebee.session import SiteSession
from reconciler.emulator.chargebee.sites import API_KEY, SITE
from reconciler.kernel.address import BillId
from reconciler.kernel.secret import Secret
from reconciler.m3ter.bill import BillLine
from reconciler.sync.core.effect_states import after
from reconciler.sync.core.when_to_act import RetryTimes
from reconciler.sync.model.push import (
    Attempted,
    Effect,
    Event,
    InvoiceLineId,
    Performed,
    PushKey,
    PushState,
    Redrafted,
    SiteName,
    Step,
    UnknownOutcome,
)
from reconciler.sync.model.standing import BillStanding
from reconciler.sync.ports.destination import Sending
from reconciler.sync.ports.ledger import BillRow, Lease
from reconciler.sync.push.bill_record import BillRecord
from reconciler.sync.push.push_loop import PushLoop
from reconciler.transport.client import Request
from reconciler.transport.retry import Answer

LOOKS = RetryTimes()
PRICE = "api-USD"
_AT_FIRST = 30


class Killed(BaseException):
    """The process died."""


@dataclass
class BenchClient:
    """Sends requests to the emulator's half; implements what ``SiteSession`` asks of a client."""

    bench: Bench
    sent: list[str] = field(default_factory=list)

    def send(self, request: Request) -> Answer:
        self.sent.append(request.method)
        headers = {name.lower(): value for name, value in request.headers.items()}
        answer = self.bench.send(
            request.method,
            request.path.removeprefix("/api/v2/"),
            query=request.query,
            body=request.body,
            headers=headers,
        )
        return Answer(answer.status, dict(answer.headers), answer.body)


@dataclass
class MemoryLedger:
    """Effects by key, as values: a copy is a dictionary."""

    clock: FakeClock
    effects_by_key: dict[PushKey, Effect] = field(default_factory=dict)
    row: BillRow | None = None

    def copied(self) -> MemoryLedger:
        return MemoryLedger(self.clock, dict(self.effects_by_key), self.row)

    def effects(self, site: SiteName, bill: BillId) -> tuple[Effect, ...]:
        mine = (effect for effect in self.effects_by_key.values() if effect.key.bill_id == bill)
        return tuple(
            sorted(mine, key=lambda effect: (effect.key.generation, effect.key.step.number))
        )

    def intend(self, lease: Lease, key: PushKey, step: Step, why: Any) -> None:
        made = Effect(
            key,
            PushState.INTENDED,
            step.request,
            step.invoice_id,
            step.lines_before,
            step.draft_line,
        )
        self.effects_by_key.setdefault(key, made)

    def redraft(self, lease: Lease, key: PushKey, step: Step, why: Any) -> None:
        self._after(key, Redrafted(step))

    def now(self) -> datetime:
        return self.clock.now()

    def sending(self, lease: Lease, key: PushKey, vendor_at: datetime | None = None) -> None:
        self._after(key, Attempted(vendor_at))

    def ended(self, lease: Lease, key: PushKey, outcome: Any, mark: Any) -> None:
        self._after(key, outcome)

    def looked(self, lease: Lease, key: PushKey, found: Any) -> None:
        self._after(key, found)

    def lines_known(
        self, site: SiteName, lines: Collection[InvoiceLineId]
    ) -> frozenset[InvoiceLineId]:
        made = (line for effect in self.effects_by_key.values() for line in effect.line_ids)
        return frozenset(made).intersection(lines)

    def put_bill(self, lease: Lease, row: BillRow) -> None:
        self.row = row

    def renew(self, lease: Lease, seconds: float) -> Lease:
        return lease

    def stamps(self, *_: Any) -> tuple[()]:
        return ()

    def marks(self, *_: Any) -> tuple[()]:
        return ()

    def disabled(self, *_: Any) -> str:
        return "counted elsewhere"

    def _after(self, key: PushKey, event: Event) -> None:
        self.effects_by_key[key] = after(self.effects_by_key[key], event, self.clock.now(), LOOKS)


class PendingWorld:
    """A site with one pending invoice, a bill of some lines, and a ledger."""

    def __init__(self, *lines: BillLine) -> None:
        self.bench = Bench(auto_close_hours=0)
        self.clock = FakeClock(START)
        self.client = BenchClient(self.bench)
        self.draft = draft_of(
            *lines,
            subscription="s1",
            currency="USD",
            page={"default_price_id": PRICE, "create_invoice": False},
        )
        self._open()
        self.ledger = MemoryLedger(self.clock)
        self.cut = ""

    @property
    def destination(self) -> ChargebeeDestination:
        """A destination with an empty cache, as after a restart."""
        session = SiteSession(
            cast("Any", self.client),
            FreeLimit(),
            self.clock,
            site=SiteName(SITE),
            base_url="http://127.0.0.1",
            api_key=Secret(API_KEY),
            chance=lambda: 0.0,
        )
        return Cut(session, SiteSettings(), self)

    def run(self) -> BillStanding | None:
        """Bring the bill on as far as it gets now; ``None`` when the process died."""
        lease = Lease(SiteName(SITE), self.draft.bill_id, "worker", 1, self.clock.now())
        made = replace(row(self.draft.bill_id), site=SiteName(SITE))
        push = SimpleNamespace(
            ledger=self.ledger,
            clock=self.clock,
            destination=self.destination,
            settings=LOOKS,
            run="run",
            judge=SimpleNamespace(
                watch=SimpleNamespace(scope=SimpleNamespace(record=1, commit=""))
            ),
        )
        policy = SimpleNamespace(auto_disable="after-ten-failures")
        route = SimpleNamespace(name="pending", route=SimpleNamespace(policy=policy))
        record = BillRecord(
            cast("Any", push), lease, self.ledger.row or made, self.draft, cast("Any", route), 1
        )
        gate = SimpleNamespace(held=lambda effects: None)
        try:
            return PushLoop(record, cast("Any", gate), Sending(waiting_since=START)).run()
        except Killed:
            return None

    def advance(self, minutes: float) -> None:
        """Let time pass on both sides."""
        self.clock.advance(minutes * 60)
        self.bench.advance(minutes * 60)

    def add_by_hand(self, position: int) -> None:
        """A person adds a line just like one of the bill's."""
        self.bench.ok(
            f"invoices/{self.invoice}/add_charge_item",
            {"item_price": self.item(position)},
        )

    def item(self, position: int) -> dict[str, Any]:
        """A drafted line as a person types it."""
        line = self.draft.lines[position]
        pricing: Any = line.pricing
        return {
            "item_price_id": line.price_id,
            "quantity": pricing.quantity,
            "unit_price": pricing.unit_price.minor,
            "date_from": int(line.period.start.timestamp()),
            "date_to": int(line.period.end.timestamp()),
        }

    def close(self) -> None:
        """The pending invoice closes, and the next one is there."""
        self.bench.ok(f"invoices/{self.invoice}/close")
        self._open()

    def amounts(self) -> list[int]:
        """What stands on all invoices beside what was on them at first."""
        found = [invoice["invoice"] for invoice in self.bench.get("invoices", limit="100")["list"]]
        lines = (line for entry in found for line in entry["line_items"])
        return [line["amount"] for line in lines if line["amount"] != _AT_FIRST]

    def _open(self) -> None:
        made = self.bench.pending({"item_price_id": PRICE, "quantity": _AT_FIRST // 10})
        self.invoice = str(made["id"])


class Cut(ChargebeeDestination):
    """A destination whose next answer is lost, or whose process dies beside it."""

    def __init__(self, session: SiteSession, settings: SiteSettings, world: PendingWorld) -> None:
        super().__init__(session, settings)
        self._world = world

    def perform(self, *arguments: Any) -> Any:
        cut, self._world.cut = self._world.cut, ""
        if cut == "dies before":
            raise Killed
        outcome = super().perform(*arguments)
        if cut == "dies after":
            raise Killed
        lost = cut == "answer lost" and isinstance(outcome, Performed)
        return UnknownOutcome("cut") if lost else outcome
