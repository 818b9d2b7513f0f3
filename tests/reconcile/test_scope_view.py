"""Who takes a bill, as readers see it: the same rules as a run, and never a guess."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from fakes.clock import FakeClock
from fakes.push_data import bill, line, route, spec

from reconciler.definitions.kinds.environment import EnvironmentSpec, EnvReference, M3terConnection
from reconciler.definitions.kinds.integration import CodeReference, GlobalPanel
from reconciler.drafting.draft import BlockedBill, InvoiceDraft
from reconciler.kernel.address import AccountId, BillId
from reconciler.m3ter.live import Account, NativeRun
from reconciler.reconcile.routes import (
    NotOurs,
    NotYet,
    Ours,
    ScopeView,
    SentByM3ter,
    UndecidedRoute,
)
from reconciler.selection.interlock import (
    Clear,
    Interlock,
    MaybePartial,
    NativeRunning,
    OtherRoute,
    ReadAgain,
    SentNatively,
)
from reconciler.selection.scope import scope_of
from reconciler.sync.in_force.push_route import PushRoute
from reconciler.sync.in_force.scope import PushesInForce
from reconciler.sync.judge.account import AccountFacts
from reconciler.sync.model.push import PushStatus, SiteName
from reconciler.sync.run.summary import newest_pushes, notify_overdue, push_status, requests_of

ACME = Account(AccountId("acc-acme"), "acme-uk", "Acme", "GBP")
RUN = NativeRun("r1", "Bill", "bill-1", "Chargebee", "COMPLETE", "", "", "", "", "", "")
KEY = EnvReference(env="KEY")
ENVIRONMENT = EnvironmentSpec(
    protected=False,
    m3ter=M3terConnection(
        organization_id="11111111-1111-4111-8111-111111111111", access_key=KEY, api_secret=KEY
    ),
)


class FakeWatch:
    """The part of ``Watch`` that readers use."""

    def __init__(self, account: Account | None = ACME, found: Interlock | None = None) -> None:
        self.account = account
        self.found = found or Clear()
        self.still = True
        self.asked: list[list[str]] = []
        self.clock = FakeClock()

    def about(self, bills: Any) -> dict[BillId, AccountFacts]:
        self.asked.append([entry for entry, _ in bills])
        return {entry: AccountFacts(self.clock.now(), self.account) for entry, _ in bills}

    def one(self, bill_id: BillId, code: str) -> AccountFacts:
        return self.about([(bill_id, code)])[bill_id]

    def fresh(self, about: AccountFacts) -> bool:
        return self.still

    def interlock(self, name: str, about: AccountFacts) -> Interlock:
        return self.found


def view(watch: FakeWatch | None = None, *routes: PushRoute) -> ScopeView:
    chosen = routes or (push_route(),)
    scope = PushesInForce("sandbox", ENVIRONMENT, SiteName("s"), chosen, None, 4, "3f2c9ab")
    return ScopeView(scope, watch or FakeWatch(), FakeClock())  # type: ignore[arg-type]


def push_route(
    name: str = "chargebee-uk", drift: tuple[str, ...] = (), accounts: Any = "all"
) -> PushRoute:
    made = route()
    panel = GlobalPanel(account_ids=accounts)
    settings = spec().model_copy(update={"global_": panel})
    scope = scope_of(settings, {"else": AccountId("acc-else")})
    defined = replace(made.defined, name=name)
    return PushRoute(replace(made, defined=defined), scope, None, "", drift)


BILL = bill(line())


@pytest.mark.parametrize(
    ("found", "kind"),
    [
        (Clear(), Ours),
        (SentNatively(RUN), SentByM3ter),
        (NativeRunning(RUN), NotYet),
        (MaybePartial(RUN), UndecidedRoute),
        (OtherRoute("US selects it too"), UndecidedRoute),
        (ReadAgain(), UndecidedRoute),
    ],
)
def test_the_interlock_decides_about_a_bill_that_is_taken(found: Interlock, kind: type) -> None:
    assert isinstance(view(FakeWatch(found=found)).standing(BILL), kind)


def test_a_person_can_clear_a_run_of_m3ter_that_sent_nothing() -> None:
    asking = view(FakeWatch(found=MaybePartial(RUN)))
    asking.cleared = lambda bill_id: bill_id == "bill-1"
    assert isinstance(asking.standing(BILL), Ours)


def test_drift_leaves_a_bill_undecided() -> None:
    found = view(None, push_route(drift=("the filter was changed",))).standing(BILL)
    assert isinstance(found, UndecidedRoute)
    assert "the filter was changed" in found.why


def test_a_bill_that_is_not_approved_is_not_yet_ours() -> None:
    assert isinstance(view().standing(replace(BILL, status="PENDING")), NotYet)


def test_a_bill_of_an_unknown_account_is_undecided_unless_it_is_too_old() -> None:
    ours = view(FakeWatch(account=None))
    assert isinstance(ours.standing(BILL), UndecidedRoute)
    old = replace(BILL, end_date=date(2026, 11, 1))
    assert isinstance(ours.standing(old), NotOurs)


def test_routes_that_give_one_reason_are_named_together() -> None:
    elsewhere = (CodeReference(code="else"),)
    found = view(
        None, push_route("one", accounts=elsewhere), push_route("two", accounts=elsewhere)
    ).standing(BILL)
    assert found == NotOurs("one, two: the account is not in accountIds")


def test_expected_bills_are_asked_for_at_once_and_again_when_too_old() -> None:
    watch = FakeWatch()
    asking = view(watch)
    asking.expect([BILL])
    asking.standing(BILL)
    assert watch.asked == [["bill-1"]]
    watch.still = False
    asking.standing(BILL)
    assert watch.asked == [["bill-1"], ["bill-1"]]


def test_a_route_drafts_and_one_that_is_gone_says_so() -> None:
    mine = view()
    assert isinstance(mine.draft(BILL, "chargebee-uk"), InvoiceDraft)
    gone = mine.draft(BILL, "old")
    assert isinstance(gone, BlockedBill)
    assert "no integration `old` is pushed any more" in gone.reasons[0].text
    assert (mine.tolerance("chargebee-uk"), mine.tolerance("old")) == (Decimal(0), Decimal(0))
    assert (mine.integrations, mine.in_force.record) == (("chargebee-uk",), 4)
    assert mine.readings.account_entity == "Account"


def test_the_push_part_of_status_reads_the_ledger_alone(tmp_path: Any) -> None:
    from fakes.push_reading import NAME, SITE, month

    pending = spec(page={"create_invoice": False}, push={"pending": {"wait_up_to": "5d"}})
    defined = replace(route().defined, spec=pending)
    told: list[str] = []

    class Told:
        def notify(self, event: str, title: str, text: str) -> None:
            told.append(f"{event}: {title}")

    with month(tmp_path) as world:
        world.sent(BILL)
        world.recorded(replace(BILL, id=BillId("bill-2")), PushStatus.WAITING)
        world.ledger.disable(SITE, NAME, "ten failures")
        standing = push_status(SITE, world.ledger, world.clock, [defined])
        assert (standing.overdue.bills, standing.disabled) == (0, {NAME: "ten failures"})
        assert not notify_overdue(standing, Told(), "")
        world.clock.advance(86400 * 6)
        late = push_status(SITE, world.ledger, world.clock, [defined])
        assert late.overdue.bills == 1
        assert notify_overdue(late, Told(), "")
        assert told == ["overdue: acme-test: 1 bill is overdue"]
        newest = newest_pushes(SITE, world.ledger, 1)
        assert [push.bill_id for push in newest] == ["bill-2"]
        assert len(requests_of(SITE, world.ledger, BillId("bill-1"))) == 1
