"""What people are told after a run: what is new, by kind, and never a list without an end."""

from __future__ import annotations

from reconciler.drafting.draft import EventName
from reconciler.kernel.address import AccountId, BillId
from reconciler.sync.core.tally import LISTED_MAX, NAMED_MAX, SyncTally
from reconciler.sync.model.push import SiteName
from reconciler.sync.model.standing import BillStanding, Group, Who
from reconciler.sync.run.run import tell_news

MAPPING: EventName = "integration.missingaccountmapping.error"
PERFORM: EventName = "integration.perform.error"


class Heard:
    """A notifier that remembers."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, str]] = []

    def notify(self, event: str, title: str, text: str) -> None:
        self.told.append((event, title, text))


def blocked(number: int, *events: EventName, new: bool = True) -> BillStanding:
    who = Who(BillId(f"bill-{number}"), AccountId("acc"), f"code-{number}")
    return BillStanding(
        Group.BLOCKED, who, short="blocked", why="no mapping", events=events, new=new
    )


def heard(*standings: BillStanding) -> list[tuple[str, str, str]]:
    tally, notifier = SyncTally(), Heard()
    for standing in standings:
        tally.add(standing)
    tell_news(tally, notifier, SiteName("acme"))
    return notifier.told


def test_each_kind_is_told_once_with_its_bills() -> None:
    told = heard(blocked(1, MAPPING), blocked(2, PERFORM), blocked(3, MAPPING))
    assert [(kind, title) for kind, title, _ in told] == [
        ("missing-mapping", "2 bills not sent to acme: missing-mapping"),
        ("perform", "1 bill not sent to acme: perform"),
    ]
    assert told[0][2] == "code-1, bill bill-1: no mapping\ncode-3, bill bill-3: no mapping"


def test_what_was_told_before_is_not_told_again() -> None:
    assert heard(blocked(1, MAPPING, new=False), blocked(2)) == []


def test_many_are_counted_beyond_the_first() -> None:
    ((_, title, text),) = heard(*(blocked(position, MAPPING) for position in range(NAMED_MAX + 3)))
    assert title.startswith(f"{NAMED_MAX + 3} bills")
    assert text.endswith("and 3 more; `reconciler sync plan --list FILE` names every bill")
    assert len(text.splitlines()) == NAMED_MAX + 1


def test_news_behind_many_known_bills_is_told_all_the_same() -> None:
    known = [blocked(position, MAPPING, new=False) for position in range(LISTED_MAX + 1)]
    ((_, title, _),) = heard(*known, blocked(9_999, MAPPING))
    assert title.startswith("1 bill not sent")
