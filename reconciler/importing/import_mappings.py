"""Live external mappings into the rows of sets: those there are, and new ones."""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from reconciler.definitions.core.edits import Edit, files_of
from reconciler.definitions.core.placement import environment_names, layers
from reconciler.definitions.core.row_edits import NewId, row_edits
from reconciler.definitions.kinds.mapping_set import CsvRows, KeyColumn
from reconciler.definitions.model import DefinedSet, Definitions
from reconciler.importing.accept_live import differing_fields
from reconciler.importing.core.edits import Accepted, accepted
from reconciler.importing.core.new_documents import (
    NewObject,
    NewSet,
    SetKey,
    Skipped,
    free_name,
    set_edits,
)
from reconciler.kernel.address import Address
from reconciler.m3ter.live import LiveMapping
from reconciler.m3ter.ports import Organisation
from reconciler.plan.compare import EnvironmentComparison
from reconciler.plan.core.comparable import EXTERNAL_ID, mapping_key
from reconciler.plan.core.identity import Missing

By = Literal["code", "id"]


@dataclass(frozen=True, slots=True)
class MappingOwners:
    """Whose mappings come along.

    Attributes:
        names: Names in git by id of the configuration.
        folders: Where new sets of a new integration go, by its name.
        everything: Whether mappings that are linked to nothing come along.
    """

    names: Mapping[str, str]
    folders: Mapping[str, str]
    everything: bool


@dataclass(frozen=True, slots=True)
class ImportedRows:
    """What became of the mappings."""

    edits: tuple[Edit, ...] = ()
    new: tuple[NewObject, ...] = ()
    fields: tuple[Accepted, ...] = ()
    added: tuple[Address, ...] = ()
    skipped: tuple[Skipped, ...] = ()


@dataclass(slots=True)
class _Rows:
    """Rows to write: into sets of git by their name, and into new sets."""

    known: defaultdict[str, dict[str, NewId]] = field(default_factory=lambda: defaultdict(dict))
    by: dict[str, By] = field(default_factory=dict)
    fresh: defaultdict[tuple[SetKey, By], dict[str, str]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    fields: list[Accepted] = field(default_factory=list)
    added: list[Address] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)


def import_mappings(
    compared: EnvironmentComparison,
    definitions: Definitions,
    organisation: Organisation,
    owners: MappingOwners,
    folder: str,
) -> ImportedRows:
    """Bring mappings into git.

    Args:
        compared: Of the environment.
        definitions: What stands in git.
        organisation: Knows the mappings and the codes.
        owners: Whose.
        folder: For new files, relative to the repository.
    """
    live = [mapping for mapping in organisation.mappings.list() if _comes_along(mapping, owners)]
    rows = _Rows()
    found = compared.paired.pairs.live_mappings.found
    matches = ((value, name) for name, value in found.items() if not isinstance(value, Missing))
    addresses = {str(match.live.id): name for match, name in matches}
    for mapping in live:
        if (address := addresses.get(mapping.id)) is not None:
            _change(compared, address, rows)
    new = [mapping for mapping in live if mapping.id not in addresses]
    _add(compared, _unique(new, rows), _codes(organisation, new), owners, rows)
    return _written(compared, definitions, owners, folder, rows)


def _comes_along(mapping: LiveMapping, owners: MappingOwners) -> bool:
    return mapping.integration_id in owners.names if mapping.integration_id else owners.everything


def _change(compared: EnvironmentComparison, address: Address, rows: _Rows) -> None:
    for acceptance in accepted(address, differing_fields(compared, address)):
        if acceptance.path == EXTERNAL_ID and acceptance.after is not None:
            rows.known[address.name][address.key] = str(acceptance.after.value)
            rows.fields.append(acceptance)


def _unique(live: Sequence[LiveMapping], rows: _Rows) -> Iterator[LiveMapping]:
    by_key: defaultdict[tuple[str, ...], list[LiveMapping]] = defaultdict(list)
    for mapping in live:
        by_key[mapping_key(mapping)].append(mapping)
    for same in by_key.values():
        if len(same) == 1:
            yield same[0]
            continue
        mapping = same[0]
        ids = ", ".join(twin.external_id for twin in same)
        what = f"{mapping.entity} {mapping.m3ter_id} -> {mapping.system} {mapping.table}"
        rows.skipped.append(Skipped(what, f"m3ter maps it several times: {ids}; keep one"))


def _codes(
    organisation: Organisation, live: Iterable[LiveMapping]
) -> Mapping[tuple[str, str], str]:
    ids: defaultdict[str, set[str]] = defaultdict(set)
    for mapping in live:
        ids[mapping.entity].add(mapping.m3ter_id)
    return {
        (entity, identity): code
        for entity, some in ids.items()
        for identity, code in organisation.codes.entity_codes(entity, some).items()
    }


def _add(
    compared: EnvironmentComparison,
    live: Iterable[LiveMapping],
    codes: Mapping[tuple[str, str], str],
    owners: MappingOwners,
    rows: _Rows,
) -> None:
    sets: defaultdict[SetKey, list[DefinedSet]] = defaultdict(list)
    for mapping_set in compared.effective.mapping_sets:
        spec = mapping_set.defined.spec
        key = SetKey(spec.integration, spec.external_system, spec.external_table, spec.m3ter_entity)
        sets[key].append(mapping_set)
    for mapping in live:
        owner = owners.names.get(mapping.integration_id) if mapping.integration_id else None
        key = SetKey(owner, mapping.system, mapping.table, mapping.entity)
        code = codes.get((mapping.entity, mapping.m3ter_id))
        by: By = "code" if code else "id"
        name = code or mapping.m3ter_id
        defined = next(
            (mapping_set for mapping_set in sets[key] if _takes(mapping_set, by, rows)), None
        )
        if defined is None:
            rows.fresh[key, by][name] = mapping.external_id
            continue
        rows.known[defined.defined.name][name] = mapping.external_id
        rows.by.setdefault(defined.defined.name, by)
        rows.added.append(Address("mapping", defined.defined.name, name))


def _takes(mapping_set: DefinedSet, by: By, rows: _Rows) -> bool:
    """Tell whether a set names its objects so; new inline rows of one import are all alike."""
    listed = mapping_set.defined.spec.rows
    if isinstance(listed, CsvRows):
        return isinstance(listed.m3ter, KeyColumn) == (by == "code")
    return rows.by.get(mapping_set.defined.name, by) == by


def _written(
    compared: EnvironmentComparison,
    definitions: Definitions,
    owners: MappingOwners,
    folder: str,
    rows: _Rows,
) -> ImportedRows:
    environment = compared.effective.environment.name
    edits: list[Edit] = []
    for name, wanted in rows.known.items():
        found = layers(definitions, "MappingSet", name, environment)
        edits += row_edits(definitions, found, wanted, rows.by.get(name, "code"))
    taken = {
        definition.name for definition in definitions.documents if definition.kind == "MappingSet"
    }
    new: list[NewObject] = []
    for (key, by), listed in rows.fresh.items():
        mapping_set = NewSet(_name(key, by, rows, taken), key, by, listed)
        taken.add(mapping_set.name)
        place = _folder(key, definitions, owners, folder)
        alone = environment_names(definitions) == (environment,)
        written = tuple(set_edits(mapping_set, place, environment, alone=alone))
        edits += written
        label = f"{key.entity} -> {key.system} {key.table}"
        file = files_of(written)[-1]
        new.append(NewObject(Address("mapping", mapping_set.name), label, file, len(listed)))
    return ImportedRows(
        tuple(edits), tuple(new), tuple(rows.fields), tuple(rows.added), tuple(rows.skipped)
    )


def _name(key: SetKey, by: By, rows: _Rows, taken: set[str]) -> str:
    """Name a set after its entity; with the table where there are several."""
    owner = key.integration or key.system
    alike = (other for other, _ in rows.fresh if (other.integration or other.system) == owner)
    tables = {other.table for other in alike if other.entity == key.entity}
    words = [owner, f"{key.entity}s", *([key.table] if len(tables) > 1 else [])]
    return free_name("-".join([*words, *(["ids"] if by == "id" else [])]), taken)


def _folder(key: SetKey, definitions: Definitions, owners: MappingOwners, folder: str) -> str:
    if key.integration is None:
        return f"{folder}/{free_name(key.system, ())}-mappings"
    if key.integration in owners.folders:
        return owners.folders[key.integration]
    found = layers(definitions, "Integration", key.integration, "")
    return posixpath.dirname(found.base.file)
