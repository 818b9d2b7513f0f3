"""Everything that a comment, a status and a summary of one plan are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.plan.model.cause import Causes
from reconciler.plan.model.plan import Plan
from reconciler.review.core.judge import Judged
from reconciler.review.core.public_names import without_addresses
from reconciler.review.core.rules import Rules


@dataclass(frozen=True, slots=True)
class Report:
    """One plan of one pull request, judged.

    Attributes:
        names: What public texts may call the ids of the plan.
        shows_addresses: Whether e-mail addresses may be shown.
        files: URL of the tree that was planned, for links to lines; empty for none.
        money: What it costs, lines of Markdown; whoever knows that fills it in.
        run: URL of the run that keeps the whole report; empty for none.
    """

    plan: Plan
    causes: Causes
    judged: Judged
    rules: Rules
    names: Mapping[str, str] = field(default_factory=dict)
    shows_addresses: bool = False
    files: str = ""
    money: tuple[str, ...] = ()
    run: str = ""

    def public(self, text: str) -> str:
        """Give a text as everybody may read it."""
        return text if self.shows_addresses else without_addresses(text)
