"""sync reconcile, explain and cutover as people type them, against the emulated month."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from fakes.emulated_http import EmulatedHttp
from fakes.sync_place import ENV, SyncPlace

from reconciler.kernel.exact_json import decode


@pytest.fixture
def place(month_end: Callable[..., SyncPlace]) -> SyncPlace:
    return month_end(45)


def asked(place: SyncPlace, *arguments: str) -> tuple[int, str]:
    return place.reconciler("sync", *arguments, "--env", ENV)


def test_a_month_is_reconciled_before_and_after_it_is_sent(place: SyncPlace) -> None:
    code, before = asked(place, "reconcile", "--period", "2026-11")
    assert code == 17, before
    assert "is due and was not sent: no `sync run` has tried it yet" in before
    assert place.reconciler("sync", "run", "--env", ENV)[0] in {0, 14}
    table, rows = place.root / "r.json", place.root / "r.csv"
    code, text = asked(
        place,
        "reconcile",
        "--period",
        "2026-11",
        "--format",
        "text",
        "--format",
        f"json={table}",
        "--format",
        f"csv={rows}",
        "--notify",
    )
    assert code == 0, text
    assert "Unexplained: nothing. Not sent yet:" in text
    assert text.splitlines()[-1].endswith("Exit 0; with --complete it is 17.")
    assert all(len(line) <= 100 for line in text.splitlines())
    body: Any = decode(table.read_bytes())
    assert (body["complete"], body["exitCode"], body["differences"]) == (False, 0, 0)
    held = [row for row in body["rows"] if row["class"] == "not sent yet"]
    assert len(held) == body["notSentYet"]["bills"] > 5
    assert all(entry["text"] and entry["page"] for entry in held)
    for row in body["totals"]:
        columns = [Decimal(row[name]) for name in ("m3ter", "sent", "rounding", "notSent")]
        assert columns[0] == columns[1] - columns[2] + columns[3]
    strict = asked(place, "reconcile", "--period", "2026-11", "--complete")
    assert strict[0] == 17
    assert strict[1].splitlines()[-1].endswith("Exit 17, by --complete.")
    sent = [row for row in body["rows"] if row["row"] == "bill" and row["status"] == "COMPLETE"]
    assert len(sent) > 20
    assert {entry["unexplained"] for entry in sent} <= {"0.00", "0"}
    assert rows.read_text(encoding="utf-8").startswith("row,bill,account")
    code, narrow = asked(
        place, "reconcile", "--integration", "month-end-kwd", "--tolerance", "KWD:1"
    )
    assert code == 0, narrow


def test_a_sent_and_a_blocked_bill_are_explained(place: SyncPlace) -> None:
    bill = place.bill_of("acct-00000")
    code, ready = asked(place, "explain", bill)
    assert code == 0, ready
    assert "would draft it now" in ready
    assert place.reconciler("sync", "run", "--env", ENV)[0] in {0, 14}
    code, sent = asked(place, "explain", bill, "--line", "1")
    assert code == 0
    assert "attempt 1 of 1" in sent
    assert "as sent" in sent
    assert asked(place, "explain", "nope")[0] == 10
    code, shown = place.reconciler("status", "--env", ENV)
    assert "Push to acme-test" in shown
    code, shown = place.reconciler("runs", "--env", ENV)
    assert "that moved last" in shown
    code, shown = place.reconciler("runs", "--env", ENV, "--bill", bill)
    assert "1 request to Chargebee" in shown


def test_a_line_that_a_person_added_in_chargebee_names_the_person(place: SyncPlace) -> None:
    assert place.reconciler("sync", "run", "--env", ENV)[0] in {0, 14}
    bill = place.bill_of("acct-00000")
    (invoice,) = place.invoices_of(bill)
    fee = invoice["line_items"][0] | {"id": "li_fee", "description": "Set-up fee", "amount": 2500}
    patch = {"line_items": [*invoice["line_items"], fee]}
    with EmulatedHttp(place.url) as http:
        body = {"id": invoice["id"], "patch": patch, "user": "k.smith"}
        http.control("POST", "/user-edit", body)
    code, text = asked(place, "reconcile", "--period", "2026-11")
    assert code == 17, text
    flat = " ".join(text.split())
    assert "Unexplained: £25.00, in 1 difference listed below. Not sent yet:" in flat
    assert '"Set-up fee" of £25.00 is not ours; added in Chargebee by k.smith, ' in flat
    code, text = asked(place, "explain", bill)
    assert "added in Chargebee by k.smith, " in " ".join(text.split())
    code, rows = asked(place, "reconcile", "--period", "2026-11", "--format", "csv")
    assert "added,k.smith,20" in rows


def test_a_past_month_is_read_after_nothing_is_pushed_any_more(place: SyncPlace) -> None:
    assert place.reconciler("sync", "run", "--env", ENV)[0] in {0, 14}
    code, before = asked(place, "reconcile", "--period", "2026-11", "--format", "json")
    assert code == 0
    stop_pushing(place)
    code, told = place.reconciler("sync", "run", "--env", ENV)
    assert code == 10, "a run obeys the newest record alone"
    assert "no integration with `delivery: push`" in told
    code, after = asked(place, "reconcile", "--period", "2026-11", "--format", "json")
    assert code == 0, after
    then: Any = decode(before)
    now: Any = decode(after)
    sums = ("currency", "sent", "chargebee", "rounding", "unexplained")
    assert [[row[word] for word in sums] for row in now["totals"]] == [
        [row[word] for word in sums] for row in then["totals"]
    ]
    assert now["differences"] == 0
    code, text = asked(place, "reconcile", "--integration", "month-end-gbp", "--period", "2026-11")
    assert code == 0, text
    assert ", the last that pushed" in " ".join(text.split())
    code, text = asked(place, "explain", place.bill_of("acct-00000"))
    assert code == 0, text
    assert "It was sent, all of it." in text
    code, text = asked(place, "explain", place.bill_of("acct-00041"))
    assert code == 0, text
    assert "nothing is pushed any more" in " ".join(text.split())


def test_a_site_that_was_taken_out_of_git_is_read_as_it_was_then(place: SyncPlace) -> None:
    assert place.reconciler("sync", "run", "--env", ENV)[0] in {0, 14}
    file = place.root / "integrations.d" / "environment.yaml"
    text = file.read_text(encoding="utf-8")
    without, _, rest = text.partition("  chargebee:\n")
    rest = rest.partition("  fallback:")[2]
    file.write_text(f"{without}  fallback:{rest}", encoding="utf-8")
    remove_integrations(place)
    place.apply_frozen()
    code, told = asked(place, "reconcile", "--period", "2026-11")
    assert code == 0, told
    assert "Unexplained: nothing." in told


def test_one_integration_that_is_not_pushed_any_more_is_still_read(place: SyncPlace) -> None:
    assert place.reconciler("sync", "run", "--env", ENV)[0] in {0, 14}
    remove_integrations(place, "month-end-jpy")
    place.apply_frozen()
    month = ("reconcile", "--period", "2026-11", "--integration", "month-end-jpy")
    code, told = asked(place, *month)
    assert code == 0, told
    (row,) = [line.split() for line in told.splitlines() if line.startswith("JPY")]
    assert row == ["JPY", "4", "172,840", "172,840", "0", "172,840", "0", "0"]


def test_where_nothing_was_ever_pushed_that_is_said(place: SyncPlace) -> None:
    remove_integrations(place)
    shutil.rmtree(place.root / ".reconciler" / "state")
    place.apply()
    code, told = asked(place, "reconcile", "--period", "2026-11")
    assert code == 10
    assert "no integration with `delivery: push`" in told


def stop_pushing(place: SyncPlace) -> None:
    """Take every push integration out of git, and out of m3ter."""
    remove_integrations(place)
    place.apply()


def remove_integrations(place: SyncPlace, name: str = "month-end") -> None:
    for folder in sorted((place.root / "integrations.d").glob(f"{name}*")):
        if folder.is_dir():
            shutil.rmtree(folder)


def test_a_cut_over_stops_at_its_next_step(place: SyncPlace) -> None:
    way = ("cutover", "--integration", "month-end-gbp", "--to", "native")
    code, told = asked(place, *way)
    assert code == 10
    assert "--from" in told
    code, told = asked(place, *way, "--from", "2026-12-01", "--confirm", "2026-12-01")
    assert code == 13, told
    assert "[NOW ] nothing is pushed while the routes change" in told
    assert "sync pause" in told
    code, told = asked(place, "cutover", "--integration", "x", "--to", "push")
    assert code == 10
    assert "no Chargebee integration `x`" in told


@pytest.mark.parametrize(
    "arguments",
    [
        ("--period", "2026-13"),
        ("--tolerance", "GBP"),
        ("--tolerance", "GBP:-1"),
        ("--integration", "nobody"),
    ],
)
def test_what_cannot_be_reconciled_is_a_usage_error(
    place: SyncPlace, arguments: tuple[str, ...]
) -> None:
    assert asked(place, "reconcile", *arguments)[0] == 10


def test_a_file_that_cannot_be_written_is_named(place: SyncPlace) -> None:
    code, told = asked(place, "reconcile", "--format", "csv=/nowhere/r.csv")
    assert code == 10
    assert "/nowhere/r.csv" in told


def test_a_lost_ledger_is_told_from_one_that_never_was(place: SyncPlace) -> None:
    for file in (place.root / ".reconciler").glob("ledger.sqlite*"):
        file.unlink()
    code, told = asked(place, "reconcile")
    assert code == 11
    assert "ledger" in told
    code, shown = place.reconciler("runs", "--env", ENV, "--bill", "b")
    assert "Chargebee" not in shown
