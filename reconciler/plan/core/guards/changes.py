"""Guards about single changes: dialect, first contact, sensitive fields, drift, conflict."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from reconciler.definitions.kinds.project import ProjectSpec
from reconciler.kernel.address import Address, FieldPath
from reconciler.m3ter.live import LiveIntegration
from reconciler.plan.core.guards.approval import Needs, field_hit, hit
from reconciler.plan.model.applied import Binding
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
    LiveReference,
    Update,
)
from reconciler.plan.model.plan import GuardHit

GuardedFields = tuple[str, str]
"""Kind and name: one Integration or one MappingSet."""


def dialect(
    changes: Iterable[Change], unconfirmed: Mapping[Address, tuple[FieldPath, ...]]
) -> Iterator[GuardHit]:
    """Stop changes whose wire names the organisation has not confirmed; nobody can approve them."""
    for change in changes:
        if not isinstance(change, Create | Update) or change.content is not None:
            continue
        fields = unconfirmed[change.address]
        for field in fields or (FieldPath(""),):
            what = f"the wire name or value of `{field}`" if field else "any wire name of its kind"
            yield hit(
                "dialect",
                f"{change.address}: this organisation has not confirmed {what}; run "
                "`reconciler discover`, or write a Dialect with `evidence: {source: person}`",
                address=change.address,
                field=field,
                needs="remedy",
            )


def first_contact(
    changes: Iterable[Change], bindings: Mapping[Address, Binding]
) -> Iterator[GuardHit]:
    """Ask before anything that exists is changed in a scope that was never applied before.

    To connect what is as git wants it and is not connected is no more than to create it.
    """
    scopes = {_scope(address) for address in bindings}
    known = {binding.id for binding in bindings.values()}
    for change in changes:
        live = _touched(change)
        if live is None or _scope(change.address) in scopes or live.id in known:
            continue
        yield hit(
            "first-contact",
            f"{change.address}: the first apply of this scope may create and adopt only, and this "
            f"would {change.type} an object that exists already",
            address=change.address,
            field=change.type,
            live=FieldValue(live.hash),
        )


def second_of_kind(
    changes: Sequence[Change],
    bindings: Mapping[Address, Binding],
    others: Iterable[LiveIntegration],
) -> Iterator[GuardHit]:
    """Ask before a second configuration of a kind is made where nobody knows what was applied.

    A state that is missing says nothing: what stands in m3ter under another name may be the very
    object that git means, and both would send the same bills.
    """
    if bindings:
        return
    taken = {str(change.live.id) for change in changes if isinstance(change, Adopt)}
    integrations = [other for other in others if str(other.id) not in taken]
    for change in changes:
        content = change.content if isinstance(change, Create | Connect) else None
        if not isinstance(content, ConfigurationContent):
            continue
        kind = (content.destination.casefold(), content.entity_type.casefold())
        same = [
            other
            for other in integrations
            if (other.destination.casefold(), other.entity_type.casefold()) == kind
        ]
        if same:
            names = ", ".join(sorted(f"`{other.name}`" for other in same))
            yield hit(
                "first-contact",
                f"{change.address}: nothing is known to be applied here, and m3ter already has "
                f"{content.destination} {content.entity_type}: {names}. Is it the same object? "
                f"Then take it over: `reconciler adopt {change.address} --id ID`",
                address=change.address,
                field=f"second {change.type}",
                live=FieldValue(sorted(str(other.id) for other in same)),
            )


def moved_fields(
    changes: Sequence[Change],
    bindings: Mapping[Address, Binding],
    project: ProjectSpec,
    *,
    is_protected: bool,
) -> Iterator[GuardHit]:
    """Ask about sensitive fields, and about everything that m3ter changed by itself."""
    needs: Needs = "approval" if is_protected else "confirmation"
    going = {planned.live.id for planned in changes if isinstance(planned, Delete)}
    lost = {address: binding for address, binding in bindings.items() if binding.id not in going}
    for change in changes:
        if isinstance(change, Update | Connect | Disconnect):
            for field in change.fields:
                yield from _field(change.address, field, project, needs)
        elif isinstance(change, Create) and change.address in lost:
            yield from _again(lost[change.address], project, needs)


def field_matches(path: FieldPath, name: str) -> bool:
    """Tell whether a field is meant by a name; one without its panel is meant in every panel."""
    if path == name or path.startswith(f"{name}."):
        return True
    below = path.partition(".")[2]
    return below == name or below.startswith(f"{name}.")


def _again(binding: Binding, project: ProjectSpec, needs: Needs) -> Iterator[GuardHit]:
    if project.on_drift == "approve":
        yield hit(
            "drift",
            f"{binding.address} was deleted in m3ter, and would be created again",
            address=binding.address,
            base=FieldValue(binding.id),
            needs=needs,
        )


def _field(
    address: Address, field: FieldChange, project: ProjectSpec, needs: Needs
) -> Iterator[GuardHit]:
    if field.verdict in {"ours", "conflict"} and not _routine(
        field.path, project.guards.routine_fields
    ):
        message = f"{address}: `{field.path}` is not among the routine fields"
        yield field_hit("sensitive-field", message, address, field, needs)
    who = f" by {field.by} at {field.at}" if field.by else ""
    if field.verdict == "theirs" and project.on_drift == "approve":
        message = f"{address}: `{field.path}` was changed in m3ter{who}; git's value would return"
        yield field_hit("drift", message, address, field, needs)
    if field.verdict == "conflict":
        message = (
            f"{address}: `{field.path}` differs in git and in m3ter{who}; decide with "
            f"`reconciler accept-live {address}#{field.path}` or "
            f"`reconciler keep-git {address}#{field.path}`"
        )
        yield field_hit("conflict", message, address, field, needs)


def _routine(path: FieldPath, names: Sequence[str]) -> bool:
    return any(field_matches(path, name) for name in names)


def _touched(change: Change) -> LiveReference | None:
    if isinstance(change, Connect) and all(field.live is None for field in change.fields):
        return None
    if isinstance(change, Update | Enable | Connect | Disconnect | Delete):
        return change.live
    return None


def _scope(address: Address) -> GuardedFields:
    return (address.kind, address.name)
