from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from reconciler.definitions.core.overlay import Layer, merged, overlaid
from reconciler.definitions.model import DocumentPath
from reconciler.kernel.problem import Origin
from reconciler.kernel.value import JsonObject, JsonValue

KEYS = st.sampled_from(["a", "b", "c"])
SCALARS = st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["x", "y"])
VALUES = st.recursive(
    SCALARS,
    lambda scalar: st.lists(scalar, max_size=2) | st.dictionaries(KEYS, scalar),
    max_leaves=8,
)
OBJECTS = st.dictionaries(KEYS, VALUES)


def rfc_7396(target: JsonValue, patch: JsonValue) -> JsonValue:
    """The pseudo code of RFC 7396, section 2, line by line."""
    if isinstance(patch, dict):
        if not isinstance(target, dict):
            target = {}
        target = dict(target)
        for name, value in patch.items():
            if value is None:
                if name in target:
                    del target[name]
            else:
                target[name] = rfc_7396(target.get(name), value)
        return target
    return patch


def paths(value: JsonValue, path: DocumentPath = ()) -> dict[DocumentPath, JsonValue]:
    found: dict[DocumentPath, JsonValue] = {path: value}
    if isinstance(value, Mapping):
        for key, member in value.items():
            found |= paths(member, (*path, key))
    elif isinstance(value, list):
        for number, element in enumerate(value):
            found |= paths(element, (*path, number))
    return found


def layer(value: JsonObject, file: str) -> Layer:
    return Layer(value, dict.fromkeys(paths(value), Origin(file, 1, 1)))


@given(VALUES, VALUES)
def test_a_merge_is_what_the_rfc_says(base: JsonValue, patch: JsonValue) -> None:
    assert merged(base, patch) == rfc_7396(base, patch)


@given(OBJECTS, OBJECTS)
def test_applying_a_patch_twice_changes_nothing_more(base: JsonObject, patch: JsonObject) -> None:
    once = merged(base, patch)
    assert merged(once, patch) == once


@given(OBJECTS)
def test_an_empty_patch_changes_nothing(base: JsonObject) -> None:
    assert merged(base, {}) == base
    assert overlaid(layer(base, "base"), []).value is base


@given(OBJECTS, OBJECTS)
def test_every_value_of_the_result_has_the_place_that_set_it(
    base: JsonObject, patch: JsonObject
) -> None:
    result = overlaid(layer(base, "base"), [layer(patch, "patch")])
    wanted = paths(result.value)
    assert result.origins.keys() == wanted.keys()
    before, changed = paths(base), paths(patch)
    for path, value in wanted.items():
        if isinstance(value, Mapping):
            continue
        if result.origins[path].file == "patch":
            assert changed[path] == value
        else:
            assert before[path] == value
            assert path not in changed


def test_a_shared_object_keeps_its_first_place_and_a_list_takes_the_patch() -> None:
    result = overlaid(
        layer({"panel": {"list": [1, 2], "kept": True}}, "base"),
        [layer({"panel": {"list": [3]}}, "patch"), layer({"panel": {"kept": None}}, "third")],
    )
    assert result.value == {"panel": {"list": [3]}}
    assert {path: origin.file for path, origin in result.origins.items()} == {
        (): "base",
        ("panel",): "base",
        ("panel", "list"): "patch",
        ("panel", "list", 0): "patch",
    }
