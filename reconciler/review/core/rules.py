"""Who may approve an item, by the rules of the applied record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from reconciler.definitions.kinds.project import Approvers, GuardName
from reconciler.plan.core.guards.changes import field_matches
from reconciler.plan.model.plan import GuardHit
from reconciler.review.model.pull_request import Answer3, Forge, Login, login

ALWAYS_WRITTEN: Final[frozenset[GuardName]] = frozenset(
    {
        "max-deletes",
        "empty-scope",
        "widening",
        "double-route",
        "coverage",
        "conflict",
        "policy",
    }
)
"""What a click is never enough for: somebody has to name it."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of one environment on one forge.

    Attributes:
        approvers: As they were applied, never as the pull request has them.
    """

    approvers: tuple[Approvers, ...]
    environment: str
    forge: Forge

    def names(self, rule: Approvers) -> tuple[Login, ...]:
        """Give the people and groups of a rule on this forge; a group has a slash."""
        listed = rule.github if self.forge == "github" else rule.gitea
        return tuple(login(name) for name in listed)

    def matching(self, hit: GuardHit) -> tuple[Approvers, ...]:
        """Give every rule that an item may be approved under; none means: anyone who may write."""
        return tuple(rule for rule in self.approvers if self._matches(rule, hit))

    def _matches(self, rule: Approvers, hit: GuardHit) -> bool:
        return (
            hit.guard in rule.guards
            and (not rule.environments or self.environment in rule.environments)
            and (not rule.fields or any(field_matches(hit.field, name) for name in rule.fields))
        )


@dataclass(frozen=True, slots=True)
class Members:
    """What the forge says about people at this moment.

    Attributes:
        groups: Whether someone is in a group.
        writers: Whether someone may write to the repository.
        dismisses: Whether a push takes approvals away on the base branch.
    """

    groups: Mapping[tuple[Login, Login], Answer3] = field(default_factory=dict)
    writers: Mapping[Login, Answer3] = field(default_factory=dict)
    dismisses: Answer3 = "unknown"

    def is_named(self, person: Login, names: Iterable[Login]) -> bool:
        """Tell whether a person is one of these, or surely in a group among them."""
        return any(
            self.groups.get((person, name)) == "yes" if "/" in name else person == name
            for name in names
        )

    def may_write(self, person: Login) -> bool:
        """Tell whether a person surely may write to the repository."""
        return self.writers.get(person) == "yes"


def asked_groups(rules: Rules, people: Iterable[Login]) -> tuple[tuple[Login, Login], ...]:
    """Name the memberships that a decision about these people's approvals rests on."""
    groups = {name for rule in rules.approvers for name in rules.names(rule) if "/" in name}
    return tuple((person, group) for person in sorted(set(people)) for group in sorted(groups))


def who(rules: Rules, hit: GuardHit) -> str:
    """Say who may approve an item, in words."""
    matching = rules.matching(hit)
    if not matching:
        return "anyone with write permission"
    return ", or ".join(_named(rules, rule) for rule in matching)


def _named(rules: Rules, rule: Approvers) -> str:
    names: Sequence[str] = rules.names(rule)
    if not names:
        return "nobody on this forge"
    listed = " or ".join(names)
    return listed if rule.count == 1 else f"{rule.count} of {listed}"
