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
from reconciler.importing.core.definition_form import KnownNames, definition_form, document_path
from reconciler.kernel.address import Address, FieldPath
from reconciler.kernel.value import ABSENT, JsonValue
from reconciler.m3ter.live import LiveIntegration, LiveMapping
from reconciler.plan.core.comparable import ENABLED, EXTERNAL_ID, WantedIntegration, WantedMapping
from reconciler.plan.core.diff import integration, mapping
from reconciler.plan.core.identity import Named
from reconciler.plan.model.applied import Binding
from reconciler.plan.model.change import Adopt, FieldChange, FieldValue


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


class AddressSyntaxError(InvalidError):
    """An address cannot be understood."""

    def __init__(self, text: str) -> None:
        super().__init__(
            f"{text!r} is no address; nothing was changed. Addresses are\n"
            "  integration/NAME          mapping/SET/KEY          mapping/SET for all of its rows\n"
            "and a field follows behind `#`: integration/chargebee-uk#chargebee.defaultPriceId"
        )


@dataclass(frozen=True, slots=True)
class FieldAddress:
    """What a decision is about; ``path`` ``None`` is the whole object."""

    address: Address
    path: FieldPath | None = None


def accepted(
    address: Address, fields: Iterable[FieldChange], *, whole: bool = False
) -> tuple[Accepted, ...]:
    """Settle what git shall have, once for each field.

    Args:
        address: The object.
        fields: Of the object; a set may have several verdicts.
        whole: Take sets as they are live, also what git moved in them.
    """
    ordered = sorted(fields, key=lambda field: field.path)
    return tuple(
        _accepted(address, tuple(group), whole=whole)
        for _, group in groupby(ordered, lambda field: field.path)
    )


def integration_edits(
    definitions: Definitions,
    environment: str,
    fields: Sequence[Accepted],
    names: KnownNames,
) -> tuple[Edit, ...]:
    """Give the edits for fields of one integration.

    Raises:
        UnnamedCredentialError: When the environment has no name for a credential.
    """
    if not fields:
        return ()
    found = layers(definitions, "Integration", fields[0].address.name, environment)
    spec = patched_spec(found)
    values = {
        path: definition_form(field.path, field.after, at(spec, path), names)
        for field in sorted(fields, key=lambda field: _rank(field.path))
        for path in [document_path(field.path)]
    }
    return edits_for(found, values)


def mapping_edits(
    definitions: Definitions, environment: str, fields: Sequence[Accepted]
) -> tuple[Edit, ...]:
    """Give the edits for rows of one mapping set.

    Raises:
        KeyMovedError: When a live mapping is about something else now.
    """
    if not fields:
        return ()
    wanted: Mapping[str, NewId] = {field.address.key: _external_id(field) for field in fields}
    found = layers(definitions, "MappingSet", fields[0].address.name, environment)
    return row_edits(definitions, found, wanted)


def _rank(path: FieldPath) -> int:
    """Keep the Console's order of panels in what is written anew."""
    panels = ("displayName", "connection", "enabled", "global", "entity", "chargebee")
    first = path.partition(".")[0]
    return panels.index(first) if first in panels else len(panels)


def _accepted(address: Address, fields: tuple[FieldChange, ...], *, whole: bool) -> Accepted:
    field = fields[0]
    who = next((change for change in fields if change.by), field)
    value = field.live if whole else accepted_value(fields)
    return Accepted(address, field.path, field.desired, value, who.by, who.at)


def _external_id(field: Accepted) -> NewId:
    if field.path != EXTERNAL_ID:
        raise KeyMovedError(field.address)
    return ABSENT if field.after is None else str(field.after.value)


def integration_adoption(
    wanted: WantedIntegration, live: LiveIntegration, binding: Binding | None
) -> Adopt:
    """Give the change that would bind an object, with every field of it.

    Raises:
        UnplannableError: When the object cannot be this address.
    """
    changes = integration.changed(wanted, Named(live, binding))
    return next(planned for planned in changes if isinstance(planned, Adopt))


def mapping_adoption(wanted: WantedMapping, live: LiveMapping, binding: Binding | None) -> Adopt:
    """Give the change that would bind a mapping, with every field of it."""
    changes = mapping.changed(wanted, Named(live, binding))
    return next(planned for planned in changes if isinstance(planned, Adopt))


def switched_off(wanted: WantedIntegration, live: LiveIntegration) -> tuple[FieldChange, ...]:
    """Give the field that moves when a configuration is disabled that is to be enabled.

    Git has no word about that of a push: we send as long as nobody disables it.
    """
    if live.enabled or not (wanted.enable or wanted.defined.spec.delivery == "push"):
        return ()
    off, on = FieldValue(value=False), FieldValue(value=True)
    audit = live.audit
    origin = wanted.origin(ENABLED)
    return (
        FieldChange(ENABLED, "theirs", None, off, on, origin, audit.modified_by, audit.modified_at),
    )


def below(path: FieldPath, fields: Iterable[FieldChange]) -> tuple[FieldChange, ...]:
    """Choose a field, or all fields below a path."""
    return tuple(
        field for field in fields if field.path == path or field.path.startswith(f"{path}.")
    )


def accepted_value(fields: Sequence[FieldChange]) -> FieldValue | None:
    """Give what git shall have when what m3ter did to a field is accepted.

    Of a set that both sides moved, only the elements that m3ter moved are taken.

    Args:
        fields: All verdicts of one path.
    """
    field = fields[0]
    sides = [_elements(side) for side in (field.base, field.live, field.desired)]
    base, live, desired = sides
    if len(fields) == 1 or base is None or live is None or desired is None:
        return field.live
    listed: list[JsonValue] = [*sorted((desired - (base - live)) | (live - base))]
    return FieldValue(listed)


def _elements(side: FieldValue | None) -> frozenset[str] | None:
    value = side.value if side else None
    if isinstance(value, Sequence) and not isinstance(value, str):
        return frozenset(str(element) for element in value)
    return None


def parse_field_address(text: str) -> FieldAddress:
    """Read an address, with or without a field.

    Raises:
        AddressSyntaxError: When it is none.
    """
    named, hash_sign, path = text.partition("#")
    kind, _, rest = named.partition("/")
    name, slash, key = rest.partition("/")
    if not name or (hash_sign and not path) or (slash and not key):
        raise AddressSyntaxError(text)
    field = FieldPath(path) if path else None
    if kind == "integration" and not key:
        return FieldAddress(Address("integration", name), field)
    if kind == "mapping":
        return FieldAddress(Address("mapping", name, key), field)
    raise AddressSyntaxError(text)
