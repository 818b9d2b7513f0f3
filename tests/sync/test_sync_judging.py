"""What holds a bill back: other routes, m3ter's own runs, refusals, lost memories, bad luck."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from fakes.emulated_http import EmulatedHttp
from fakes.sync_place import SyncPlace, standing_of

from reconciler.errors import ExitCode, ReconcilerError
from reconciler.kernel.address import BillId
from reconciler.m3ter.live import NativeRun
from reconciler.sync.judge.run_filter import RunFilter
from reconciler.sync.model.push import PushStatus, Refused, WindowClosed
from reconciler.sync.model.standing import Group
from reconciler.sync.ports.destination import DestinationAccessError, DestinationUnreachableError
from reconciler.sync.ports.ledger import LedgerIdentity
from reconciler.sync.ports.workers import BillBusyError, Job
from reconciler.sync.push.limits import RunLimits
from reconciler.sync.run.world import SyncResult
from reconciler.wiring.sync_desk import PushDesk

CREATED = "acct-00000"


@pytest.fixture
def place(month_end: Callable[..., SyncPlace]) -> SyncPlace:
    return month_end(45)


class Other:
    """A port with some of its parts replaced."""

    def __init__(self, port: Any, **parts: Any) -> None:
        self._port = port
        self.__dict__.update(parts)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._port, name)


class Runs:
    """m3ter's own runs, all with one status."""

    def __init__(self, status: str) -> None:
        self.status = status

    def latest(self, _: str, ids: Sequence[str]) -> Mapping[str, NativeRun]:
        return {text: self.run(text) for text in ids}

    def of_entity(self, _: str, identity: str) -> Iterator[NativeRun]:
        yield self.run(identity)

    def run(self, bill: str) -> NativeRun:
        at = "2026-12-01T07:00:00Z"
        return NativeRun(
            "run-1", "Bill", bill, "Chargebee", self.status, at, at, "", "", "inv-9", ""
        )


@contextmanager
def with_runs(place: SyncPlace, status: str) -> Iterator[PushDesk]:
    with place.open() as opened:
        opened.watch.organisation = Other(opened.organisation, runs=Runs(status))
        yield opened


@contextmanager
def with_site(place: SyncPlace, **parts: Any) -> Iterator[PushDesk]:
    with place.open() as opened:
        site: Any = Other(opened.destination, **parts)
        yield replace(opened, destination=site)


def run(opened: PushDesk, bill: str) -> SyncResult:
    return opened.run(RunFilter(bills=frozenset({BillId(bill)})), RunLimits(), lambda: False)


def raising(error: Exception) -> Callable[..., Any]:
    def fail(*_: Any) -> Any:
        raise error

    return fail


def test_a_bill_that_m3ter_sent_is_adopted_as_sent_natively(place: SyncPlace) -> None:
    bill = place.bill_of(CREATED)
    with with_runs(place, "COMPLETE") as opened:
        assert run(opened, bill).tally.bills(Group.NATIVE) == 1
        assert run(opened, bill).tally.bills(Group.UNCHANGED) == 1
    assert not place.chargebee_writes()


def test_a_bill_sent_natively_and_changed_afterwards_is_for_a_person(place: SyncPlace) -> None:
    bill = place.bill_of(CREATED)
    with with_runs(place, "COMPLETE") as opened:
        run(opened, bill)
    with EmulatedHttp(place.url) as http:
        patch = {"timezone": "Europe/Paris"}
        http.control("POST", "/user-edit", {"id": bill, "patch": patch, "user": "k.smith"})
    found = standing_of(place.run(bill), bill)
    assert found.group is Group.DECIDE
    assert "cannot be found" in found.why
    assert not place.chargebee_writes()


def test_a_bill_that_m3ter_works_on_waits(place: SyncPlace) -> None:
    with with_runs(place, "AWAITING_RETRY") as opened:
        assert run(opened, place.bill_of(CREATED)).tally.bills(Group.WAITING) == 1
    assert not place.chargebee_writes()


def test_a_failed_run_of_m3ter_is_for_a_person_who_may_clear_it(place: SyncPlace) -> None:
    bill = place.bill_of(CREATED)
    with with_runs(place, "ERROR") as opened:
        found = standing_of(run(opened, bill), bill)
        assert found.group is Group.DECIDE
        assert found.page.endswith("#timeout")
        assert standing_of(run(opened, bill), bill).new is False
        told = opened.decider().not_sent(BillId(bill), "looked in Chargebee")
        assert "sent nothing" in told
        assert run(opened, bill).tally.bills(Group.SENT) == 1


def test_a_connected_configuration_that_takes_everyone_stops_every_push(place: SyncPlace) -> None:
    config = next(
        integration
        for integration in place.state("m3ter", "integrationconfigs")
        if integration["name"] == "Month end JPY"
    )
    with EmulatedHttp(place.url) as http:
        credential = "c0000000-0000-4000-8000-000000000001"
        patch = {"integrationCredentialsId": credential, "configData": {"accountIds": []}}
        http.control("POST", "/user-edit", {"id": config["id"], "patch": patch, "user": "x"})
    bill = place.bill_of(CREATED)
    found = standing_of(place.run(bill), bill)
    assert found.group is Group.BLOCKED
    assert found.page.endswith("#double-route")
    assert not place.chargebee_writes()


def test_a_refused_bill_is_told_of_once_and_retried_from_corrected_data(
    place: SyncPlace,
) -> None:
    bill = place.bill_of(CREATED)
    refusal = Refused("param_wrong_value", "item_prices[quantity][1] is wrong")
    with with_site(place, perform=lambda *_: refusal) as opened:
        result = run(opened, bill)
        assert standing_of(result, bill).status is PushStatus.ERROR
        assert result.exit_code == ExitCode.PARTLY_DONE
        run(opened, bill)
    assert [event for event, _, _ in place.notices] == ["perform"]
    assert place.run(bill).tally.bills(Group.DECIDE) == 1
    with place.open() as opened:
        decider = opened.decider()
        assert [str(bill_id) for bill_id in decider.refused()] == [bill]
        assert "sent again" in decider.retry(BillId(bill))
        assert "sent again" in decider.retry(BillId(bill))
    assert place.run(bill).tally.bills(Group.SENT) == 1
    assert len(place.invoices_of(bill)) == 1


def test_a_bill_that_gives_up_or_waits_goes_on_after_a_retry(place: SyncPlace) -> None:
    bill = place.bill_of(CREATED)
    place.fault("rate_limit")
    found = standing_of(place.run(bill), bill)
    assert found.status is PushStatus.AWAITING_RETRY
    with place.open() as opened:
        assert "sent again" in opened.decider().retry(BillId(bill))
    assert place.run(bill).tally.bills(Group.SENT) == 1


def test_an_invoice_that_closed_first_leaves_the_bill_waiting(place: SyncPlace) -> None:
    bill = place.bill_of(CREATED)
    with with_site(place, perform=lambda *_: WindowClosed("closed")) as opened:
        assert run(opened, bill).tally.bills(Group.WAITING) == 1


@pytest.mark.parametrize("error", [ValueError("bug"), DestinationUnreachableError("no answer")])
def test_a_bad_bill_never_stops_the_others(place: SyncPlace, error: Exception) -> None:
    bad = place.bill_of(CREATED)

    with place.open() as opened:
        site = opened.destination

        def check(draft: Any) -> Any:
            if draft.bill_id == bad:
                raise error
            return site.check(draft)

        stand_in: Any = Other(site, check=check)
        narrow = RunFilter(integrations=frozenset({"month-end-gbp"}))
        result = replace(opened, destination=stand_in).run(narrow, RunLimits(), lambda: False)
    assert result.tally.bills(Group.FAILED) == 1
    assert result.tally.bills(Group.SENT) > 5
    assert result.exit_code == ExitCode.PARTLY_DONE


def test_a_key_refused_while_reading_ends_the_run(place: SyncPlace) -> None:
    fail = raising(DestinationAccessError("the key is refused"))
    with (
        with_site(place, check=fail) as opened,
        pytest.raises(ReconcilerError, match="key is refused"),
    ):
        run(opened, place.bill_of(CREATED))


def test_an_account_that_m3ter_does_not_know_is_not_billed(place: SyncPlace) -> None:
    bill = place.bill_of(CREATED)
    with place.open() as opened:
        nobody = Other(opened.organisation.codes, accounts=lambda _: {})
        opened.watch.organisation = Other(opened.organisation, codes=nobody)
        assert standing_of(run(opened, bill), bill).short == "its account is not known"


def test_a_rebuilt_ledger_asks_a_person_about_pending_lines(place: SyncPlace) -> None:
    bill = place.bill_of("acct-00004")
    rebuilt = datetime(2026, 12, 2, tzinfo=UTC)
    with place.open() as opened:
        view: Any = Other(opened.view, identity=LedgerIdentity("x", 1, rebuilt))
        found = standing_of(run(replace(opened, view=view), bill), bill)
        assert found.group is Group.DECIDE
        assert found.page.endswith("#ledger-lost")
        assert "judged again" in opened.decider().retry(BillId(bill))
    assert place.run(bill).tally.bills(Group.SENT) == 1


def test_a_bill_that_another_worker_holds_is_brought_again(place: SyncPlace) -> None:
    bill = BillId(place.bill_of(CREATED))
    with place.open() as opened:
        ledger, site = opened.ports.ledger, opened.scope.site
        lease = ledger.claim(site, bill, "another", 60)
        assert lease is not None
        pusher = opened.pusher(RunFilter(), RunLimits(), lambda: False)
        with pytest.raises(BillBusyError):
            pusher.work(Job(site, bill, "s"))
        with pytest.raises(ReconcilerError, match="a worker is at bill"):
            opened.decider().retry(bill)
        ledger.release(lease)
        assert pusher.work(Job(site, bill, "s")).group is Group.SENT
        gone = pusher.work(Job(site, BillId("00000000-0000-4000-8000-00000000dead"), "s"))
        assert gone.group is Group.NOT_OURS


def test_a_worker_sends_what_becomes_ready_until_it_is_stopped(place: SyncPlace) -> None:
    seen: list[Any] = []

    def stopped() -> bool:
        return bool(place.invoices_of(place.bill_of(CREATED)))

    with place.open() as opened:
        narrow = RunFilter(bills=frozenset({BillId(place.bill_of(CREATED))}))
        serving = opened.serving(narrow, stopped)
        seen.extend(serving.outcomes())
    assert [entry.group for entry in seen] == [Group.SENT]


def test_an_integration_that_left_leaves_its_bills_to_a_person(place: SyncPlace) -> None:
    bill = place.bill_of(CREATED)
    place.fault("http_500")
    place.run(bill)
    with place.open() as opened:
        opened.watch.scope = replace(
            opened.scope, routes=tuple(r for r in opened.scope.routes if r.name != "month-end-gbp")
        )
        found = run(opened, bill)
    assert standing_of(found, bill).short == "its integration is gone"


def test_what_is_held_back_before_its_first_send_stays_begun(place: SyncPlace) -> None:
    bill = place.bill_of(CREATED)
    with place.open() as opened:
        ledger: Any = Other(opened.ports.ledger, paused=iter_of([None, "k.smith: audit"]))
        assert opened.opened is not None
        held = replace(opened, opened=replace(opened.opened, ledger=ledger))
        assert ledger.paused(opened.scope.site) is None
        found = standing_of(run(held, bill), bill)
    assert found.short == "the site is paused"
    assert found.page.endswith("#paused")
    assert place.run(bill).tally.bills(Group.SENT) == 1


def iter_of(answers: list[Any]) -> Callable[..., Any]:
    left = iter(answers)
    return lambda *_: next(left)
