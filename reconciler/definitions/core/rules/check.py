"""Runs every rule about meaning over the definitions, as every environment sees them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from itertools import chain

from reconciler.definitions.core.rule import Context
from reconciler.definitions.core.rules import (
    chargebee_pages,
    delivery,
    dialects,
    environments,
    integrations,
    literals,
    mapping_sets,
    references,
)
from reconciler.definitions.core.rules.account_filters import account_filters
from reconciler.definitions.core.rules.structure import DocumentName, Structure, examine
from reconciler.definitions.core.secrets import blank_secrets
from reconciler.definitions.model import Definitions, Effective
from reconciler.kernel.problem import Origin, Problem

# The largest definition file that is read.
_TEXT_MAX = 10 * 1024 * 1024


def broken_rules(
    definitions: Definitions,
    view: Callable[[Definitions, str], Effective],
    context: Context,
    broken: Collection[DocumentName] = (),
    broken_files: Collection[str] = (),
) -> tuple[Problem, ...]:
    """Find everything that is wrong with the meaning of the definitions.

    Args:
        definitions: All documents that passed the schema.
        view: Gives one environment's view of definitions.
        context: What rules need to know beside them.
        broken: Kind and name of documents that did not pass; they count as existing.
        broken_files: Files with such documents; they are searched for secrets.

    Returns:
        Each problem once, also if several environments have it, in the order of the files.
    """
    structure = examine(definitions, broken)
    views = [view(structure.definitions, name) for name in structure.environments]
    found = chain(
        structure.problems,
        _in_documents(structure),
        _in_files(definitions, context, broken_files),
        *(_in_view(effective, structure, context) for effective in views),
        () if structure.only_placeholder else environments.shared(views),
    )
    return in_order(_once(found))


def in_order(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    """Sort problems: those of the whole repository first, then by place and rule."""
    nowhere = Origin("")
    return tuple(
        sorted(
            problems, key=lambda problem: (problem.origin or nowhere, problem.rule, problem.message)
        )
    )


def _in_documents(structure: Structure) -> Iterator[Problem]:
    documents = structure.definitions.documents
    yield from references.unknown_environments(documents, structure.known_environments)
    yield from dialects.dialects(documents)


def _in_files(
    definitions: Definitions, context: Context, broken_files: Collection[str]
) -> Iterator[Problem]:
    yield from _secrets(definitions, context, broken_files)
    for table in definitions.tables.values():
        yield from mapping_sets.strange_cells(table, context.text_from)
        yield from literals.in_table(table, context.text_from)


def _secrets(
    definitions: Definitions, context: Context, broken_files: Collection[str]
) -> Iterator[Problem]:
    """Find secrets in documents, then those that only the text shows."""
    files = {document.file for document in definitions.documents}.union(broken_files)
    texts = {
        file: context.text_from(Origin(file, 1, 1), _TEXT_MAX)
        for file in files - definitions.tables.keys()
    }
    in_texts = {file: list(literals.in_text(file, text)) for file, text in texts.items()}
    seen: set[Origin] = set()
    for document in definitions.documents:
        clean = "" if in_texts[document.file] else texts[document.file]
        for problem in literals.in_document(document, clean):
            seen.add(_line(problem))
            yield problem
    for problem in chain.from_iterable(in_texts.values()):
        if _line(problem) not in seen:
            yield problem


def _line(problem: Problem) -> Origin:
    assert problem.origin is not None
    return replace(problem.origin, column=0)


def _in_view(view: Effective, structure: Structure, context: Context) -> Iterator[Problem]:
    yield from references.projects(view)
    yield from references.unknown_integrations(view, structure.integrations)
    yield from references.ids_for_codes(view)
    yield from integrations.contradictions(view)
    yield from chargebee_pages.chargebee_pages(view)
    yield from account_filters(view, context.text_from)
    yield from mapping_sets.mapped_twice(view)
    yield from mapping_sets.tables(view, structure.definitions.tables, context.text_from)
    if not structure.only_placeholder:
        yield from references.unknown_credentials(view, view.environment.name)
        yield from mapping_sets.one_environment_only(view, structure.environments)
        yield from delivery.deliveries(view)
        yield from environments.environments(view, context)


def _once(problems: Iterator[Problem]) -> list[Problem]:
    seen: dict[tuple[str, Origin | None, str], Problem] = {}
    for problem in problems:
        seen.setdefault((problem.rule, problem.origin, problem.message), problem)
    return [_blanked(problem) for problem in seen.values()]


def _blanked(problem: Problem) -> Problem:
    return replace(
        problem, message=blank_secrets(problem.message), hint=blank_secrets(problem.hint)
    )
