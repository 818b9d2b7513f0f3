"""The known name that a mistyped one was meant to be."""

from __future__ import annotations

from collections.abc import Iterable

_CUTOFF = 0.7
# Longer names are compared by their beginning; the work grows with the square.
_COMPARED_MAX = 200


def nearest_name(name: str, known: Iterable[str]) -> str | None:
    """Find the known name that was most likely meant; case, ``-`` and ``_`` do not count.

    Args:
        name: As it was written.
        known: Names that exist; of two equally near ones the first in order is given.
    """
    # not at the top: only a mistake needs it
    from difflib import get_close_matches

    folded = {_folded(candidate): candidate for candidate in sorted(known, reverse=True)}
    wanted = _folded(name[:_COMPARED_MAX])
    near = get_close_matches(wanted, folded, n=1, cutoff=_CUTOFF)
    begun = [candidate for candidate in sorted(folded) if wanted and candidate.startswith(wanted)]
    return folded[(near or begun)[0]] if near or begun else None


def _folded(name: str) -> str:
    return name.replace("-", "").replace("_", "").casefold()
