"""Loads definitions, checks their form and their meaning, and gives one environment's view."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from reconciler.definitions.core.allowance import Allowance
from reconciler.definitions.core.rule import Context
from reconciler.definitions.core.rules.check import broken_rules, in_order
from reconciler.definitions.model import Definitions, Effective
from reconciler.definitions.ports import DefinitionSource
from reconciler.errors import InvalidError
from reconciler.kernel.problem import Problem

_SHOWN_MAX = 20


class InvalidDefinitionsError(InvalidError):
    """A command that needs valid definitions found errors in them.

    Attributes:
        problems: All errors and warnings, in the order of the files.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        errors = [problem for problem in problems if problem.severity == "error"]
        lines = [f"the definitions have {_counted(len(errors), 'error')}."]
        lines += [f"  {_line(error)}" for error in errors[:_SHOWN_MAX]]
        if len(errors) > _SHOWN_MAX:
            lines.append(f"  and {len(errors) - _SHOWN_MAX} more")
        lines.append(
            "Nothing was sent to m3ter. `reconciler validate` shows each with its source and what"
            " to do."
        )
        super().__init__("\n".join(lines))


@dataclass(frozen=True, slots=True)
class Validated:
    """What stands in the files, and everything that is wrong with it.

    Attributes:
        definitions: The documents that passed the schema.
        problems: All problems, in the order of the files, without source excerpts.
        file_count: YAML and CSV files read.
    """

    definitions: Definitions
    problems: tuple[Problem, ...]
    file_count: int

    @property
    def valid(self) -> bool:
        """Say whether there is no error; warnings do not count."""
        return all(problem.severity != "error" for problem in self.problems)


def validate(
    source: DefinitionSource, allowance: Allowance, knows_time_zone: Callable[[str], bool]
) -> Validated:
    """Check every file; never raises for what stands in them.

    Args:
        source: Where the definitions come from.
        allowance: Hosts, variables and files that the job allows.
        knows_time_zone: Whether a name is an IANA time zone.
    """
    loaded = source.load()
    context = Context(allowance, knows_time_zone, source.text_from)
    problems = loaded.problems
    if loaded.definitions.documents or not problems:
        files = {problem.origin.file for problem in problems if problem.origin is not None}
        meaning = broken_rules(loaded.definitions, source.effective, context, loaded.broken, files)
        problems = in_order((*problems, *meaning))
    return Validated(loaded.definitions, problems, loaded.definitions.file_count)


def effective(
    source: DefinitionSource,
    environment: str,
    allowance: Allowance,
    knows_time_zone: Callable[[str], bool],
) -> Effective:
    """Give one environment's view of valid definitions.

    Args:
        source: Where the definitions come from.
        environment: The name of an Environment.
        allowance: Hosts, variables and files that the job allows.
        knows_time_zone: Whether a name is an IANA time zone.

    Raises:
        InvalidDefinitionsError: When the files have an error.
        UnknownEnvironmentError: When no Environment bears the name.
    """
    validated = validate(source, allowance, knows_time_zone)
    if not validated.valid:
        raise InvalidDefinitionsError(validated.problems)
    return source.effective(validated.definitions, environment)


def _line(problem: Problem) -> str:
    return f"{problem.origin or 'integrations.d'}  {problem.rule}  {problem.message}"


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" + ("" if count == 1 else "s")
