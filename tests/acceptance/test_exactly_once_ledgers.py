"""Another ledger, an older one, none at all, and two runs at once: nothing is sent twice."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from chaos import month_end
from chaos.due import Due
from chaos.inside import Inside
from chaos.pushing import first_due, init, listed, only, push

LEDGER = ".reconciler/ledger.sqlite"
HOUR, DAY = 3600, 86_400


def files(place: Inside) -> list[Path]:
    """The ledger's files."""
    return [*(place.folder / ".reconciler").glob("ledger.sqlite*")]


def posts(place: Inside) -> int:
    """Writes that Chargebee saw."""
    return sum(request["method"] == "POST" for request in place.control.requests())


@pytest.fixture
def place(make_ground: Callable[..., Inside]) -> Inside:
    """A ground of which half was pushed."""
    made = make_ground(15)
    init(made)
    push(made, "--max-bills", "4")
    return made


def test_another_ledger_is_refused(place: Inside) -> None:
    for file in (place.folder / "integrations.d").glob("*.yaml"):
        text = file.read_text(encoding="utf-8")
        other = text.replace(month_end.LEDGER, "0d0e0a7d-0000-4000-8000-000000000002")
        file.write_text(other, encoding="utf-8")
    assert place.run("apply", "--env", "chaos", "--yes").code == 0
    before = posts(place)
    ended = push(place)
    assert ended.code == 11, ended.err
    assert posts(place) == before


def test_a_dropped_ledger_is_refused_and_can_be_rebuilt(place: Inside) -> None:
    for file in files(place):
        file.unlink()
    before = posts(place)
    ended = push(place)
    assert ended.code == 11, ended.err
    assert "rebuild" in ended.err
    assert posts(place) == before
    rebuild(place)
    push(place)
    assert_nothing_twice(place)


def test_an_older_ledger_is_refused_and_can_be_rebuilt(place: Inside, tmp_path: Path) -> None:
    copies = tmp_path / "backup"
    copies.mkdir()
    for file in files(place):
        shutil.copy(file, copies)
    push(place)
    for file in files(place):
        file.unlink()
    for file in copies.iterdir():
        shutil.copy(file, place.folder / ".reconciler")
    before = posts(place)
    ended = push(place)
    assert ended.code == 11, ended.err
    assert posts(place) == before
    rebuild(place)
    push(place)
    assert_nothing_twice(place)


@pytest.mark.parametrize("days", [0, -9])
def test_lines_without_a_stamp_are_never_sent_again_by_a_rebuilt_ledger(
    place: Inside, days: int
) -> None:
    bill = first_due(place, pending=True)
    only(place, bill)
    sent = posts(place)
    for file in files(place):
        file.unlink()
    place.skew = days * DAY
    rebuild(place)
    place.pass_time(HOUR)
    approved = datetime.fromtimestamp(place.control.now(), UTC).isoformat()
    place.control.user_edit(bill, {"dtApproved": approved.replace("+00:00", "Z")})
    only(place, bill)
    assert posts(place) == sent
    assert "lines on pending invoices carry no stamp" in listed(place)[bill]


def test_what_else_held_a_bill_back_does_not_hide_that_a_lost_ledger_may_have_sent_it(
    place: Inside,
) -> None:
    bill = first_due(place, pending=True)
    only(place, bill)
    sent = posts(place)
    for file in files(place):
        file.unlink()
    rebuild(place)
    configs = list(place.control.state().m3ter["integrationconfigs"])
    for name in ("drifted", None):
        for config in configs:
            place.control.user_edit(config["id"], {"name": name or config["name"]})
        only(place, bill)
        place.run("sync", "retry", bill, "--env", "chaos")
        only(place, bill)
    assert posts(place) == sent
    assert "lines on pending invoices carry no stamp" in listed(place)[bill]
    said = place.run("sync", "decide", bill, "--env", "chaos", "--not-sent", "--reason", "looked")
    assert said.code == 0, said.err
    only(place, bill)
    assert posts(place) == sent, "its line is seen on the invoice, so the word is asked for again"
    assert "lines just like the bill's" in listed(place)[bill]
    said = place.run("sync", "decide", bill, "--env", "chaos", "--not-sent", "--reason", "add it")
    assert said.code == 0, said.err
    only(place, bill)
    assert posts(place) > sent


def rebuild(place: Inside) -> None:
    """Learn from stamps again."""
    ended = place.run("ledger", "rebuild", "--env", "chaos", "--since", "2026-11-01")
    assert ended.code in {0, 14}, ended.err


def assert_nothing_twice(place: Inside) -> None:
    """Nothing is there twice, and what a lost ledger cannot decide is listed, not sent."""
    verdict = place.verdict(listed(place))
    assert not verdict.wrong
    due = place.before.due()
    for bill in verdict.open:
        one = due[bill]
        assert isinstance(one, Due)
        assert one.pending
    assert not verdict.unlisted


def test_two_runs_at_once_send_nothing_twice(make_ground: Callable[..., Inside]) -> None:
    place = make_ground(30)
    init(place)
    try:
        runs = [place.start("sync", "run", "--env", "chaos") for _ in range(2)]
        codes = {run.wait(60) for run in runs}
    finally:
        place.end()
    assert 15 in codes  # the second writer was refused, because the first had the file
    push(place)
    verdict = place.verdict(listed(place))
    assert verdict.done, verdict
