"""Lists: newest first, by pageSize and an opaque nextToken that is bound to its query."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from hashlib import blake2b
from itertools import islice
from typing import Any

from reconciler.emulator import wire
from reconciler.emulator.exchange import HttpAnswer
from reconciler.emulator.m3ter.http.call import ReceivedCall, RefusedCall, public
from reconciler.emulator.store import StoredRow

JsonObject = dict[str, Any]
Predicate = Callable[[JsonObject], bool]
View = Callable[[JsonObject], JsonObject]
_BEYOND = 1 << 62
_TOKEN_BYTES = 18


def page(
    call: ReceivedCall,
    rows: Callable[[int | None], Iterable[StoredRow]],
    *,
    maximum: int,
    keep: Predicate | None = None,
    view: str = "plain",
    show: View = public,
) -> HttpAnswer:
    """One page of a list.

    Args:
        call: The call; ``pageSize`` and ``nextToken`` are read from its query.
        rows: Rows newest first, of positions below the one given.
        maximum: Largest pageSize of this list.
        keep: Which objects the filters of the query leave.
        view: Name under which encoded forms are kept.
        show: How an object looks in this list.

    Raises:
        Refusal: With 400 on a bad pageSize or a token that is not of this query.
    """
    size = page_size(call, maximum)
    before = _read_token(call)
    if call.empty_page:
        return _answer([], _token(call, _BEYOND if before is None else before))
    found = list(islice(_kept(call, rows(before), keep), size + 1))
    encoded = [encoded_row(row, view, show) for row in found[:size]]
    token = _token(call, found[size - 1].position) if len(found) > size else None
    return _answer(encoded, token)


def table_rows(call: ReceivedCall, kind: str) -> Callable[[int | None], Iterable[StoredRow]]:
    """All rows of a kind, for ``page``."""
    return call.store.table(kind).newest


def listed_rows(rows: list[StoredRow]) -> Callable[[int | None], Iterable[StoredRow]]:
    """Rows that an index has found already (newest first), for ``page``."""

    def below(before: int | None) -> Iterable[StoredRow]:
        return rows if before is None else [row for row in rows if row.position < before]

    return below


def page_size(call: ReceivedCall, maximum: int, default: int | None = None) -> int:
    """The page size the query asks for.

    Raises:
        Refusal: With 400 below 1, if it is no number, or above the maximum (by switch).
    """
    text = call.query.get("pageSize")
    switches = call.store.switches
    if text is None:
        return min(default or switches.number("page_size_default"), maximum)
    if not (text.isascii() and text.isdigit()) or int(text) < 1:
        raise RefusedCall(400, f"pageSize must be a number from 1 to {maximum}")
    if int(text) > maximum and switches.text("page_size_over_max") == "refuse":
        raise RefusedCall(400, f"pageSize must be less than or equal to {maximum}")
    return min(int(text), maximum)


def encoded_row(row: StoredRow, view: str, show: View) -> bytes:
    """The wire form of a row under a view, kept until the object changes."""
    encoded = row.encoded.get(view)
    if encoded is None:
        encoded = row.encoded[view] = wire.encode(show(row.data))
    return encoded


def _kept(
    call: ReceivedCall, rows: Iterable[StoredRow], keep: Predicate | None
) -> Iterator[StoredRow]:
    seen = rows
    if call.lag_seconds:
        limit = call.store.now() - timedelta(seconds=call.lag_seconds)
        seen = (row for row in rows if row.created <= limit)
    return iter(seen) if keep is None else (row for row in seen if keep(row.data))


def _answer(encoded: list[bytes], token: str | None) -> HttpAnswer:
    tail = b"]}" if token is None else b'],"nextToken":"' + token.encode("ascii") + b'"}'
    return HttpAnswer(200, b'{"data":[' + b",".join(encoded) + tail)


def _bound(call: ReceivedCall) -> bytes:
    """A digest of what the token belongs to: path and filters, without the paging parameters."""
    filters = sorted(
        pair for pair in call.request.query if pair[0] not in ("pageSize", "nextToken")
    )
    text = "\0".join([call.request.path, *(f"{name}\1{value}" for name, value in filters)])
    return blake2b(text.encode("utf-8", "replace"), digest_size=9).digest()


def _token(call: ReceivedCall, position: int) -> str:
    return urlsafe_b64encode(_bound(call) + position.to_bytes(9, "big")).decode("ascii")


def _read_token(call: ReceivedCall) -> int | None:
    text = call.query.get("nextToken")
    if not text:
        return None
    try:
        raw = urlsafe_b64decode(text.encode("ascii"))
    except ValueError:
        raw = b""
    if len(raw) != _TOKEN_BYTES or raw[:9] != _bound(call):
        raise RefusedCall(400, "Invalid nextToken")
    return int.from_bytes(raw[9:], "big")
