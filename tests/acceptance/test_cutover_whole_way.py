"""A cut-over there and back with commands, killed in every one of them: each bill has one sender."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from chaos.ground import Ended
from fakes.deadly_world import DeadlyWorld
from fakes.small_month import ACCOUNTS, ENV, USD_PENDING, SmallMonth

from reconciler.emulator.running import RunningEmulator

DATE = "2026-12-01"
CUT = "sync cutover --env production --integration month-end-usd-pending"
ON_TIME, LATE, NEVER = 4, 24, 44
POLICY = {
    "since": DATE,
    "accountIs": "subscription",
    "collection": "off",
    "pending": {"waitUpTo": "5d", "closesAfter": "48h", "matchDays": 3},
}
NATIVE: dict[str, Any] = {
    "delivery": "native",
    "connection": {"credential": "chargebee"},
    "push": None,
}
PUSH: dict[str, Any] = {"delivery": "push", "connection": "disconnected", "push": POLICY}


class Killing(SmallMonth):
    """A month whose commands may be killed.

    Attributes:
        doom: Number of the command, number of its request, and whether after it; from 1.
    """

    world: DeadlyWorld
    doom: tuple[int, int, bool] = (0, 0, False)
    done = 0

    def say(self, line: str) -> Ended:
        """Run one command; when it is its turn, it is killed first."""
        self._maybe_die(*line.replace("production", "chaos").split())
        return self.go(line)

    def put_in_force(self, **spec: Any) -> None:
        """Merge a change and apply it, in CI's way."""
        self.define(**spec)
        asked = sorted(set(re.findall(r"[a-z-]+@[0-9a-f]{12}", self.run("plan", *ENV).out)))
        self._maybe_die("apply", *ENV, "--yes", *(f"--approve={entry}" for entry in asked))
        self.apply()

    def cut(self, to: str, more: str = "") -> Ended:
        """One call of the guide."""
        ended = self.say(f"{CUT} --to {to} --from {DATE} {more}".rstrip())
        assert ended.code in {0, 13}, ended
        return ended

    def owners(self, to: str) -> dict[str, str]:
        """The owner of every open bill, by id."""
        found = re.findall(
            r"^(push|native|a person|nobody) +([0-9a-f-]{36})", self._list(to), re.MULTILINE
        )
        return {bill: owner for owner, bill in found}

    def digest(self, to: str) -> str:
        """What must be confirmed."""
        found = re.search(r"--confirm ([0-9a-f]{12})", self._list(to))
        assert found, self._list(to)
        return found[1]

    def _list(self, to: str) -> str:
        return self.go(f"{CUT} --to {to} --from {DATE}").out

    def _maybe_die(self, *arguments: str) -> None:
        self.done += 1
        number, at, after = self.doom
        if self.done != number:
            return
        process = self.start(*arguments)
        self.world.aim(process, at, after=after)
        process.wait(60)
        self.world.victim = None


@contextmanager
def month(folder: Path) -> Iterator[Killing]:
    """An integration that m3ter serves itself, and an empty ledger."""
    calm = {"requests_per_second": 0, "requests_per_minute": 0}
    world = DeadlyWorld("month-end", month_end_bills=ACCOUNTS, **calm)
    with RunningEmulator(world) as emulator:
        place = Killing.of(folder, emulator, USD_PENDING)
        try:
            place.world = world
            place.connect()
            place.define(**NATIVE)
            for line in ("discover --env production", "ledger init --env production"):
                assert place.go(line).code == 0
            yield place
        finally:
            place.end()


class Bills:
    """Open bills in every state that a cut-over may meet, made while m3ter sends."""

    def __init__(self, place: Killing) -> None:
        self.unconnected = place.bill(ON_TIME, "5")
        self.waiting = place.bill(NEVER, "6")
        self.blocked = place.bill(ON_TIME, "7", "-2")
        self.before = place.bill(ON_TIME, "3", endDate="2026-11-20")
        place.apply()
        self.pending, self.sent, self.failed, self.running, self.late = (
            place.bill(account, amount, status="PENDING")
            for account, amount in ((4, "8"), (4, "9"), (4, "11"), (4, "12"), (24, "13"))
        )
        for text in (self.sent, self.failed, self.running):
            place.approve(text)
        place.edit(place.runs_of(self.failed)[0]["id"], status="ERROR")
        place.edit(place.runs_of(self.running)[0]["id"], status="STARTED")


def to_push(place: Killing, bills: Bills) -> None:
    """The guide's steps, as it prints them."""
    assert "[NOW ] m3ter sends nothing" in place.cut("push", f"--confirm {DATE}").out
    place.put_in_force(connection="disconnected")
    assert "[NOW ] m3ter works on no open bill" in place.cut("push").out
    place.edit(place.runs_of(bills.running)[0]["id"], status="COMPLETE")
    place.cut("push", f"--confirm {place.digest('push')}")
    place.put_in_force(**PUSH)
    assert place.cut("push").code == 0


def to_native(place: Killing) -> None:
    """The guide's steps back."""
    assert place.cut("native", f"--confirm {DATE}").code == 13
    place.say("sync pause --env production --reason cut-over")
    place.cut("native", f"--confirm {place.digest('native')}")
    place.put_in_force(**NATIVE)
    assert "sync resume" in place.cut("native").out
    place.say("sync resume --env production")
    assert place.cut("native").code == 0


def by_push(place: Killing) -> list[int]:
    """Amounts that we billed, over all accounts."""
    return sorted(line for account in (ON_TIME, LATE, NEVER) for line in place.lines_for(account))


def natively(place: Killing) -> set[str]:
    """Bills that m3ter's own runs sent."""
    return {
        integrationrun["entityId"]
        for integrationrun in place.store.all("m3ter/integrationruns")
        if integrationrun["status"] == "COMPLETE"
    }


def there_and_back(place: Killing) -> None:
    """Cut over to push, send, and back; who owns what is looked at on the way."""
    bills = Bills(place)
    to_push(place, bills)
    assert place.owners("push") == {
        bills.unconnected: "push",
        bills.waiting: "push",
        bills.blocked: "push",
        bills.pending: "push",
        bills.late: "push",
        bills.failed: "a person",
        bills.before: "nobody",
    }
    assert place.say("sync run --env production").code == 14
    assert by_push(place) == [500]
    assert place.owners("native").keys() == {
        bills.waiting,
        bills.blocked,
        bills.pending,
        bills.late,
        bills.failed,
        bills.before,
    }
    done = place.go(f"sync decide {bills.failed} --env production --not-sent --reason looked")
    assert done.code == 0, done
    place.say("sync run --env production")
    assert by_push(place) == [500, 1100]
    to_native(place)
    assert place.owners("native") == {
        bills.waiting: "nobody",
        bills.blocked: "nobody",
        bills.before: "nobody",
        bills.pending: "native",
        bills.late: "native",
    }
    for text in (bills.pending, bills.late):
        place.approve(text)
    assert by_push(place) == [500, 1100], "nothing was sent twice"
    assert natively(place) == {bills.sent, bills.running, bills.pending, bills.late}
    for line in ("status", "runs", f"sync explain {bills.failed}", f"sync explain {bills.pending}"):
        told = place.go(f"{line} --env production")
        assert told.code == 0, told
    month = place.go("sync reconcile --env production --period 2026-11")
    assert month.code == 0, month
    assert "16.00" in month.out, "what we sent is still compared"


COMMANDS = 15
# The first request, then writes; before each and after each.
MOMENTS = [(at, after) for at in (0, 1, 2, 3) for after in (False, True)]
EVERY = [(command, *moment) for command in range(1, COMMANDS + 1) for moment in MOMENTS]
# Disconnecting, a run, and connecting, each at its first write.
FEW = [(2, 1, False), (7, 1, True), (12, 1, True)]


def test_every_open_bill_has_one_owner_on_the_whole_way_there_and_back(tmp_path: Path) -> None:
    with month(tmp_path) as place:
        there_and_back(place)
    assert place.done == COMMANDS


@pytest.mark.chaos
def test_a_cut_over_goes_on_wherever_it_was_killed(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    full = request.config.getoption("--chaos-full")
    killed = 0
    for doom in EVERY if full else FEW:
        with month(tmp_path / "-".join(map(str, doom))) as place:
            place.doom = doom
            there_and_back(place)
        killed += place.world.killed
    assert killed == len(FEW) if not full else killed > COMMANDS
