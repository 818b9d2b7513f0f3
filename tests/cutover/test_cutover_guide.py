"""A cut-over step by step, there and back: one route is surely off before the other is on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from fakes.organisation import FakeOrganisation
from fakes.push_data import bill, line, spec
from fakes.push_reading import NAME, SITE, ListedBills, Month, month

from reconciler.cli.progress import SilentProgress
from reconciler.cutover.core.facts import CutoverFacts, OwnedBill, Owner, Owners, current, owner_of
from reconciler.cutover.core.steps import steps
from reconciler.cutover.cutover import look_and_record
from reconciler.cutover.text import cutover_text, owned_text
from reconciler.cutover.world import (
    CutoverPorts,
    CutoverStand,
    NoDateError,
    Order,
    WrongConfirmationError,
)
from reconciler.definitions.kinds.integration import (
    CodeReference,
    CredentialConnection,
    GlobalPanel,
)
from reconciler.definitions.model import Defined
from reconciler.kernel.address import AccountId, BillId, IntegrationId
from reconciler.kernel.money import Currency, Money
from reconciler.kernel.problem import Origin
from reconciler.m3ter.bill import Bill
from reconciler.m3ter.live import Account, LiveIntegration, NativeRun
from reconciler.selection.interlock import (
    Clear,
    MaybePartial,
    NativeRunning,
    ReadAgain,
    SentNatively,
)
from reconciler.sync.core.tally import Purse
from reconciler.sync.model.push import PushStatus
from reconciler.sync.model.standing import Decision
from reconciler.sync.people.decisions import NOT_SENT_BY_M3TER

DATE = date(2026, 12, 1)
NOW = datetime(2026, 12, 1, tzinfo=UTC)
PUSH = spec()
NATIVE = PUSH.model_copy(
    update={
        "delivery": "native",
        "push": None,
        "connection": CredentialConnection(credential="chargebee-uk"),
    }
)


def run(status: str, bill_id: str = "bill-1", destination: str = "Chargebee") -> NativeRun:
    return NativeRun(
        "run-1", "Bill", bill_id, destination, status, "2026-12-01", "", "", "", "", ""
    )


def live(connected: bool, **changes: Any) -> LiveIntegration:
    made = LiveIntegration(
        IntegrationId("config-1"), 1, "Chargebee", "Bill", "UK", {}, None, connected, enabled=True
    )
    return replace(made, **changes)


@dataclass
class Runs:
    """m3ter's own runs, by bill."""

    runs: dict[str, list[NativeRun]]

    def latest(self, entity_type: str, ids: Sequence[str]) -> Mapping[str, NativeRun]:
        return {text: self.runs[text][0] for text in ids if text in self.runs}

    def of_entity(self, entity_type: str, identity: str) -> Iterator[NativeRun]:
        return iter(self.runs[identity])


@dataclass
class World:
    """An integration under a cut-over."""

    month: Month
    organisation: FakeOrganisation
    bills: ListedBills
    runs: Runs
    applied: Any
    connected: bool | None
    enabled: bool = True

    def go(self, to: Any = "push", start: date | None = DATE, confirm: str = "") -> CutoverStand:
        self.heard: list[OwnedBill] = []
        mine = None if self.connected is None else live(self.connected, enabled=self.enabled)
        self.organisation.configs = {} if mine is None else {mine.id: mine}
        other = live(True, id=IntegrationId("config-2"), name="US")
        self.organisation.configs[other.id] = other
        ports = CutoverPorts(
            "sandbox",
            SITE,
            Joined(self.organisation, self.bills, self.runs),  # type: ignore[arg-type]
            self.month.ledger,
            self.month.history,
            self.month.clock,
            SilentProgress(),
        )
        defined = Defined(NAME, self.applied, Origin("integration.yaml", 3), {})
        order = Order(NAME, to, start, confirm, "k.smith")
        return look_and_record(order, defined, mine, ports, self.heard.append)

    def now(self, **more: Any) -> str:
        stand = self.go(**more)
        return stand.now.name if stand.now else ""


@dataclass
class Joined:
    """The organisation with bills and runs that tests can set."""

    of: FakeOrganisation
    bills: ListedBills
    runs: Runs

    def __getattr__(self, name: str) -> Any:
        return getattr(self.of, name)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with month(tmp_path) as opened:
        organisation = FakeOrganisation(
            account_list=[
                Account(AccountId("acc-acme"), "acme-uk", "Acme", "GBP"),
                Account(AccountId("acc-else"), "else-uk", "Else", "GBP"),
            ]
        )
        yield World(opened, organisation, opened.bills, Runs({}), NATIVE, connected=True)


def one(number: int = 1, **more: Any) -> Bill:
    return bill(line(), id=BillId(f"bill-{number}"), **more)


def test_the_whole_way_to_push_and_nothing_is_left(world: World) -> None:
    world.month.billed(one())
    with pytest.raises(NoDateError, match="--from"):
        world.go(start=None)
    assert world.now() == "date"
    assert world.now(confirm="2026-12-01") == "disconnect"
    assert world.now(start=None) == "disconnect", "the date is remembered"
    world.connected = False
    world.runs.runs["bill-1"] = [run("STARTED")]
    assert world.now() == "drain"
    world.runs.runs = {}
    stand = world.go()
    assert stand.now is not None
    assert stand.now.name == "owners"
    assert [bill.owner for bill in world.heard] == [Owner.PUSH]
    assert world.now(confirm=stand.facts.owners.digest) == "define"
    world.applied = PUSH
    assert world.now() == ""
    assert world.now() == "", "it stays finished"
    what = [decision.what for decision in world.month.history.decisions(SITE, f"cutover/{NAME}")]
    assert what == ["2026-12-01", stand.facts.owners.digest, "finished"] or what[-1] == "2026-12-01"
    assert len(what) == 3


def test_the_way_back_begins_anew_and_ends_connected(world: World) -> None:
    each = one(status="PENDING", end_date=date(2027, 1, 1))
    world.month.billed(each)
    world.applied, world.connected = PUSH, False
    world.month.recorded(one(9), PushStatus.UNKNOWN)
    assert world.now(to="native", confirm="2026-12-01") == "settle"
    world.month.recorded(one(9), PushStatus.COMPLETE)
    assert world.now(to="native") == "quiet"
    world.month.ledger.pause(SITE, "k.smith", "cut-over")
    stand = world.go(to="native")
    assert [bill.owner for bill in world.heard] == [Owner.NATIVE]
    assert world.now(to="native", confirm=stand.facts.owners.digest) == "define"
    world.applied = NATIVE
    assert world.now(to="native") == "connect"
    world.connected, world.enabled = True, False
    assert world.now(to="native") == "connect", "a disabled configuration sends nothing"
    world.enabled = True
    assert world.now(to="native") == "resume"
    world.month.ledger.resume(SITE, "k.smith")
    assert world.now(to="native") == ""


def test_a_confirmation_is_for_exactly_what_was_read(world: World) -> None:
    world.month.billed(one())
    with pytest.raises(WrongConfirmationError, match="2026-12-01"):
        world.go(confirm="2026-12-02")
    world.go(confirm="2026-12-01")
    with pytest.raises(WrongConfirmationError, match="nothing that can be confirmed"):
        world.go(confirm="whatever")
    world.connected = False
    digest = world.go().facts.owners.digest
    world.month.billed(one(2))
    with pytest.raises(WrongConfirmationError, match="may have changed"):
        world.go(confirm=digest)


def test_bills_that_m3ter_may_have_sent_in_part_stay_a_persons(world: World) -> None:
    world.month.billed(one())
    world.connected = False
    world.runs.runs["bill-1"] = [run("ERROR")]
    stand = world.go(confirm="2026-12-01")
    assert [bill.owner for bill in world.heard] == [Owner.PERSON]
    assert "docs/runbook.md#timeout" in " ".join((stand.now or stand.steps[0]).todo)
    world.go(confirm=stand.facts.owners.digest)
    world.applied = PUSH
    done = world.go()
    assert done.now is None
    assert "1 bill waits for a person" in cutover_text(done.facts, done.steps)
    world.month.recorded(one(), PushStatus.TIMEOUT_LIMIT_EXCEEDED)
    world.go()
    assert [bill.owner for bill in world.heard] == [Owner.PERSON]
    world.month.recorded(one(), PushStatus.BLOCKED)
    world.month.history.decide(SITE, "native/bill-1", NOT_SENT_BY_M3TER, "k.smith", "looked")
    world.go()
    assert [bill.owner for bill in world.heard] == [Owner.PUSH]


def test_what_was_confirmed_may_be_confirmed_again(world: World) -> None:
    assert world.now(confirm="2026-12-01") == "disconnect"
    assert world.now(confirm="2026-12-01") == "disconnect"
    assert len(world.month.history.decisions(SITE, f"cutover/{NAME}")) == 1


def test_m3ter_is_not_connected_over_bills_that_may_stand_in_part(world: World) -> None:
    world.applied, world.connected = PUSH, False
    world.month.ledger.pause(SITE, "k.smith", "cut-over")
    world.month.billed(one())
    world.runs.runs["bill-1"] = [run("ERROR")]
    stand = world.go(to="native", confirm="2026-12-01")
    with pytest.raises(WrongConfirmationError, match="nothing that can be confirmed"):
        world.go(to="native", confirm=stand.facts.owners.digest)


def test_another_date_makes_another_cut_over(world: World) -> None:
    world.connected = False
    digest = world.go(confirm="2026-12-01").facts.owners.digest
    assert world.now(confirm=digest) == "define"
    assert world.now(start=date(2027, 1, 1)) == "date"


def test_sent_bills_and_bills_of_other_accounts_are_not_listed(world: World) -> None:
    panel = GlobalPanel(account_ids=(CodeReference(code="acme-uk"),))
    world.applied = NATIVE.model_copy(update={"global_": panel})
    sent, natively, elsewhere, unknown = one(1), one(2), one(3), one(4)
    world.month.billed(
        sent,
        natively,
        replace(elsewhere, account_id=AccountId("acc-else"), account_code="else-uk"),
        replace(unknown, account_code="gone"),
    )
    world.month.recorded(sent, PushStatus.COMPLETE)
    world.runs.runs["bill-2"] = [run("COMPLETE", "bill-2")]
    stand = world.go()
    assert (stand.facts.owners.finished, [bill.bill_id for bill in world.heard]) == (2, ["bill-4"])


def test_a_paused_or_disabled_push_is_the_last_thing_to_undo(world: World) -> None:
    world.connected = None
    stand = world.go(confirm="2026-12-01")
    world.go(confirm=stand.facts.owners.digest)
    world.applied = PUSH
    world.month.ledger.disable(SITE, NAME, "ten failures in a row")
    assert world.now() == "resume"
    world.month.ledger.pause(SITE, "k.smith", "cut-over")
    stand = world.go()
    assert stand.now is not None
    assert "sync resume" in " ".join(stand.now.todo)
    world.month.ledger.resume(SITE, "k.smith")
    world.month.ledger.enable(SITE, NAME, "k.smith")
    assert world.now() == ""


def test_an_applied_push_must_be_paused_before_anything_changes(world: World) -> None:
    world.applied = PUSH
    assert world.now(confirm="2026-12-01") == "quiet"


OPEN = {"approved": True, "period_end": DATE, "to": "push", "row": None, "native": Clear()}


@pytest.mark.parametrize(
    ("changes", "owner"),
    [
        ({"row": PushStatus.COMPLETE}, None),
        ({"row": PushStatus.UNKNOWN}, Owner.PUSH),
        ({"row": PushStatus.WAITING}, Owner.PUSH),
        ({"row": PushStatus.BLOCKED, "to": "native"}, Owner.NOBODY),
        ({"row": PushStatus.DISABLED}, None),
        ({"row": PushStatus.TIMEOUT_LIMIT_EXCEEDED}, Owner.PERSON),
        ({"native": SentNatively(run("COMPLETE"))}, None),
        ({"native": NativeRunning(run("STARTED"))}, Owner.NATIVE),
        ({"native": MaybePartial(run("ERROR"))}, Owner.PERSON),
        ({"native": ReadAgain()}, Owner.PERSON),
        ({"period_end": date(2026, 11, 30)}, Owner.NOBODY),
        ({"period_end": date(2026, 11, 30), "approved": False}, Owner.NOBODY),
        ({"to": "native"}, Owner.NOBODY),
        ({"to": "native", "approved": False}, Owner.NATIVE),
    ],
)
def test_every_open_bill_has_one_owner(changes: dict[str, Any], owner: Owner | None) -> None:
    asked: dict[str, Any] = {**OPEN, **changes}
    found = owner_of(start=DATE, **asked)
    assert (found[0] if found else None) is owner


def test_deciding_in_the_other_direction_ends_a_cut_over() -> None:
    def said(to: str, step: str, what: str) -> Decision:
        return Decision(f"cutover/uk/{to}/{step}", what, "k", "", NOW)

    first = [said("push", "date", "d1"), said("push", "finished", "d1")]
    assert current(first, "uk", "push") == {"date": "d1", "finished": "d1"}
    back = [*first, said("native", "date", "d2")]
    assert current(back, "uk", "push") == {}
    assert current(back, "uk", "native") == {"date": "d2"}
    again = [*first, said("push", "date", "d3")]
    assert current(again, "uk", "push") == {"date": "d3"}


def facts(**changes: Any) -> CutoverFacts:
    owners = Owners()
    owners.add(OwnedBill(BillId("b"), "acme", DATE, Owner.NOBODY, "why", None))
    owners.add(
        OwnedBill(BillId("c"), "acme", DATE, Owner.PUSH, "why", Money(5, Currency("GBP", 2)))
    )
    fields: dict[str, Any] = {
        "environment": "sandbox",
        "name": NAME,
        "to": "push",
        "start": DATE,
        "applied": NATIVE,
        "connected": False,
        "enabled": True,
        "others": (),
        "half_way": {},
        "paused": None,
        "disabled": None,
        "place": "integration.yaml:3",
        "owners": owners,
    }
    return CutoverFacts(**(fields | changes))


def test_a_reader_sees_owners_steps_and_what_is_left() -> None:
    made = facts(others=("US",))
    text = cutover_text(made, steps(made, {"date": "2026-12-01"}))
    assert "nobody    1 open bill" in text
    assert "push      1 open bill  £0.05" in text
    assert "[NOW ] every open bill has one owner" in text
    assert "which nobody sends by itself: 1" in text
    assert "Other connected Chargebee configurations: US." in text
    assert "docs/runbook.md#cut-over" in text
    bill_text = owned_text(OwnedBill(BillId("b"), "acme", DATE, Owner.PERSON, "run r", None))
    assert bill_text.startswith("a person  b  acme, period to 1 Dec 2026, unknown amount")


@pytest.mark.parametrize(("to", "words"), [("push", "--canary 1"), ("native", "itself")])
def test_a_finished_cut_over_says_what_to_run(to: str, words: str) -> None:
    made = facts(to=to, applied=PUSH if to == "push" else NATIVE, connected=to == "native")
    done = {"date": "2026-12-01", "owners": "x"}
    assert words in cutover_text(made, steps(made, done))


def test_half_way_pushes_are_named_by_state() -> None:
    made = facts(to="native", half_way={PushStatus.PARTIAL: Purse(bills=2)})
    now = next(step for step in steps(made, {"date": "2026-12-01"}) if not step.done)
    assert "did not end: 2 (PARTIAL)" in now.todo[0]
    assert "PARTIAL" in now.todo[0]


@pytest.mark.parametrize("row", [PushStatus.COMPLETE, PushStatus.REOPENED])
def test_what_we_sent_and_m3ter_opened_again_must_be_approved_before_m3ter_is_connected(
    world: World, row: PushStatus
) -> None:
    world.applied, world.connected = PUSH, False
    world.month.ledger.pause(SITE, "k.smith", "cut-over")
    world.month.billed(one(status="PENDING"))
    world.month.recorded(one(), row)
    stand = world.go(to="native", confirm="2026-12-01")
    assert [bill.owner for bill in world.heard] == [Owner.PERSON]
    assert "approve them in m3ter now" in " ".join((stand.now or stand.steps[0]).todo)
    world.bills.bills[:] = [one()]
    assert world.go(to="native").facts.owners.finished == 1
    assert world.heard == []


def test_bills_that_only_we_can_send_are_sent_before_m3ter_is_connected() -> None:
    made = facts(to="native", applied=PUSH, paused="k.smith")
    now = next(step for step in steps(made, {"date": "2026-12-01"}) if not step.done)
    assert f"  reconciler sync run --env sandbox --integration {NAME}" in now.todo
