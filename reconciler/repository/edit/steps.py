"""An intended change of plain data -> single edits, each small enough to leave the rest alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TypeAlias

from reconciler.definitions.model import DocumentPath
from reconciler.kernel.exact_json import canonical
from reconciler.kernel.value import ABSENT, Absent, JsonValue


@dataclass(frozen=True, slots=True)
class Replace:
    """Another value at an existing path."""

    path: DocumentPath
    value: JsonValue


@dataclass(frozen=True, slots=True)
class AddKey:
    """A new key in the mapping at a path; null there counts as an empty mapping."""

    path: DocumentPath
    key: str
    value: JsonValue


@dataclass(frozen=True, slots=True)
class AddItem:
    """A new item in the list at a path, before ``index``."""

    path: DocumentPath
    index: int
    value: JsonValue


@dataclass(frozen=True, slots=True)
class Remove:
    """A value that goes, with its key or dash."""

    path: DocumentPath


Step: TypeAlias = Replace | AddKey | AddItem | Remove


class NoSuchPlaceError(Exception):
    """A path does not fit the data; carries the reason."""


def same(left: JsonValue, right: JsonValue) -> bool:
    """Tell whether two values are equal as YAML: numbers by value, and true is not 1."""
    match left, right:
        case Mapping(), Mapping():
            return left.keys() == right.keys() and all(
                same(value, right[key]) for key, value in left.items()
            )
        case (str(), str()) | (bool(), bool()) | (None, None):
            return left == right
        case (str() | bool() | None, _) | (_, str() | bool() | None):
            return False
        case Sequence(), Sequence():
            return len(left) == len(right) and all(map(same, left, right))
        case (Mapping() | Sequence(), _) | (_, Mapping() | Sequence()):
            return False
        case _:
            return left == right


def value_at(data: JsonValue, path: DocumentPath) -> JsonValue | Absent:
    """Read the value at a path of plain data."""
    for step in path:
        match data, step:
            case Mapping(), str() if step in data:
                data = data[step]
            case [*items], int() if 0 <= step < len(items):
                data = items[step]
            case _:
                return ABSENT
    return data


def setting_steps(data: JsonValue, path: DocumentPath, value: JsonValue) -> Iterator[Step]:
    """Give the edits that put a value at a path, parents included.

    Raises:
        NoSuchPlaceError: When a parent is a scalar, or a list has no such place.
    """
    old = value_at(data, path)
    if not isinstance(old, Absent):
        yield from _changes(path, old, value)
        return
    depth = max(
        length for length in range(len(path)) if value_at(data, path[:length]) is not ABSENT
    )
    above, step, missing = path[:depth], path[depth], path[depth + 1 :]
    parent = value_at(data, above)
    nested = _nested(missing, value)
    if isinstance(step, str) and (parent is None or isinstance(parent, Mapping)):
        yield AddKey(above, step, nested)
    elif _takes_item(parent, step):
        yield AddItem(above, int(step), nested)
    else:
        place = ".".join(str(part) for part in path[: depth + 1])
        message = f"`{place}` does not fit what stands there"
        raise NoSuchPlaceError(message)


def _takes_item(parent: object, step: str | int) -> bool:
    if parent is None:
        return step == 0
    listed = isinstance(parent, Sequence) and not isinstance(parent, str)
    return listed and isinstance(parent, Sequence) and step == len(parent)


def _nested(path: DocumentPath, value: JsonValue) -> JsonValue:
    for step in reversed(path):
        if isinstance(step, int) and step != 0:
            message = f"a new list has no place {step}"
            raise NoSuchPlaceError(message)
        value = {step: value} if isinstance(step, str) else [value]
    return value


def _changes(path: DocumentPath, old: JsonValue, new: JsonValue) -> Iterator[Step]:
    if same(old, new):
        return
    match old, new:
        case Mapping(), Mapping() if old and new:
            yield from _key_changes(path, old, new)
        case ([_, *_], [_, *_]):
            yield from _item_changes(path, old, new)
        case _:
            yield Replace(path, new)


def _key_changes(
    path: DocumentPath, old: Mapping[str, JsonValue], new: Mapping[str, JsonValue]
) -> Iterator[Step]:
    """Add before removing, so that the mapping is never empty in between."""
    for key, value in new.items():
        if key in old:
            yield from _changes((*path, key), old[key], value)
        else:
            yield AddKey(path, key, value)
    for key in old:
        if key not in new:
            yield Remove((*path, key))


def _item_changes(
    path: DocumentPath, old: Sequence[JsonValue], new: Sequence[JsonValue]
) -> Iterator[Step]:
    """Go from the last item to the first, so that no index moves under a later edit.

    Between two items that are the same or alike, others change places one for one.
    """
    end, new_end = len(old), len(new)
    for start, new_start in [*reversed(_alike_pairs(old, new)), (-1, -1)]:
        shared = min(end - start, new_end - new_start) - 1
        gap, new_gap = start + 1 + shared, new_start + 1 + shared
        for value in reversed(new[new_gap:new_end]):
            yield AddItem(path, gap, value)
        for index in reversed(range(gap, end)):
            yield Remove((*path, index))
        for place in reversed(range(shared + 1)):
            if start + place >= 0:
                at = start + place
                yield from _changes((*path, at), old[at], new[new_start + place])
        end, new_end = start, new_start


def _alike_pairs(old: Sequence[JsonValue], new: Sequence[JsonValue]) -> list[tuple[int, int]]:
    """Pair items that are equal, and between those mappings that share a value, in order."""
    matcher = SequenceMatcher(
        None,
        [canonical(element) for element in old],
        [canonical(element) for element in new],
        autojunk=False,
    )
    pairs: list[tuple[int, int]] = []
    for tag, start, end, new_start, new_end in matcher.get_opcodes():
        free = new_start
        for place in range(start, end):
            found = (
                new_place
                for new_place in range(free, new_end)
                if tag == "equal" or _alike(old[place], new[new_place])
            )
            if (partner := next(found, None)) is not None:
                pairs.append((place, partner))
                free = partner + 1
    return pairs


def _alike(old: JsonValue, new: JsonValue) -> bool:
    if not isinstance(old, Mapping) or not isinstance(new, Mapping):
        return False
    return any(key in new and same(value, new[key]) for key, value in old.items())
