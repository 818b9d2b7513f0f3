"""A ledger in one file: durable, one writer, readers beside it."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from fakes.clock import FakeClock
from fakes.push_effects import BILL, SITE, WHY, expected, key, row, step
from sqlalchemy import text

from reconciler.errors import ExitCode
from reconciler.kernel.address import BillId
from reconciler.ledger.opening import create_ledger, open_ledger, read_ledger
from reconciler.ledger.sql.database import Database, LedgerGoneError, LedgerUnreachableError
from reconciler.ledger.sql.sqlite_file import LedgerBusyError, open_sqlite, read_sqlite
from reconciler.sync.core.when_to_act import RetryTimes

SETTINGS = RetryTimes()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "a folder%20?" / "ledger.sqlite"


def pragma(database: Database, name: str) -> object:
    return database.read(lambda connection: connection.execute(text(f"pragma {name}")).scalar())


def test_commits_reach_the_disk(file: Path, clock: FakeClock) -> None:
    database = open_sqlite(file, clock)
    assert (pragma(database, "journal_mode"), pragma(database, "synchronous")) == ("wal", 2)
    assert file.exists()
    database.close()


def test_a_second_writer_is_refused_and_told_who_is_first(file: Path, clock: FakeClock) -> None:
    first = open_sqlite(file, clock)
    with pytest.raises(LedgerBusyError, match=r"in use by process \d+ on .*, since 01 Dec 2026"):
        open_sqlite(file, clock)
    assert LedgerBusyError.exit_code is ExitCode.LOCKED
    first.close()
    open_sqlite(file, clock).close()


def test_the_lock_of_a_killed_writer_ends_with_it(file: Path, clock: FakeClock) -> None:
    script = (
        "import sys,time; from pathlib import Path;"
        "from reconciler.transport.system_clock import SystemClock;"
        "from reconciler.ledger.sql.sqlite_file import open_sqlite;"
        "d=open_sqlite(Path(sys.argv[1]), SystemClock()); print('open', flush=True); time.sleep(60)"
    )
    writer = subprocess.Popen(
        [sys.executable, "-c", script, str(file)], stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout is not None
    assert writer.stdout.readline() == "open\n"
    with pytest.raises(LedgerBusyError, match=f"process {writer.pid}"):
        open_sqlite(file, clock)
    writer.kill()
    writer.wait(10)
    writer.stdout.close()
    open_sqlite(file, clock).close()


def test_a_reader_looks_while_the_writer_writes_and_writes_nothing(
    file: Path, clock: FakeClock
) -> None:
    writer = open_sqlite(file, clock)
    ledger = create_ledger(writer, expected(), SETTINGS)
    lease = ledger.claim(SITE, BILL, "one", 60)
    assert lease is not None
    ledger.put_bill(lease, row())
    reader = read_sqlite(file, clock)
    seen = read_ledger(reader, expected(), SETTINGS)
    assert seen is not None
    assert seen.bill(SITE, BILL) == row()
    ledger.put_bill(lease, row(message="later"))
    assert seen.bill(SITE, BILL) == row(message="later")
    with pytest.raises(LedgerGoneError, match="readonly"):
        seen.pause(SITE, "ann", "no")
    reader.close()
    writer.close()


def test_a_reader_does_not_make_a_file(file: Path, clock: FakeClock) -> None:
    with pytest.raises(LedgerUnreachableError, match="unable to open"):
        read_sqlite(file, clock)
    assert not file.parent.exists()


@pytest.mark.parametrize("opening", [open_sqlite, read_sqlite])
def test_a_file_that_is_something_else_is_refused(
    tmp_path: Path, clock: FakeClock, opening: object
) -> None:
    other = tmp_path / "other"
    other.write_bytes(b"not a database, but long enough to look at" * 50)
    with pytest.raises(LedgerUnreachableError, match="not a database") as raised:
        opening(other, clock)  # type: ignore[operator]
    assert raised.value.exit_code is ExitCode.REFUSED_IDENTITY


def test_a_damaged_file_is_to_be_moved_away_and_names_the_page_of_a_lost_ledger(
    tmp_path: Path, clock: FakeClock
) -> None:
    file = tmp_path / "ledger.sqlite"
    database = open_sqlite(file, clock)
    create_ledger(database, expected(), RetryTimes())
    database.close()
    file.write_bytes(b"damaged, and long enough to look at" * 200)
    with pytest.raises(LedgerUnreachableError) as raised:
        read_sqlite(file, clock)
    told = str(raised.value)
    assert "the room on its disk" in told
    assert "move it away, never delete it" in told
    assert "docs/runbook.md#ledger-lost" in told
    assert file.exists()


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path, clock: FakeClock) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LedgerUnreachableError, match="cannot be opened"):
        open_sqlite(tmp_path / "file" / "ledger.sqlite", clock)


def test_sixteen_threads_write_without_losing_anything(file: Path, clock: FakeClock) -> None:
    database = open_sqlite(file, clock)
    ledger = create_ledger(database, expected(), SETTINGS)

    def work(number: int) -> None:
        for turn in range(5):
            bill = BillId(f"bill-{number}-{turn}")
            lease = ledger.claim(SITE, bill, f"w{number}", 60)
            assert lease is not None
            one = key(bill=bill)
            ledger.intend(lease, one, step(one), WHY)
            ledger.put_bill(lease, row(bill))
            ledger.release(lease)

    threads = [threading.Thread(target=work, args=[number]) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(list(ledger.bills(SITE))) == 80
    assert ledger.identity.sequence == 80
    database.close()


def test_what_was_recorded_is_there_after_a_crash(file: Path, clock: FakeClock) -> None:
    database = open_sqlite(file, clock)
    ledger = create_ledger(database, expected(), SETTINGS)
    lease = ledger.claim(SITE, BILL, "one", 60)
    assert lease is not None
    ledger.intend(lease, key(), step(key()), WHY)
    # what a killed process leaves: the file and its log, as they are
    copy = file.parent / "copy.sqlite"
    for suffix in ("", "-wal"):
        Path(f"{copy}{suffix}").write_bytes(Path(f"{file}{suffix}").read_bytes())
    after = open_sqlite(copy, clock)
    again = open_ledger(after, expected(), SETTINGS)
    assert again.effects(SITE, BILL) == ledger.effects(SITE, BILL) != ()
    after.close()
    database.close()
