from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from reconciler.definitions.model import DocumentPath, KindName
from reconciler.kernel.value import JsonValue
from reconciler.repository.check import fits
from reconciler.repository.schema.errors import is_valid
from reconciler.repository.schema.findings import findings
from reconciler.repository.schema.schema import FORMS, KINDS, Form, schema_of

VALUES: st.SearchStrategy[JsonValue] = st.sampled_from(
    [
        None, True, False, 0, 1, -1, 20, 21, 10**30, Decimal("0.5"), Decimal("1.0"), Decimal("1E+30"),
        Decimal("1.00000000000000000000000001"), "", "x", "X", "x\n", " x", "٣", "é", "all", "yes",
        "USAGE", "usage", "person", "cf_x", "24h", "2026-12-01", "२०२६-12-01", "https://a/b",
        "11111111-1111-4111-8111-111111111111", [], ["x"], [[]], {}, {"code": "a"}, {"env": "A"},
        {"env": "A", "file": "b"}, {"id": "x"}, {"USAGE": "p"}, {"": "x"}, {"x": None},
    ]
)  # fmt: skip
NAMES = st.sampled_from(["spec", "name", "code", "enabled", "extra", "environment", "rows", "push"])


def paths(value: JsonValue, path: DocumentPath = ()) -> list[DocumentPath]:
    found = [path]
    if isinstance(value, Mapping):
        found += [entry for key, member in value.items() for entry in paths(member, (*path, key))]
    elif isinstance(value, list):
        found += [
            entry for at, element in enumerate(value) for entry in paths(element, (*path, at))
        ]
    return found


def changed(value: JsonValue, path: DocumentPath, new: JsonValue) -> JsonValue:
    if not path:
        return new
    if isinstance(value, Mapping):
        return {**value, path[0]: changed(value.get(str(path[0])), path[1:], new)}  # type: ignore[dict-item]
    assert isinstance(value, list)
    return [
        changed(element, path[1:], new) if at == path[0] else element
        for at, element in enumerate(value)
    ]


@given(st.data(), st.sampled_from(list(KINDS)), st.sampled_from(FORMS))
def test_the_fast_gate_and_the_one_that_explains_agree(
    data: st.DataObject, kind: KindName, form: Form
) -> None:
    [body] = schema_of(kind, form)["examples"]
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from([entry for entry in paths(body) if entry]))
        if data.draw(st.booleans()) and isinstance(path[-1], str):
            path = (*path[:-1], data.draw(NAMES))
        body = changed(body, path, data.draw(VALUES))
    assert fits(kind, form, body) == is_valid(schema_of(kind, form), body)
    found = findings(kind, form, body)
    assert bool(found) != fits(kind, form, body)
    assert all(finding.message and "\n" not in finding.message for finding in found)
