"""Where a bill stands in the cases that a month in the emulator does not show."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from fakes.clock import FakeClock
from fakes.push_data import NOW, bill, line, route
from fakes.scene import dialect_spec

from reconciler.definitions.kinds.dialect import DialectSpec
from reconciler.drafting.draft import BlockCode, BlockReason
from reconciler.kernel.address import AccountId, BillId, CredentialId, IntegrationId
from reconciler.m3ter.bill import Bill
from reconciler.m3ter.live import Account, LiveIntegration
from reconciler.selection.interlock import Clear, Interlock, ReadAgain
from reconciler.selection.scope import AccountScope
from reconciler.sync.in_force.push_route import PushRoute
from reconciler.sync.in_force.scope import PushesInForce
from reconciler.sync.judge.account import (
    KNOWN_MAX,
    AccountFacts,
    AccountReader,
    membership_of,
    native_routes,
    push_claim,
    route_claim,
)
from reconciler.sync.judge.judge import Drafting, Judge, NoLedgerYet
from reconciler.sync.judge.run_filter import RunFilter
from reconciler.sync.model.push import PushStatus, SiteName, Step
from reconciler.sync.model.standing import BillStanding, Group
from reconciler.sync.ports.destination import Sending, Stop, WaitForInvoice
from reconciler.sync.ports.ledger import LedgerIdentity

ACME = Account(AccountId("acc-acme"), "acme-uk", "Acme", "GBP")
BILL = bill(line())
NOBODY: Any = None


def push_route(scope: AccountScope | None = None, page: dict[str, Any] | None = None) -> PushRoute:
    return PushRoute(route(page=page), scope or AccountScope(None), None, "")


class Told:
    """A watch that answers what a test says."""

    def __init__(self, found: Interlock, *routes: PushRoute) -> None:
        self.found = found
        self.scope = PushesInForce(
            "t", NOBODY, SiteName("s"), routes or (push_route(),), None, 1, ""
        )

    def interlock(self, *_: Any) -> Interlock:
        return self.found

    def one(self, *_: Any) -> AccountFacts:
        return AccountFacts(NOW, ACME)


class Site:
    """A destination that answers what a test says."""

    def __init__(self, step: Any = None, *reasons: BlockReason) -> None:
        self.step, self.reasons = step, reasons

    def check(self, _: Any) -> tuple[BlockReason, ...]:
        return self.reasons

    def next_step(self, *_: Any) -> Step | WaitForInvoice | Stop:
        found: Step | WaitForInvoice | Stop = self.step
        return found


def judge(watch: Any, site: Any = None, **more: Any) -> Judge:
    destination: Any = site or Site()
    return Judge(watch, more.pop("ledger", NoLedgerYet()), destination, FakeClock(), **more)


def judged(
    one: Bill, account: Account | None = ACME, watch: Any = None, **more: Any
) -> BillStanding:
    found = judge(watch or Told(ReadAgain()), **more)
    return found.judge(one, AccountFacts(NOW, account), None).standing


def test_a_clock_that_moves_while_reading_blocks_nothing_for_good() -> None:
    found = judged(BILL)
    assert (found.group, found.short) == (Group.FAILED, "the clock moved while reading")
    assert found.money is not None


def test_a_bill_of_a_code_that_another_account_has_is_blocked() -> None:
    other = replace(ACME, id=AccountId("acc-other"))
    found = judged(BILL, other)
    assert (found.group, found.status) == (Group.BLOCKED, PushStatus.BLOCKED)
    assert found.short == "whether it is selected is not known"
    assert "another account" in found.why


def test_a_bill_from_before_the_window_of_its_own_route_is_not_ours() -> None:
    early = push_route(AccountScope(frozenset({AccountId("acc-else")})))
    late = replace(BILL, end_date=date(2026, 11, 5))
    found = judged(late, watch=Told(ReadAgain(), push_route(), early))
    assert found.group is Group.NOT_OURS
    assert found.short.startswith("before ")


def test_a_backfill_goes_past_since_and_other_flags_do_not() -> None:
    one = push_route()
    own = date.fromisoformat(one.route.policy.since)
    early = date(2020, 1, 1)
    watch = Told(ReadAgain(), one)
    assert judge(watch, narrow=RunFilter(since=early)).since(one) == own
    assert judge(watch, narrow=RunFilter(since=early, backfill=True)).since(one) == early
    assert judge(watch).since(one) == own


def test_bills_outside_the_window_are_told_at_once() -> None:
    narrow = RunFilter(bills=frozenset({BillId("another")}))
    found = judge(Told(ReadAgain()), narrow=narrow).at_once(BILL, None)
    assert found is not None
    assert found.short == "outside the window of this run"


def test_a_ledger_that_is_not_there_yet_knows_nothing() -> None:
    none = NoLedgerYet()
    site, bill_id = SiteName("s"), BillId("bill-1")
    assert none.identity == LedgerIdentity("", 0)
    asked: list[object] = [none.bill, none.effects, none.disabled, none.paused]
    assert none.effects(site, bill_id) == ()
    assert len(asked) == 4


def drafting(step: Any, *reasons: BlockReason) -> Drafting:
    site: Any = Site(step, *reasons)
    return Drafting(site, FakeClock(NOW))


PENDING = {"create_invoice": False}
REASON = BlockReason(BlockCode.PREFLIGHT, "no such price", "create it")


@pytest.mark.parametrize(
    ("step", "group", "status"),
    [
        (WaitForInvoice(NOW, "none yet"), Group.WAITING, PushStatus.WAITING),
        (Stop(REASON), Group.BLOCKED, PushStatus.BLOCKED),
        (None, Group.READY, None),
    ],
)
def test_a_bill_for_a_pending_invoice_stands_where_chargebee_says(
    step: Any, group: Group, status: PushStatus | None
) -> None:
    sending = Sending(1, waiting_since=NOW)
    found = drafting(step).standing(BILL, push_route(page=PENDING), sending, ())
    assert (found.group, found.status) == (group, status)


def test_a_bill_that_chargebee_is_not_ready_for_is_blocked_with_its_money() -> None:
    found = drafting(None, REASON).standing(BILL, push_route(), Sending(1), ())
    assert found.group is Group.BLOCKED
    assert found.money is not None
    assert "no such price (create it)" in found.why


def test_a_bill_without_lines_has_nothing_to_send() -> None:
    found = drafting(None).standing(bill(), push_route(), Sending(1), ())
    assert (found.group, found.status) == (Group.NOTHING, PushStatus.NOTHING_TO_SEND)


def test_a_route_that_was_changed_in_m3ter_takes_nobody_surely() -> None:
    one, about = push_route(), AccountFacts(NOW, ACME)
    assert push_claim(one, about, {}).verdict == "in"
    changed = push_claim(one, about, {one.name: "it was changed"})
    assert (changed.verdict, changed.why) == ("unknown", "it was changed")
    assert route_claim("x", AccountScope(None), AccountFacts(NOW, None)).verdict == "unknown"
    assert membership_of(AccountScope(None), AccountFacts(NOW, None)).verdict == "unknown"


def live(**settings: Any) -> LiveIntegration:
    return LiveIntegration(
        id=IntegrationId("c1"),
        version=1,
        destination="Chargebee",
        entity_type="Bill",
        name="US",
        config_data=settings,
        credential_id=CredentialId("cred"),
        authorized=True,
        enabled=True,
    )


def dialect() -> DialectSpec:
    return DialectSpec.model_validate(dialect_spec(), strict=False)


def test_a_configuration_whose_settings_nobody_can_read_takes_nobody_surely() -> None:
    (found,) = native_routes([live()], None)
    assert "no dialect" in found.scope.unreadable


@pytest.mark.parametrize(("text", "unreadable"), [('currency == "GBP"', False), ("(((", True)])
def test_an_account_filter_is_read_or_said_to_be_unreadable(text: str, unreadable: bool) -> None:
    (found,) = native_routes([live(accountFilter=text)], dialect())
    assert bool(found.scope.unreadable) is unreadable
    assert (found.scope.predicate is None) is unreadable


def test_facts_read_ahead_are_kept_for_a_bounded_number_of_bills() -> None:
    class Nothing:
        def __getattr__(self, _: str) -> Any:
            return self

        def accounts(self, _: Any) -> dict[str, Account]:
            return {}

        def latest(self, *_: Any) -> dict[str, Any]:
            return {}

    organisation: Any = Nothing()
    watch = AccountReader(Told(ReadAgain()).scope, organisation, FakeClock())
    for number in range(KNOWN_MAX + 5):
        watch.expect([(BillId(str(number)), "a")])
    assert watch.known(BillId("0")) is None
    assert watch.peek(BillId(str(KNOWN_MAX))) is not None


def test_bills_from_before_every_route_are_told_at_once() -> None:
    early = replace(BILL, end_date=date(2020, 1, 1))
    found = judge(Told(ReadAgain())).at_once(early, None)
    assert found is not None
    assert found.group is Group.NOT_OURS
    assert found.short.startswith("before ")


def test_only_a_bill_created_after_the_ledger_was_rebuilt_is_not_in_doubt() -> None:
    rebuilt = NoLedgerYet(LedgerIdentity("x", 1, rebuilt_at=NOW))
    pending = push_route(page=PENDING)
    watch = Told(Clear(), pending)
    site: Any = Site(WaitForInvoice(NOW, "none yet"))
    doubtful = judged(BILL, watch=watch, ledger=rebuilt, site=site)
    assert doubtful.short == "a lost ledger may have sent it"
    after = NOW + timedelta(hours=1)
    again = replace(BILL, created_at=NOW, calculated_at=after, approved_at=after)
    assert judged(again, watch=watch, ledger=rebuilt, site=site).short == doubtful.short
    later = replace(BILL, created_at=after)
    assert judged(later, watch=watch, ledger=rebuilt, site=site).group is Group.WAITING
