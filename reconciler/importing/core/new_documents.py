"""Live configurations and mappings -> documents of git, in our words, and what was left out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from reconciler.definitions.core.edits import AddDocuments, Edit, SetRows
from reconciler.definitions.core.settings import ACCOUNT_IDS, Setting, settings_of
from reconciler.definitions.core.spelling import default, equal
from reconciler.definitions.kinds.dialect import DialectSpec
from reconciler.definitions.kinds.envelope import API_VERSION
from reconciler.importing.core.definition_form import KnownNames, definition_form
from reconciler.importing.core.edits import Accepted
from reconciler.kernel.address import Address, FieldPath
from reconciler.kernel.value import ABSENT, Absent, JsonObject, JsonValue
from reconciler.m3ter.live import LiveIntegration
from reconciler.plan.core.comparable import CONNECTION, PASSTHROUGH, Fields, live_fields
from reconciler.plan.core.merge import as_stored


@dataclass(frozen=True, slots=True)
class NewObject:
    """A definition that was written.

    Attributes:
        label: The name in m3ter, or what the set maps.
        rows: Of a mapping set.
    """

    address: Address
    label: str
    file: str
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something live that cannot stand in git, and why."""

    what: str
    reason: str


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did.

    Attributes:
        looked: Live configurations that were looked at.
        fields: Values that were edited in place.
        rows: Mappings that were added to sets of git.
        credentials: Names that the environment gave to credentials.
    """

    looked: int
    new: tuple[NewObject, ...]
    fields: tuple[Accepted, ...]
    rows: tuple[Address, ...]
    credentials: tuple[str, ...]
    skipped: tuple[Skipped, ...]


@dataclass(frozen=True, slots=True)
class SetKey:
    """What the mappings of one set have in common; ``integration`` is a name in git."""

    integration: str | None
    system: str
    table: str
    entity: str


@dataclass(frozen=True, slots=True)
class NewSet:
    """A mapping set to be written.

    Attributes:
        rows: External ids by code or id of the m3ter object.
        by: How the rows name it.
    """

    name: str
    key: SetKey
    by: str
    rows: Mapping[str, str]


INLINE_MAX = 5
"""More rows than this go into a CSV file beside their set."""
_NAME_MAX = 63


def free_name(text: str, taken: Iterable[str]) -> str:
    """Make a name of git from words, one that nothing bears yet."""
    plain = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:_NAME_MAX].strip("-")
    plain = plain or "imported"
    known = set(taken)
    names = (plain, *(f"{plain[: _NAME_MAX - 4]}-{number}" for number in range(2, 1000)))
    return next(name for name in names if name not in known)


def integration_document(
    name: str,
    live: LiveIntegration,
    words: tuple[str, str],
    dialect: DialectSpec | None,
    names: KnownNames,
) -> JsonObject:
    """Give the Integration document of a live configuration.

    Args:
        name: In git.
        live: The configuration; it has a name.
        words: Destination and entity type as git writes them.
        dialect: Of the environment.
        names: What git calls ids.

    Raises:
        UnnamedCredentialError: When the environment has no name for its credential.
    """
    destination, entity_type = words
    settings = settings_of(destination)
    fields = live_fields(live, settings, dialect)
    spec: dict[str, JsonValue] = {
        "displayName": live.name,
        "entityType": entity_type,
        "destination": destination,
        "connection": _given(CONNECTION, fields, names),
        **_panels(settings, fields, names),
    }
    if destination == "Chargebee":
        spec.setdefault("chargebee", {})
    passed = {
        path.removeprefix(PASSTHROUGH): _plain(path, fields)
        for path in sorted(fields)
        if path.startswith(PASSTHROUGH)
    }
    if passed:
        spec["configData"] = passed
    return _document("Integration", name, spec)


def connected_in(
    document: JsonObject, environment: str
) -> tuple[JsonObject, tuple[JsonObject, ...]]:
    """Part a new Integration so that it is connected in one environment only.

    Returns:
        The document, disconnected, and the patch that connects it, if it was connected at all.
    """
    spec = document["spec"]
    assert isinstance(spec, Mapping)
    if not isinstance(spec["connection"], Mapping):
        return document, ()
    metadata = document["metadata"]
    assert isinstance(metadata, Mapping)
    patch: JsonObject = {
        **document,
        "metadata": {**metadata, "environment": environment},
        "spec": {"connection": spec["connection"]},
    }
    return {**document, "spec": {**spec, "connection": "disconnected"}}, (patch,)


def set_edits(mapping_set: NewSet, folder: str, environment: str, *, alone: bool) -> Iterator[Edit]:
    """Give the edits that write a set; its rows hold in one environment only.

    Args:
        mapping_set: The set.
        folder: Where it goes, relative to the repository.
        environment: Whose rows they are.
        alone: Whether there is no other environment, so that plain rows say enough.
    """
    file = _file_name(mapping_set)
    spec: dict[str, JsonValue] = {
        **({"integration": mapping_set.key.integration} if mapping_set.key.integration else {}),
        "externalSystem": mapping_set.key.system,
        "externalTable": mapping_set.key.table,
        "m3terEntity": mapping_set.key.entity,
    }
    if len(mapping_set.rows) > INLINE_MAX:
        column = f"{mapping_set.key.entity.lower()}_{mapping_set.by}"
        spec["rows"] = {
            "csv": f"{file}.csv",
            "m3ter": {mapping_set.by: column},
            "externalId": {environment: environment},
        }
        cells = {key: (key, row) for key, row in mapping_set.rows.items()}
        yield SetRows(f"{folder}/{file}.csv", (column, environment), cells)
    else:
        spec["rows"] = [
            {
                "m3ter": {mapping_set.by: key},
                "externalId": external_id if alone else {environment: external_id},
            }
            for key, external_id in sorted(mapping_set.rows.items())
        ]
    document = _document("MappingSet", mapping_set.name, spec)
    yield AddDocuments(f"{folder}/{file}.yaml", (document,))


def _file_name(mapping_set: NewSet) -> str:
    """Name the files of a set as the set, without the integration that its folder names."""
    prefix = f"{mapping_set.key.integration}-" if mapping_set.key.integration else ""
    return mapping_set.name.removeprefix(prefix) or mapping_set.name


def _document(kind: str, name: str, spec: JsonObject) -> JsonObject:
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": {"name": name}, "spec": spec}


def _panels(settings: Sequence[Setting], fields: Fields, names: KnownNames) -> dict[str, JsonValue]:
    """Write what is not m3ter's default anyway; account ids always."""
    panels: dict[str, dict[str, JsonValue]] = {"global": {ACCOUNT_IDS.name: "all"}}
    for setting in settings:
        value = _setting(setting, fields, names)
        if not isinstance(value, Absent):
            panels.setdefault(setting.panel, {})[setting.name] = value
    return dict(panels)


def _setting(setting: Setting, fields: Fields, names: KnownNames) -> JsonValue | Absent:
    if setting.shape == "map":
        prefix = f"{setting.path}."
        entries = {
            path.removeprefix(prefix): _plain(path, fields)
            for path in sorted(fields)
            if path.startswith(prefix)
        }
        return entries or ABSENT
    value = fields.get(setting.path, ABSENT)
    if isinstance(value, Absent) or equal(value, default(setting)):
        return ABSENT
    return _given(setting.path, fields, names)


def _given(path: FieldPath, fields: Fields, names: KnownNames) -> JsonValue:
    written = definition_form(path, as_stored(fields.get(path, ABSENT)), ABSENT, names)
    assert not isinstance(written, Absent)
    return written


def _plain(path: FieldPath, fields: Fields) -> JsonValue:
    value = as_stored(fields[path])
    return value.value if value else None
