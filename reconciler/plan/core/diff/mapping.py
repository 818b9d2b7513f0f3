"""One external mapping: git, state and m3ter -> its changes, in no order yet."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.kernel.address import FieldPath
from reconciler.kernel.value import JsonValue
from reconciler.m3ter.live import LiveMapping
from reconciler.plan.core.comparable import EXTERNAL_ID, KEY, WantedMapping, mapping_key
from reconciler.plan.core.diff.order import change_id, moved, reason, reference
from reconciler.plan.core.identity import Bound, Missing, Named
from reconciler.plan.core.merge import as_stored, in_form_of, merge
from reconciler.plan.model.applied import Binding
from reconciler.plan.model.change import (
    Adopt,
    Change,
    Create,
    FieldChange,
    FieldValue,
    Ignore,
    Update,
)


def created(wanted: WantedMapping, missing: Missing) -> Change:
    """Plan a mapping that m3ter does not have."""
    key = wanted.key
    fields = (
        FieldChange(
            EXTERNAL_ID, "ours", None, None, as_stored(wanted.content.external_id), wanted.origin
        ),
        *(
            (FieldChange(KEY, "ours", None, None, as_stored(list(key)), wanted.origin),)
            if key
            else ()
        ),
    )
    return Create(
        id=change_id("create", wanted.address),
        address=wanted.address,
        content=wanted.content,
        fields=fields,
        reason="it is gone from m3ter" if missing.lost else "m3ter does not have it",
        origin=wanted.origin,
    )


def ignored(wanted: WantedMapping, live: LiveMapping) -> Change:
    """Leave a mapping of the same key alone, because adoption is explicit."""
    return Ignore(
        id=change_id("ignore", wanted.address),
        address=wanted.address,
        live=reference(live),
        fields=(),
        reason=f"m3ter maps it already; `reconciler adopt {wanted.address}` takes it over",
        origin=wanted.origin,
    )


def changed(
    wanted: WantedMapping, pair: Bound[LiveMapping] | Named[LiveMapping]
) -> Iterator[Change]:
    """Plan a mapping that m3ter has; nothing for one that is as it should be."""
    binding = pair.binding if isinstance(pair, Bound) else pair.was
    if isinstance(pair, Bound) and _as_applied(wanted, pair):
        return
    fields = tuple(_merged(wanted, pair.live, binding))
    if isinstance(pair, Named):
        yield Adopt(
            id=change_id("adopt", wanted.address),
            address=wanted.address,
            live=reference(pair.live),
            fields=fields,
            reason=f"was {pair.was.address}" if pair.was else "m3ter maps it already",
            origin=wanted.origin,
        )
    if moved(fields):
        yield Update(
            id=change_id("update", wanted.address),
            address=wanted.address,
            live=reference(pair.live),
            content=wanted.content,
            fields=fields,
            reason=reason(fields),
            origin=wanted.origin,
        )


def _as_applied(wanted: WantedMapping, pair: Bound[LiveMapping]) -> bool:
    """Decide the usual case, equality, cheaply: a large organisation has thousands."""
    return pair.live.external_id == wanted.content.external_id and (
        mapping_key(pair.live) == wanted.key
    )


def _merged(
    wanted: WantedMapping, live: LiveMapping, binding: Binding | None
) -> Iterator[FieldChange]:
    bases = {field.path: field for field in binding.fields} if binding else {}
    sides: tuple[tuple[FieldPath, JsonValue, JsonValue], ...] = (
        (EXTERNAL_ID, live.external_id, wanted.content.external_id),
        (KEY, list(mapping_key(live)), list(wanted.key or ())),
    )
    for path, found, desired in sides:
        base = bases.get(path)
        for verdict in merge(base, found, desired, modelled=True):
            theirs = verdict in {"theirs", "conflict"}
            yield FieldChange(
                path=path,
                verdict=verdict,
                base=as_stored(in_form_of(base.read, found, desired)) if base else None,
                live=FieldValue(found),
                desired=FieldValue(desired),
                origin=wanted.origin,
                by=live.audit.modified_by if theirs else "",
                at=live.audit.modified_at if theirs else "",
            )
