"""Pushing over the chaos ground: killed at random instants, then on until nothing moves any more."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from random import Random

from chaos.due import Due, Json
from chaos.ground import Ended, Ground, kill
from chaos.month_end import ENVIRONMENT

MINUTE = 60
DAY = 24 * 60 * MINUTE
CREATE = "/api/v2/invoices/create_for_charge_items_and_charges"
# A look-up counts 35 minutes after the last attempt; the second one two minutes later.
LOOK_MINUTES = 38
MOST_ROUNDS = 40
# Partly done, unknown outcomes, differences: what a run in a storm may end with.
ALLOWED = frozenset({0, 14, 16, 17})


def init(place: Ground) -> None:
    """Make the ledger."""
    ended = place.run("ledger", "init", "--env", ENVIRONMENT)
    assert ended.code == 0, ended.err


def push(place: Ground, *more: str) -> Ended:
    """One `sync run` to its end."""
    return place.run("sync", "run", "--env", ENVIRONMENT, *more)


def killed(place: Ground, random: Random, *, longest: float) -> bool:
    """Start a `sync run` and kill it at a random instant; false when it had ended by itself."""
    process = place.start("sync", "run", "--env", ENVIRONMENT)
    try:
        process.wait(random.uniform(0.6, longest))
    except subprocess.TimeoutExpired:
        kill(process)
        return True
    return False


def to_the_end(place: Ground) -> list[int]:
    """Push again and again, with time in between, until two rounds in a row change nothing."""
    codes: list[int] = []
    still, before = 0, ""
    while still < 2 and len(codes) < MOST_ROUNDS:
        ended = push(place)
        assert ended.code in ALLOWED, ended.err
        codes.append(ended.code)
        now = _fingerprint(listed(place))
        still = still + 1 if now == before else 0
        before = now
        place.pass_time(LOOK_MINUTES * MINUTE)
    assert still == 2, "it never came to rest"
    return codes


def listed(place: Ground) -> dict[str, str]:
    """Every bill that a plan names as not sent, with its reason."""
    ended = place.run("sync", "plan", "--env", ENVIRONMENT, "--format", "json")
    assert ended.code in ALLOWED, ended.err
    return {one["bill"]: f"{one['short']} {one['why']}" for one in ended.json["bills"]}


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
    return [one for one in found if one.get("cf_m3ter_bill_id") == bill]


def creates(place: Ground) -> list[Json]:
    """Create calls that Chargebee saw."""
    return [one for one in place.control.requests() if one["path"] == CREATE]


def _fingerprint(bills: Mapping[str, str]) -> str:
    return repr(sorted(bills))
