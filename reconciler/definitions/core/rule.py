"""What a rule is, and what rules need to know beside the definitions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from reconciler.definitions.core.allowance import Allowance
from reconciler.kernel.problem import Origin, Problem, Severity


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of ``docs/rules.md``.

    Attributes:
        id: ``R`` and three digits. R001-R049 are about form, R050 and up about meaning.
        title: The rule as a statement, without a full stop.
        severity: Whether breaking it ends a run.
        why: What goes wrong otherwise.
        fix: What to do.
    """

    id: str
    title: str
    severity: Severity
    why: str
    fix: str

    def broken(
        self, origin: Origin | None, message: str, hint: str = "", path: str = ""
    ) -> Problem:
        """Say that the rule is broken, where, and what to do.

        Args:
            origin: Where; ``None`` for the whole repository.
            message: What is wrong, in one line.
            hint: What to do here; the rule's general advice when left out.
            path: Dotted path of the field inside the document.
        """
        return Problem(self.id, self.severity, origin, message, hint or self.fix, path)


TextFrom = Callable[[Origin, int], str]


@dataclass(frozen=True, slots=True)
class Context:
    """Facts about the job, the machine and the files.

    Attributes:
        allowance: Hosts, variables and files that the job allows.
        knows_time_zone: Whether a name is an IANA time zone.
        text_from: Gives so many characters of source text from a place on, to find a character
            inside a value; empty when there are none.
    """

    allowance: Allowance
    knows_time_zone: Callable[[str], bool]
    text_from: TextFrom
