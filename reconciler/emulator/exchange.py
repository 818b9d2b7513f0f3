"""One HTTP exchange as the emulator sees it: parsed request in, answer out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Request:
    """A complete request.

    Attributes:
        method: Upper case.
        path: Percent-decoded path without the query.
        query: Decoded pairs in wire order; names may repeat.
        headers: Names in lower case; the last value wins.
        body: Raw bytes.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete response; ``committed`` says whether it changed stored state."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = field(default=(("content-type", "application/json"),))
    committed: bool = False


Handler = Callable[[Request], Answer]
