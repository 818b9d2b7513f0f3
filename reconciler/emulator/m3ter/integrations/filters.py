"""Account filters for native runs: comparisons joined by AND and OR, nothing more.

m3ter's own language is larger; a filter beyond this subset fails the run, it is never guessed at.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_COMPARISON = re.compile(r'\s*([A-Za-z][\w.]*)\s*(=\s*=|!=)\s*("[^"]*"|[\w.-]+)\s*')
# Source: m3ter docs, "Managing multiple third party destinations": fields of an account filter
_NAMES = {"accountName": "name", "accountCode": "code"}


class FilterError(ValueError):
    """The emulator cannot evaluate this filter."""

    def __init__(self, text: str) -> None:
        super().__init__(f"the emulator cannot evaluate accountFilter {text!r}")


def selects(text: str, account: Mapping[str, Any]) -> bool:
    """Whether the filter is true for an account.

    Raises:
        FilterError: If it is more than comparisons joined by AND and OR.
    """
    results = [
        [_compares(text, part, account) for part in re.split(r"\bAND\b", either)]
        for either in re.split(r"\bOR\b", text)
    ]
    return any(all(parts) for parts in results)


def _compares(text: str, part: str, account: Mapping[str, Any]) -> bool:
    found = _COMPARISON.fullmatch(part)
    if found is None:
        raise FilterError(text)
    left = _field(account, found[1])
    wanted = None if found[3] == "null" else found[3].strip('"')
    same = left is None if wanted is None else left is not None and str(left) == wanted
    return same if found[2] != "!=" else not same


def _field(account: Mapping[str, Any], path: str) -> Any:
    value: Any = account
    for part in _NAMES.get(path, path).split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value
