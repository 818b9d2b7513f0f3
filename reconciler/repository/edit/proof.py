"""Proves that an edit of a YAML file did what was intended and nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import assert_never

from reconciler.definitions.model import DocumentPath
from reconciler.kernel.value import JsonValue
from reconciler.repository.edit.steps import AddItem, AddKey, Remove, Replace, Step, same
from reconciler.repository.yaml.layout import comments
from reconciler.repository.yaml.nodes import YamlFile


def intended(data: JsonValue, step: Step) -> JsonValue:
    """Carry out one edit on plain data."""
    match step:
        case Replace(path=path, value=value):
            return _rebuilt(data, path, lambda _: value)
        case AddKey(path=path, key=key, value=value):
            return _rebuilt(data, path, lambda old: _with_key(old, key, value))
        case AddItem(path=path, index=index, value=value):
            return _rebuilt(data, path, lambda old: _with_item(old, index, value))
        case Remove(path=path):
            return _rebuilt(data, path[:-1], lambda old: _without(old, path[-1]))
    assert_never(step)


def _rebuilt(
    data: JsonValue, path: DocumentPath, change: Callable[[JsonValue], JsonValue]
) -> JsonValue:
    if not path:
        return change(data)
    first, rest = path[0], path[1:]
    if isinstance(data, Mapping):
        return {
            key: _rebuilt(value, rest, change) if key == first else value
            for key, value in data.items()
        }
    assert isinstance(data, Sequence), "the path was found in the data"
    return [
        _rebuilt(element, rest, change) if n == first else element for n, element in enumerate(data)
    ]


def _with_key(old: JsonValue, key: str, value: JsonValue) -> JsonValue:
    return {**(old if isinstance(old, Mapping) else {}), key: value}


def _with_item(old: JsonValue, index: int, value: JsonValue) -> JsonValue:
    items = list(old) if isinstance(old, Sequence) else []
    return [*items[:index], value, *items[index:]]


def _without(old: JsonValue, last: str | int) -> JsonValue:
    if isinstance(old, Mapping):
        return {key: value for key, value in old.items() if key != last}
    assert isinstance(old, Sequence), "the path was found in the data"
    return [element for number, element in enumerate(old) if number != last]


def why_not_proven(before: YamlFile, after: YamlFile, index: int, wanted: JsonValue) -> str:
    """Say why an edited file must not be written; empty when it may be.

    Args:
        before: The file as it is.
        after: The file as it would be.
        index: Which document was edited.
        wanted: What that document must hold now.
    """
    if after.source is None or after.problems:
        return f"the file would no longer be sound: {after.problems[0].message}"
    old = {document.index: document.value for document in before.documents} | {index: wanted}
    new = {document.index: document.value for document in after.documents}
    if old.keys() != new.keys() or not all(same(old[key], new[key]) for key in old):
        return "something else in the file would change too"
    if _comments(before) - _comments(after):
        return "a comment would be lost"
    return ""


def _comments(file: YamlFile) -> Counter[str]:
    assert file.source is not None, "both files were decoded"
    return Counter(comment.text for comment in comments(file.source.text, file.documents))
