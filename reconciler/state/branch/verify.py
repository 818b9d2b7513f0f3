"""Prove a whole chain: every record is what its commit says, and follows from the one before.

Most of two neighbours is equal, so whatever was read is remembered by its name in git: a chain is
read in the time of its changes, not of its rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from reconciler.errors import StaleError
from reconciler.kernel import exact_json
from reconciler.kernel.value import JsonValue
from reconciler.state.branch.commit_text import trailers_of
from reconciler.state.branch.lock import BEGUN, LOST, RELEASED, STARTED
from reconciler.state.branch.record_json import NotARecordError, members
from reconciler.state.branch.record_tree import (
    README,
    README_TEXT,
    RECORD,
    Row,
    address_of,
    joined,
    rows_of,
)
from reconciler.state.documents import is_untouched
from reconciler.state.git import Objects

_STANDS_STILL: Final = frozenset({STARTED, RELEASED, BEGUN, LOST})
"""Actions after which every binding is what it was."""
_SETTLED: Final = frozenset({"done", "already"})
Shard = Sequence[Row] | bytes


class BrokenRecordError(StaleError):
    """A commit of the chain is not what it must be."""

    anchor = "foreign-commit"

    def __init__(self, environment: str, commit: str, reason: str) -> None:
        super().__init__(
            f"the chain of `{environment}` is sound up to, and without, commit {commit}: "
            f"{reason}.\nNothing was written. Compare that commit with another clone or a bundle; "
            f"`reconciler state restore --env {environment} --from CLONE` puts a sound chain back."
        )
        self.commit = commit


@dataclass(frozen=True, slots=True)
class Verified:
    """What was proved.

    Attributes:
        unknown: Source commits of records that nobody has any more, with the record's number.
    """

    records: int
    bindings: int
    unknown: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class _Link:
    """One record as far as its neighbours need it."""

    commit: str
    id: str
    sequence: int
    source: str
    files: Mapping[str, str]


@dataclass(slots=True)
class _Reader:
    """Reads commits, and remembers by name what it has read."""

    objects: Objects
    trees: dict[str, dict[str, str]] = field(default_factory=dict)
    shards: dict[tuple[str, str], Shard] = field(default_factory=dict)

    def commit(self, name: str) -> tuple[str, list[str], str]:
        """Give tree, parents and message."""
        head, _, text = self._read(name).decode(errors="replace").partition("\n\n")
        lines = [line.split(" ", 1) for line in head.splitlines()]
        parents = [value for key, value in lines if key == "parent"]
        return lines[0][1], parents, text

    def files(self, tree: str) -> dict[str, str]:
        """Give the blobs of a tree by path."""
        if tree not in self.trees:
            found: dict[str, str] = {}
            for mode, name, entry in _entries(self._read(tree), len(tree) // 2):
                if mode == "40000":
                    found |= {f"{name}/{path}": blob for path, blob in self.files(entry).items()}
                elif mode == "100644":
                    found[name] = entry
                else:
                    raise NotARecordError(f"`{name}` is no plain file")
            self.trees[tree] = found
        return self.trees[tree]

    def shard(self, path: str, blob: str) -> Shard:
        """Give the rows of a shard, or the content of another file."""
        if (path, blob) not in self.shards:
            content = self._read(blob)
            rows = path.endswith(".jsonl")
            self.shards[path, blob] = rows_of(path, content) if rows else content
        return self.shards[path, blob]

    def raw(self, blob: str) -> bytes:
        """Give the content of a file that no neighbour shares."""
        return self._read(blob)

    def forget(self, files: Mapping[str, str]) -> None:
        """Keep of the shards only those of one record."""
        wanted = set(files.items())
        self.shards = {key: shard for key, shard in self.shards.items() if key in wanted}

    def _read(self, name: str) -> bytes:
        found = self.objects.read(name)
        if found is None:
            raise NotARecordError(f"object {name:.12} is not there")
        return found[1]


def verify(
    environment: str,
    commits: Sequence[str],
    objects: Objects,
    unknown: Callable[[Sequence[str]], Sequence[str]],
    seen: Callable[[int], None] = lambda _: None,
) -> Verified:
    """Verify a chain.

    Args:
        environment: Whose chain it is.
        commits: Its commits, newest first.
        objects: Reads objects.
        unknown: Of source commits, those that nobody has.
        seen: Hears of every record.

    Raises:
        BrokenRecordError: With the first commit that is wrong.
    """
    reader = _Reader(objects)
    before: _Link | None = None
    sources: dict[str, int] = {}
    bound = 0
    for commit in reversed(commits):
        try:
            before = _link(environment, commit, before, reader)
        except NotARecordError as error:
            raise BrokenRecordError(environment, commit, str(error)) from None
        if before.source:
            sources.setdefault(before.source, before.sequence)
        bound = sum(
            len(reader.shard(path, blob)) if path.endswith(".jsonl") else 1
            for path, blob in before.files.items()
            if path.startswith("bindings/")
        )
        seen(1)
        reader.forget(before.files)
    missing = tuple((sources[commit], commit) for commit in unknown(tuple(sources)))
    return Verified(len(commits), bound, missing)


def _link(environment: str, commit: str, before: _Link | None, reader: _Reader) -> _Link:
    tree, parents, text = reader.commit(commit)
    if parents != ([before.commit] if before else []):
        raise NotARecordError("it does not follow the commit of the record before")
    files = dict(reader.files(tree))
    record = reader.raw(files.pop(RECORD)) if RECORD in files else b""
    if README not in files or reader.raw(files.pop(README)) != README_TEXT:
        raise NotARecordError(f"`{README}` was changed")
    small = members(record)
    data = joined(record, {path: reader.shard(path, blob) for path, blob in files.items()})
    if not is_untouched(data):
        raise NotARecordError("its content does not have the id that it bears")
    link = _Link(
        commit,
        _text(small, "id"),
        int(small["sequence"]),
        _text(small, "source_commit"),
        files,
    )
    _refuse_unlinked(environment, link, before, small, text)
    changed = dict(_changed(reader, before.files if before else {}, files))
    _refuse_unexplained(_text(small, "action"), exact_json.decode(small["receipt"]), changed)
    return link


def _refuse_unlinked(
    environment: str, link: _Link, before: _Link | None, small: Mapping[str, bytes], text: str
) -> None:
    previous, number = (before.id, before.sequence) if before else ("", 0)
    if _text(small, "environment") != environment:
        raise NotARecordError("it is a record of another environment")
    if link.sequence != number + 1 or _text(small, "previous") != previous:
        raise NotARecordError("it does not name the record before")
    if trailers_of(text).get("Record") != [f"{link.sequence} {link.id}"]:
        raise NotARecordError("its message names another record")


def _changed(
    reader: _Reader, before: Mapping[str, str], after: Mapping[str, str]
) -> Iterator[tuple[str, tuple[JsonValue, JsonValue]]]:
    """Give the bindings in which two neighbours differ: live ids by address, before and after."""
    paths = {path for path in (*before, *after) if path.startswith("bindings/")}
    for path in sorted(paths):
        if before.get(path) == after.get(path):
            continue
        was = _bindings(reader, path, before.get(path))
        now = _bindings(reader, path, after.get(path))
        for address in sorted({*was, *now}):
            if was.get(address) != now.get(address):
                yield address, (_id(was.get(address)), _id(now.get(address)))


def _bindings(reader: _Reader, path: str, blob: str | None) -> dict[str, JsonValue]:
    if blob is None:
        return {}
    shard = reader.shard(path, blob)
    texts = [shard] if isinstance(shard, bytes) else [row.line for row in shard]
    found: dict[str, JsonValue] = {}
    for text in texts:
        binding = exact_json.decode(text)
        kind, name, key = address_of(binding)
        assert isinstance(binding, dict)
        # whether an object is protected follows from its definition, not from a change
        bound = {field: value for field, value in binding.items() if field != "protect"}
        found[f"{kind}/{name}" + (f"/{key}" if key else "")] = bound
    return found


def _refuse_unexplained(
    action: str, receipt: JsonValue, changed: Mapping[str, tuple[JsonValue, JsonValue]]
) -> None:
    """Let no binding move that its receipt does not tell of."""
    if action in _STANDS_STILL and changed:
        raise NotARecordError(f"`{action}` changes nothing, and {min(changed)} is bound otherwise")
    if action != "apply" or not isinstance(receipt, Mapping):
        return
    done = _outcomes(receipt)
    for address, (_, now) in changed.items():
        told = [step for step in done.get(address, []) if step[1] in _SETTLED]
        if not told:
            raise NotARecordError(f"its receipt does not say why {address} is bound otherwise")
        ids = [step[2] for step in told]
        deleted = any(step[0] == "delete" for step in told)
        if now is None and not deleted:
            raise NotARecordError(f"{address} is not bound any more, and was not deleted")
        if now is not None and now not in ids:
            raise NotARecordError(f"{address} is bound to another object than its receipt says")


def _outcomes(receipt: Mapping[str, JsonValue]) -> dict[str, list[tuple[str, str, JsonValue]]]:
    """Give change type, outcome and live id by address."""
    found: dict[str, list[tuple[str, str, JsonValue]]] = {}
    outcomes = receipt.get("outcomes")
    for outcome in outcomes if isinstance(outcomes, Sequence) else ():
        match outcome:
            case {"change": str(change), "outcome": {"type": str(kind), "id": identity}}:
                word, _, address = change.partition(":")
                found.setdefault(address, []).append((word, kind, identity))
            case {"change": str(), "outcome": {"type": str()}}:
                continue
            case _:
                raise NotARecordError("its receipt cannot be read")
    return found


def _id(binding: JsonValue) -> JsonValue:
    return binding.get("id") if isinstance(binding, Mapping) else None


def _text(small: Mapping[str, bytes], name: str) -> str:
    value = exact_json.decode(small[name]) if name in small else None
    return value if isinstance(value, str) else ""


def _entries(tree: bytes, length: int) -> Iterator[tuple[str, str, str]]:
    """Read a tree object: mode, name and object of every entry."""
    start = 0
    while start < len(tree):
        end = tree.index(b"\0", start)
        mode, _, name = tree[start:end].partition(b" ")
        start = end + 1 + length
        yield mode.decode(), name.decode(errors="replace"), tree[end + 1 : start].hex()
