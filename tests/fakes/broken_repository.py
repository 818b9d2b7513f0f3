"""Ways to break a repository, and the problems that are then found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fakes.repository_in_memory import RepositoryInMemory
from fakes.sound_repository import CSV, UK, push

from reconciler.definitions.core.allowance import Allowance
from reconciler.definitions.core.rule import Context
from reconciler.definitions.core.rules.check import broken_rules
from reconciler.kernel.problem import Problem

UUID = "33333333-3333-4333-8333-333333333333"


def problems_of(
    repository: RepositoryInMemory, allowance: Allowance | None = None
) -> tuple[Problem, ...]:
    """Run every rule."""
    loaded = repository.load()
    zones = {"Europe/London", "UTC"}
    context = Context(allowance or Allowance(), zones.__contains__, repository.text_from)
    return broken_rules(loaded.definitions, repository.effective, context, loaded.broken)


Change = Callable[[RepositoryInMemory], object]


def with_value(key: Any, *path_and_value: Any) -> Change:
    *path, value = path_and_value

    def change(repository: RepositoryInMemory) -> None:
        at: Any = repository.specs.setdefault(key, {})
        for step in path[:-1]:
            at = at.setdefault(step, {}) if isinstance(at, dict) else at[step]
        if value is None:
            at.pop(path[-1], None)
        else:
            at[path[-1]] = value

    return change


def all_of(*changes: Change) -> Change:
    def change(repository: RepositoryInMemory) -> None:
        for planned in changes:
            planned(repository)

    return change


def with_rows(*rows: list[str]) -> Change:
    def change(repository: RepositoryInMemory) -> None:
        repository.csv[CSV] = [["account_code", "sandbox", "production"], *rows]

    return change


def pushed(**changes: Any) -> Change:
    return all_of(
        with_value(UK, "delivery", "push"),
        with_value(UK, "connection", "disconnected"),
        with_value(UK, "push", push() | changes),
    )
