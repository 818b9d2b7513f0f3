"""How far a ledger had come is remembered beside the chain, and never falls."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from reconciler.errors import ExitCode
from reconciler.ledger.watch import FILE, BrokenWatchError, DirectoryLedgerWatch
from reconciler.sync.ports.ledger import LedgerNote

ONE = "6f0c2d1e-0000-4000-8000-000000000001"
OTHER = "6f0c2d1e-0000-4000-8000-000000000002"


@pytest.fixture
def watch(tmp_path: Path) -> DirectoryLedgerWatch:
    return DirectoryLedgerWatch(tmp_path / "state")


def test_nothing_was_seen_at_first_and_looking_makes_nothing(watch: DirectoryLedgerWatch) -> None:
    assert watch.seen("sandbox") is None
    assert not watch.folder.exists()


def test_what_was_noted_is_seen_by_the_next_process(watch: DirectoryLedgerWatch) -> None:
    watch.note("sandbox", LedgerNote(ONE, 7))
    assert DirectoryLedgerWatch(watch.folder).seen("sandbox") == LedgerNote(ONE, 7)
    assert watch.seen("production") is None


def test_the_sequence_of_a_ledger_never_falls(watch: DirectoryLedgerWatch) -> None:
    for sequence in (5, 9, 3):
        watch.note("sandbox", LedgerNote(ONE, sequence))
    assert watch.seen("sandbox") == LedgerNote(ONE, 9)


def test_a_new_ledger_takes_the_place(watch: DirectoryLedgerWatch) -> None:
    watch.note("sandbox", LedgerNote(ONE, 9))
    watch.note("sandbox", LedgerNote(OTHER, 1))
    assert watch.seen("sandbox") == LedgerNote(OTHER, 1)


def test_many_that_note_at_once_leave_the_highest(watch: DirectoryLedgerWatch) -> None:
    def note(start: int) -> None:
        own = DirectoryLedgerWatch(watch.folder)
        for number in range(start, 40, 4):
            own.note("sandbox", LedgerNote(ONE, number))

    threads = [threading.Thread(target=note, args=[start]) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert watch.seen("sandbox") == LedgerNote(ONE, 39)
    assert sorted(file.name for file in (watch.folder / "sandbox").iterdir()) == [
        FILE,
        "ledger.lock",
    ]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"ledger": "x"}', '{"ledger": 1, "sequence": 2}', '"x"']
)
def test_a_note_that_cannot_be_read_stops_the_push(watch: DirectoryLedgerWatch, text: str) -> None:
    file = watch.folder / "sandbox" / FILE
    file.parent.mkdir(parents=True)
    file.write_text(text)
    with pytest.raises(BrokenWatchError, match="Restore the file") as raised:
        watch.seen("sandbox")
    assert raised.value.exit_code is ExitCode.REFUSED_IDENTITY
