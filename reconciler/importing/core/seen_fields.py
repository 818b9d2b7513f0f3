"""All fields of one object, seen from git, the last apply and m3ter; also those that agree."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from reconciler.kernel.address import FieldPath
from reconciler.kernel.value import JsonValue
from reconciler.m3ter.live import LiveIntegration, LiveMapping
from reconciler.plan.core.comparable import ENABLED, WantedIntegration
from reconciler.plan.core.comparable_mappings import WantedMapping
from reconciler.plan.core.diff import integration, mapping
from reconciler.plan.core.identity import Named
from reconciler.plan.model.applied import Binding
from reconciler.plan.model.change import Adopt, FieldChange, FieldValue


def integration_adoption(
    wanted: WantedIntegration, live: LiveIntegration, binding: Binding | None
) -> Adopt:
    """Give the change that would bind an object, with every field of it.

    Raises:
        UnplannableError: When the object cannot be this address.
    """
    changes = integration.changed(wanted, Named(live, binding))
    return next(one for one in changes if isinstance(one, Adopt))


def mapping_adoption(wanted: WantedMapping, live: LiveMapping, binding: Binding | None) -> Adopt:
    """Give the change that would bind a mapping, with every field of it."""
    changes = mapping.changed(wanted, Named(live, binding))
    return next(one for one in changes if isinstance(one, Adopt))


def switched_off(wanted: WantedIntegration, live: LiveIntegration) -> tuple[FieldChange, ...]:
    """Give the field that m3ter moves when it disables a configuration that git wants enabled."""
    if live.enabled or not wanted.enable:
        return ()
    off, on = FieldValue(value=False), FieldValue(value=True)
    audit = live.audit
    origin = wanted.origin(ENABLED)
    return (
        FieldChange(ENABLED, "theirs", None, off, on, origin, audit.modified_by, audit.modified_at),
    )


def below(path: FieldPath, fields: Iterable[FieldChange]) -> tuple[FieldChange, ...]:
    """Choose a field, or all fields below a path."""
    return tuple(one for one in fields if one.path == path or one.path.startswith(f"{path}."))


def accepted_value(fields: Sequence[FieldChange]) -> FieldValue | None:
    """Give what git shall have when what m3ter did to a field is accepted.

    Of a set that both sides moved, only the elements that m3ter moved are taken.

    Args:
        fields: All verdicts of one path.
    """
    one = fields[0]
    sides = [_elements(side) for side in (one.base, one.live, one.desired)]
    base, live, desired = sides
    if len(fields) == 1 or base is None or live is None or desired is None:
        return one.live
    listed: list[JsonValue] = [*sorted((desired - (base - live)) | (live - base))]
    return FieldValue(listed)


def _elements(side: FieldValue | None) -> frozenset[str] | None:
    value = side.value if side else None
    if isinstance(value, Sequence) and not isinstance(value, str):
        return frozenset(str(one) for one in value)
    return None
