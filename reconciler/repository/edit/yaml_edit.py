"""Edits one YAML file as bytes: splices step by step, each step proven before the next."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias, assert_never

from reconciler.definitions.model import DocumentPath
from reconciler.errors import InvalidError
from reconciler.kernel.value import ABSENT, JsonObject, JsonValue
from reconciler.repository.edit.block_text import NotWritableError
from reconciler.repository.edit.proof import intended, why_not_proven
from reconciler.repository.edit.splice_member import with_item, with_key, without
from reconciler.repository.edit.splice_value import replaced
from reconciler.repository.edit.steps import (
    AddItem,
    AddKey,
    NoSuchPlaceError,
    Remove,
    Replace,
    Step,
    same,
    setting_steps,
    value_at,
)
from reconciler.repository.edit.writer import yaml_text
from reconciler.repository.yaml.layout import (
    Layout,
    NotSpliceableError,
    Splice,
    line_end_of,
    spliced,
)
from reconciler.repository.yaml.nodes import YamlDocument, YamlFile
from reconciler.repository.yaml.reader import read_yaml

KeyOrder: TypeAlias = Callable[[JsonValue, DocumentPath], Sequence[str]]
"""Document and path of a mapping in it -> the order its keys should have; empty for any."""


class EditRefusedError(InvalidError):
    """An edit in place would touch something else, or cannot be made; nothing was written."""

    def __init__(self, file: str, what: str, reason: str) -> None:
        super().__init__(
            f"{file}: {what} was not edited: {reason}. The file is unchanged; edit it by hand,"
            " then run `reconciler validate`"
        )
        self.file = file
        self.reason = reason


def any_order(_document: JsonValue, _path: DocumentPath) -> Sequence[str]:
    """Put new keys at the end."""
    return ()


@dataclass(frozen=True, slots=True)
class EditedDocument:
    """A document to edit.

    Attributes:
        file: Name of its file, for messages.
        data: What stands in the file.
        document: Position of the document in the file, from 0.
    """

    file: str
    data: bytes
    document: int


def with_value(
    target: EditedDocument, path: DocumentPath, value: JsonValue, order: KeyOrder = any_order
) -> bytes:
    """Set one value of a file; its missing parents are added.

    Args:
        target: The document.
        path: From the root of the document.
        value: Plain data. Where a mapping or list stands, only what differs is touched.
        order: Where new keys go.

    Raises:
        EditRefusedError: When anything else would change.
    """

    def steps(body: JsonValue) -> Iterator[Step]:
        return setting_steps(body, path, value)

    return _edited(target, path, steps, order)


def without_value(target: EditedDocument, path: DocumentPath) -> bytes:
    """Remove one value of a file with its key or dash; a missing one stays missing.

    Raises:
        EditRefusedError: When anything else would change.
    """

    def steps(body: JsonValue) -> Iterator[Step]:
        if value_at(body, path) is not ABSENT:
            yield Remove(path)

    return _edited(target, path, steps, any_order)


def with_documents(file: str, data: bytes | None, documents: Sequence[JsonObject]) -> bytes:
    """Write documents as a new file, or behind those of an existing one.

    Raises:
        EditRefusedError: When what was there would change.
    """
    if not documents:
        return data or b""
    before = _sound(file, data or b"", "the end of the file")
    assert before.source is not None, "a sound file was decoded"
    text = before.source.text
    try:
        added = yaml_text(documents, line_end=line_end_of(text))
    except NotWritableError as error:
        raise EditRefusedError(file, "a new document", str(error)) from None
    if before.documents:
        ended = text if text.endswith(("\n", "\r")) else text + line_end_of(text)
        added = f"{ended}---{line_end_of(text)}{added}"
    else:
        added = text + added
    result = _encoded(before, added)
    _prove_appended(file, before, read_yaml(file, result), documents)
    return result


def _prove_appended(
    file: str, before: YamlFile, after: YamlFile, documents: Sequence[JsonObject]
) -> None:
    wanted = [*(document.value for document in before.documents), *documents]
    found = [document.value for document in after.documents]
    reason = after.problems[0].message if after.problems else ""
    if not reason and not same(wanted, found):
        reason = "something else in the file would change too"
    if reason:
        raise EditRefusedError(file, "the end of the file", reason)


def _edited(
    target: EditedDocument,
    path: DocumentPath,
    steps: Callable[[JsonValue], Iterable[Step]],
    order: KeyOrder,
) -> bytes:
    what = f"`{'.'.join(str(part) for part in path)}`"
    file, index = target.file, target.document
    before = _sound(file, target.data, what)
    try:
        for step in list(steps(_document(before, index).value)):
            before = _stepped(file, before, index, step, order)
    except (NotSpliceableError, NoSuchPlaceError, NotWritableError) as error:
        raise EditRefusedError(file, what, str(error)) from None
    return _encoded(before, before.source.text if before.source else "")


def _stepped(file: str, before: YamlFile, index: int, step: Step, order: KeyOrder) -> YamlFile:
    """Make one edit and prove it."""
    document = _document(before, index)
    assert before.source is not None, "only sound files are edited"
    layout = Layout(before.source.text, document)
    text = spliced(before.source.text, _splices(layout, step, order))
    after = read_yaml(file, _encoded(before, text))
    reason = why_not_proven(before, after, index, intended(document.value, step))
    if reason:
        raise NotSpliceableError(reason)
    return after


def _splices(layout: Layout, step: Step, order: KeyOrder) -> list[Splice]:
    match step:
        case Replace(path=path, value=value):
            return replaced(layout, path, value)
        case AddKey(path=path, key=key, value=value):
            keys = order(layout.document.value, path)
            return with_key(layout, path, key, value, keys)
        case AddItem(path=path, index=index, value=value):
            return with_item(layout, path, index, value)
        case Remove(path=path):
            return without(layout, path)
    assert_never(step)


def _document(file: YamlFile, index: int) -> YamlDocument:
    for document in file.documents:
        if document.index == index:
            return document
    message = f"the file has no document number {index + 1}"
    raise NoSuchPlaceError(message)


def _sound(file: str, data: bytes, what: str) -> YamlFile:
    found = read_yaml(file, data)
    if found.problems:
        raise EditRefusedError(file, what, f"the file has a problem: {found.problems[0].message}")
    return found


def _encoded(file: YamlFile, text: str) -> bytes:
    marked = file.source is not None and file.source.marked
    return (("\ufeff" if marked else "") + text).encode()
