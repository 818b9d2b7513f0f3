"""Runs every rule about meaning over the definitions, as every environment sees them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from itertools import chain

from reconciler.core.rules import (
    delivery,
    dialects,
    environments,
    integrations,
    literals,
    mappings,
    projects,
    references,
)
from reconciler.core.rules.account_filters import account_filters
from reconciler.core.rules.context import Context
from reconciler.core.rules.secrets import blank_secrets
from reconciler.core.rules.structure import Named, Structure, examine
from reconciler.domain.definitions import Definitions, Effective
from reconciler.domain.problem import Origin, Problem


def broken_rules(
    definitions: Definitions,
    view: Callable[[Definitions, str], Effective],
    context: Context,
    broken: Collection[Named] = (),
) -> tuple[Problem, ...]:
    """Find everything that is wrong with the meaning of the definitions.

    Args:
        definitions: All documents that passed the schema.
        view: Gives one environment's view of definitions.
        context: What rules need to know beside them.
        broken: Kind and name of documents that did not pass; they count as existing.

    Returns:
        Each problem once, also if several environments have it, in the order of the files.
    """
    structure = examine(definitions, broken)
    views = [view(structure.definitions, name) for name in structure.environments]
    found = chain(
        structure.problems,
        _in_documents(structure),
        _in_files(definitions, context),
        *(_in_view(one, structure, context) for one in views),
        () if structure.only_placeholder else environments.shared(views),
    )
    return in_order(_once(found))


def in_order(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    """Sort problems: those of the whole repository first, then by place and rule."""
    nowhere = Origin("")
    return tuple(sorted(problems, key=lambda one: (one.origin or nowhere, one.rule, one.message)))


def _in_documents(structure: Structure) -> Iterator[Problem]:
    documents = structure.definitions.documents
    yield from references.unknown_environments(documents, structure.known_environments)
    yield from dialects.dialects(documents)


def _in_files(definitions: Definitions, context: Context) -> Iterator[Problem]:
    for document in definitions.documents:
        yield from literals.in_document(document)
    for table in definitions.tables.values():
        yield from mappings.strange_cells(table, context.text_from)
        yield from literals.in_table(table, context.text_from)


def _in_view(view: Effective, structure: Structure, context: Context) -> Iterator[Problem]:
    yield from projects.projects(view)
    yield from references.unknown_integrations(view, structure.integrations)
    yield from references.ids_for_codes(view)
    yield from integrations.contradictions(view)
    yield from account_filters(view, context.text_from)
    yield from mappings.mapped_twice(view)
    yield from mappings.tables(view, structure.definitions.tables, context.text_from)
    if not structure.only_placeholder:
        yield from references.unknown_credentials(view, view.environment.name)
        yield from mappings.one_environment_only(view, structure.environments)
        yield from delivery.deliveries(view)
        yield from environments.environments(view, context)


def _once(problems: Iterator[Problem]) -> list[Problem]:
    seen: dict[tuple[str, Origin | None, str], Problem] = {}
    for one in problems:
        seen.setdefault((one.rule, one.origin, one.message), one)
    return [_blanked(one) for one in seen.values()]


def _blanked(one: Problem) -> Problem:
    return replace(one, message=blank_secrets(one.message), hint=blank_secrets(one.hint))
