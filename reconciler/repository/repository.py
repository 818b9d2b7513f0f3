"""``integrations.d`` on disk: reads every file, checks its form, and quotes it for problems."""

from __future__ import annotations

import gc
import os
import posixpath
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, get_args

from reconciler.definitions.core.form_rules import OUTSIDE
from reconciler.definitions.core.paths import reach
from reconciler.definitions.core.secrets import blank_secrets
from reconciler.definitions.model import (
    CsvTable,
    Definitions,
    Document,
    DocumentPath,
    Effective,
    KindName,
)
from reconciler.definitions.ports import Loaded
from reconciler.kernel.problem import Origin, Problem
from reconciler.repository.check import checked, patch_problems
from reconciler.repository.csv_rows import CSV_BYTES_MAX, read_csv
from reconciler.repository.excerpts import with_excerpt
from reconciler.repository.folder import DefinitionFile, Folder
from reconciler.repository.parse import effective_view, patches
from reconciler.repository.yaml.nodes import YamlFile
from reconciler.repository.yaml.reader import read_yaml
from reconciler.repository.yaml.source_text import BYTES_MAX, SourceText


class Repository:
    """A config repository: the folder that holds ``integrations.d``.

    Args:
        root: The repository.
    """

    def __init__(self, root: Path) -> None:
        self._folder = Folder(root)
        self._yaml: dict[str, YamlFile] = {}
        self._csv: dict[str, SourceText] = {}
        self._broken: list[tuple[KindName, str]] = []

    def load(self) -> Loaded:
        """Read and check every file; never raises for what stands in them."""
        # Everything that is read is kept, so looking for garbage meanwhile finds none.
        with _without_collection():
            return self._load()

    def _load(self) -> Loaded:
        self._yaml, self._csv, self._broken = {}, {}, []
        if (missing := self._folder.missing()) is not None:
            return Loaded(Definitions((), {}, 0), (missing,))
        problems: list[Problem] = []
        documents = list(self._documents(problems))
        tables = self._tables(documents, problems)
        definitions = Definitions(tuple(documents), tables, len(self._yaml) + len(tables))
        broken = list(_broken_patches(definitions, problems))
        if broken:
            kept = tuple(
                document for document in documents if not any(document is bad for bad in broken)
            )
            definitions = replace(definitions, documents=kept)
        problems.sort(key=_place)
        shown = tuple(_without_secrets(problem) for problem in problems)
        return Loaded(definitions, shown, tuple(self._broken))

    def effective(self, definitions: Definitions, environment: str) -> Effective:
        """Give one environment's view. The definitions have no errors.

        Raises:
            UnknownEnvironmentError: When no Environment bears the name.
            MissingProjectError: When there is no Project.
        """
        return effective_view(definitions, environment)

    def excerpts(self, problems: Iterable[Problem]) -> tuple[Problem, ...]:
        """Add source excerpts, secrets blanked, to problems that have a line."""
        read: dict[str, _Read | None] = {}
        return tuple(self._excerpted(problem, read) for problem in problems)

    def text_from(self, origin: Origin, length: int) -> str:
        """Give so many characters of source text from a place on; empty when there are none."""
        yaml = self._yaml.get(origin.file)
        source = self._csv.get(origin.file) or (yaml and yaml.source)
        if not source or not origin.line:
            return ""
        at = source.offset(origin.line, origin.column)
        return source.text[at : at + length]

    def _documents(self, problems: list[Problem]) -> Iterator[Document]:
        for definition in self._folder.definitions():
            if isinstance(definition, Problem):
                problems.append(definition)
                continue
            file = self._file(definition, problems)
            if file is None or file.source is None:
                continue
            for document in file.documents:
                result = checked(file.source, document)
                if isinstance(result, Document):
                    yield result
                else:
                    problems += result
                    at = slice(document.start, document.end)
                    self._broken += named_inside(file.source.text[at])

    def _file(self, found: DefinitionFile, problems: list[Problem]) -> YamlFile | None:
        data = self._folder.content(found, BYTES_MAX)
        if isinstance(data, Problem):
            problems.append(data)
            return None
        file = read_yaml(found.name, data)
        problems += file.problems
        if file.problems:
            self._broken += named_inside(data.decode(errors="replace"))
        self._yaml[found.name] = file
        return file

    def _tables(self, documents: list[Document], problems: list[Problem]) -> dict[str, CsvTable]:
        """Read every CSV file that a mapping set names, once."""
        tables: dict[str, CsvTable] = {}
        asked: set[str] = set()
        for document in documents:
            named = reach(document.body, *_CSV_PATH) if document.kind == "MappingSet" else None
            if not isinstance(named, str):
                continue
            origin = document.origin(_CSV_PATH)
            path = self._csv_path(document, named)
            if path is None:
                message = f"`{named[:80]}` is no path inside integrations.d"
                problems.append(OUTSIDE.broken(origin, message, path="spec.rows.csv"))
            elif path not in asked:
                asked.add(path)
                table = self._table(path, origin, problems)
                if table is not None:
                    tables[path] = table
        return tables

    def _csv_path(self, document: Document, named: str) -> str | None:
        r"""Resolve a CSV path against its document; ``\`` and odd characters are refused."""
        if named.startswith("/") or "\\" in named or not named.isprintable():
            return None
        path = posixpath.normpath(posixpath.join(posixpath.dirname(document.file), named))
        return path if path.startswith(f"{self._folder.path.name}/") else None

    def _table(self, path: str, origin: Origin, problems: list[Problem]) -> CsvTable | None:
        data = self._folder.read(os.fspath(self._folder.path.parent / path), CSV_BYTES_MAX, origin)
        if isinstance(data, Problem):
            problems.append(replace(data, path="spec.rows.csv"))
            return None
        file = read_csv(path, data)
        problems += file.problems
        if file.source is not None:
            self._csv[path] = file.source
        return file.table

    def _excerpted(self, problem: Problem, read: dict[str, _Read | None]) -> Problem:
        if problem.origin is None or not problem.origin.line:
            return problem
        file = problem.origin.file
        if file not in read:
            read[file] = self._read(file)
        found = read[file]
        if found is None:
            return problem
        at = found.source.offset(problem.origin.line, problem.origin.column)
        end = found.ends.get(at, at + 1)
        if file in self._csv:
            end = found.source.offset(problem.origin.line, 1) + len(
                found.source.line(problem.origin.line)
            )
        return with_excerpt(problem, found.source, end)

    def _read(self, file: str) -> _Read | None:
        if file in self._csv:
            return _Read(self._csv[file], {})
        yaml = self._yaml.get(file)
        if yaml is None or yaml.source is None:
            return None
        ends: dict[int, int] = {}
        for document in yaml.documents:
            for _, node in document.nodes():
                ends.setdefault(node.start, node.end)
                ends[node.key_start] = node.key_end
        return _Read(yaml.source, ends)


_CSV_PATH: DocumentPath = ("spec", "rows", "csv")


@dataclass(frozen=True, slots=True)
class _Read:
    """A text that was read, and where each underlined part of it ends, by its start."""

    source: SourceText
    ends: dict[int, int]


@contextmanager
def _without_collection() -> Iterator[None]:
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _broken_patches(definitions: Definitions, problems: list[Problem]) -> Iterator[Document]:
    """Find patches that make their object something its schema does not allow."""
    for patch, layer in patches(definitions):
        found = patch_problems(patch, layer.value)
        problems += found
        if found:
            yield patch


def _place(problem: Problem) -> tuple[str, int, int, str]:
    origin = problem.origin or Origin("")
    return origin.file, origin.line, origin.column, problem.rule


def _without_secrets(problem: Problem) -> Problem:
    return replace(
        problem,
        message=blank_secrets(problem.message),
        hint=blank_secrets(problem.hint),
        path=blank_secrets(problem.path),
    )


_KINDS: Final[dict[str, KindName]] = {kind: kind for kind in get_args(KindName)}
_DIVIDER: Final = re.compile(r"^---(?=\s|$)", re.MULTILINE)
_KIND: Final = re.compile(rf"^kind:[ \t]*['\"]?({'|'.join(_KINDS)})\b", re.MULTILINE)
_NAME: Final = re.compile(
    r"^(?:metadata:[^\n]*?[{ ,]|[ \t]+)name:[ \t]*['\"]?([a-z0-9-]+)", re.MULTILINE
)


def named_inside(text: str) -> Iterator[tuple[KindName, str]]:
    """Guess kind and name of every document in a text."""
    for part in _DIVIDER.split(text):
        kind, name = _KIND.search(part), _NAME.search(part)
        if kind and name:
            yield _KINDS[kind[1]], name[1]
