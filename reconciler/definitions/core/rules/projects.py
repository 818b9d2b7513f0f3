"""The Project: names of fields that its guards and approvers speak of."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.definitions.core.paths import dotted, meant
from reconciler.definitions.core.rule import Rule
from reconciler.definitions.core.settings import SETTINGS
from reconciler.definitions.model import DocumentPath, Effective
from reconciler.kernel.problem import Problem

UNKNOWN_FIELD = Rule(
    "R120",
    "guards and approvers speak of fields that exist",
    "warning",
    "A misspelt field is never routine, and nobody may approve it.",
    "Use the name of a setting, with or without its panel: `createInvoice`,"
    " `chargebee.createInvoice`.",
)

ODD_APPROVER = Rule(
    "R121",
    "approvers are people, or groups with a slash",
    "warning",
    "A name with a slash is a group and one without is a person: the wrong form is nobody.",
    "Write `organization/team` for a group, and the login alone for a person.",
)

RULES = (UNKNOWN_FIELD, ODD_APPROVER)

_GROUP_WORDS = frozenset({"team", "teams", "group", "owners", "admins", "finance", "reviewers"})

_PARTS = 2
_OTHERS = (
    "displayName",
    "connection",
    "enabled",
    "delivery",
    "protect",
    "configData",
    "externalId",
)
_KNOWN = frozenset(
    {*_OTHERS, *(one.name for one in SETTINGS), *(str(one.path) for one in SETTINGS)}
)


def projects(view: Effective) -> Iterator[Problem]:
    """Find fields that do not exist in guards and approvers, and approvers that are nobody."""
    yield from _approvers(view)
    one = view.project
    lists: list[tuple[DocumentPath, tuple[str, ...]]] = [
        (("guards", "routineFields"), one.spec.guards.routine_fields)
    ]
    lists += [
        (("approvers", number, "fields"), approvers.fields)
        for number, approvers in enumerate(one.spec.approvers)
    ]
    for path, fields in lists:
        for number, field in enumerate(fields):
            if not _exists(field):
                yield UNKNOWN_FIELD.broken(
                    one.at(*path, number),
                    f"there is no field `{field}`",
                    meant(field, _KNOWN, UNKNOWN_FIELD.fix),
                    dotted(("spec", *path, number)),
                )


def _approvers(view: Effective) -> Iterator[Problem]:
    for number, approvers in enumerate(view.project.spec.approvers):
        if not (approvers.github or approvers.gitea):
            yield ODD_APPROVER.broken(
                view.project.at("approvers", number),
                "this rule names nobody: what it is about can never be approved",
                ODD_APPROVER.fix,
                dotted(("spec", "approvers", number)),
            )
        for forge, names in (("github", approvers.github), ("gitea", approvers.gitea)):
            for place, name in enumerate(names):
                if why := _odd(name):
                    yield ODD_APPROVER.broken(
                        view.project.at("approvers", number, forge, place),
                        f"`{name}` {why}",
                        ODD_APPROVER.fix,
                        dotted(("spec", "approvers", number, forge, place)),
                    )


def _odd(name: str) -> str:
    parts = name.split("/")
    if len(parts) > 1:
        return "" if len(parts) == _PARTS and all(parts) else "is not `organization/team`"
    if name.startswith("@"):
        return "begins with `@`, which no login does"
    named = _GROUP_WORDS & set(name.lower().split("-"))
    return "looks like a group, and is read as a person" if named else ""


def _exists(field: str) -> bool:
    """Say whether a field or one of the fields above it exists: one key of a map counts, too."""
    parts = field.split(".")
    return any(".".join(parts[:length]) in _KNOWN for length in range(1, len(parts) + 1))
