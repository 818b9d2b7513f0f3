"""Each page about a run that stops, walked: what is told, what is not sent, and how it goes on."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator

import pytest
from fakes.small_month import CREDENTIAL, GBP, USD_PENDING
from fakes.walking import Walked, page_in, walked_month, walks

from reconciler.ledger.sql.sqlite_file import open_sqlite
from reconciler.transport.system_clock import SystemClock

ON_TIME = 4
LEDGER = ".reconciler/ledger.sqlite"
WRITES = {"method": "POST", "path": "/api/v2/invoices/*"}


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walked]:
    with walked_month(tmp_path_factory.mktemp("stops"), GBP, USD_PENDING) as made:
        yield made


def writes(month: Walked) -> int:
    return sum(request["method"] == "POST" for request in month.control.requests())


def assert_stops(month: Walked, code: int, anchor: str, *bills: str) -> None:
    """A run ends with a code, names the page and writes nothing to Chargebee."""
    before = writes(month)
    ended = month.push(*bills)
    assert ended.code == code, ended
    page_in(ended, anchor)
    assert writes(month) == before


def assert_sent_once(month: Walked, *bills: str) -> None:
    assert month.push(*bills).code == 0
    assert [month.status(bill) for bill in bills] == ["COMPLETE"] * len(bills)
    assert [len(month.invoices(bill)) for bill in bills] == [1] * len(bills)


def live(month: Walked, name: str) -> str:
    """The id of a configuration in m3ter."""
    configs = month.store.all("m3ter/integrationconfigs")
    return next(str(config["id"]) for config in configs if config["name"] == name)


@walks("paused", "exit-13")
def test_a_paused_site_gets_nothing_until_somebody_resumes(month: Walked) -> None:
    bill = month.bill(0)
    assert month.go("sync pause --env production --reason 'looking'").code == 0
    assert_stops(month, 13, "paused", bill)
    page_in(month.go("status --env production"), "paused")
    page_in(month.go("sync plan --env production"), "paused")
    assert month.follow("paused", "sync resume").code == 0
    month.follow("paused", "sync run", "--bill", bill)
    assert_sent_once(month, bill)


@walks("disabled")
def test_ten_failures_in_a_row_disable_the_push_until_it_is_enabled(month: Walked) -> None:
    bills = [month.bill(0, str(100 + number)) for number in range(11)]
    month.control.fault({"fault": "http_503", "match": WRITES, "times": 10})
    page_in(month.push(*bills), "disabled")
    month.control.calm()
    ended = month.go("sync run --env production --wait 0 --integration month-end-gbp")
    assert ended.code == 13, ended
    page_in(ended, "disabled")
    page_in(month.go("status --env production"), "disabled")
    page_in(month.go("sync plan --env production"), "disabled")
    assert "month-end-gbp" in month.follow("disabled", "runs").out + ended.err
    assert month.follow("disabled", "doctor").code == 0
    assert month.follow("disabled", "sync enable", NAME="month-end-gbp").code == 0
    for minutes in (40, 40, 3):
        month.pass_time(minutes * 60)
        month.push(*bills)
    named = [part for bill in bills for part in ("--bill", bill)]
    assert month.follow("disabled", "--canary", *named).code == 0
    assert_sent_once(month, *bills)


@walks("interlock")
def test_an_account_that_nobody_knows_is_not_billed(month: Walked) -> None:
    bill = month.bill(0, accountCode="gone")
    assert_stops(month, 14, "interlock", bill)
    page_in(month.go(f"sync explain {bill} --env production"), "interlock")
    assert "gone" in month.follow("interlock", "sync plan", "--bill", bill).out
    month.edit(bill, accountCode="acct-00000")
    month.follow("interlock", "sync run", "--bill", bill)
    assert_sent_once(month, bill)


@walks("double-route")
def test_an_account_on_two_routes_is_billed_by_neither_until_one_is_gone(month: Walked) -> None:
    bill = month.bill(0)
    (account,) = month.store.where("m3ter/accounts", "code", "acct-00000")
    other = live(month, "Month end GBP pending")
    made = month.m3ter("POST", "/integrationcredentials", CREDENTIAL)
    accounts = {"accountIds": [account["id"]]}
    month.edit(other, integrationCredentialsId=made["id"], configData=accounts)
    assert_stops(month, 14, "double-route", bill)
    page_in(month.go(f"sync explain {bill} --env production"), "double-route")
    month.edit(other, integrationCredentialsId=None)
    month.follow("double-route", "sync run", "--bill", bill)
    assert_sent_once(month, bill)


@walks("drift-blocks-sync", "exit-3")
def test_drift_is_undone_before_anything_is_sent(month: Walked) -> None:
    bill = month.bill(0)
    month.edit(live(month, GBP), configData={"chargebeeDefaultPriceId": "fees-GBP"})
    ended = month.go("sync run --env production --wait 0 --integration month-end-gbp")
    assert ended.code == 13, ended
    page_in(ended, "drift-blocks-sync")
    assert month.go("plan --env production --exit-code").code == 3
    assert "k.smith" in month.follow("drift-blocks-sync", "drift").out
    planned = month.follow("drift-blocks-sync", "plan --env")
    asked = sorted(set(re.findall(r"[a-z-]+@[0-9a-f]{12}", planned.out)))
    approvals = [part for entry in asked for part in ("--approve", entry)]
    assert month.follow("drift-blocks-sync", "apply", *approvals, "--yes").code == 0
    month.follow("drift-blocks-sync", "sync run", "--bill", bill)
    assert_sent_once(month, bill)


@walks("exit-3", "drift-blocks-sync")
def test_drift_is_kept_before_anything_is_sent(month: Walked) -> None:
    bill = month.bill(0)
    month.edit(live(month, GBP), configData={"chargebeeDefaultPriceId": "standing-GBP"})
    drift = month.follow("exit-3", "drift").out
    place = "integration/month-end-gbp#chargebee.defaultPriceId"
    assert "defaultPriceId" in drift
    kept = month.go(f"accept-live --env production '{place}'")
    assert month.follow("exit-3", "accept-live", **{"ADDRESS#FIELD": place}).code in {0, 10}
    assert kept.code == 0, kept
    month.apply()
    assert_sent_once(month, bill)


@walks("stale-plan", "exit-12")
def test_a_stale_plan_is_made_again(month: Walked) -> None:
    month.define("month-end-gbp", displayName="Month end in pounds")
    assert month.go(f"plan --env production -o {month.plan_file}").code == 0
    month.edit(live(month, GBP), name="Month end UK")
    ended = month.go(f"apply {month.plan_file} --yes")
    assert ended.code == 12, ended
    page_in(ended, "stale-plan")
    month.edit(live(month, "Month end UK"), name=GBP)
    planned = month.follow("stale-plan", "plan --env")
    asked = sorted(set(re.findall(r"[a-z-]+@[0-9a-f]{12}", planned.out)))
    approvals = [part for entry in asked for part in ("--approve", entry)]
    assert month.follow("stale-plan", "apply", "--yes", *approvals).code == 0
    month.define("month-end-gbp", displayName=GBP)
    month.apply()


@walks("locked", "exit-15")
def test_a_run_beside_another_waits_for_its_end(month: Walked) -> None:
    bill = month.bill(0)
    held = open_sqlite(month.folder / LEDGER, SystemClock())
    try:
        assert_stops(month, 15, "locked", bill)
        assert month.follow("locked", "status").code in {0, 17}
    finally:
        held.close()
    assert_sent_once(month, bill)


@walks("auto-close-missed")
def test_an_invoice_that_closes_too_early_is_replaced_by_one_of_its_own(month: Walked) -> None:
    bill = month.bill(ON_TIME, "51")
    month.define("month-end-usd-pending", push={"pending": {"waitUpTo": "1h", "closesAfter": "1h"}})
    month.apply()
    month.push(bill)
    month.pass_time(2 * 3600)
    assert_stops(month, 14, "auto-close-missed", bill)
    month.define("month-end-usd-pending", push={"pending": {"then": "create"}})
    month.apply()
    month.follow("auto-close-missed", "sync run", "--bill", bill)
    assert_sent_once(month, bill)
    month.define("month-end-usd-pending", push={"pending": {"closesAfter": "48h", "then": "error"}})
    month.apply()


@pytest.fixture
def sent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Walked, str, str]]:
    """A month of its own, with one bill sent as an invoice and one as lines on a pending one."""
    with walked_month(tmp_path_factory.mktemp("ledger"), GBP, USD_PENDING) as made:
        bills = made.bill(0), made.bill(ON_TIME, "61")
        assert made.push().code == 0
        yield made, *bills


def pending_invoice(month: Walked) -> str:
    """The open invoice of the account whose invoice came on time."""
    invoices = month.store.all("chargebee/invoices")
    return next(
        str(other["id"])
        for other in invoices
        if other.get("subscription_id") == f"sub-acct-{ON_TIME:05}"
    )


def resolve_and_go_on(month: Walked, stamped: str, pending: str, unsent: str) -> None:
    """The last steps of the ledger's pages: decide what nobody knows, reconcile, one first."""
    ended = month.follow("ledger-lost", "--not-sent", BILL=unsent)
    assert ended.code == 0, ended
    assert month.go("sync run --env production --wait 0 --bill " + pending).code == 14
    ended = month.follow("ledger-lost", "--sent", BILL=pending, INVOICE=pending_invoice(month))
    assert ended.code == 0, ended
    assert month.follow("ledger-lost", "reconciler reconcile").code in {0, 17}
    assert month.follow("ledger-lost", "--canary").code == 0
    assert_sent_once(month, stamped)
    assert month.push(pending, unsent).code == 0
    assert month.lines_for(ON_TIME) == [6100, 6300]


@walks("ledger-lost", "exit-11")
def test_a_lost_ledger_is_rebuilt_and_nothing_is_sent_twice(sent: tuple[Walked, str, str]) -> None:
    month, stamped, pending = sent
    unsent = month.bill(ON_TIME, "63")
    for file in (month.folder / ".reconciler").glob("ledger.sqlite*"):
        file.unlink()
    assert_stops(month, 11, "ledger-lost")
    assert month.go("sync pause --env production --reason x").code == 11
    rebuilt = month.follow("ledger-lost", "rebuild", DATE="2026-11-01")
    assert rebuilt.code in {0, 14}, rebuilt
    page_in(rebuilt, "ledger-lost")
    resolve_and_go_on(month, stamped, pending, unsent)


@walks("older-ledger", "exit-11")
def test_an_older_ledger_is_rebuilt_and_nothing_is_sent_twice(
    sent: tuple[Walked, str, str],
) -> None:
    month, stamped, pending = sent
    (month.folder / "backup").mkdir()
    for file in (month.folder / ".reconciler").glob("ledger.sqlite*"):
        shutil.copy(file, month.folder / "backup")
    newer = month.bill(0, "62")
    assert month.push().code == 0
    for file in (month.folder / "backup").iterdir():
        shutil.copy(file, month.folder / ".reconciler")
    assert_stops(month, 11, "older-ledger")
    assert month.follow("older-ledger", "rebuild", DATE="2026-11-01").code in {0, 14}
    month.push()
    assert_sent_once(month, stamped, newer)
    assert month.lines_for(ON_TIME) == [6100]
    assert month.status(pending) == "COMPLETE"


@walks("other-ledger", "exit-11")
def test_another_ledger_is_refused_until_the_environment_names_the_right_one(
    sent: tuple[Walked, str, str],
) -> None:
    month, stamped, _ = sent
    month.environment_is(ledger={"id": "0d0e0a7d-0000-4000-8000-000000000002"})
    month.apply()
    assert_stops(month, 11, "other-ledger")
    month.environment_is(ledger={"id": "0d0e0a7d-0000-4000-8000-000000000001"})
    month.apply()
    assert month.follow("other-ledger", "sync plan").code == 0
    assert_sent_once(month, stamped)
