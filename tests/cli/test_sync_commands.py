"""The sync commands as people type them, against the emulated month."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from fakes.sync_place import ENV, SyncPlace

from reconciler.cli.sync.group import COMMANDS
from reconciler.kernel import exact_json


@pytest.fixture
def place(month_end: Callable[..., SyncPlace]) -> SyncPlace:
    return month_end(45)


def told_json(told: str) -> Any:
    return exact_json.decode(told)


def test_help_names_every_subcommand_without_importing_them(place: SyncPlace) -> None:
    code, told = place.reconciler("sync", "--help")
    assert code == 0
    assert all(f"  {command.name} " in told for command in COMMANDS)


def test_an_unknown_subcommand_is_a_usage_error(place: SyncPlace) -> None:
    assert place.reconciler("sync", "send")[0] == 10
    code, told = place.reconciler("sync", "rnu", "--env", ENV)
    assert code == 10
    assert "there is no command `sync rnu`. Did you mean `sync run`?" in told


@pytest.mark.parametrize("day", ["2026-13-01", "01/11/2026", "yesterday"])
def test_a_day_that_is_none_is_told_in_words(place: SyncPlace, day: str) -> None:
    code, told = place.reconciler("sync", "plan", "--env", ENV, "--since", day)
    assert code == 10
    assert f"'{day}' is no day; write it as YYYY-MM-DD." in told
    assert "%Y" not in told
    assert "--since YYYY-MM-DD" in place.reconciler("sync", "plan", "--help")[1]


def test_a_plan_reads_like_a_month_end(place: SyncPlace) -> None:
    code, told = place.reconciler("sync", "plan", "--env", ENV)
    assert code == 0, told
    assert "applied record" in told
    assert "ready " in told
    assert "at 100,000 requests a minute" in told
    assert "missing account mapping   docs/runbook.md#blocked-account-mapping" in told
    assert "not approved yet" in told
    assert "Falls to the default price other-GBP:" in told
    assert "Rounding that Chargebee will make:" in told
    assert "Nothing was written anywhere." in told
    assert max(map(len, told.splitlines())) <= 160


def test_a_plan_as_json_is_one_document_with_exact_amounts(place: SyncPlace) -> None:
    code, told = place.reconciler("sync", "plan", "--env", ENV, "--format", "json")
    body = told_json(told)
    assert code == 0
    assert body["schema"] == "m3ter-reconciler/sync-plan/v1"
    assert body["groups"]["ready"]["bills"] > 20
    assert all(isinstance(entry, str) for entry in body["groups"]["ready"]["money"].values())
    assert any(bill["page"] for bill in body["bills"])


def test_a_plan_from_the_files_obeys_what_was_not_applied(place: SyncPlace) -> None:
    place.edit("month-end-gbp/integration.yaml", "since: 2026-12-01", "since: 2026-12-02")
    applied = place.reconciler("sync", "plan", "--env", ENV)[1]
    code, files = place.reconciler("sync", "plan", "--env", ENV, "--from-files")
    assert code == 0
    assert "only printed" in files
    assert "before 2 Dec 2026" in files
    assert "before 2 Dec 2026" not in applied


def test_a_plan_needs_no_ledger_and_a_run_does(place: SyncPlace) -> None:
    for file in (place.root / ".reconciler").rglob("*ledger*"):
        if file.is_file():
            file.unlink()
    assert place.reconciler("sync", "plan", "--env", ENV)[0] == 0
    code, told = place.reconciler("sync", "run", "--env", ENV)
    assert code == 11
    assert "Nothing was sent" in told


def test_flags_narrow_what_is_sent(place: SyncPlace) -> None:
    bill = place.bill_of("acct-00000")
    code, told = place.reconciler("sync", "run", "--env", ENV, "--bill", bill)
    assert code == 0, told
    assert "sent" in told
    assert "     1 bill" in told
    code, told = place.reconciler(
        "sync", "run", "--env", ENV, "--account", "acct-00002", "--format", "json"
    )
    assert code == 0
    assert told_json(told)["groups"]["sent"]["bills"] == 1
    code, told = place.reconciler("sync", "run", "--env", ENV, "--until", "2026-11-01")
    assert code == 0
    assert "no bill" in told
    assert place.reconciler("sync", "run", "--env", ENV, "--account", "nobody")[0] == 10
    assert place.reconciler("sync", "run", "--env", ENV, "--integration", "nothing")[0] == 10
    assert place.reconciler("sync", "run", "--env", ENV, "--max-amount", "GBP")[0] == 10


@pytest.mark.parametrize("command", ["plan", "run"])
def test_a_bill_that_nobody_knows_is_a_slip_and_not_nothing_to_do(
    place: SyncPlace, command: str
) -> None:
    known = place.bill_of("acct-00000")
    flags = ("--bill", known, "--bill", "INV-0042")
    code, told = place.reconciler("sync", command, "--env", ENV, *flags)
    assert code == 10
    assert "there is no bill `INV-0042`: neither m3ter nor the ledger of `month-end` has it" in told
    assert "Give the whole id" in told
    assert not [
        invoice
        for invoice in place.state("chargebee", "invoices")
        if invoice.get("cf_m3ter_bill_id")
    ]


def test_a_canary_goes_first_and_then_the_rest(place: SyncPlace) -> None:
    code, told = place.reconciler(
        "sync", "run", "--env", ENV, "--integration", "month-end-usd", "--canary", "2"
    )
    assert "canary: 2 bills stand in Chargebee as they were sent; going on" in told
    assert "Unexplained after reading back: $0.00" in told
    assert code in {0, 14}
    sent = [
        invoice
        for invoice in place.state("chargebee", "invoices")
        if invoice.get("cf_m3ter_bill_id")
    ]
    assert re.search(rf"sent +{len(sent)} bills", told), told
    assert "unchanged" not in told


def test_a_pause_that_the_ledger_cannot_keep_is_said_to_be_none(place: SyncPlace) -> None:
    with closing(sqlite3.connect(place.root / ".reconciler/ledger.sqlite")) as database:
        database.execute("drop table decisions")
    code, told = place.reconciler("sync", "pause", "--env", ENV, "--reason", "audit")
    assert code == 11
    assert "Nothing was paused, resumed or enabled: whoever pushes goes on as before" in told
    assert "may have arrived" not in told


def test_an_unknown_outcome_is_told_with_its_page_and_exit_16(place: SyncPlace) -> None:
    bill = place.bill_of("acct-00000")
    place.fault("cut_after_commit")
    code, told = place.reconciler("sync", "run", "--env", ENV, "--bill", bill, "--wait", "0")
    assert code == 16
    assert "docs/runbook.md#unknown-outcome" in told
    assert "1 bill is tried again, the first at" in told
    code, told = place.reconciler(
        "sync", "decide", bill, "--env", ENV, "--not-sent", "--sent", "x", "--reason", "r"
    )
    assert code == 10
    invoice = str(place.invoices_of(bill)[0]["id"])
    code, told = place.reconciler(
        "sync", "decide", bill, "--env", ENV, "--sent", invoice, "--reason", "seen it"
    )
    assert code == 0, told
    assert place.reconciler("sync", "run", "--env", ENV, "--bill", bill)[0] == 0


def test_skip_and_retry_speak_of_what_they_did(place: SyncPlace) -> None:
    bill = place.bill_of("acct-00000")
    code, told = place.reconciler(
        "sync", "decide", bill, "--skip", "--env", ENV, "--reason", "internal"
    )
    assert code == 0
    assert "takes that back" in told
    assert place.reconciler("sync", "retry", "--env", ENV)[0] == 10
    code, told = place.reconciler("sync", "retry", bill, "--env", ENV)
    assert code == 0
    assert "judged again" in told
    assert place.reconciler("sync", "retry", "--all", "--env", ENV)[0] == 0
    assert place.reconciler("sync", "retry", "no-such-bill", "--env", ENV)[0] != 0


def test_adopting_an_invoice_needs_one_that_is_there(place: SyncPlace) -> None:
    bill = place.bill_of("acct-00000")
    code, told = place.reconciler(
        "sync", "decide", bill, "--sent", "no-invoice", "--env", ENV, "--reason", "by hand"
    )
    assert code == 10
    assert "Chargebee has no invoice no-invoice" in told
    code, told = place.reconciler(
        "sync", "decide", bill, "--env", ENV, "--not-sent", "--reason", "r"
    )
    assert code == 10


def test_controls_say_what_was_so_before(place: SyncPlace) -> None:
    assert "was not paused" in place.reconciler("sync", "resume", "--env", ENV)[1]
    assert place.reconciler("sync", "pause", "--env", ENV, "--reason", "audit")[0] == 0
    code, told = place.reconciler("sync", "run", "--env", ENV)
    assert code == 13
    assert "docs/runbook.md#paused" in told
    assert "audit" in place.reconciler("sync", "plan", "--env", ENV)[1]
    assert "goes on" in place.reconciler("sync", "resume", "--env", ENV)[1]
    assert (
        "was not disabled" in place.reconciler("sync", "enable", "month-end-gbp", "--env", ENV)[1]
    )
    assert place.reconciler("sync", "enable", "nothing", "--env", ENV)[0] == 10


def test_a_backfill_asks_and_goes_past_since(place: SyncPlace) -> None:
    assert place.reconciler("sync", "backfill", "--env", ENV, "--reason", "r")[0] == 10
    window = ("--since", "2026-11-01", "--until", "2026-12-02", "--reason", "first month")
    code, told = place.reconciler("sync", "backfill", "--env", ENV, *window)
    assert code == 13
    assert "Nothing was sent" in told
    bill = place.bill_of("acct-00000")
    code, told = place.reconciler(
        "sync", "backfill", "--env", ENV, *window, "--yes", "--bill", bill
    )
    assert code == 0, told
    assert len(place.invoices_of(bill)) == 1


def test_a_freeze_window_needs_an_approval(place: SyncPlace) -> None:
    place.edit(
        "environment.yaml",
        "  fallback: warn",
        "  freeze: [{from: 2020-01-01T00:00:00Z, until: 2099-01-01T00:00:00Z, reason: audit}]\n"
        "  fallback: warn",
    )
    place.apply_frozen()
    code, told = place.reconciler("sync", "run", "--env", ENV)
    assert code == 13
    assert "frozen" in told
    bill = place.bill_of("acct-00000")
    code, told = place.reconciler(
        "sync", "run", "--env", ENV, "--bill", bill, "--approve", "freeze"
    )
    assert code == 0, told


def test_nothing_applied_is_said_so(tmp_path: Path, emulate: Any) -> None:
    running = emulate("month-end", month_end_bills=45, clock="still", requests_per_second=0)
    place = SyncPlace(tmp_path, running.url)
    place.write()
    code, told = place.reconciler("sync", "plan", "--env", ENV)
    assert code == 10
    assert "nothing was ever applied" in told
    code, told = place.reconciler("sync", "plan", "--env", ENV, "--from-files")
    assert "only printed" in told
