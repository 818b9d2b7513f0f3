"""Where definitions come from, and how one value of them is edited."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from reconciler.definitions.model import Definitions, DocumentPath, Effective, KindName
from reconciler.kernel.problem import Origin, Problem
from reconciler.kernel.value import JsonObject, JsonValue


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was read, and everything that is wrong with its form.

    Documents with a problem are not among the definitions.

    Attributes:
        definitions: The documents that passed.
        problems: Everything wrong with the form of the files.
        broken: Kind and name of documents that did not pass, as far as they could be read, so
            that nobody says they are missing.
    """

    definitions: Definitions
    problems: tuple[Problem, ...]
    broken: tuple[tuple[KindName, str], ...] = ()


class DefinitionSource(Protocol):
    """Reads ``integrations.d``."""

    def load(self) -> Loaded:
        """Read and check every file; never raises for what stands in them."""
        ...

    def effective(self, definitions: Definitions, environment: str) -> Effective:
        """Give one environment's view. The definitions have no errors.

        Raises:
            UnknownEnvironmentError: When no Environment bears the name.
        """
        ...

    def excerpts(self, problems: Iterable[Problem]) -> tuple[Problem, ...]:
        """Add source excerpts, secrets blanked, to problems that have a line."""
        ...

    def text_from(self, origin: Origin, length: int) -> str:
        """Give so many characters of source text from a place on; empty when there are none."""
        ...


class DefinitionEditor(Protocol):
    """Changes files in place and proves that nothing else changed."""

    def set_value(self, file: str, document: int, path: DocumentPath, value: JsonValue) -> None:
        """Set one value; parents are inserted when missing.

        Args:
            file: Relative to the repository.
            document: Position in the file, from 0.
            path: From the root of the document.
            value: Plain data.

        Raises:
            EditRefusedError: When the edit would touch anything else. The file is unchanged.
        """
        ...

    def remove_value(self, file: str, document: int, path: DocumentPath) -> None:
        """Remove one value and its key."""
        ...

    def write_documents(self, file: str, documents: Iterable[JsonObject]) -> None:
        """Write a new file, or append documents to an existing one."""
        ...

    def write_rows(
        self, file: str, header: tuple[str, ...], rows: Mapping[str, tuple[str, ...]]
    ) -> None:
        """Write CSV rows by key; other rows of an existing file stay; sorted by key."""
        ...

    def remove_row(self, file: str, key: str) -> None:
        """Remove the CSV row of a key."""
        ...
