"""What a plan needs, in one word and one sentence for someone who does not read YAML."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from reconciler.definitions.kinds.project import GuardName
from reconciler.kernel.text import counted
from reconciler.plan.model.cause import Causes
from reconciler.plan.model.plan import GuardHit, Plan
from reconciler.review.core.judge import Judged
from reconciler.review.core.rules import Rules, who
from reconciler.review.model.forge import StatusState
from reconciler.review.model.sealed import short_plan

# what one item and several items of a guard are to someone from finance
WORDS: Final[Mapping[GuardName, tuple[str, str]]] = {
    "max-deletes": ("deletion", "deletions"),
    "empty-scope": ("removal of everything of a kind", "removals of everything of a kind"),
    "protected": ("plan that was not reviewed", "plans that were not reviewed"),
    "first-contact": ("change of what was not managed", "changes of what was not managed"),
    "sensitive-field": ("change of a billing setting", "changes of billing settings"),
    "widening": ("integration that bills more accounts", "integrations that bill more accounts"),
    "drift": ("edit in m3ter that would be undone", "edits in m3ter that would be undone"),
    "conflict": ("value changed in git and in m3ter", "values changed in git and in m3ter"),
    "dialect": ("setting with an unconfirmed name", "settings with unconfirmed names"),
    "double-route": ("account that might be billed twice", "accounts that might be billed twice"),
    "coverage": ("account that nothing would bill", "accounts that nothing would bill"),
    "interlock": ("account with another way of billing", "accounts with another way of billing"),
    "freeze": ("change during a freeze", "changes during a freeze"),
    "plan-age": ("plan that is too old", "plans that are too old"),
    "policy": ("change of the rules themselves", "changes of the rules themselves"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Need:
    """Items of one guard that the same people may approve.

    Attributes:
        who: In words; empty when nothing but a remedy helps.
    """

    guard: GuardName
    who: str
    count: int

    def __str__(self) -> str:
        return counted(self.count, *WORDS.get(self.guard, (f"{self.guard} item",) * 2))


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a plan stands.

    Attributes:
        sentence: At most a few lines, without names of objects.
    """

    state: StatusState
    sentence: str
    needs: tuple[Need, ...]


def verdict(plan: Plan, judged: Judged, rules: Rules, causes: Causes) -> Verdict:
    """Judge a plan for its pull request."""
    if plan.body.unplanned:
        wrong = counted(len(plan.body.unplanned), "object has an error", "objects have errors")
        return Verdict("failure", f"Cannot be applied: {wrong}.", ())
    hits = asking(judged.open)
    needs = tuple(_needs(hits, rules))
    remedies = [need for need in needs if not need.who]
    if remedies:
        named = ", ".join(str(need) for need in remedies)
        return Verdict("failure", f"Cannot be applied as it is: {named}.", needs)
    if needs:
        return Verdict("pending", f"{_sentence(_asked(needs))}.", needs)
    if judged.approvals:
        return Verdict("success", "Approved: everything that needed someone has an approval.", ())
    if _is_quiet(plan, causes):
        return Verdict("success", "This pull request changes nothing here.", ())
    return Verdict("success", "Nothing to approve: these changes are routine.", ())


def asking(hits: Iterable[GuardHit]) -> tuple[GuardHit, ...]:
    """Leave out what only asks whether someone is sure: a merge says so."""
    return tuple(hit for hit in hits if hit.needs != "confirmation")


def status_text(verdict: Verdict, plan: Plan, characters_max: int = 140) -> str:
    """Write the status: the sentence cut to size, and the plan that it speaks of.

    Source: GitHub REST "Create a commit status" gives no limit; the site cuts and the API refuses
    beyond 140 characters.
    """
    named = f" [{short_plan(plan.id)}]"
    room = characters_max - len(named)
    sentence = verdict.sentence
    return (sentence if len(sentence) <= room else sentence[: room - 1] + "…") + named


def _needs(hits: Iterable[GuardHit], rules: Rules) -> Iterable[Need]:
    groups = Counter((hit.guard, "" if hit.needs == "remedy" else who(rules, hit)) for hit in hits)
    return (Need(guard, people, count) for (guard, people), count in groups.items())


def _asked(needs: Iterable[Need]) -> str:
    """Name each group of people once, with everything that they must approve."""
    by_people: defaultdict[str, list[str]] = defaultdict(list)
    for need in needs:
        by_people[need.who].append(str(need))
    return "; ".join(
        f"{people} must approve {' and '.join(what)}" for people, what in by_people.items()
    )


def _is_quiet(plan: Plan, causes: Causes) -> bool:
    writing = (change for change in plan.body.changes if change.type not in {"keep", "ignore"})
    return all(causes.of_change(change.id) != "proposal" for change in writing) and all(
        causes.of_item(hit.digest) != "proposal" for hit in plan.body.hits
    )


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] if not text.split(" ", 1)[0].count("/") else text
