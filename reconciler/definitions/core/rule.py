"""What a rule is: the number a problem bears, why it matters, and how to put it right."""

from __future__ import annotations

from dataclasses import dataclass

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
