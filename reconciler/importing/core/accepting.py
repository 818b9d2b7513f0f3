"""What m3ter has -> edits of definitions, so that git says the same in one environment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from reconciler.definitions.core.edits import Edit
from reconciler.definitions.core.placement import at, edits_for, layers, patched_spec
from reconciler.definitions.core.row_edits import NewId, row_edits
from reconciler.definitions.model import Definitions
from reconciler.errors import InvalidError
from reconciler.importing.core.as_written import KnownNames, as_written, document_path
from reconciler.importing.core.seen_fields import accepted_value
from reconciler.kernel.address import Address, FieldPath
from reconciler.kernel.value import ABSENT
from reconciler.plan.core.comparable import EXTERNAL_ID
from reconciler.plan.model.change import FieldChange, FieldValue


class KeyMovedError(InvalidError):
    """A live mapping is about another object or table than the row that git has for it."""

    def __init__(self, address: Address) -> None:
        super().__init__(
            f"the mapping that {address} is bound to is about another object or table in m3ter "
            "now.\nNothing was changed. Correct the row by hand, or apply to restore it."
        )


@dataclass(frozen=True, slots=True)
class Accepted:
    """One field that git takes over from m3ter; ``after`` ``None`` is removed from git."""

    address: Address
    path: FieldPath
    before: FieldValue | None
    after: FieldValue | None
    by: str = ""
    at: str = ""


def accepted(
    address: Address, fields: Iterable[FieldChange], *, whole: bool = False
) -> tuple[Accepted, ...]:
    """Settle what git shall have, once for each field.

    Args:
        address: The object.
        fields: Of the object; a set may have several verdicts.
        whole: Take sets as they are live, also what git moved in them.
    """
    ordered = sorted(fields, key=lambda one: one.path)
    return tuple(
        _accepted(address, tuple(group), whole=whole)
        for _, group in groupby(ordered, lambda one: one.path)
    )


def integration_edits(
    definitions: Definitions,
    environment: str,
    taken: Sequence[Accepted],
    names: KnownNames,
) -> tuple[Edit, ...]:
    """Give the edits for fields of one integration.

    Raises:
        UnnamedCredentialError: When the environment has no name for a credential.
    """
    if not taken:
        return ()
    found = layers(definitions, "Integration", taken[0].address.name, environment)
    spec = patched_spec(found)
    values = {
        path: as_written(one.path, one.after, at(spec, path), names)
        for one in sorted(taken, key=lambda one: _rank(one.path))
        for path in [document_path(one.path)]
    }
    return edits_for(found, values)


def mapping_edits(
    definitions: Definitions, environment: str, taken: Sequence[Accepted]
) -> tuple[Edit, ...]:
    """Give the edits for rows of one mapping set.

    Raises:
        KeyMovedError: When a live mapping is about something else now.
    """
    if not taken:
        return ()
    wanted: Mapping[str, NewId] = {one.address.key: _external_id(one) for one in taken}
    found = layers(definitions, "MappingSet", taken[0].address.name, environment)
    return row_edits(definitions, found, wanted)


def _rank(path: FieldPath) -> int:
    """Keep the Console's order of panels in what is written anew."""
    panels = ("displayName", "connection", "enabled", "global", "entity", "chargebee")
    first = path.partition(".")[0]
    return panels.index(first) if first in panels else len(panels)


def _accepted(address: Address, fields: tuple[FieldChange, ...], *, whole: bool) -> Accepted:
    one = fields[0]
    who = next((each for each in fields if each.by), one)
    value = one.live if whole else accepted_value(fields)
    return Accepted(address, one.path, one.desired, value, who.by, who.at)


def _external_id(one: Accepted) -> NewId:
    if one.path != EXTERNAL_ID:
        raise KeyMovedError(one.address)
    return ABSENT if one.after is None else str(one.after.value)
