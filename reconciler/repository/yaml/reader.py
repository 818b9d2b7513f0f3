"""YAML text -> plain data with the place of every key and value.

YAML 1.2 core schema: ``NO`` and timestamps are text, whole numbers are int, others Decimal.
Nothing is raised for what stands in a file; everything wrong becomes a ``Problem``.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from ruamel.yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
    StreamStartEvent,
)

from reconciler.definitions.core.form_rules import (
    ALIAS,
    DUPLICATE_KEY,
    KEY,
    LIMITS,
    MERGE_KEY,
    NUMBER,
    SYNTAX,
    TAG,
)
from reconciler.definitions.core.rule import Rule
from reconciler.kernel.problem import Origin, Problem
from reconciler.kernel.value import JsonValue
from reconciler.repository.yaml.events import (
    SYNTAX_ERRORS,
    BrokenSyntax,
    Event,
    broken_syntax,
    events,
    refuses_colon,
)
from reconciler.repository.yaml.nodes import Node, Style, YamlDocument, YamlFile
from reconciler.repository.yaml.scalars import (
    ScalarRefusedError,
    core_name,
    plain_value,
    refused_tag,
    tagged_value,
)
from reconciler.repository.yaml.source_text import SourceText, decode_text
from reconciler.repository.yaml.syntax import syntax_problem

DEPTH_MAX = 100
"""Levels of mappings and sequences inside each other."""
ALIAS_NODES_MAX = 10_000
"""Values that one alias may stand for."""
ALL_ALIASES_NODES_MAX = 100_000
"""Values that all aliases of one file may stand for together."""
PROBLEMS_MAX = 1_000
"""After so many problems the rest of a file is not looked at."""

_COLON = re.compile(r"[ \t]*:")
_DASH = re.compile(r"(?:[ \t]*(?:#[^\r\n]*)?[\r\n])*[ \t]*-")
_NO_CHILDREN: dict[str | int, Node] = {}
_SCALAR_STYLES: dict[str, Style] = {"'": "single", '"': "double", "|": "literal", ">": "folded"}


def read_yaml(file: str, data: bytes, *, pure: bool = False) -> YamlFile:
    """Read every document of a file.

    Args:
        file: Relative to the repository; it is only quoted.
        data: The bytes of the file.
        pure: Use the parser written in Python even where libyaml is installed.
    """
    source = decode_text(file, data)
    if isinstance(source, Problem):
        return YamlFile(None, (), (source,))
    file_read, broken = _built(source, pure=pure)
    if broken is not None and refuses_colon(broken):
        file_read, broken = _built(source, pure=pure, hide_colons=True)
    if broken is None:
        return file_read
    problems = (*file_read.problems, syntax_problem(source, broken))
    return YamlFile(source, file_read.documents, problems)


def _built(
    source: SourceText, *, pure: bool, hide_colons: bool = False
) -> tuple[YamlFile, BrokenSyntax | None]:
    builder = _Builder(source)
    takers = builder.takers
    broken = None
    try:
        for event in events(source.text, pure=pure, hide_colons=hide_colons):
            takers[type(event)](event)
    except _EnoughError as enough:
        builder.problems.append(enough.problem)
    except SYNTAX_ERRORS as error:
        broken = broken_syntax(error, source.text)
    return YamlFile(source, tuple(builder.documents), tuple(builder.problems)), broken


class _EnoughError(Exception):
    """The rest of the file is not worth reading."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


class _Frame:
    """A mapping or sequence that is still being read."""

    __slots__ = ("anchor", "as_key", "children", "counted", "end", "key", "start", "style", "value")

    def __init__(self, event: Event, value: dict[str, JsonValue] | list[JsonValue]) -> None:
        self.value = value
        self.children: dict[str | int, Node] = {}
        self.start = event.start_mark.index
        self.end = event.end_mark.index
        self.style: Style = "flow" if event.flow_style else "block"
        self.anchor = event.anchor
        self.key: tuple[str | None, int, int] | None = None
        self.counted = 0
        self.as_key = False


class _Builder:
    """Takes events one by one; holds one frame for each open mapping and sequence."""

    def __init__(self, source: SourceText) -> None:
        self.documents: list[YamlDocument] = []
        self.problems: list[Problem] = []
        self._source = source
        self._index = -1
        self._expanded = 0
        self._begin(0)
        self.takers: dict[type[object], Callable[[Event], None]] = {
            StreamStartEvent: self._pass,
            StreamEndEvent: self._pass,
            DocumentStartEvent: self._document,
            DocumentEndEvent: self._finish,
            MappingStartEvent: self._mapping,
            MappingEndEvent: self._close,
            SequenceStartEvent: self._sequence,
            SequenceEndEvent: self._close,
            ScalarEvent: self._scalar,
            AliasEvent: self._alias,
        }

    def _begin(self, start: int) -> None:
        self._start = start
        self._frames: list[_Frame] = []
        self._anchors: dict[str, tuple[JsonValue, int] | None] = {}
        self._counted = 0
        self._result: tuple[JsonValue, Node] = (None, Node(start, start, "empty", _NO_CHILDREN))
        self._sound = True

    def _document(self, event: Event) -> None:
        self._index += 1
        self._begin(event.start_mark.index)
        if event.version not in {None, (1, 2)}:
            self._fault(SYNTAX, self._start, "definitions are YAML 1.2; remove `%YAML`")

    def _mapping(self, event: Event) -> None:
        self._open(event, _Frame(event, {}), "map")

    def _sequence(self, event: Event) -> None:
        self._open(event, _Frame(event, []), "seq")

    def _pass(self, event: Event) -> None:
        """The stream begins and ends without saying anything."""

    def _finish(self, _event: Event) -> None:
        value, root = self._result
        if root.style == "empty" and value is None and self._sound:
            return
        self.documents.append(
            YamlDocument(self._index, value, root, self._start, root.end, self._sound)
        )

    def _fault(self, rule: Rule, offset: int, message: str, hint: str = "") -> None:
        self._sound = False
        if len(self.problems) >= PROBLEMS_MAX:
            message = f"more than {PROBLEMS_MAX:,} problems; the rest of the file was not looked at"
            place = Origin(self._source.file)
            raise _EnoughError(LIMITS.broken(place, message, "Correct these first."))
        self.problems.append(rule.broken(self._source.origin(offset), message, hint))

    def _open(self, event: Event, frame: _Frame, name: str) -> None:
        if len(self._frames) >= DEPTH_MAX:
            place = self._source.origin(frame.start)
            raise _EnoughError(LIMITS.broken(place, f"more than {DEPTH_MAX} levels deep"))
        if event.tag is not None and core_name(event.tag) != name:
            self._fault(TAG, frame.start, refused_tag(event.tag))
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        above = self._frames[-1] if self._frames else None
        if above is not None and above.key is None and isinstance(above.value, dict):
            frame.as_key = True
            self._fault(KEY, frame.start, "a mapping or a list cannot be a key")
        self._counted += 1
        frame.counted = self._counted
        self._frames.append(frame)

    def _close(self, event: Event) -> None:
        frame = self._frames.pop()
        if frame.style == "flow":
            frame.end = event.end_mark.index
        if frame.anchor is not None:
            self._anchors[frame.anchor] = (frame.value, self._counted - frame.counted + 1)
        if frame.as_key:
            self._frames[-1].key = (None, frame.start, frame.end)
            return
        self._put(frame.value, frame.start, frame.end, frame.style, frame.children)

    def _scalar(self, event: Event) -> None:
        frame = self._frames[-1] if self._frames else None
        start, end = event.start_mark.index, event.end_mark.index
        if frame is not None and frame.key is None and isinstance(frame.value, dict):
            frame.key = (self._key(event, frame.value, start), start, end)
            return
        self._counted += 1
        value = self._value(event, start)
        if event.anchor is not None:
            self._anchors[event.anchor] = (value, 1)
        style = _SCALAR_STYLES[event.style] if event.style else "plain"
        if style == "plain" and not event.value:
            self._empty(event, value, start, end)
            return
        self._put(value, start, end, style, _NO_CHILDREN)

    def _empty(self, event: Event, value: JsonValue, start: int, end: int) -> None:
        """Place a value that is not written right behind its ``:`` or ``-``."""
        if event.anchor is None and event.tag is None and self._frames:
            start = end = _behind_mark(self._source.text, self._frames[-1])
        self._put(value, start, end, "empty", _NO_CHILDREN)

    def _key(self, event: Event, taken: dict[str, JsonValue], start: int) -> str | None:
        value = self._value(event, start, problem=KEY)
        if event.anchor is not None:
            self._anchors[event.anchor] = (value, 1)
        if value == "<<" and not event.style and event.tag is None:
            self._fault(MERGE_KEY, start, "`<<` merges are not allowed")
            return None
        if not isinstance(value, str):
            text = event.value or "null"
            hint = f'Write "{text}" in quotes if a text was meant.'
            self._fault(KEY, start, f"the key `{text[:80]}` is not text", hint)
            return None
        if value in taken:
            self._twice(value, start)
            return None
        return value

    def _twice(self, key: str, start: int) -> None:
        first = self._source.position(self._frames[-1].children[key].key_start)
        self._fault(
            DUPLICATE_KEY,
            start,
            f"`{key[:80]}` stands twice in one mapping",
            f"It stands first in line {first.line}; remove one of them.",
        )

    def _value(self, event: Event, start: int, problem: Rule = NUMBER) -> JsonValue:
        text, tag = event.value, event.tag
        if tag is None and event.style:
            return text
        try:
            return plain_value(text) if tag is None else tagged_value(tag, text)
        except ScalarRefusedError as error:
            rule = problem if tag is None else TAG
            self._fault(rule, start, str(error))
            return text

    def _alias(self, event: Event) -> None:
        start, end, name = event.start_mark.index, event.end_mark.index, str(event.anchor)
        value: JsonValue = None
        if name not in self._anchors:
            self._fault(ALIAS, start, f"there is no anchor `&{name[:80]}` before this alias")
        elif (found := self._anchors[name]) is None:
            self._fault(ALIAS, start, f"`*{name[:80]}` stands inside the anchor it names")
        else:
            value = self._expand(found, start, name)
        frame = self._frames[-1] if self._frames else None
        if frame is not None and frame.key is None and isinstance(frame.value, dict):
            self._fault(KEY, start, "an alias cannot be a key")
            frame.key = (None, start, end)
            return
        self._put(value, start, end, "alias", _NO_CHILDREN)

    def _expand(self, found: tuple[JsonValue, int], start: int, name: str) -> JsonValue:
        value, size = found
        if size > ALIAS_NODES_MAX or self._expanded + size > ALL_ALIASES_NODES_MAX:
            message = (
                f"`*{name[:80]}` stands for {size:,} values; one alias may stand for "
                f"{ALIAS_NODES_MAX:,}, all of a file for {ALL_ALIASES_NODES_MAX:,}"
            )
            self._fault(LIMITS, start, message, "Write out what is really needed.")
            return None
        self._expanded += size
        self._counted += size
        return value

    def _put(
        self, value: JsonValue, start: int, end: int, style: Style, children: dict[str | int, Node]
    ) -> None:
        """Hand a finished value to the frame it stands in."""
        if not self._frames:
            self._result = (value, Node(start, end, style, children))
            return
        frame = self._frames[-1]
        frame.end = max(frame.end, end)
        if isinstance(frame.value, list):
            frame.children[len(frame.value)] = Node(start, end, style, children)
            frame.value.append(value)
        else:
            assert frame.key is not None
            key, key_start, key_end = frame.key
            frame.key = None
            if key is not None:
                frame.value[key] = value
                frame.children[key] = Node(start, end, style, children, key_start, key_end)


def _behind_mark(text: str, frame: _Frame) -> int:
    if frame.key is not None:
        colon = _COLON.match(text, frame.key[2])
        return colon.end() if colon else frame.key[2]
    if not frame.children and frame.end > frame.start and text[frame.end - 1] == "-":
        # A list that is not indented below its key begins with its first dash already taken.
        return frame.end
    dash = _DASH.match(text, frame.end)
    return dash.end() if dash else frame.end
