"""Comments: remarks on objects, from calls that take one and by themselves."""

from __future__ import annotations

from reconciler.emulator.chargebee.parameters.facts_credits import CREATE_COMMENT
from reconciler.emulator.chargebee.parameters.forms import Tree
from reconciler.emulator.chargebee.site import EmulatedSite, JsonObject, public


def create(site: EmulatedSite, form: Tree, _: str) -> JsonObject:
    """Remark on an object that exists."""
    values = site.reading().read(CREATE_COMMENT, form)
    site.need(values["entity_type"], values["entity_id"], "entity_id")
    stored = _store(site, values["entity_type"], values["entity_id"], values["notes"])
    if "added_by" in values:
        stored = site.put("comment", stored | {"added_by": values["added_by"]})
    return {"comment": public(stored)}


def delete(site: EmulatedSite, _: Tree, key: str) -> JsonObject:
    """Take a remark away."""
    comment = site.need("comment", key)
    site.remove("comment", key)
    return {"comment": public(comment)}


def remark(site: EmulatedSite, kind: str, key: str, notes: str | None) -> None:
    """Store the comment that came with a call, if one did."""
    if notes:
        _store(site, kind, key, notes)


def _store(site: EmulatedSite, kind: str, key: str, notes: str) -> JsonObject:
    comment = {
        "id": site.new_id("cmt_"),
        "entity_type": kind,
        "entity_id": key,
        "notes": notes,
        "added_by": site.source,
        "type": "user" if site.source == "api" else "system",
        "created_at": site.now(),
    }
    return site.put("comment", comment)
