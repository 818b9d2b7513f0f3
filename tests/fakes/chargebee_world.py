"""A Chargebee destination on an emulator, and a small ledger in memory that drives it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import TracebackType
from typing import Any, Self

from fakes.clock import FakeClock
from fakes.emulated_http import EmulatedHttp
from fakes.push_data import bill, drafted, line, route

from reconciler.chargebee.destination import ChargebeeDestination, SiteSettings, open_site
from reconciler.chargebee.session import SiteSession
from reconciler.chargebee.steps.preflight import DecimalPlaces
from reconciler.chargebee.switches import ChargebeeSwitches
from reconciler.drafting.draft import InvoiceDraft
from reconciler.emulator import wire
from reconciler.emulator.chargebee.sites import API_KEY, SITE
from reconciler.kernel.address import AccountId, BillId
from reconciler.kernel.secret import Secret
from reconciler.m3ter.bill import BillLine
from reconciler.sync.core.clocks import Clocks
from reconciler.sync.core.effect_states import after, idempotency_key
from reconciler.sync.core.when_to_act import Move, RetryTimes, next_move
from reconciler.sync.model.push import (
    Attempted,
    Effect,
    LookUp,
    PushKey,
    PushState,
    SiteName,
    Step,
    StepOutcome,
)
from reconciler.sync.ports.destination import Complete, NextStep, Sending
from reconciler.transport.client import CallLimits, HttpClient

START = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
UK = "sub_test_acme_uk"
US = "sub_test_acme_us"
LOOKS = RetryTimes()


@dataclass
class FreeLimit:
    """Counts what is asked of it and never waits."""

    acquired: int = 0
    slowed: list[float] = field(default_factory=list)

    def acquire(self) -> None:
        self.acquired += 1

    def slow_down(self, seconds: float) -> None:
        self.slowed.append(seconds)


class ChargebeeWorld:
    """One emulated site."""

    def __init__(self, url: str, *, key: str = API_KEY, **switches: Any) -> None:
        self.url = url
        self.http = EmulatedHttp(url)
        self.clock = FakeClock(START)
        self.limit = FreeLimit()
        self.log: list[str] = []
        limits = CallLimits(connect_seconds=5, read_seconds=5, total_seconds=20)
        self.client = HttpClient(url, self.clock, limits=limits, log=self.log.append)
        self.session = SiteSession(
            self.client,
            self.limit,
            self.clock,
            site=SiteName(SITE),
            base_url=url,
            api_key=Secret(key),
            chance=lambda: 0.0,
            switches=ChargebeeSwitches(**switches),
        )
        self.settings = SiteSettings(places=DecimalPlaces(6, 6))
        self.effects: list[Effect] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.client.close()
        self.http.http.close()

    @property
    def destination(self) -> ChargebeeDestination:
        """A destination with an empty cache, as after a restart."""
        return open_site(self.session, self.settings)

    def advance(self, **span: float) -> None:
        """Move both clocks."""
        seconds = timedelta(**span).total_seconds()
        self.clock.advance(seconds)
        self.http.control("POST", "/clock", {"advance_seconds": int(seconds)})

    def fault(self, fault: str, path: str = "/api/v2/invoices/*", **rule: Any) -> None:
        """Let one POST go wrong."""
        match = {"vendor": "chargebee", "method": "POST", "path": path}
        quick = {"seconds": Decimal("0.1")} if fault == "lost_response" else {}
        self.http.fault(fault, **({"match": match, "times": 1} | quick | rule))

    def edit(self, key: str, **patch: Any) -> None:
        """What a person changes in Chargebee's admin console."""
        body = {"id": key, "patch": patch, "user": "pat@example.com"}
        self.http.control("POST", "/user-edit", body)

    def post(self, path: str, **form: str) -> Any:
        """What a person does in Chargebee."""
        answer = self.http.http.post(f"/api/v2{path}", data=form, auth=(API_KEY, ""))
        assert answer.status_code == 200, answer.text
        return wire.decode(answer.content)

    def invoices(self, subscription: str = UK, **query: str) -> list[Any]:
        """The subscription's invoices, oldest first, deleted ones too."""
        asked = {"subscription_id[is]": subscription, "include_deleted": "true", "limit": "100"}
        asked |= {"sort_by[asc]": "date", **query}
        answer = self.http.http.get("/api/v2/invoices", params=asked, auth=(API_KEY, ""))
        return [invoice["invoice"] for invoice in wire.decode(answer.content)["list"]]

    def writes(self) -> list[Any]:
        """Every POST to Chargebee so far."""
        found = self.http.requests(vendor="chargebee")
        return [request for request in found if request["method"] == "POST"]

    # --- a ledger in memory -----------------------------------------------------------------

    def intend(self, step: Step, draft: InvoiceDraft, generation: int = 1) -> Effect:
        """Remember a step before it is sent."""
        key = PushKey(SiteName(SITE), draft.bill_id, generation, step.name)
        effect = Effect(
            key,
            PushState.INTENDED,
            step.request,
            step.invoice_id,
            step.lines_before,
            step.draft_line,
        )
        known = next((candidate for candidate in self.effects if candidate.key == key), None)
        return self._keep(known or effect)

    def send(
        self, effect: Effect, destination: ChargebeeDestination | None = None
    ) -> tuple[StepOutcome, Effect]:
        """Attempt an effect once, and remember what it ended in."""
        there = destination or self.destination
        key = idempotency_key(effect)
        begun = self._keep(after(effect, Attempted(there.vendor_time()), self.clock.now(), LOOKS))
        outcome = there.perform(effect.key, effect.request, key, effect.lines_before)
        return outcome, self._keep(after(begun, outcome, self.clock.now(), LOOKS))

    def look(self, effect: Effect, draft: InvoiceDraft) -> LookUp:
        """Look for an effect by a fresh destination."""
        return self.destination.look_up(effect, draft, self.effects)

    def next_move(self, effect: Effect, *, looked: bool = False) -> Move:
        """What the core says to do next, right after a look or not."""
        now = self.clock.now()
        clocks = Clocks(now, now, self.session.vendor_time.now())
        return next_move(effect, clocks, LOOKS, looked=looked)

    def found(self, effect: Effect, draft: InvoiceDraft) -> Effect:
        """Look, and remember what was found."""
        seen = self.look(effect, draft)
        return self._keep(after(effect, seen, self.clock.now(), LOOKS))

    def drive(
        self, draft: InvoiceDraft, sending: Sending | None = None, most: int = 1000
    ) -> NextStep | StepOutcome:
        """Go on until something else than a done step comes."""
        there, how = self.destination, sending or Sending()
        step: NextStep = Complete()
        for _ in range(most):
            step = there.next_step(draft, self.effects, how)
            if not isinstance(step, Step):
                return step
            effect = self.intend(step, draft, how.generation or self._newest())
            outcome, effect = self.send(effect, there)
            if effect.state is not PushState.DONE:
                return outcome
        return step

    def redraft(self, effect: Effect, step: Step) -> Effect:
        """Replace the request of a refused effect."""
        changed = replace(
            effect,
            state=PushState.INTENDED,
            request=step.request,
            invoice_id=step.invoice_id,
            lines_before=step.lines_before,
        )
        return self._keep(changed)

    def _newest(self) -> int:
        return max((effect.key.generation for effect in self.effects), default=1)

    def _keep(self, effect: Effect) -> Effect:
        self.effects = [other for other in self.effects if other.key != effect.key]
        self.effects.append(effect)
        return effect


def draft_of(
    *lines: BillLine,
    subscription: str = UK,
    bill_id: str = "bill-1",
    currency: str = "GBP",
    push: dict[str, Any] | None = None,
    page: dict[str, Any] | None = None,
    **more: Any,
) -> InvoiceDraft:
    """Draft a bill for a subscription of scenario ``starter``, all at the price ``usage``."""
    settings = {"default_price_id": f"usage-{currency}", "create_invoice": True}
    one = bill(
        *(lines or (line(amount="400.05", units="3"), line("AD_HOC", "7"))),
        id=BillId(bill_id),
        account_id=AccountId(subscription),
        currency=currency,
        **more,
    )
    return drafted(one, route(push=push, page=settings | (page or {}), site_zone="UTC"))


def pending_draft(*lines: BillLine, **more: Any) -> InvoiceDraft:
    """Draft a bill for a subscription that waits for its pending invoice."""
    page = {"create_invoice": False} | more.pop("page", {})
    return draft_of(*lines, subscription=US, currency="USD", page=page, **more)


def kinds(effects: Sequence[Effect]) -> list[str]:
    """The steps of effects, in the order of their intent."""
    return [str(effect.key.step) for effect in effects]
