"""Sums of a sync: by group, reason and currency, with a bounded list of bills."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace

from fakes.push_data import bill, drafted, line, route

from reconciler.errors import ExitCode
from reconciler.kernel.address import AccountId, BillId
from reconciler.kernel.money import Currency, Money
from reconciler.sync.core.tally import (
    IN_NONE,
    LISTED_MAX,
    OTHER_REASONS,
    REASONS_MAX,
    SyncTally,
)
from reconciler.sync.model.push import PushStatus
from reconciler.sync.model.standing import BillStanding, Group, Who

GBP = Currency("GBP", 2)


def standing(group: Group, short: str = "", number: int = 1, pence: int = 100) -> BillStanding:
    who = Who(BillId(f"bill-{number}"), AccountId("acc"), "acme-uk")
    return BillStanding(group, who, "uk", short, short, money=Money(pence, GBP))


def test_an_empty_tally_is_done() -> None:
    tally = SyncTally()
    assert tally.exit_code == ExitCode.DONE
    assert tally.bills(Group.SENT) == 0
    assert tally.money(Group.SENT) == ()


def test_bills_are_counted_by_group_and_reason_and_listed_up_to_a_bound() -> None:
    tally = SyncTally()
    for number in range(LISTED_MAX + 5):
        tally.add(standing(Group.BLOCKED, "missing account mapping", number))
    assert tally.bills(Group.BLOCKED) == LISTED_MAX + 5
    assert tally.money(Group.BLOCKED) == (Money(100 * (LISTED_MAX + 5), GBP),)
    assert len(tally.listed[Group.BLOCKED]) == LISTED_MAX
    assert tally.reasons[Group.BLOCKED, "missing account mapping"].purse.bills == LISTED_MAX + 5
    assert tally.exit_code == ExitCode.PARTLY_DONE


def test_what_a_canary_sent_is_counted_as_sent_and_not_as_unchanged() -> None:
    canary, rest = SyncTally(), SyncTally()
    for number in (1, 2):
        canary.add(standing(Group.SENT, "", number))
        rest.add(standing(Group.UNCHANGED, "already sent", number))
    rest.add(standing(Group.SENT, "", 3))
    alone, beside = deepcopy(rest), deepcopy(rest)
    beside.add(standing(Group.UNCHANGED, "already sent", 4, 7))
    alone.begun_with(canary)
    beside.begun_with(canary)
    assert set(alone.groups) == {Group.SENT}
    assert not alone.reasons
    for tally in (alone, beside):
        assert tally.bills(Group.SENT) == 3
        assert tally.money(Group.SENT) == (Money(300, GBP),)
    assert beside.money(Group.UNCHANGED) == (Money(7, GBP),)
    assert beside.reasons[Group.UNCHANGED, "already sent"].purse.bills == 1


def test_a_run_after_a_canary_that_sent_nothing_stays_as_it_is() -> None:
    rest = SyncTally()
    rest.add(standing(Group.BLOCKED, "x"))
    rest.begun_with(SyncTally())
    assert set(rest.groups) == {Group.BLOCKED}


def test_an_unknown_outcome_beats_everything() -> None:
    tally = SyncTally()
    tally.add(replace(standing(Group.UNDER_WAY, "not known"), status=PushStatus.UNKNOWN))
    tally.add(standing(Group.BLOCKED, "x"))
    assert tally.unknown == 1
    assert tally.exit_code == ExitCode.UNKNOWN_OUTCOME


def test_a_sent_bill_that_differs_ends_with_17() -> None:
    tally = SyncTally()
    tally.add(replace(standing(Group.SENT, "sent"), unexplained=Money(0, GBP)))
    assert tally.differing == 0
    odd = replace(standing(Group.SENT, "sent, but it differs"), page="x", unexplained=Money(5, GBP))
    tally.add(odd)
    assert tally.differing == 1
    assert tally.unexplained.money == (Money(5, GBP),)
    assert tally.exit_code == ExitCode.OUTSIDE_TOLERANCE


def test_drafts_tell_of_requests_fallbacks_and_lines_kept_whole() -> None:
    tally = SyncTally()
    draft = drafted(bill(line(amount="400", units="3")), route())
    tally.add(replace(standing(Group.READY), draft=draft, rounding=Money(0, GBP)))
    assert tally.requests == 1
    assert tally.fallbacks["other-GBP"].bills == 1
    assert tally.kept_whole in {0, 1}
    tally.add(replace(standing(Group.READY), draft=replace(draft, way="pending")))
    assert tally.requests == 1 + 2 * len(draft.lines)


def test_reasons_whose_texts_all_differ_are_counted_together_beyond_a_bound() -> None:
    tally = SyncTally()
    for number in range(REASONS_MAX + 7):
        tally.add(standing(Group.FAILED, f"reason {number}", number))
    assert len(tally.reasons) == REASONS_MAX + 1
    assert tally.reasons[Group.FAILED, OTHER_REASONS].purse.bills == 7
    assert tally.bills(Group.FAILED) == REASONS_MAX + 7


def test_of_the_bills_that_are_not_ours_those_that_nobody_takes_are_named() -> None:
    tally = SyncTally()
    tally.add(standing(Group.NOT_OURS, "before 1 Nov 2026", 1))
    tally.add(standing(Group.NOT_OURS, IN_NONE, 2))
    assert [standing.who.bill_id for standing in tally.listed[Group.NOT_OURS]] == ["bill-2"]
