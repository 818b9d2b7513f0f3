"""Files that only their owner may read."""

from __future__ import annotations

import os
import stat
from typing import IO, Any

_OWNER_ALONE = 0o600
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def private(path: str, flags: int) -> int:
    """Open a file as ``open(…, opener=private)`` does; one that is made is its owner's alone."""
    return os.open(path, flags, _OWNER_ALONE)


def take_from_others(file: IO[Any]) -> None:
    """Make an open file its owner's alone, where a copy or an earlier version gave it to others."""
    found = os.fstat(file.fileno())
    if found.st_uid == os.geteuid() and found.st_mode & _OTHERS:
        os.fchmod(file.fileno(), _OWNER_ALONE)
