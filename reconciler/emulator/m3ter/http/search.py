"""Search endpoints: ``searchQuery`` with terms split by ``$``, paged by ``fromDocument``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from reconciler.emulator.exchange import HttpAnswer
from reconciler.emulator.m3ter.http.call import ReceivedCall, RefusedCall, public
from reconciler.emulator.m3ter.http.paging import encoded_row, page_size

JsonObject = dict[str, Any]
# Source: m3ter OpenAPI 2026-08-03, SearchBills: comparators > >= : < <= ~ (starts with)
_TERM = re.compile(r"([A-Za-z]+)(>=|<=|[>:<~])(.*)", re.DOTALL)
_COMPARE: dict[str, Callable[[str, str], bool]] = {
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
    ":": lambda left, right: left == right,
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    "~": lambda left, right: left.startswith(right),
}
# Source: m3ter OpenAPI 2026-08-03: "default page size is 10"
_PAGE_DEFAULT = 10


def search(
    call: ReceivedCall,
    kind: str,
    fields: Iterable[str],
    *,
    view: str = "plain",
    show: Callable[[JsonObject], JsonObject] = public,
) -> HttpAnswer:
    """One page of the objects that fit the query; youngest first unless ``sortBy`` is given.

    Raises:
        Refusal: With 400 on a term that is none or a field that cannot be searched.
    """
    keep = _test(call, frozenset(fields))
    rows = [row for row in call.store.table(kind).newest() if keep(row.data)]
    by = call.query.get("sortBy")
    if by is not None:
        descending = call.query.get("sortOrder", "ASC") == "DESC"
        rows.sort(key=lambda row: _text(row.data.get(by)), reverse=descending)
    start = _start(call)
    end = start + page_size(call, 100, _PAGE_DEFAULT)
    encoded = [encoded_row(row, view, show) for row in rows[start:end]]
    token = b',"nextToken":"%d"' % end if end < len(rows) else b""
    return HttpAnswer(200, b'{"data":[' + b",".join(encoded) + b"]" + token + b"}")


def _test(call: ReceivedCall, fields: frozenset[str]) -> Callable[[JsonObject], bool]:
    terms = [_term(text, fields) for text in call.query.get("searchQuery", "").split("$") if text]
    if call.query.get("operator", "AND") == "OR" and terms:
        return lambda data: any(term(data) for term in terms)
    return lambda data: all(term(data) for term in terms)


def _term(text: str, fields: frozenset[str]) -> Callable[[JsonObject], bool]:
    found = _TERM.fullmatch(text)
    if found is None or found[1] not in fields:
        raise RefusedCall(400, f"searchQuery: cannot search for {text!r}")
    name, compare, wanted = found[1], _COMPARE[found[2]], found[3]
    return lambda data: name in data and compare(_text(data[name]), wanted)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _start(call: ReceivedCall) -> int:
    text = call.query.get("fromDocument") or call.query.get("nextToken") or "0"
    if not (text.isascii() and text.isdigit()):
        raise RefusedCall(400, "fromDocument must be a number from 0 up")
    return int(text)
