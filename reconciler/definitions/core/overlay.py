"""RFC 7396 merge patches that remember which file set each value.

::

    base     patch    result
    -------  -------  ---------------------------------------------
    any      absent   base
    any      null     removed
    object   object   merged key by key
    any      object   the patch, its nulls removed
    any      other    the patch; lists are replaced, never merged
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from reconciler.definitions.model import DocumentPath
from reconciler.kernel.problem import Origin
from reconciler.kernel.value import JsonObject, JsonValue

Origins = Mapping[DocumentPath, Origin]


@dataclass(frozen=True, slots=True)
class Layer:
    """Plain data and the place of every path in it.

    Attributes:
        value: The data.
        origins: By path from the data's root.
    """

    value: JsonObject
    origins: Origins


def overlaid(base: Layer, patches: Iterable[Layer]) -> Layer:
    """Apply patches in order.

    Returns:
        The data, and for each path the place that set it. An object that both sides have keeps
        its first place. Without patches the base itself is returned.
    """
    for patch in patches:
        value = merged(base.value, patch.value)
        assert isinstance(value, Mapping)
        base = Layer(value, _origins(base, patch))
    return base


def merged(base: JsonValue, patch: JsonValue) -> JsonValue:
    """Apply one merge patch, as RFC 7396, section 2 defines it."""
    if not isinstance(patch, Mapping):
        return patch
    result = dict(base) if isinstance(base, Mapping) else {}
    for key, change in patch.items():
        if change is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), change)
    return result


def _origins(base: Layer, patch: Layer) -> Origins:
    kept = {
        path: origin
        for path, origin in base.origins.items()
        if _set_by(path, base.value, patch.value) is _Setter.BASE
    }
    changed = {
        path: origin
        for path, origin in patch.origins.items()
        if _set_by(path, base.value, patch.value) is _Setter.PATCH
    }
    return kept | changed


class _Setter(Enum):
    BASE = "base"
    PATCH = "patch"
    NOBODY = "nobody"


def _set_by(path: DocumentPath, old: JsonValue, new: JsonValue) -> _Setter:
    """Tell which side of a merge rules at a path."""
    for step in path:
        if not isinstance(new, Mapping) or not isinstance(step, str):
            return _Setter.PATCH
        if step not in new:
            return _Setter.BASE if isinstance(old, Mapping) else _Setter.PATCH
        old = old.get(step) if isinstance(old, Mapping) else None
        new = new[step]
        if new is None:
            return _Setter.NOBODY
    both = isinstance(old, Mapping) and isinstance(new, Mapping)
    return _Setter.BASE if both else _Setter.PATCH
