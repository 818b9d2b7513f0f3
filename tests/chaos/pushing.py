"""Pushing over the chaos ground: killed at random instants, then on until nothing moves any more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from random import Random

from chaos.due import Due, Json, NotDue
from chaos.ground import Ended, Ground, kill_within
from chaos.month_end import ENVIRONMENT

MINUTE = 60
DAY = 24 * 60 * MINUTE
CREATE = "/api/v2/invoices/create_for_charge_items_and_charges"
# A look-up counts 35 minutes after the last attempt; the second one two minutes later.
LOOK_MINUTES = 38
MOST_ROUNDS = 40
PERIOD = ("--period", "2026-11")
NOBODYS = NotDue("0 integrations take its account")
MOVING = ("ready", "under way", "failed")
IN_NONE = "in no push integration"
# Partly done, unknown outcomes, differences: what a run in a storm may end with.
ALLOWED = frozenset({0, 14, 16, 17})


def init(place: Ground) -> None:
    """Make the ledger."""
    ended = place.run("ledger", "init", "--env", ENVIRONMENT)
    assert ended.code == 0, ended.err


def push(place: Ground, *more: str) -> Ended:
    """One `sync run` to its end."""
    return place.run("sync", "run", "--env", ENVIRONMENT, "--wait", "0", *more)


def killed(place: Ground, random: Random, *, longest: float) -> bool:
    """Start a `sync run` and kill it at a random instant; false when it had ended by itself."""
    process = place.start("sync", "run", "--env", ENVIRONMENT, "--wait", "0")
    return kill_within(process, random.uniform(0.6, longest))


def closed_by_killed(place: Ground, random: Random) -> None:
    """Close every open invoice of ours, killed at random on the way; each is closed once."""
    for _ in range(3):
        process = place.start("sync", "close", "--env", ENVIRONMENT, "--all")
        kill_within(process, random.uniform(0.6, 2.0))
    for _ in range(MOST_ROUNDS):
        ended = place.run("sync", "close", "--env", ENVIRONMENT, "--all", "--format", "json")
        assert ended.code in ALLOWED, ended.err
        fates = ended.json["fates"]
        if set(fates) <= {"closed", "closed earlier"}:
            break
        place.pass_time(LOOK_MINUTES * MINUTE)
        to_the_end(place)
    open_ones = [
        invoice["cf_m3ter_bill_id"]
        for invoice in place.after().chargebee["invoices"]
        if invoice["status"] == "pending" and invoice.get("cf_m3ter_bill_id")
    ]
    assert not open_ones


def to_the_end(place: Ground) -> int:
    """Push again and again, with time in between, until nothing is under way any more.

    Returns:
        How many runs that took.
    """
    groups: Json = {}
    for runs in range(1, MOST_ROUNDS):
        ended = push(place, "--format", "json")
        assert ended.code in ALLOWED, ended.err
        groups = ended.json["groups"]
        if not any(groups.get(text, {}).get("bills") for text in MOVING):
            return runs
        place.pass_time(LOOK_MINUTES * MINUTE)
    raise AssertionError(f"it never came to rest: {groups}")


def listed(place: Ground) -> dict[str, str]:
    """Every bill that a plan names as not sent, with its reason.

    Bills that no push integration takes are counted, not named: an organisation may have many.
    Where their number is right, they are listed.
    """
    ended = place.run("sync", "plan", "--env", ENVIRONMENT, "--format", "json")
    assert ended.code == 0, ended.err
    named = {bill["bill"]: f"{bill['reason']}: {bill['why']}" for bill in ended.json["bills"]}
    counted = {reason["reason"]: reason["bills"] for reason in ended.json["reasons"]}
    nobodys = [key for key, due in place.before.due().items() if due == NOBODYS]
    if counted.get(IN_NONE, 0) == len(nobodys):
        named |= dict.fromkeys(nobodys, IN_NONE)
    return named


def first_due(place: Ground, *, pending: bool = False, lines: int = 1) -> str:
    """A bill that is due, with at least so many lines."""
    return next(
        key
        for key, due in place.before.due().items()
        if isinstance(due, Due) and due.pending == pending and due.lines.total() >= lines
    )


def only(place: Ground, bill: str) -> int:
    """Push one bill; gives the exit code."""
    return push(place, "--bill", bill).code


def invoices(place: Ground, bill: str) -> list[Json]:
    """The invoices that carry a bill's stamp."""
    found = place.after().chargebee["invoices"]
    return [entry for entry in found if entry.get("cf_m3ter_bill_id") == bill]


def creates(place: Ground) -> list[Json]:
    """Create calls that Chargebee saw."""
    return [request for request in place.control.requests() if request["path"] == CREATE]


def assert_reconciled(place: Ground, sent: Collection[str]) -> None:
    """The tool's own reconciliation: nothing unexplained; what was not sent has its reason."""
    ended = place.run("sync", "reconcile", "--env", ENVIRONMENT, "--format", "json", *PERIOD)
    assert ended.code == 0, ended.out + ended.err
    rows = ended.json["rows"]
    assert not [row for row in rows if row["row"] == "difference"]
    held = [row for row in rows if row["class"] in {"not sent yet", "not to be sent"}]
    assert all(entry["text"] and entry["page"] for entry in held)
    assert not {row["bill"] for row in held} & set(sent)
    assert {total["unexplained"].strip("0.") for total in ended.json["totals"]} == {""}
    wanted: Counter[str] = Counter()
    for key, due in place.before.due().items():
        if isinstance(due, Due) and key in sent:
            wanted[due.currency] += due.rounding
    totals = {total["currency"]: total["rounding"] for total in ended.json["totals"]}
    assert {key: int(text.replace(".", "")) for key, text in totals.items()} == {
        total: wanted[total] for total in totals
    }
