"""What people call the ids that a plan shows: of objects, also m3ter's own, and of users."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from reconciler.definitions.core.settings import ACCOUNT_IDS, NOTIFIED, RESTRICTED
from reconciler.kernel.address import FieldPath
from reconciler.kernel.value import JsonValue
from reconciler.m3ter.ports import Organisation, People
from reconciler.plan.core.comparable import CONNECTION
from reconciler.plan.model.change import Change, FieldChange, Ignore, Keep
from reconciler.plan.model.plan import Plan


def labels(
    changes: Iterable[Change],
    known: Mapping[str, str],
    codes: Mapping[str, str],
    organisation: Organisation,
) -> dict[str, str]:
    """Look up the names of ids that stand in a change and that git does not name.

    Args:
        changes: Of the plan.
        known: What git's own names stand for, by id.
        codes: Account codes by id, as far as accounts were read anyway.
        organisation: Asked only where a change shows an id that is not known.
    """
    fields = [
        field
        for change in changes
        if not isinstance(change, Keep | Ignore)
        for field in change.fields
        if field.verdict != "same"
    ]
    found = dict(known)
    accounts = _ids(fields, {ACCOUNT_IDS.path, RESTRICTED.path})
    found |= {owner: codes[owner] for owner in accounts if owner in codes}
    if unknown := accounts - set(found):
        found |= organisation.codes.entity_codes("Account", sorted(unknown))
    if _ids(fields, {NOTIFIED.path}) - set(found):
        found |= {user.id: user.email for user in organisation.people.users() if user.email}
    if _ids(fields, {CONNECTION}) - set(found):
        found |= {
            credential.id: credential.name
            for credential in organisation.people.credentials() or ()
            if credential.name
        }
    return found


def _ids(fields: Iterable[FieldChange], paths: Collection[FieldPath]) -> set[str]:
    sides = (
        side.value
        for field in fields
        if field.path in paths
        for side in (field.base, field.live, field.desired)
        if side is not None
    )
    return {text for side in sides for text in _texts(side)} - {ACCOUNT_IDS.default}


def _texts(value: JsonValue) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    return (
        tuple(element for element in value if isinstance(element, str))
        if isinstance(value, list)
        else ()
    )


def with_people(plan: Plan, people: People) -> Plan:
    """Add the names of everyone who changed something; the plan's identity stays."""
    who = {
        field.by
        for change in plan.body.changes
        if not isinstance(change, Keep)
        for field in change.fields
        if field.by
    }
    if not who:
        return plan
    found = {str(user.id): user.name or user.email for user in people.users() if user.id in who}
    names: dict[str, str] = {**plan.head.names, **found}
    return replace(plan, head=replace(plan.head, names=names))
