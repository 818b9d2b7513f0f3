"""A copy of the ledger: whole, private, beside the writer, and never over another file."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from fakes.clock import FakeClock
from fakes.push_effects import BILL, SITE, WHY, expected, key, step

from reconciler.errors import ExitCode
from reconciler.ledger.backup import UnwrittenBackupError, back_up
from reconciler.ledger.opening import create_ledger, open_ledger
from reconciler.ledger.sql.sqlite_file import open_sqlite, read_sqlite
from reconciler.sync.core.when_to_act import RetryTimes

SETTINGS = RetryTimes()


def test_a_copy_beside_the_writer_is_whole_private_and_a_ledger(
    tmp_path: Path, clock: FakeClock
) -> None:
    writer = open_sqlite(tmp_path / "ledger.sqlite", clock)
    ledger = create_ledger(writer, expected(), SETTINGS)
    lease = ledger.claim(SITE, BILL, "one", 60)
    assert lease is not None
    ledger.intend(lease, key(), step(key()), WHY)
    copy = tmp_path / "copy.sqlite"
    reader = read_sqlite(tmp_path / "ledger.sqlite", clock)
    assert back_up(reader, copy) == ledger.identity
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    ledger.sending(lease, key())
    restored = open_sqlite(copy, clock)
    again = open_ledger(restored, expected(), SETTINGS)
    assert again.identity.sequence == 1
    assert [effect.attempts for effect in again.effects(SITE, BILL)] == [0]
    for database in (reader, restored, writer):
        database.close()
    assert not list(tmp_path.glob(".ledger-backup-*"))


@pytest.mark.parametrize("place", ["there", "no-folder/copy", "folder"])
def test_what_is_there_is_never_overwritten(tmp_path: Path, clock: FakeClock, place: str) -> None:
    writer = open_sqlite(tmp_path / "ledger.sqlite", clock)
    create_ledger(writer, expected(), SETTINGS)
    (tmp_path / "there").write_text("mine")
    (tmp_path / "folder").mkdir()
    with pytest.raises(UnwrittenBackupError, match="stay as they are") as raised:
        back_up(writer, tmp_path / place)
    assert raised.value.exit_code is ExitCode.INVALID
    assert (tmp_path / "there").read_text() == "mine"
    writer.close()
