"""What a text that everybody may read calls the ids of a plan."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final, Literal

from reconciler.kernel.value import JsonValue
from reconciler.plan.model.plan import Plan

_ADDRESS: Final = re.compile(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+")


def public_names(plan: Plan, reports: Literal["codes", "names"]) -> Mapping[str, str]:
    """Give the names that may be shown: all of them, or the codes of accounts and entities alone.

    Args:
        plan: Its head knows names of people and e-mail addresses too.
        reports: The project's ``publicReports``.
    """
    if reports == "names":
        return plan.head.names
    coded = set(_coded(plan))
    return {key: name for key, name in plan.head.names.items() if key in coded}


def without_addresses(text: str) -> str:
    """Take e-mail addresses out of a text that everybody may read."""
    return _ADDRESS.sub("(an e-mail address)", text)


def _coded(plan: Plan) -> Iterable[str]:
    """Name the ids that have codes: of accounts and entities that git or a widened scope names."""
    references = plan.body.references
    yield from references.accounts.values()
    yield from references.credentials.values()
    for codes in references.entities.values():
        yield from codes.values()
    for hit in plan.body.hits:
        if hit.guard == "widening" and hit.desired:
            yield from _texts(hit.desired.value)


def _texts(value: JsonValue) -> Iterable[str]:
    if isinstance(value, list | tuple):
        yield from (item for item in value if isinstance(item, str))
