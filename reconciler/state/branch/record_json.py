"""The JSON files of a record: written for readers, and read back only as they were written."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from reconciler.kernel import exact_json
from reconciler.kernel.value import JsonValue

_MEMBER: Final = re.compile(rb'^ "(?P<name>[a-z_]+)": ', re.MULTILINE)


class NotARecordError(ValueError):
    """A tree is not the tree of a record; the text says why."""


def pretty(value: JsonValue) -> bytes:
    """Write for readers: one key a line, in the order of the canonical form."""
    ordered = exact_json.decode(exact_json.canonical(value))
    return (exact_json.encode(ordered, indent=1) + "\n").encode()


def canonical(path: str, content: bytes) -> bytes:
    """Give the canonical form of a file; ``path`` is for the message.

    Raises:
        NotARecordError: When it is not as it was written.
    """
    try:
        value = exact_json.decode(content)
    except exact_json.NotJsonError:
        raise NotARecordError(f"`{path}` is not JSON") from None
    if pretty(value) != content:
        raise NotARecordError(f"`{path}` is not as it was written")
    return exact_json.canonical(value)


def members(record: bytes) -> dict[str, bytes]:
    """Read the small part of a record: the canonical JSON of each member.

    Raises:
        NotARecordError: When it is not as it was written.
    """
    if not record:
        raise NotARecordError("it has no `record.json`")
    body = record.removeprefix(b"{\n").removesuffix(b"\n}\n")
    starts = list(_MEMBER.finditer(body))
    if not starts:
        raise NotARecordError("`record.json` is not as it was written")
    ends = [start.start() - len(b",\n") for start in starts[1:]] + [len(body)]
    found = {
        start["name"].decode(): _member(body[start.end() : end])
        for start, end in zip(starts, ends, strict=True)
    }
    texts = (start[0] + body[start.end() : end] for start, end in zip(starts, ends, strict=True))
    if b"{\n" + b",\n".join(texts) + b"\n}\n" != record or list(found) != sorted(found):
        raise NotARecordError("`record.json` is not as it was written")
    return found


@lru_cache(maxsize=64)
def _member(text: bytes) -> bytes:
    """Give the canonical form of a member; the references of a chain stay the same for long."""
    try:
        value = exact_json.decode(text)
    except exact_json.NotJsonError:
        raise NotARecordError("`record.json` is not JSON") from None
    if pretty(value)[:-1].replace(b"\n", b"\n ") != text:
        raise NotARecordError("`record.json` is not as it was written")
    return exact_json.canonical(value)
