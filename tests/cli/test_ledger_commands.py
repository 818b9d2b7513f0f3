"""The ledger's commands as people type them, against the emulated month."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from fakes.sync_place import ENV, SyncPlace

from reconciler.emulator.chargebee.sites import API_KEY
from reconciler.kernel import exact_json
from reconciler.sync.judge.run_filter import RunFilter

SINCE = ("--since", "2026-10-01")


@pytest.fixture
def place(month_end: Callable[..., SyncPlace]) -> SyncPlace:
    return month_end(25)


def drop(place: SyncPlace) -> None:
    for file in (place.root / ".reconciler").glob("ledger.sqlite*"):
        file.unlink()


def test_making_it_again_says_that_it_was_there(place: SyncPlace) -> None:
    code, told = place.reconciler("ledger", "init", "--env", ENV)
    assert code == 0
    assert ".reconciler/ledger.sqlite was there already, with nothing recorded in it yet." in told


def test_making_it_says_that_it_is_new(place: SyncPlace) -> None:
    drop(place)
    code, told = place.reconciler("ledger", "init", "--env", ENV)
    assert code == 0
    assert ".reconciler/ledger.sqlite is new." in told


@pytest.mark.parametrize("loss", ["deleted", "emptied"])
def test_a_lost_ledger_never_makes_sent_bills_look_unsent(place: SyncPlace, loss: str) -> None:
    place.run(narrow=RunFilter(integrations=frozenset({"month-end-gbp"})))
    drop(place)
    if loss == "emptied":
        (place.root / ".reconciler" / "ledger.sqlite").touch()
    for command in (("sync", "plan"), ("status",), ("runs",), ("sync", "reconcile")):
        code, told = place.reconciler(*command, "--env", ENV)
        assert code == 11, told
        assert "but pushes were made with ledger" in told
        assert "docs/runbook.md#ledger-lost" in told
        assert "To send what is ready" not in told


def test_after_a_loss_nothing_is_sent_until_it_was_rebuilt_and_then_nothing_twice(
    place: SyncPlace,
) -> None:
    gbp = RunFilter(integrations=frozenset({"month-end-gbp"}))
    place.run(narrow=gbp)
    stamped = [
        invoice
        for invoice in place.state("chargebee", "invoices")
        if invoice.get("cf_m3ter_bill_id")
    ]
    assert stamped
    drop(place)
    for command in (("ledger", "init"), ("sync", "run")):
        code, told = place.reconciler(*command, "--env", ENV)
        assert code == 11, told
        assert "ledger rebuild" in told
        assert "docs/runbook.md#ledger-lost" in told
    code, told = place.reconciler("ledger", "rebuild", "--env", ENV, *SINCE)
    assert code == 0, told
    assert f"Read {len(stamped)} stamped invoices since 01 Oct 2026" in told
    assert "adds lines to pending invoices" in told
    before = len(place.state("chargebee", "invoices"))
    place.run(narrow=gbp)
    assert len(place.state("chargebee", "invoices")) == before


def test_what_stamps_cannot_say_is_listed_and_ends_with_14(place: SyncPlace) -> None:
    place.run(narrow=RunFilter(integrations=frozenset({"month-end-gbp"})))
    invoice = next(
        candidate
        for candidate in place.state("chargebee", "invoices")
        if candidate.get("cf_m3ter_bill_id")
    )
    path = f"{place.url}/api/v2/invoices/{invoice['id']}/void"
    assert httpx.post(path, auth=(API_KEY, "")).status_code == 200
    code, told = place.reconciler("ledger", "rebuild", "--env", ENV, *SINCE, "--format", "json")
    assert code == 14, told
    body: Any = exact_json.decode(told)
    assert [found["invoices"] for found in body["undecided"]] == [[invoice["id"]]]


@pytest.mark.parametrize("since", [(), ("--since", "last week")])
def test_a_day_is_needed(place: SyncPlace, since: tuple[str, ...]) -> None:
    code, told = place.reconciler("ledger", "rebuild", "--env", ENV, *since)
    assert code == 10
    assert "--since" in told


def test_help_names_both(place: SyncPlace) -> None:
    code, told = place.reconciler("ledger", "--help")
    assert code == 0
    assert "init" in told
    assert "rebuild" in told
