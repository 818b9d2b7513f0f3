"""What sync obeys: the applied record of an environment, never the working tree.

The working tree only lends its ``file:line``, and only to values that are equal to the record's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from reconciler.definitions.core.as_data import rendered
from reconciler.definitions.kinds.dialect import DialectSpec
from reconciler.definitions.kinds.environment import EnvironmentSpec
from reconciler.definitions.kinds.integration import IntegrationSpec
from reconciler.definitions.kinds.mapping_set import MappingSetSpec
from reconciler.definitions.kinds.project import ProjectSpec
from reconciler.definitions.model import Defined, DefinedSet, Effective, M3terKey, MappingRow
from reconciler.errors import InvalidError
from reconciler.kernel.address import Address, MappingId
from reconciler.kernel.problem import Origin
from reconciler.kernel.value import JsonValue
from reconciler.plan.compare import EnvironmentComparison
from reconciler.plan.core.comparable import ENABLED, row_address
from reconciler.plan.model.applied import AppliedRecord
from reconciler.plan.model.change import Change, Ignore, Keep

DISABLED = (
    "{address} is disabled in m3ter, and disabled means stop: enable it there, or decide that the "
    "push goes on with `reconciler keep-git {address}#enabled`"
)


class NothingAppliedError(InvalidError):
    """Sync obeys the applied record, and there is none."""

    def __init__(self, environment: str) -> None:
        super().__init__(
            f"nothing was ever applied to `{environment}`, and sync obeys only what was applied.\n"
            f"Nothing was sent. Run `reconciler apply --env {environment}` first; "
            "`sync plan --from-files` shows what the files alone would do."
        )


def definitions_in_force(head: AppliedRecord | None, working: Effective) -> Effective:
    """Read the definitions in force back from the newest applied record.

    Args:
        head: The newest record.
        working: What the files say now; gives origins to what is still the same.

    Raises:
        NothingAppliedError: When there is no record with definitions.
    """
    name = working.environment.name
    if head is None or not head.definitions:
        raise NothingAppliedError(name)
    now = rendered(working)
    place = Origin(f"applied record {head.sequence}")

    def all_of(kind: str, spec: Any, known: Iterable[Defined[Any]]) -> tuple[Defined[Any], ...]:  # noqa: ANN401  the model of the kind
        here = {definition.name: definition for definition in known}
        return tuple(
            _defined(
                Defined(key, spec.model_validate(body, strict=False), place, {}),
                here.get(key),
                same=_body(now, kind, key) == body,
            )
            for key, body in sorted(_kind(head.definitions, kind).items())
        )

    sets = all_of(
        "MappingSet", MappingSetSpec, [mapping_set.defined for mapping_set in working.mapping_sets]
    )
    files = {mapping_set.defined.name: mapping_set for mapping_set in working.mapping_sets}
    return Effective(
        project=all_of("Project", ProjectSpec, [working.project])[0],
        environment=all_of("Environment", EnvironmentSpec, [working.environment])[0],
        integrations=all_of("Integration", IntegrationSpec, working.integrations),
        mapping_sets=tuple(
            _set(
                definition,
                _body(head.definitions, "MappingSet", definition.name),
                files.get(definition.name),
                place,
            )
            for definition in sets
        ),
        dialects=all_of("Dialect", DialectSpec, working.dialects),
    )


def drift_of(compared: EnvironmentComparison, integration: str) -> tuple[str, ...]:
    """Say what of an integration and its mappings is not in m3ter as it was applied.

    Args:
        compared: The applied record's definitions beside what is live.
        integration: Name of the definition.
    """
    owners = {
        mapping_set.defined.name: mapping_set.defined.spec.integration
        for mapping_set in compared.effective.mapping_sets
    }

    def concerns(address: Address) -> bool:
        if address.kind == "integration":
            return address.name == integration
        return owners.get(address.name) in {integration, None}

    moved = [
        DISABLED.format(address=change.address)
        if _disabled(change)
        else f"{change.address} is not as it was applied: {_what(change)}"
        for change in compared.changes
        if (_disabled(change) or not isinstance(change, Ignore | Keep)) and concerns(change.address)
    ]
    broken = [f"{error.address}: {error}" for error in compared.errors if concerns(error.address)]
    return (*moved, *broken)


def row_origins(effective: Effective, head: AppliedRecord | None) -> Mapping[MappingId, Origin]:
    """Give the place in the files of every live mapping that the record binds."""
    bound = {binding.address: binding.id for binding in head.bindings} if head else {}
    return {
        MappingId(bound[address]): row.origin
        for mapping_set in effective.mapping_sets
        for row in mapping_set.rows
        if (address := row_address(mapping_set, row)) in bound
    }


def _disabled(change: Change) -> bool:
    """Whether m3ter has it disabled: whoever did that means stop, also for what we send."""
    return not isinstance(change, Keep) and any(
        field.path == ENABLED and field.live is not None and field.live.value is False
        for field in change.fields
    )


def _what(change: Any) -> str:  # noqa: ANN401  any change that writes
    fields = [field.path for field in getattr(change, "fields", ()) if field.verdict != "same"]
    kind = type(change).__name__.lower()
    return ", ".join(fields) if fields else f"it would need {kind}"


def _defined(applied: Defined[Any], here: Defined[Any] | None, *, same: bool) -> Defined[Any]:
    if here is None or not same:
        return applied
    return replace(applied, origin=here.origin, origins=here.origins)


def _set(
    defined: Defined[MappingSetSpec], body: JsonValue, here: DefinedSet | None, place: Origin
) -> DefinedSet:
    known = {(row.key, row.external_id): row.origin for row in here.rows} if here else {}
    rows = body.get("rows") if isinstance(body, Mapping) else None
    return DefinedSet(defined, tuple(_row(row, known, place) for row in _list(rows)))


def _row(
    body: JsonValue, known: Mapping[tuple[M3terKey, str], Origin], place: Origin
) -> MappingRow:
    assert isinstance(body, Mapping)
    named = body["m3ter"]
    assert isinstance(named, Mapping)
    by = "code" if "code" in named else "id"
    key = M3terKey("code" if by == "code" else "id", str(named[by]))
    external = str(body["externalId"])
    return MappingRow(key, external, known.get((key, external), place))


def _list(value: JsonValue) -> list[JsonValue]:
    return list(value) if isinstance(value, list | tuple) else []


def _kind(definitions: Mapping[str, JsonValue], kind: str) -> Mapping[str, JsonValue]:
    found = definitions.get(kind)
    return found if isinstance(found, Mapping) else {}


def _body(definitions: Mapping[str, JsonValue], kind: str, name: str) -> JsonValue:
    return _kind(definitions, kind).get(name)
