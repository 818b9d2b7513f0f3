"""Whether the write-ahead log beside a SQLite file is its own, judged before SQLite reads it.

SQLite applies any sound log to any file. A log that is left beside an older copy would mix the two,
and hide that records are missing. So every transaction of ours counts in the file's
``user_version``, which lies in the first page and with it in every commit of the log.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import sleep
from typing import BinaryIO

from sqlalchemy import Connection

from reconciler.errors import IdentityError
from reconciler.kernel.runbook import Page, page

# Source: https://www.sqlite.org/fileformat2.html, "The Database Header" and "The WAL File Format"
_VERSION = slice(60, 64)
_LOG_HEADER, _FRAME_HEADER = 32, 24
_PAGE_SIZE, _SALT = slice(8, 12), slice(16, 24)
_FRAME_SALT = slice(8, 16)
_LEAST_PAGE, _MOST_PAGE = 512, 65536
_LOOKS, _PAUSE_SECONDS = 3, 0.05
"""A log that its writer begins anew while we read it looks like another's for a moment."""


class ForeignLogError(IdentityError):
    """The write-ahead log beside the file belongs to another state of it."""

    def __init__(self, file: Path) -> None:
        super().__init__(
            f"the ledger {file} and the write-ahead log {file.name}-wal beside it do not belong "
            "together: one of them was restored without the other.\n"
            "Nothing was sent, and neither was read or changed. Put back the file that belongs to "
            f"the log; or move {file.name}, {file.name}-wal and {file.name}-shm away together, "
            "bring the newest backup back alone and run `reconciler ledger rebuild --since DATE`.\n"
            f"First read {page(Page.OLDER_LEDGER)}."
        )


@dataclass(frozen=True, slots=True)
class _Commits:
    """Numbers of the first and the last commit that a log holds."""

    first: int
    last: int


def refuse_foreign_log(file: Path) -> None:
    """Refuse a file whose log was written over another state of it.

    Raises:
        ForeignLogError: When the log begins after what the file holds, or ends before it.
        OSError: When either cannot be read.
    """
    for look in range(_LOOKS):
        if _own(file):
            return
        if look + 1 < _LOOKS:
            sleep(_PAUSE_SECONDS)
    raise ForeignLogError(file)


def count_commit(connection: Connection) -> None:
    """Count one more commit in the transaction that begins."""
    number = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
    connection.exec_driver_sql(f"PRAGMA user_version={int(number) + 1}")


def _own(file: Path) -> bool:
    # the file grows meanwhile, if it has a writer: it is read on both sides of its log
    before = _number_in(file)
    log = _commits_of(file.with_name(f"{file.name}-wal"))
    after = _number_in(file)
    if log is None or before is None or after is None:
        return True
    return before <= log.last and after >= log.first - 1


def _number_in(file: Path) -> int | None:
    with file.open("rb") as opened:
        header = opened.read(_VERSION.stop)
    return int.from_bytes(header[_VERSION]) if len(header) == _VERSION.stop else None


def _commits_of(log: Path) -> _Commits | None:
    """Read what a log holds; ``None`` where it holds nothing, or was not written by us."""
    try:
        with log.open("rb") as opened:
            numbers = list(_numbers(opened))
    except FileNotFoundError:
        return None
    return _Commits(numbers[0], numbers[-1]) if numbers else None


def _numbers(log: BinaryIO) -> Iterator[int]:
    header = log.read(_LOG_HEADER)
    size = int.from_bytes(header[_PAGE_SIZE])
    if len(header) < _LOG_HEADER or not _LEAST_PAGE <= size <= _MOST_PAGE:
        return
    place = _LOG_HEADER
    while True:
        log.seek(place)
        frame = log.read(_FRAME_HEADER + _VERSION.stop)
        if len(frame) < _FRAME_HEADER + _VERSION.stop or frame[_FRAME_SALT] != header[_SALT]:
            return
        if int.from_bytes(frame[:4]) == 1:
            yield int.from_bytes(frame[_FRAME_HEADER:][_VERSION])
        place += _FRAME_HEADER + size
