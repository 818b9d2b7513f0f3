"""kill -9 at random instants in a storm, then to the end: every bill once, all the rest listed."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from chaos.conftest import Size
from chaos.ground import ground
from chaos.pushing import (
    DAY,
    MINUTE,
    assert_reconciled,
    closed_by_killed,
    init,
    killed,
    listed,
    to_the_end,
)
from chaos.weather import storm

pytestmark = pytest.mark.chaos
LOOK_EVERY = 20


@pytest.mark.parametrize("seed", [1])
def test_killed_pushers_send_every_bill_once(tmp_path: Path, size: Size, seed: int) -> None:
    random = Random(seed)
    with ground(tmp_path, f"month_end_bills={size.bills}", seed=seed) as place:
        init(place)
        place.control.fault(*storm())
        kills = 0
        while kills < size.kills:
            kills += killed(place, random, longest=2.5)
            place.pass_time(random.choice((0, 0, 30, 90, 4 * MINUTE, 20 * MINUTE)))
            if kills % LOOK_EVERY == 0:
                assert not place.verdict({}).wrong
        place.control.calm()
        to_the_end(place)
        closed_by_killed(place, random)
        # The late pending invoices come two days after the month, and the wait for others ends.
        for days in (2, 4):
            place.pass_time(days * DAY)
            to_the_end(place)
        verdict = place.verdict(listed(place))
        assert verdict.done, verdict
        assert_reconciled(place, verdict.sent)
