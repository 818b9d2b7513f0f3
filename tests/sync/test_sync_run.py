"""Whole runs over the emulated month: nothing twice, nothing silently, nothing against a stop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from fakes.emulated_http import EmulatedHttp
from fakes.sync_place import SyncPlace, standing_of

from reconciler.errors import ExitCode, ReconcilerError
from reconciler.kernel.address import BillId
from reconciler.kernel.money import Currency, Money
from reconciler.sync.judge.run_filter import RunFilter
from reconciler.sync.model.push import CredentialsRefused, InvoiceId, PushStatus
from reconciler.sync.model.standing import Group
from reconciler.sync.people.leased_bill import CannotDecideError
from reconciler.sync.push.limits import (
    HeldBackError,
    NotAnAmountError,
    PausedError,
    RunLimits,
    parse_amounts,
)
from reconciler.sync.push.push_loop import KeyRefusedError
from reconciler.sync.run.world import canary_failed

GBP = "month-end-gbp"


@pytest.fixture
def place(month_end: Callable[..., SyncPlace]) -> SyncPlace:
    return month_end(40)


def only(*integrations: str) -> RunFilter:
    return RunFilter(integrations=frozenset(integrations))


def edit_live(place: SyncPlace, name: str, patch: dict[str, Any]) -> None:
    """Edit an integration as a person in the Console does."""
    configs = place.state("m3ter", "integrationconfigs")
    (key,) = (config["id"] for config in configs if config["name"] == name)
    with EmulatedHttp(place.url) as http:
        http.control("POST", "/user-edit", {"id": key, "patch": patch, "user": "k.smith"})


def approve(place: SyncPlace, bill: str, verb: str = "approve") -> None:
    with EmulatedHttp(place.url) as http:
        http.log_in()
        answer = http.m3ter("POST", f"/bills/{verb}", {"billIds": [bill]})
        assert answer.status_code < 300, answer.text


def test_a_second_run_sends_nothing_also_after_31_minutes_and_three_days(
    place: SyncPlace,
) -> None:
    first = place.run(threads=4)
    sent = first.tally.bills(Group.SENT)
    assert sent > 20
    assert not first.tally.differing
    assert all(not amount.minor for amount in first.tally.unexplained.money)
    writes = len(place.chargebee_writes())
    pending = first.tally.bills(Group.WAITING)
    for seconds in (0, 31 * 60, 3 * 86_400):
        place.advance(seconds)
        again = place.run()
        assert again.tally.bills(Group.UNCHANGED) >= sent
        assert again.tally.bills(Group.SENT) <= pending  # late pending invoices may have come
        if seconds < 86_400:
            assert len(place.chargebee_writes()) == writes
    stamped = [
        invoice["cf_m3ter_bill_id"]
        for invoice in place.state("chargebee", "invoices")
        if invoice.get("cf_m3ter_bill_id")
    ]
    assert len(stamped) == len(set(stamped))


def test_two_runs_at_once_are_one_and_a_refusal(place: SyncPlace) -> None:
    with place.open(), pytest.raises(ReconcilerError) as refused:
        place.run()
    assert refused.value.exit_code == ExitCode.LOCKED


def test_a_plan_writes_nothing_anywhere(place: SyncPlace) -> None:
    before = place.state("chargebee", "invoices"), place.state("m3ter", "integrationconfigs")
    ledger = (place.root / ".reconciler/ledger.sqlite").read_bytes()
    made = place.plan()
    assert made.tally.bills(Group.READY) > 20
    assert made.takes.total_seconds() > 0
    assert before == (
        place.state("chargebee", "invoices"),
        place.state("m3ter", "integrationconfigs"),
    )
    assert (place.root / ".reconciler/ledger.sqlite").read_bytes() == ledger
    assert not place.chargebee_writes()


def test_limits_stop_before_the_send_that_would_exceed(place: SyncPlace) -> None:
    result = place.run(limits=RunLimits(3), narrow=only(GBP))
    assert result.tally.bills(Group.SENT) == 3
    assert "3 bills" in result.limit
    most = Money(10_000, Currency("GBP", 2))
    result = place.run(limits=RunLimits(amounts={"GBP": most}), narrow=only(GBP))
    spent = result.tally.money(Group.SENT)
    assert all(amount.minor <= most.minor for amount in spent)
    assert "would exceed £" in result.limit or "would exceed GBP" in result.limit


def test_amounts_of_the_command_line_are_exact() -> None:
    assert parse_amounts(["GBP:10.50", "JPY:7"])["GBP"].minor == 1050
    for wrong in ("GBP", "XXX:1", "GBP:1.005", "GBP:-1", "GBP:NaN"):
        with pytest.raises(NotAnAmountError):
            parse_amounts([wrong])


def test_a_canary_goes_first_and_its_limits_count(place: SyncPlace) -> None:
    limits = RunLimits(5)
    few = limits.first(2)
    first = place.run(limits=few, narrow=only(GBP))
    assert first.tally.bills(Group.SENT) == 2
    assert canary_failed(first, 2) == ""
    assert limits.after(few).bills == 3
    first.tally.differing = 1
    assert "canary" in canary_failed(first, 2)
    first.tally.differing = 0
    assert "only 2 of the 3" in canary_failed(first, 3)
    first.tally.unexplained.add(Money(1, Currency("GBP", 2)))
    assert "unexplained" in canary_failed(first, 2)


def test_a_paused_site_gets_nothing_and_a_pause_is_heard_in_the_middle(place: SyncPlace) -> None:
    code, told = place.reconciler("sync", "pause", "--env", "month-end", "--reason", "audit")
    assert code == 0, told
    with pytest.raises(PausedError):
        place.run()
    assert not place.chargebee_writes()
    assert "audit" in place.plan().paused
    code, told = place.reconciler("sync", "resume", "--env", "month-end")
    assert code == 0
    assert "audit" in told
    with place.open() as opened:
        told = place.reconciler("sync", "pause", "--env", "month-end", "--reason", "now")[1]
        assert "paused" in told
        result = opened.run(only(GBP), RunLimits(), lambda: False)
    assert result.tally.bills(Group.SENT) == 0
    assert not place.chargebee_writes()
    assert place.reconciler("sync", "resume", "--env", "month-end")[0] == 0
    assert place.run(narrow=only(GBP)).tally.bills(Group.SENT) > 5


def test_a_stop_is_heard_before_the_next_send(place: SyncPlace) -> None:
    asked = iter([False] * 6)
    result = place.run(narrow=only(GBP), stopped=lambda: next(asked, True))
    assert result.stopped
    assert result.exit_code == ExitCode.INTERRUPTED
    assert len(place.chargebee_writes()) < 5
    assert place.run(narrow=only(GBP)).tally.bills(Group.SENT) > 3


def test_drift_blocks_the_integration_and_no_other(place: SyncPlace) -> None:
    edit_live(place, "Month end GBP", {"configData": {"onlySendBillOnApproval": False}})
    with pytest.raises(HeldBackError) as held:
        place.run(narrow=only(GBP))
    assert held.value.exit_code == ExitCode.NEEDS_APPROVAL
    assert "docs/runbook.md#drift-blocks-sync" in str(held.value)
    result = place.run()
    assert result.tally.bills(Group.SENT) > 5
    assert result.tally.bills(Group.BLOCKED) > 10
    assert result.exit_code == ExitCode.PARTLY_DONE
    assert all(standing.integration != GBP for standing in result.tally.listed[Group.SENT])


@pytest.mark.parametrize("ending", ["enabled again", "keep-git", "accept-live"])
def test_an_integration_that_a_person_disables_in_the_console_stops_until_it_is_decided(
    place: SyncPlace, ending: str
) -> None:
    edit_live(place, "Month end GBP", {"enabled": False})
    with pytest.raises(HeldBackError) as held:
        place.run(narrow=only(GBP))
    assert held.value.exit_code == ExitCode.NEEDS_APPROVAL
    assert "disabled means stop" in str(held.value)
    result = place.run()
    assert result.tally.bills(Group.SENT) > 5
    assert all(standing.integration != GBP for standing in result.tally.listed[Group.SENT])
    if ending == "enabled again":
        edit_live(place, "Month end GBP", {"enabled": True})
    else:
        code, told = place.reconciler(ending, f"integration/{GBP}#enabled", "--env", "month-end")
        assert code == 0, told
    assert place.run(narrow=only(GBP)).tally.bills(Group.SENT) > 3


def test_a_bill_whose_date_is_a_month_old_to_the_day_is_sent_with_today(place: SyncPlace) -> None:
    bill = place.bill_of("acct-00000")
    place.person_edits(bill, externalInvoiceDate="2026-11-01")
    place.run(narrow=RunFilter(bills=frozenset({BillId(bill)})))
    assert place.row(bill).status is PushStatus.COMPLETE
    assert len(place.invoices_of(bill)) == 1


def test_a_date_that_grows_too_old_while_a_bill_waits_is_moved_without_a_person(
    place: SyncPlace,
) -> None:
    bill = place.bill_of("acct-00000")
    place.person_edits(bill, externalInvoiceDate="2026-11-02")
    place.fault("rate_limit", times=20)
    place.run(narrow=RunFilter(bills=frozenset({BillId(bill)})))
    assert place.row(bill).status is not PushStatus.COMPLETE
    with EmulatedHttp(place.url) as http:
        http.control("DELETE", "/faults")
    place.advance(18 * 3600)
    place.run(narrow=RunFilter(bills=frozenset({BillId(bill)})))
    assert place.row(bill).status is PushStatus.COMPLETE, place.row(bill).message
    (invoice,) = place.invoices_of(bill)
    assert datetime.fromtimestamp(invoice["date"], UTC).date() == date(2026, 12, 2)


def test_ten_failures_in_a_row_disable_the_push_and_say_so(place: SyncPlace) -> None:
    place.fault("http_500", times=40)
    result = place.run(narrow=only(GBP))
    assert result.tally.unknown == 10
    assert result.exit_code == ExitCode.UNKNOWN_OUTCOME
    assert [event for event, _, _ in place.notices][:1] == ["disabled"]
    assert GBP in place.plan().disabled
    with pytest.raises(HeldBackError):
        place.run(narrow=only(GBP))
    code, told = place.reconciler("sync", "enable", GBP, "--env", "month-end")
    assert code == 0
    assert "10 failures" in told
    with EmulatedHttp(place.url) as http:
        http.control("DELETE", "/faults")
    for _ in range(6):
        place.advance(20 * 60)
        result = place.run(narrow=only(GBP))
    assert not result.tally.bills(Group.UNDER_WAY)
    stamps = [invoice.get("cf_m3ter_bill_id") for invoice in place.state("chargebee", "invoices")]
    known = [stamp for stamp in stamps if stamp]
    assert len(known) == len(set(known))


def test_an_answer_lost_after_the_commit_is_looked_for_and_not_sent_again(
    place: SyncPlace,
) -> None:
    bill = place.bill_of("acct-00000")
    place.fault("cut_after_commit")
    result = place.run(bill)
    assert standing_of(result, bill).status is PushStatus.UNKNOWN
    place.advance(3 * 86_400)
    assert place.run(bill).tally.bills(Group.SENT) == 1
    assert len(place.invoices_of(bill)) == 1


def test_a_lost_ledger_finds_what_was_stamped(place: SyncPlace) -> None:
    bill = place.bill_of("acct-00000")
    place.run(bill)
    for file in (place.root / ".reconciler").rglob("*ledger*"):
        if file.is_file():
            file.unlink()
    assert place.reconciler("ledger", "init", "--env", "month-end")[0] == 0
    writes = len(place.chargebee_writes())
    result = place.run(bill)
    assert result.tally.bills(Group.SENT) == 1
    assert not result.tally.differing
    assert len(place.chargebee_writes()) == writes


def test_a_bill_sent_and_reopened_is_listed_with_its_money(place: SyncPlace) -> None:
    bill = place.bill_of("acct-00000")
    place.run(bill)
    with EmulatedHttp(place.url) as http:
        patch = {"status": "PENDING"}
        http.control("POST", "/user-edit", {"id": bill, "patch": patch, "user": "k.smith"})
    found = standing_of(place.run(bill), bill)
    assert found.status is PushStatus.REOPENED
    assert found.money is not None
    assert found.page.endswith("#reopened")
    with EmulatedHttp(place.url) as http:
        patch = {"status": "APPROVED"}
        http.control("POST", "/user-edit", {"id": bill, "patch": patch, "user": "k.smith"})
    assert place.run(bill).tally.bills(Group.UNCHANGED) == 1


def test_a_recalculated_bill_is_voided_and_sent_anew_under_its_policy(place: SyncPlace) -> None:
    bill = place.bill_of("acct-00000")
    place.run(bill)
    lines = next(
        candidate for candidate in place.state("m3ter", "bills") if candidate["id"] == bill
    )["lineItems"]
    changed = [{**line, "description": f"{line['description']} (corrected)"} for line in lines]
    with EmulatedHttp(place.url) as http:
        patch = {"lineItems": changed}
        http.control("POST", "/user-edit", {"id": bill, "patch": patch, "user": "k.smith"})
    result = place.run(bill)
    assert result.tally.bills(Group.SENT) == 1, result.tally.listed
    statuses = sorted(invoice["status"] for invoice in place.invoices_of(bill))
    assert len(statuses) == 2
    assert "voided" in statuses
    assert place.run(bill).tally.bills(Group.UNCHANGED) == 1


def test_a_refused_key_stops_the_run_at_once(place: SyncPlace) -> None:
    bill = place.bill_of("acct-00000")
    with place.open() as opened:
        destination: Any = RefusingKey(opened.destination)
        held = replace(opened, destination=destination)
        with pytest.raises(KeyRefusedError) as refused:
            held.run(RunFilter(bills=frozenset({BillId(bill)})), RunLimits(), lambda: False)
    assert refused.value.exit_code == ExitCode.REFUSED_IDENTITY
    place.advance(60 * 60)
    assert place.run(bill).tally.bills(Group.SENT) == 1


class RefusingKey:
    """A site that refuses every write's key."""

    def __init__(self, site: Any) -> None:
        self._site = site

    def __getattr__(self, name: str) -> Any:
        return getattr(self._site, name)

    def perform(self, *_: Any) -> Any:
        return CredentialsRefused("api_authentication_failed")


def test_people_resolve_skip_adopt_and_retry(place: SyncPlace) -> None:
    doubtful, skipped, adopted = (
        place.bill_of(f"acct-000{literal}") for literal in ("00", "02", "05")
    )
    place.fault("http_500")
    place.run(doubtful)
    with place.open() as opened:
        decider = opened.decider()
        with pytest.raises(CannotDecideError):
            decider.skip(BillId(doubtful), "no")
        with pytest.raises(CannotDecideError):
            decider.retry(BillId(doubtful))
        assert "not sent" in decider.not_sent(BillId(doubtful), "looked")
        assert "never begun" in decider.retry(BillId(adopted))
        decider.skip(BillId(skipped), "test account")
    assert place.run(doubtful).tally.bills(Group.SENT) == 1
    assert place.run(skipped).tally.bills(Group.NOTHING) == 1
    invoice = str(place.invoices_of(doubtful)[0]["id"])
    with place.open() as opened:
        decider = opened.decider()
        with pytest.raises(CannotDecideError):  # it carries another bill's stamp
            decider.adopt(BillId(adopted), InvoiceId(invoice), "by hand")
        with pytest.raises(CannotDecideError):
            decider.sent_as(BillId(adopted), InvoiceId("nothing"), "by hand")
        with pytest.raises(CannotDecideError):
            decider.not_sent(BillId(doubtful), "sent already")
        with pytest.raises(CannotDecideError):
            decider.retry(BillId(doubtful))
        with pytest.raises(CannotDecideError):
            decider.skip(BillId(doubtful), "sent already")
        assert "judged again" in decider.retry(BillId(skipped))
    assert place.run(skipped).tally.bills(Group.SENT) == 1


def test_a_bill_billed_by_hand_is_adopted_and_never_sent(place: SyncPlace) -> None:
    bill = place.bill_of("acct-00000")
    plain = next(
        invoice["id"]
        for invoice in place.state("chargebee", "invoices")
        if "cf_m3ter_bill_id" not in invoice
    )
    with place.open() as opened:
        told = opened.decider().sent_as(BillId(bill), InvoiceId(str(plain)), "made by hand")
    assert "nothing was sent" in told
    result = place.run(bill)
    assert result.tally.bills(Group.UNCHANGED) == 1
    assert not place.chargebee_writes()


def test_an_open_step_is_resolved_as_sent(place: SyncPlace) -> None:
    bill = place.bill_of("acct-00000")
    place.fault("cut_after_commit")
    place.run(bill)
    invoice = InvoiceId(str(place.invoices_of(bill)[0]["id"]))
    with place.open() as opened:
        told = opened.decider().sent_as(BillId(bill), invoice, "seen in Chargebee")
    assert "counts as sent" in told
    result = place.run(bill)
    assert result.tally.bills(Group.SENT) == 1
    assert not result.tally.differing
