"""What all m3ter entities share: ids, versions, audit fields, required fields, events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.emulator.clock import iso
from reconciler.emulator.m3ter.http.call import ReceivedCall, RefusedCall, public
from reconciler.emulator.store import Store

JsonObject = dict[str, Any]
SERVICE_USER = "5e7f1ce0-0000-4000-8000-000000000001"
AUDIT = ("id", "version", "dtCreated", "dtLastModified", "createdBy", "lastModifiedBy")

# Fields that lists and searches compare, in every resource that has them.
_TEXTS = frozenset(
    {"name", "code", "startDate", "endDate", "billLockDate", "parentAccountId", "planTemplateId"}
)


@dataclass(frozen=True, slots=True)
class EntityKind:
    """A kind of entity and the rules of its requests.

    Attributes:
        name: Last part of its path and of its kind in the store.
        required: Fields a request must have; texts must not be empty.
        optional: Further fields it may have; all others are dropped.
        defaults: What an absent field becomes.
        unique: A field that no two entities share.
        page_max: Largest pageSize of its list.
        filters: Query parameter of its list -> field; values may be many.
        event: First two parts of its event names; ``None`` raises no events.
    """

    name: str
    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    unique: str | None = None
    page_max: int = 100
    filters: Mapping[str, str] = field(default_factory=lambda: {"ids": "id"})
    event: str | None = None

    @property
    def kind(self) -> str:
        """The kind in the store."""
        return f"m3ter/{self.name}"


def create(
    store: Store,
    resource: EntityKind,
    body: Mapping[str, Any],
    *,
    user: str = SERVICE_USER,
    quiet: bool = False,
    extra: Mapping[str, Any] | None = None,
) -> JsonObject:
    """Check and store a new entity; also how scenarios make theirs.

    Args:
        store: Where to put it.
        resource: Its kind.
        body: What the request says.
        user: Who makes it.
        quiet: Raise no event.
        extra: Fields that the server sets itself.

    Raises:
        Refusal: With 400 on a missing or empty field, a code in use, or a version (by switch).
    """
    if "version" in body and store.switches.text("create_version") == "reject":
        raise RefusedCall(400, "version is not valid for create")
    fields = checked_fields(resource, body)
    _refuse_duplicate(store, resource, fields, None)
    now = iso(store.now())
    entity: JsonObject = {"id": store.new_id(), "version": 1, **fields, **(extra or {})}
    entity |= {"dtCreated": now, "dtLastModified": now, "createdBy": user, "lastModifiedBy": user}
    store.put(resource.kind, entity)
    if resource.event and not quiet:
        raise_event(store, f"{resource.event}.created", new=entity)
    return entity


def update(
    call: ReceivedCall,
    resource: EntityKind,
    key: str,
    body: Mapping[str, Any],
    *,
    extra: Mapping[str, Any] | None = None,
) -> JsonObject:
    """Replace an entity: what the request leaves out is lost, but for what the server sets itself.

    Raises:
        Refusal: With 404, 400, or by switch for a version that is not the stored one.
    """
    old = find(call.store, resource.kind, key)
    refuse_stale(call.store, old, body.get("version"))
    fields = checked_fields(resource, body)
    _refuse_duplicate(call.store, resource, fields, key)
    kept = {name: value for name, value in old.items() if name in AUDIT or name[0] == "_"}
    entity = raised(call.store, {**kept, **fields, **(extra or {})}, call.user)
    call.store.put(resource.kind, entity)
    if resource.event:
        raise_event(call.store, f"{resource.event}.updated", new=entity, old=old)
    return entity


def delete(call: ReceivedCall, resource: EntityKind, key: str) -> JsonObject:
    """Remove an entity and return it.

    Raises:
        Refusal: With 404.
    """
    old = find(call.store, resource.kind, key)
    call.store.delete(resource.kind, key)
    if resource.event:
        raise_event(call.store, f"{resource.event}.deleted", old=old)
    return old


def find(store: Store, kind: str, key: str) -> JsonObject:
    """One entity.

    Raises:
        Refusal: With 404.
    """
    entity = store.get(kind, key)
    if entity is None:
        raise RefusedCall(404, f"{kind.partition('/')[2]} with id {key} not found")
    return entity


def refuse_stale(store: Store, entity: Mapping[str, Any], version: object) -> None:
    """Compare the version of a request with the stored one.

    Raises:
        Refusal: With 400 if it is missing, else with the status of switch ``stale_version``.
    """
    if type(version) is not int:
        raise RefusedCall(400, "version is required for update")
    if version != entity["version"]:
        raise RefusedCall(
            store.switches.number("stale_version"),
            f"version {version} does not match the existing version {entity['version']}",
        )


def raised(store: Store, entity: Mapping[str, Any], user: str) -> JsonObject:
    """The entity one version on, changed by a user, now."""
    return {
        **entity,
        "version": entity["version"] + 1,
        "dtLastModified": iso(store.now()),
        "lastModifiedBy": user,
    }


def checked_fields(resource: EntityKind, body: Mapping[str, Any]) -> JsonObject:
    """The fields of a request that the entity has, without nulls, with defaults.

    Raises:
        Refusal: With 400 naming the first field that is missing, empty or no text.
    """
    for name in resource.required:
        if body.get(name) in (None, ""):
            raise RefusedCall(400, f"{name} must not be null or empty")
    for name in _TEXTS & body.keys():
        if not isinstance(body[name], str | None):
            raise RefusedCall(400, f"{name} must be a string")
    names = (*resource.required, *resource.optional)
    given = {name: body[name] for name in names if body.get(name) is not None}
    return {**resource.defaults, **given}


def raise_event(
    store: Store, name: str, *, new: JsonObject | None = None, old: JsonObject | None = None
) -> JsonObject:
    """Store an event about an entity.

    The envelope ``m3terEvent.eventData.newDto`` is from the published example; ``oldDto`` is a
    guess by analogy.
    """
    # Source: m3ter OpenAPI 2026-08-03, EventResponse (example)
    data = {"newDto": public(new)} if new else {}
    if old:
        data["oldDto"] = public(old)
    event: JsonObject = {
        "id": store.new_id(),
        "eventName": name,
        "eventTime": iso(store.now()),
        "m3terEvent": {"eventData": data},
        "_subject": (new or old or {}).get("id"),
        "_account": (new or old or {}).get("accountId"),
    }
    store.put("m3ter/events", event)
    return event


def _refuse_duplicate(
    store: Store, resource: EntityKind, fields: Mapping[str, Any], key: str | None
) -> None:
    if resource.unique is None or resource.unique not in fields:
        return
    same = store.where(resource.kind, resource.unique, fields[resource.unique])
    if any(record["id"] != key for record in same):
        raise RefusedCall(400, f"{resource.unique} {fields[resource.unique]} is already in use")
