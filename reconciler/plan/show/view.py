"""A plan as people read it: objects with their steps, changed fields and guard hits.

Text, Markdown and HTML are three readings of this one view, so that they never disagree.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from reconciler.kernel import exact_json
from reconciler.kernel.address import Address
from reconciler.kernel.problem import Origin
from reconciler.kernel.value import JsonValue
from reconciler.plan.model.change import (
    Adopt,
    Change,
    ConfigurationContent,
    Connect,
    Create,
    Delete,
    Disconnect,
    Enable,
    FieldChange,
    FieldValue,
    Ignore,
    Keep,
    MappingContent,
    Update,
)
from reconciler.plan.model.plan import GuardHit, Plan

# The first kind of change that an object has gives it its mark, in this order.
MARKS: Mapping[type[Change], tuple[str, str]] = {
    Create: ("+", "create"),
    Delete: ("-", "delete"),
    Update: ("~", "change"),
    Connect: ("~", "connect"),
    Disconnect: ("~", "disconnect"),
    Enable: ("~", "enable again"),
    Adopt: ("=", "take over"),
    Keep: (".", "keep"),
    Ignore: (".", "leave alone"),
}


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One changed field in words.

    Attributes:
        origin: The place in git, its whole path.
        remark: Who moved it and when, for a field that m3ter moved.
        place: The same, as a value.
    """

    path: str
    before: str
    after: str
    origin: str
    remark: str = ""
    place: Origin | None = None


@dataclass(frozen=True, slots=True)
class ObjectView:
    """One object of a plan.

    Attributes:
        mark: One character: ``+ - ~ ! = .``.
        steps: What is done to it, in order, in words.
        label: The name people know it by, with quotes, or the far side of a mapping.
    """

    address: Address
    mark: str
    steps: tuple[str, ...]
    label: str
    reason: str
    origin: str
    fields: tuple[FieldRow, ...]
    hits: tuple[GuardHit, ...]


@dataclass(frozen=True, slots=True)
class PlanView:
    """A whole plan.

    Attributes:
        counts: For example ``2 to change``, ``1 to create``.
        hits: Guard hits about the plan as a whole.
        writes: Whether apply would send anything.
    """

    objects: tuple[ObjectView, ...]
    counts: tuple[str, ...]
    hits: tuple[GuardHit, ...]
    writes: bool


def view(plan: Plan, *, full: bool = False, names: Mapping[str, str] | None = None) -> PlanView:
    """Read a plan for people.

    Args:
        plan: The plan.
        full: Show unchanged fields too.
        names: What ids are called; what the plan knows by default.
    """
    hits = plan.body.hits
    by_address: dict[Address | None, list[GuardHit]] = {}
    for hit in hits:
        by_address.setdefault(hit.address, []).append(hit)
    known = plan.head.names if names is None else names
    grouped: dict[Address, list[Change]] = {}
    for change in plan.body.changes:
        grouped.setdefault(change.address, []).append(change)
    objects = tuple(
        _object(address, changes, by_address.get(address, ()), known, full=full)
        for address, changes in grouped.items()
    )
    return PlanView(
        objects,
        tuple(_counts(objects)),
        tuple(hit for hit in hits if hit.address not in grouped),
        any(not isinstance(change, Adopt | Keep | Ignore) for change in plan.body.changes),
    )


def value_text(value: FieldValue | None, names: Mapping[str, str], absent: str = "not set") -> str:
    """Write one value: ids as the names people know, sets as lists, nothing as words."""
    return absent if value is None else _plain_text(value.value, names)


def approvals(plan: Plan) -> tuple[str, ...]:
    """Name the approvals a plan needs, as ``GUARD@PLANID``, each once, in order."""
    needed = (hit.guard for hit in plan.body.hits if hit.needs == "approval")
    return tuple(f"{guard}@{plan.id:.12}" for guard in dict.fromkeys(needed))


def _object(
    address: Address,
    changes: Sequence[Change],
    hits: Iterable[GuardHit],
    names: Mapping[str, str],
    *,
    full: bool,
) -> ObjectView:
    first = min(changes, key=lambda change: list(MARKS).index(type(change)))
    fields = {field.path: field for change in changes for field in _fields(change)}
    shown = [
        field for field in fields.values() if full or field.verdict not in {"same", "unmanaged"}
    ]
    theirs = any(field.verdict in {"theirs", "conflict"} for field in shown)
    mark = MARKS[type(first)][0]
    return ObjectView(
        address,
        "!" if theirs and mark == "~" else mark,
        tuple(MARKS[type(change)][1] for change in changes),
        _label(changes, fields.values(), names),
        first.reason,
        _place(first.origin),
        tuple(_row(field, names) for field in shown) if not _whole_mapping(changes) else (),
        tuple(hits),
    )


def _whole_mapping(changes: Sequence[Change]) -> bool:
    """A new mapping is its label: repeating its five fields says nothing."""
    return all(
        isinstance(planned, Create) and planned.address.kind == "mapping" for planned in changes
    )


def _fields(change: Change) -> tuple[FieldChange, ...]:
    return () if isinstance(change, Keep) else change.fields


def _row(field: FieldChange, names: Mapping[str, str]) -> FieldRow:
    remark = ""
    if field.verdict in {"theirs", "conflict"} and field.by:
        when = f", {field.at}" if field.at else ""
        remark = f"edited by {names.get(field.by, field.by)}{when}"
    elif field.verdict in {"theirs", "conflict"}:
        remark = "edited outside git"
    if field.verdict == "both":
        remark = "changed alike in git and in m3ter"
    return FieldRow(
        str(field.path),
        value_text(field.live, names),
        value_text(field.desired, names, "back to m3ter's default"),
        _place(field.origin),
        remark,
        field.origin,
    )


def _label(
    changes: Sequence[Change], fields: Iterable[FieldChange], names: Mapping[str, str]
) -> str:
    for change in changes:
        content = getattr(change, "content", None)
        if isinstance(content, ConfigurationContent):
            return f'"{content.name}"'
        if isinstance(content, MappingContent):
            return f"-> {content.table} {content.external_id}"
    for field in fields:
        if field.path in {"displayName", "externalId"}:
            return value_text(field.live or field.desired, names)
    return ""


def _counts(objects: Iterable[ObjectView]) -> Iterable[str]:
    marks = Counter(view.mark for view in objects)
    for mark, words in (
        ("~", "to change"),
        ("!", "edited in the Console since the last apply"),
        ("+", "to create"),
        ("-", "to delete"),
        ("=", "to take over"),
        (".", "left alone"),
    ):
        if marks[mark]:
            yield f"{marks[mark]:,} {words}"


def _place(origin: Origin | None) -> str:
    if origin is None:
        return ""
    return f"{origin.file}:{origin.line}" if origin.line else origin.file


def _plain_text(value: JsonValue, names: Mapping[str, str]) -> str:
    match value:
        case str():
            return names.get(value, value)
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | Decimal():
            return exact_json.number_text(value)
        case Mapping():
            return exact_json.encode(value)
        case _:
            # a set is sorted by its ids, and people read names
            named = any(isinstance(element, str) and element in names for element in value)
            shown = [_plain_text(element, names) for element in value]
            return ", ".join(sorted(shown) if named else shown) or "none"
