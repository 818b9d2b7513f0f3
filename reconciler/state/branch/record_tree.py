"""A record as a tree of files and back: it reads back with the bytes it has in a folder.

Everything small stands in ``record.json``. What is large is split, so that a change of one row
changes one small file: definitions by document, mapping rows by the first two hexadecimal digits of
the SHA-256 of their key, one row a line in canonical JSON, sorted by key.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Final

from reconciler.kernel import exact_json
from reconciler.kernel.exact_json import as_json
from reconciler.kernel.value import JsonObject, JsonValue
from reconciler.plan.model.applied import AppliedRecord
from reconciler.state.branch.record_json import NotARecordError, canonical, members, pretty

README: Final = "README.md"
README_TEXT: Final = (
    b"What `reconciler` applied, one commit per record. Written by it alone; never edit it.\n"
)
RECORD: Final = "record.json"
SETS: Final = "MappingSet"
_LINES: Final = ".jsonl"
_DOCUMENT: Final = ".json"
Files = Mapping[str, bytes]
"""Contents by path."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a shard: the key it is sorted by, and its canonical JSON."""

    key: str
    line: bytes


def files_of(record: AppliedRecord) -> dict[str, bytes]:
    """Give the files of a record that has its id."""
    content = as_json(record)
    assert isinstance(content, dict)
    bindings, definitions = content["bindings"], content["definitions"]
    assert isinstance(bindings, list)
    assert isinstance(definitions, dict)
    files: dict[str, bytes] = {README: README_TEXT}
    orders: dict[str, JsonValue] = {}
    files |= _bindings(bindings, orders)
    for kind, documents in definitions.items():
        for name, body in documents.items():
            files |= _document(kind, name, body, orders)
    small: dict[str, JsonValue] = {**content, "definitions": sorted(definitions)}
    del small["bindings"]
    if orders:
        small["order"] = orders
    files[RECORD] = pretty(small)
    return files


def record_bytes(files: Files) -> bytes:
    """Give a record's bytes as ``directory`` keeps them.

    Raises:
        NotARecordError: When a file is missing, foreign, or not as it was written.
    """
    return joined(files.get(RECORD, b""), _rest(files))


def joined(record: bytes, shards: Mapping[str, Sequence[Row] | bytes]) -> bytes:
    """Put a record together from its small part and everything else.

    Args:
        record: The content of ``record.json``.
        shards: By path: the rows of a ``.jsonl``, the content of any other file.

    Raises:
        NotARecordError: When something is missing or too much.
    """
    parts = members(record)
    kinds = exact_json.decode(parts.pop("definitions", b"null"))
    orders = exact_json.decode(parts.pop("order", b"{}"))
    if not isinstance(kinds, list) or not isinstance(orders, dict) or "id" not in parts:
        raise NotARecordError("`record.json` is not one of this version")
    identity = b'{"id":' + parts.pop("id") + b","
    left = dict(shards)
    parts["bindings"] = _array(_taken_rows(left, "bindings", orders))
    parts["definitions"] = _object(
        {str(kind): _object(_taken_documents(left, str(kind), orders)) for kind in kinds}
    )
    if left:
        raise NotARecordError(f"`{min(left)}` does not belong to it")
    return identity + _object(parts)[1:] + b"\n"


def rows_of(path: str, content: bytes) -> tuple[Row, ...]:
    """Read the lines of a shard.

    Raises:
        NotARecordError: When a line stands in the wrong place or is not JSON.
    """
    rows = tuple(Row(_key(path, line), line) for line in content.splitlines())
    if b"".join(row.line + b"\n" for row in rows) != content or not rows:
        raise NotARecordError(f"`{path}` is not made of whole lines")
    keys = [row.key for row in rows]
    if keys != sorted(keys):
        raise NotARecordError(f"`{path}` is not sorted by key")
    return rows


def _rest(files: Files) -> dict[str, Sequence[Row] | bytes]:
    if files.get(README) != README_TEXT:
        raise NotARecordError(f"`{README}` was changed")
    return {
        path: rows_of(path, content) if path.endswith(_LINES) else content
        for path, content in files.items()
        if path not in {README, RECORD}
    }


def _bindings(bindings: Sequence[JsonValue], orders: dict[str, JsonValue]) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    rows: defaultdict[str, list[Row]] = defaultdict(list)
    addresses: list[tuple[str, str, str]] = []
    for binding in bindings:
        address = address_of(binding)
        addresses.append(address)
        kind, name, key = address
        if kind == "mapping":
            row = Row(key, exact_json.canonical(binding))
            rows[f"bindings/mapping/{name}/{_shard(key)}"].append(row)
        else:
            files[f"bindings/{kind}/{name}{_DOCUMENT}"] = pretty(binding)
    if addresses != sorted(addresses):
        orders["bindings"] = ["/".join(address) for address in addresses]
    return files | _sharded(rows)


def _document(
    kind: str, name: str, body: JsonValue, orders: dict[str, JsonValue]
) -> dict[str, bytes]:
    place = f"definitions/{kind}/{name}"
    rows = body.get("rows") if kind == SETS and isinstance(body, Mapping) else None
    if not isinstance(rows, list) or not all(_row_key(row) for row in rows):
        return {f"{place}{_DOCUMENT}": pretty(body)}
    assert isinstance(body, Mapping)
    keys = [_row_key(row) for row in rows]
    if keys != sorted(keys):
        orders[place] = list(keys)
    found: defaultdict[str, list[Row]] = defaultdict(list)
    for key, row in zip(keys, rows, strict=True):
        found[f"{place}/{_shard(key)}"].append(Row(key, exact_json.canonical(row)))
    head = {key: value for key, value in body.items() if key != "rows"}
    return {f"{place}{_DOCUMENT}": pretty(head)} | _sharded(found)


def _sharded(rows: Mapping[str, list[Row]]) -> dict[str, bytes]:
    return {
        path: b"".join(row.line + b"\n" for row in sorted(found, key=lambda row: row.key))
        for path, found in rows.items()
    }


def _taken_rows(
    left: dict[str, Sequence[Row] | bytes], place: str, orders: JsonObject
) -> Iterator[bytes]:
    """Take the bindings out of what is left, in the order that the record has them in."""
    found: list[tuple[str, str, str, bytes]] = []
    for path in [file for file in left if file.startswith(f"{place}/")]:
        _, kind, name, *_ = path.split("/")
        content = left.pop(path)
        if isinstance(content, bytes):
            name = name.removesuffix(_DOCUMENT)
            found.append((kind, name, "", canonical(path, content)))
        else:
            found.extend((kind, name, row.key, row.line) for row in content)
    found.sort()
    lines = [entry[3] for entry in found]
    if place not in orders:
        return iter(lines)
    return _ordered(["/".join(entry[:3]) for entry in found], lines, orders[place])


def _taken_documents(
    left: dict[str, Sequence[Row] | bytes], kind: str, orders: JsonObject
) -> dict[str, bytes]:
    place = f"definitions/{kind}/"
    documents: dict[str, bytes] = {}
    rows: defaultdict[str, list[Row]] = defaultdict(list)
    for path in [file for file in left if file.startswith(place)]:
        content = left.pop(path)
        name = path.removeprefix(place)
        if isinstance(content, bytes):
            documents[name.removesuffix(_DOCUMENT)] = canonical(path, content)
        else:
            rows[name.split("/")[0]].extend(content)
    for name, body in documents.items():
        if kind == SETS and (name in rows or b'"rows":' not in body):
            order = orders.get(f"{place}{name}")
            documents[name] = _with_rows(body, rows.pop(name, []), order)
    if rows:
        raise NotARecordError(f"`{place}{min(rows)}` has rows and no head")
    return documents


def _with_rows(body: bytes, rows: list[Row], order: JsonValue) -> bytes:
    content = exact_json.decode(body)
    assert isinstance(content, dict)
    rows.sort(key=attrgetter("key"))
    lines = _ordered([row.key for row in rows], [row.line for row in rows], order)
    parts = {key: exact_json.canonical(value) for key, value in content.items()}
    return _object({**parts, "rows": _array(lines)})


def _ordered(keys: Sequence[str], lines: Sequence[bytes], order: JsonValue) -> Iterator[bytes]:
    """Give lines that are sorted by key in the order they had, where that was another."""
    if order is None:
        return iter(lines)
    waiting: defaultdict[str, list[bytes]] = defaultdict(list)
    for key, line in zip(reversed(keys), reversed(lines), strict=True):
        waiting[key].append(line)
    if not isinstance(order, list) or sorted(order) != sorted(keys):
        raise NotARecordError("its order names other rows than it has")
    return iter([waiting[str(key)].pop() for key in order])


def _object(parts: Mapping[str, bytes]) -> bytes:
    members = (exact_json.canonical(key) + b":" + parts[key] for key in sorted(parts))
    return b"{" + b",".join(members) + b"}"


def _array(lines: Iterable[bytes]) -> bytes:
    return b"[" + b",".join(lines) + b"]"


def _shard(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:2] + _LINES


def _key(path: str, line: bytes) -> str:
    try:
        value = exact_json.decode(line)
    except exact_json.NotJsonError:
        raise NotARecordError(f"`{path}` has a line that is not JSON") from None
    key = address_of(value)[2] if path.startswith("bindings/") else _row_key(value)
    if not path.endswith(_shard(key)):
        raise NotARecordError(f"`{path}` has a row of another file")
    return key


def address_of(binding: JsonValue) -> tuple[str, str, str]:
    """Give kind, name and key of what a binding is about."""
    match binding:
        case {"address": {"kind": str(kind), "name": str(name), "key": str(key)}}:
            return kind, name, key
        case _:
            raise NotARecordError("a binding has no address")


def _row_key(row: JsonValue) -> str:
    """Give the one value that names a row; empty for anything that is no row."""
    match row:
        case {"m3ter": dict(key)} if len(key) == 1:
            return str(next(iter(key.values())))
        case _:
            return ""
