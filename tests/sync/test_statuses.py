"""One table says what a status means; what nobody tries again is never said to be tried again."""

from __future__ import annotations

import re

import pytest

from reconciler.sync.judge.standings import RESUMED, SENT, STOPPED
from reconciler.sync.model.push import PushStatus
from reconciler.sync.model.standing import Group
from reconciler.sync.model.statuses import MEANING, given_up, meaning

BY_ITSELF = re.compile(r"tried again|will be|looked for before")


def test_every_status_has_a_meaning() -> None:
    assert set(MEANING) == set(PushStatus)


@pytest.mark.parametrize("status", PushStatus)
def test_nothing_is_said_to_go_on_by_itself_that_has_no_next_moment(status: PushStatus) -> None:
    means = meaning(status, again=False)
    said = (means.short, means.counted, means.sentence, means.not_sent)
    if status is PushStatus.RATE_LIMIT_RETRY:  # m3ter's word; our rows never come to rest in it
        return
    assert not any(BY_ITSELF.search(text) for text in said), said


@pytest.mark.parametrize("status", PushStatus)
def test_what_is_refused_for_now_has_a_next_moment_or_a_person(status: PushStatus) -> None:
    again, alone = meaning(status, again=True), meaning(status, again=False)
    if status in STOPPED or given_up(status, again=False):
        assert alone.group is Group.DECIDE
        assert alone.page is not None
    if again.group is Group.UNDER_WAY:
        assert status in RESUMED, "whatever goes on by itself is taken up by the next run"
    assert not (status in SENT and status in RESUMED)
