"""Carries out edits of definition files."""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from reconciler.definitions.core.edits import (
    AddDocuments,
    Edit,
    RemoveRow,
    RemoveValue,
    SetRows,
    SetValue,
)
from reconciler.definitions.ports import DefinitionEditor


def perform(edits: Iterable[Edit], editor: DefinitionEditor) -> None:
    """Make edits in order.

    Raises:
        EditRefusedError: When one would touch anything else; those before it are made.
    """
    for edit in edits:
        match edit:
            case SetValue(file, document, path, value):
                editor.set_value(file, document, path, value)
            case RemoveValue(file, document, path):
                editor.remove_value(file, document, path)
            case AddDocuments(file, documents):
                editor.write_documents(file, documents)
            case SetRows(file, header, rows):
                editor.write_rows(file, header, rows)
            case RemoveRow(file, key):
                editor.remove_row(file, key)
            case _:
                assert_never(edit)
