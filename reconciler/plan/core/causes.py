"""Two plans over one state of m3ter -> why each change and item of the first is there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reconciler.plan.model.cause import Cause, Causes
from reconciler.plan.model.change import Change, ChangeId, FieldChange, Keep
from reconciler.plan.model.plan import GuardHit, ItemDigest


def causes(
    changes: Iterable[Change],
    hits: Iterable[GuardHit],
    base_changes: Iterable[Change],
    base_hits: Iterable[GuardHit],
) -> Causes:
    """Say of each change and item whether the base branch has it too.

    Args:
        changes: Of the proposal merged into its base.
        hits: The same.
        base_changes: Of the base branch alone, against the same state of m3ter.
        base_hits: The same.
    """
    base = {change.id: change for change in base_changes}
    gone = {hit.address for hit in base_hits if hit.guard == "drift" and not hit.field}
    known = {hit.digest for hit in base_hits}
    by_change: dict[ChangeId, Cause] = {}
    for change in changes:
        cause = _cause(change, base.get(change.id))
        if cause == "waiting" and change.address in gone:
            cause = "drift"
        by_change[change.id] = cause
    items: Mapping[ItemDigest, Cause] = {
        hit.digest: _item_cause(hit) if hit.digest in known else "proposal" for hit in hits
    }
    return Causes(by_change, items)


def _item_cause(hit: GuardHit) -> Cause:
    return "drift" if hit.guard == "drift" else "waiting"


def _cause(change: Change, twin: Change | None) -> Cause:
    """Compare fields, not contents: a content holds what other changes of an object set, too."""
    if twin is None or _news(change, twin):
        return "proposal"
    verdicts = {field.verdict for field in _fields(change)}
    return "drift" if verdicts == {"theirs"} else "waiting"


def _news(change: Change, twin: Change) -> bool:
    """Tell whether a change moves a field that its twin does not move alike."""
    return not {_moved(field) for field in _fields(change)} <= {
        _moved(field) for field in _fields(twin)
    }


def _fields(change: Change) -> tuple[FieldChange, ...]:
    if isinstance(change, Keep):
        return ()
    return tuple(field for field in change.fields if field.verdict not in {"same", "unmanaged"})


def _moved(field: FieldChange) -> str:
    return repr((field.path, field.live, field.desired))
