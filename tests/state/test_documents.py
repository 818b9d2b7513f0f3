from __future__ import annotations

import jsonschema
import pytest
from fakes.plans import (
    binding,
    connect,
    create,
    create_mapping,
    delete,
    field,
    plan,
    record,
    update,
)

from reconciler.kernel import exact_json
from reconciler.plan.model.plan import Plan
from reconciler.state.documents import (
    TamperedDocumentError,
    UnreadableDocumentError,
    decode_plan,
    decode_record,
    document_schemas,
    encode_plan,
    encode_record,
)


@pytest.fixture
def full() -> Plan:
    return plan(
        create(),
        create_mapping(),
        update(field("a.b", "1", None, "theirs", by="k.smith")),
        delete(),
        connect(),
        names={"id-1": "acme-uk"},
    )


def test_a_plan_comes_back_as_it_was(full: Plan) -> None:
    assert decode_plan(encode_plan(full), "plan.json") == full


def test_a_record_comes_back_as_it_was() -> None:
    from dataclasses import replace

    from reconciler.plan.model.identity import record_id

    given = record(1, None, binding())
    given = replace(given, id=record_id(given))
    assert decode_record(encode_record(given), "000001.json") == given


def test_the_schemas_describe_what_is_written(full: Plan) -> None:
    schemas = document_schemas()
    assert set(schemas) == {"m3ter-reconciler/plan/v1", "m3ter-reconciler/applied/v1"}
    data = exact_json.decode(encode_plan(full))
    jsonschema.validate(_floats(data), schemas["m3ter-reconciler/plan/v1"])


def test_a_plan_whose_body_was_edited_is_refused(full: Plan) -> None:
    data = encode_plan(full).replace(b'"sub_acme-uk"', b'"sub_mallory"')
    with pytest.raises(TamperedDocumentError, match="Do not use this plan"):
        decode_plan(data, "plan.json")


def test_the_head_may_differ_because_it_decides_nothing(full: Plan) -> None:
    data = encode_plan(full).replace(b'"estimated_calls": 4', b'"estimated_calls": 5')
    assert decode_plan(data, "plan.json").body == full.body


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not JSON"),
        (b"[]", "says `nothing`"),
        (b"{}", "says `nothing`"),
        (b'{"body": 1}', "says `nothing`"),
        (b'{"body": {"schema": "m3ter-reconciler/plan/v9"}}', "plan/v9"),
        (b'{"body": {"schema": "m3ter-reconciler/plan/v1"}}', "Field required"),
    ],
)
def test_what_is_no_plan_is_refused_with_a_reason(data: bytes, reason: str) -> None:
    with pytest.raises(UnreadableDocumentError, match=reason):
        decode_plan(data, "plan.json")


def _floats(value: object) -> object:
    """jsonschema knows no Decimal; digits do not matter here."""
    from decimal import Decimal

    match value:
        case Decimal():
            return float(value)
        case dict():
            return {key: _floats(member) for key, member in value.items()}
        case list():
            return [_floats(element) for element in value]
        case _:
            return value
