"""Rows of mapping sets: keys that stand twice, ids that are missing in one environment."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from reconciler.definitions.core.paths import listed
from reconciler.definitions.core.rule import Rule
from reconciler.definitions.kinds.mapping_set import CsvRows, MappingSetSpec
from reconciler.definitions.model import DefinedSet, Effective, MappingRow
from reconciler.kernel.problem import Problem

MAPPED_TWICE = Rule(
    "R061",
    "an m3ter object is mapped once to a table",
    "error",
    "With two external ids nobody can say which one m3ter or `reconciler sync` uses.",
    "Keep one row; the order of rows decides nothing.",
)
EMPTY_HERE = Rule(
    "R065",
    "a mapping has an external id in every environment",
    "warning",
    "The object is not mapped in that environment, and its bills stop there.",
    "Add the id, or remove the row if the object is mapped nowhere.",
)

RULES = (MAPPED_TWICE, EMPTY_HERE)


def mapped_twice(view: Effective) -> Iterator[Problem]:
    """Find objects with two rows for one table and link, in one set or in several."""
    seen: dict[tuple[str, ...], tuple[MappingRow, str]] = {}
    for one in view.mapping_sets:
        spec = one.defined.spec
        table = (spec.external_system, spec.external_table, spec.m3ter_entity)
        for row in one.rows:
            key = (*table, spec.integration or "", row.key.by, row.key.value)
            first, name = seen.setdefault(key, (row, one.defined.name))
            if first is not row:
                yield _twice(spec, row, first, "" if name == one.defined.name else name)


def _twice(spec: MappingSetSpec, row: MappingRow, first: MappingRow, other_set: str) -> Problem:
    same_file = first.origin.file == row.origin.file
    where = f"line {first.origin.line}" if same_file else str(first.origin)
    within = f", set `{other_set}`" if other_set else ""
    entity = spec.m3ter_entity.lower()
    return MAPPED_TWICE.broken(
        row.origin, f"{entity} `{row.key}` is mapped twice (first in {where}{within})"
    )


def one_environment_only(view: Effective, environments: Collection[str]) -> Iterator[Problem]:
    """Find inline rows and column maps that leave an environment out."""
    for one in view.mapping_sets:
        rows = one.defined.spec.rows
        if isinstance(rows, CsvRows):
            if not isinstance(rows.external_id, str):
                yield from _left_out(one, ("rows",), "the rows", rows.external_id, environments)
            continue
        for number, row in enumerate(rows):
            if not isinstance(row.external_id, str):
                key = row.m3ter.model_dump(mode="json")
                name = f"`{next(iter(key.values()))}`"
                path = ("rows", number)
                yield from _left_out(one, path, name, row.external_id, environments)


def _left_out(
    one: DefinedSet,
    path: tuple[str | int, ...],
    name: str,
    ids: Mapping[str, str],
    environments: Collection[str],
) -> Iterator[Problem]:
    missing = sorted(set(environments) - set(ids))
    if missing:
        yield EMPTY_HERE.broken(
            one.defined.at(*path, "externalId"),
            f"{name} of set `{one.defined.name}` name no external id for {listed(missing)}"
            if path == ("rows",)
            else f"{name} has no external id for {listed(missing)}",
        )
