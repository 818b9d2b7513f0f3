"""What happens in the life of a month.

A life is a list of events, each a name and two numbers; what an event does follows from these and
from where the month stands, so that any part of a life is a life too, and can be replayed.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fakes.month_judge import version_of
from fakes.month_of_life import ROUTES, Month
from fakes.month_persons import decides, person
from fakes.sync_place import ENV, Life

Event = tuple[str, int, int]
FAULTS = (
    "cut_before_commit",
    "cut_after_commit",
    "commit_after_cut",
    "http_500",
    "http_503",
    "lock_timeout",
    "rate_limit",
    "auto_close",
)
SPANS = (60, 60, 150, 150, 400, 400, 1300, 2200, 2200, 3700, 90_000, 260_000)


def _run(month: Month, _: int, __: random.Random) -> str:
    return month.run()


def _dies(month: Month, which: int, chance: random.Random) -> str:
    return month.run_with(Life(dies_at=which % 60 + 1, after=chance.random() < 0.5))


def _fault(month: Month, which: int, chance: random.Random) -> str:
    fault = FAULTS[which % len(FAULTS)]
    rule: dict[str, Any] = {
        "fault": fault,
        "match": {"vendor": "chargebee", "method": "POST"},
        "times": chance.randint(1, 4),
        "after": chance.choice((0, 0, 1, 3)),
    }
    if fault == "commit_after_cut":
        rule["seconds"] = chance.choice((30, 300))
    month.world.faults.add([rule])
    return str(rule)


def _calm(month: Month, _: int, __: random.Random) -> str:
    month.world.faults.clear()
    return "faults end"


def _time(month: Month, which: int, _: random.Random) -> str:
    seconds = SPANS[which % len(SPANS)]
    month.pass_time(seconds)
    return f"{seconds} s pass"


def _recalculates(month: Month, which: int, chance: random.Random) -> str:
    bill = month.pick(which)
    if bill.get("locked"):
        return "locked"
    month.rebill(bill, chance)
    fresh = month.world.store.get("m3ter/bills", bill["id"])
    assert fresh is not None
    return f"m3ter recalculates {bill['id'][:4]} ({bill['accountCode']}): {version_of(fresh)}"


def _goes_back(month: Month, which: int, chance: random.Random) -> str:
    bill = month.pick(which)
    known = month.versions.get(bill["id"], [])
    if not known or bill.get("locked"):
        return "nothing"
    wanted = chance.choice(known)
    amounts = [*wanted.charges, *(-credit for credit in wanted.credits)]
    lines = []
    for minor in amounts:
        line = month.line(bill, 1)
        amount = minor if bill["currency"] == "JPY" else month.hundredth(minor)
        line |= {"subtotal": amount, "convertedSubtotal": amount, "averageUnitPrice": amount}
        number = abs(minor) if minor > 0 else -minor
        lines.append(line | {"description": f"Fee of {number}"})
    month.edit(bill["id"], lineItems=lines, version=bill["version"] + 1)
    month.note(bill["id"])
    return f"{bill['id'][:4]} is as {wanted} again"


def _approval(month: Month, which: int, _: random.Random) -> str:
    bill = month.pick(which)
    status = "PENDING" if bill["status"] == "APPROVED" else "APPROVED"
    month.edit(bill["id"], status=status)
    month.note(bill["id"])
    return f"{bill['id'][:4]} is {status}"


def _lock(month: Month, which: int, _: random.Random) -> str:
    bill = month.pick(which)
    month.edit(bill["id"], locked=True)
    return f"{bill['id'][:4]} is locked"


def _unmap(month: Month, which: int, _: random.Random) -> str:
    if month.removed:
        month.restore()
        return "mappings are back"
    kind = "m3ter/externalmappings"
    mine = [entry for entry in month.world.store.all(kind) if entry["m3terEntity"] == "Account"]
    one = mine[which % len(mine)]
    month.removed.append(one)
    month.world.store.delete(kind, one["id"])
    return f"the mapping to {one['externalId']} is removed"


def _pause(month: Month, which: int, _: random.Random) -> str:
    """Let a person pause the site in the middle of a run, and let it go on afterwards."""

    def pause() -> None:
        month.place.reconciler("sync", "pause", "--env", ENV, "--reason", "tea")

    told = month.run_with(Meddled(which % 60 + 1, pause))
    month.go_on()
    return told


def _meanwhile(month: Month, which: int, chance: random.Random) -> str:
    """Let something else happen in the middle of a run."""
    name = chance.choice(("recalculates", "recalculates", "approval", "person", "person", "time"))
    meanwhile: list[str] = []

    def meddle() -> None:
        number = chance.choice((0, 1, 2, 3)) if name == "time" else which
        meanwhile.append(_EVENTS[name](month, number, random.Random(chance.random())))

    told = month.run_with(Meddled(chance.randrange(60) + 1, meddle))
    return f"meanwhile {meanwhile}: {told}"


@dataclass
class Meddled(Life):
    """Lets something happen at one call of the ports."""

    def __init__(self, at: int, meddle: Callable[[], Any]) -> None:
        super().__init__()
        self.at, self.meddle = at, meddle

    def pass_by(self, name: str, call: Any) -> Any:
        self.calls.append(name)
        if len(self.calls) == self.at:
            self.meddle()
        return call()


def _policy(month: Month, which: int, chance: random.Random) -> str:
    told = month.policy(ROUTES[which % len(ROUTES)], chance)
    month.place.apply_frozen()
    return f"applied {told}"


_EVENTS: Mapping[str, Callable[[Month, int, random.Random], str]] = {
    "run": _run,
    "dies": _dies,
    "fault": _fault,
    "calm": _calm,
    "time": _time,
    "recalculates": _recalculates,
    "goes-back": _goes_back,
    "approval": _approval,
    "lock": _lock,
    "unmap": _unmap,
    "person": person,
    "decides": decides,
    "pause": _pause,
    "meanwhile": _meanwhile,
    "policy": _policy,
}
_OFTEN = {
    "run": 8,
    "dies": 4,
    "fault": 5,
    "time": 7,
    "recalculates": 8,
    "person": 4,
    "decides": 5,
    "meanwhile": 4,
}


def life_of(seed: int, length: int) -> list[Event]:
    """Make a life."""
    chance = random.Random(f"life {seed}")
    names = [name for name in _EVENTS for _ in range(_OFTEN.get(name, 1))]
    numbers = [(chance.randrange(1000), chance.randrange(10**6)) for _ in range(length)]
    return [(chance.choice(names), number, other) for number, other in numbers]


def happens(month: Month, event: Event) -> None:
    """Let one event happen."""
    name, which, chance = event
    told = _EVENTS[name](month, which, random.Random(chance))
    month.told.append(f"{event}: {told}")
    month.world.move_clock(at=max(month.place.clock.now(), month.world.store.now()))
