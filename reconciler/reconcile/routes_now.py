"""The push integrations in force as readers ask about them: implements ``PushRoutes``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from reconciler.drafting.draft import BlockCode, BlockedBill, BlockReason, DraftOutcome
from reconciler.drafting.draft_bill import draft_bill
from reconciler.drafting.route import Readings
from reconciler.kernel.address import BillId
from reconciler.kernel.ports import Clock
from reconciler.kernel.runbook import Page, page
from reconciler.m3ter.bill import Bill
from reconciler.reconcile.core.month import InForce
from reconciler.reconcile.routes_port import NotOurs, NotYet, Ours, SentByM3ter, Standing, Undecided
from reconciler.selection.interlock import (
    Clear,
    Interlock,
    MaybePartial,
    NativeRunning,
    OtherRoute,
    ReadAgain,
    SentNatively,
)
from reconciler.selection.scope import Left, Taken, takes
from reconciler.sync.in_force.push_route import PushRoute
from reconciler.sync.in_force.scope import SyncScope
from reconciler.sync.judge.account_facts import About, membership_of
from reconciler.sync.judge.account_watch import Watch


@dataclass(slots=True)
class ScopeView:
    """Answers from one reading of what is in force; never writes, and never sends.

    Attributes:
        cleared: Whether a person said that m3ter's own failed run of a bill sent nothing.
    """

    scope: SyncScope
    watch: Watch
    clock: Clock
    cleared: Callable[[BillId], bool] = lambda _: False
    _known: dict[BillId, About] = field(default_factory=dict)

    @property
    def in_force(self) -> InForce:
        """Which record the routes are from."""
        return InForce(self.scope.name, self.scope.record, self.scope.commit)

    @property
    def integrations(self) -> tuple[str, ...]:
        """The names of the push integrations."""
        return tuple(one.name for one in self.scope.routes)

    @property
    def readings(self) -> Readings:
        """How undocumented rules are read."""
        return next((one.route.readings for one in self.scope.routes), Readings())

    def tolerance(self, integration: str) -> Decimal:
        """Give ``push.tolerance``; zero for an integration that is no longer pushed."""
        found = self.scope.route(integration)
        return Decimal(found.route.policy.tolerance) if found else Decimal(0)

    def expect(self, bills: Sequence[Bill]) -> None:
        """Ask m3ter about these bills at once, and forget the ones before."""
        self._known = self.watch.about([(one.id, one.account_code) for one in bills])

    def standing(self, bill: Bill) -> Standing:
        """Say who takes a bill."""
        about = self._about(bill)
        asked = [(one, _takes(one, bill, about)) for one in self.scope.routes]
        for route, answer in asked:
            if isinstance(answer, Taken):
                return self._taken(route, answer, about, bill.id)
        for route, answer in asked:
            if isinstance(answer, Left) and answer.reason in {"unapproved", "unknown"}:
                kind = NotYet if answer.reason == "unapproved" else Undecided
                return kind(route.name, answer.why)
        whys: dict[str, list[str]] = {}
        for one, found in asked:
            assert isinstance(found, Left), "what is taken was answered above"
            whys.setdefault(found.why, []).append(one.name)
        told = [f"{', '.join(names)}: {why}" for why, names in whys.items()]
        return NotOurs("; ".join(told))

    def draft(self, bill: Bill, integration: str) -> DraftOutcome:
        """Draft a bill as one integration would now."""
        found = self.scope.route(integration)
        if found is not None:
            return draft_bill(bill, found.route, self.clock.now())
        reason = BlockReason(
            BlockCode.PREFLIGHT,
            f"no integration `{integration}` is pushed any more",
            "see docs/runbook.md, `cut-over`",
        )
        return BlockedBill(bill.id, bill.version, (reason,), ())

    def _about(self, bill: Bill) -> About:
        known = self._known.get(bill.id)
        if known is None or not self.watch.fresh(known):
            known = self.watch.one(bill.id, bill.account_code)
        return known

    def _taken(self, route: PushRoute, taken: Taken, about: About, bill: BillId) -> Standing:
        if route.drift:
            why = "; ".join(route.drift)
            short = f"{route.name} is not in m3ter as it was applied"
            return Undecided(route.name, why, short, page(Page.DRIFT))
        found = self.watch.interlock(route.name, about)
        if isinstance(found, MaybePartial) and self.cleared(bill):
            found = Clear()
        return _by_interlock(route.name, taken, found)


def _takes(route: PushRoute, bill: Bill, about: About) -> Taken | Left:
    since = date.fromisoformat(route.route.policy.since)
    if about.account is None or about.account.id != bill.account_id:
        if bill.end_date < since:
            return Left("before-since", f"its period ends on {bill.end_date}, before {since}")
        return Left("unknown", membership_of(route.scope, about, bill).why)
    return takes(route.scope, since, bill, about.account)


def _by_interlock(name: str, taken: Taken, found: Interlock) -> Standing:
    match found:
        case Clear():
            return Ours(name, taken.assumptions)
        case SentNatively(run):
            return SentByM3ter(name, f"m3ter sent it itself (run {run.id}, {run.status})")
        case NativeRunning(run):
            return NotYet(name, f"m3ter still works on it (run {run.id}, {run.status})")
        case MaybePartial(run):
            why = f"m3ter's own run {run.id} ended {run.status}: part of it may have been sent"
            return Undecided(name, why, "m3ter may have sent a part of it", page(Page.TIMEOUT))
        case OtherRoute(why):
            short = "another route may bill the account"
            return Undecided(name, why, short, page(Page.DOUBLE_ROUTE))
        case ReadAgain():
            return Undecided(name, "what is known of its account is over a minute old; ask again")
