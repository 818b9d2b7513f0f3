"""What was read from YAML, with the place of every key and value; `yaml_reader` reads it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

from reconciler.definitions.model import DocumentPath
from reconciler.kernel.problem import Origin, Problem
from reconciler.kernel.value import JsonValue
from reconciler.repository.yaml.source_text import SourceText

Style: TypeAlias = Literal[
    "plain", "single", "double", "literal", "folded", "block", "flow", "alias", "empty"
]


class Node(NamedTuple):
    """Where one value stands, its key included; offsets are characters of the text.

    Attributes:
        start: First character of the value, tag and anchor included.
        end: After its last character. For ``literal`` and ``folded`` that is after the last line
            end that belongs to it; for ``empty`` it equals ``start``.
        style: How it is written; ``block`` and ``flow`` are mappings and sequences.
        children: By key, or by index from 0; empty for scalars and aliases.
        key_start: First character of the key, quotes included; -1 when there is no key.
        key_end: After its last character; -1 when there is no key.
    """

    start: int
    end: int
    style: Style
    children: Mapping[str | int, Node]
    key_start: int = -1
    key_end: int = -1


@dataclass(frozen=True, slots=True)
class YamlDocument:
    """One document of a file.

    Attributes:
        index: Position in the file, from 0; empty documents count.
        value: Plain data. Where a problem was found, what could be understood.
        root: Where everything stands.
        start: Offset of the document, its ``---`` included.
        end: Offset after its last value.
        sound: False when a problem was found inside it.
    """

    index: int
    value: JsonValue
    root: Node
    start: int
    end: int
    sound: bool

    def node(self, path: DocumentPath) -> Node | None:
        """Find the node at a path, or nothing; nothing below an alias."""
        found: Node | None = self.root
        for step in path:
            if found is None:
                return None
            found = found.children.get(step)
        return found

    def nodes(self) -> Iterator[tuple[DocumentPath, Node]]:
        """Give every path with its node, in the order of the text."""
        waiting: list[tuple[DocumentPath, Node]] = [((), self.root)]
        while waiting:
            path, node = waiting.pop()
            yield path, node
            below = [((*path, step), child) for step, child in node.children.items()]
            waiting += reversed(below)


@dataclass(frozen=True, slots=True)
class YamlFile:
    """A file as read.

    Attributes:
        source: The text; ``None`` when it could not be decoded.
        documents: Those that came before a syntax error, if any; empty ones left out.
        problems: Everything wrong with the form of the file, by position.
    """

    source: SourceText | None
    documents: tuple[YamlDocument, ...]
    problems: tuple[Problem, ...]


class Origins(Mapping[DocumentPath, Origin]):
    """The place of every path of a document, worked out when asked for.

    A scalar's place is the value's; that of a block mapping or sequence is its key's.
    """

    __slots__ = ("_document", "_source")

    def __init__(self, source: SourceText, document: YamlDocument) -> None:
        self._source = source
        self._document = document

    def __getitem__(self, path: DocumentPath) -> Origin:
        node = self._document.node(path)
        if node is None:
            raise KeyError(path)
        return self._source.origin(offset_of(node))

    def __iter__(self) -> Iterator[DocumentPath]:
        return (path for path, _ in self._document.nodes())

    def __len__(self) -> int:
        return sum(1 for _ in self._document.nodes())


def offset_of(node: Node) -> int:
    """Give the offset a reader should be sent to for a value."""
    beside_key = node.key_start >= 0 and node.style in {"block", "empty"}
    return node.key_start if beside_key else node.start
