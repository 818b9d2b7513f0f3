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

RULES = (UNKNOWN_FIELD,)

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
    """Find fields that do not exist in guards and approvers."""
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


def _exists(field: str) -> bool:
    """Say whether a field or one of the fields above it exists: one key of a map counts, too."""
    parts = field.split(".")
    return any(".".join(parts[:length]) in _KNOWN for length in range(1, len(parts) + 1))
