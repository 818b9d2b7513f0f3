from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest

from reconciler.definitions.model import KindName
from reconciler.kernel.exact_json import decode
from reconciler.kernel.line_item import Destination, LineItemType
from reconciler.repository.schema.form import Schema
from reconciler.repository.schema.schema import (
    FORMS,
    KINDS,
    Form,
    schema_files,
    schema_of,
    write_schemas,
)
from reconciler.repository.schema.words import described, listed_choices

ROOT = Path(__file__).parents[2]
EVERY = [(kind, form) for kind in KINDS for form in FORMS]


def objects(value: object) -> Iterator[Schema]:
    if isinstance(value, dict):
        if isinstance(value.get("properties"), dict):
            yield value
        for element in value.values():
            yield from objects(element)
    elif isinstance(value, list):
        for element in value:
            yield from objects(element)


def body(kind: KindName, form: Form) -> Schema:
    """The schema without the examples, which are documents."""
    return {key: value for key, value in schema_of(kind, form).items() if key != "examples"}


def test_the_files_are_what_the_models_say() -> None:
    folder = ROOT / "schemas"
    there = {str(path.relative_to(folder)): path for path in folder.rglob("*.json")}
    assert there.keys() == schema_files().keys()
    for name, text in schema_files().items():
        assert there[name].read_bytes() == text.encode(), "run `reconciler schema`"


def test_only_files_that_changed_are_written(tmp_path: Path) -> None:
    assert len(write_schemas(tmp_path)) == 11
    assert write_schemas(tmp_path) == ()
    (tmp_path / "patch" / "project.schema.json").write_text("{}")
    assert write_schemas(tmp_path) == (tmp_path / "patch" / "project.schema.json",)


@pytest.mark.parametrize("name", schema_files())
def test_every_file_is_a_schema_of_draft_2020_12(name: str) -> None:
    schema = decode(schema_files()[name])
    assert isinstance(schema, dict)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize(("kind", "form"), EVERY)
def test_every_property_has_a_description_and_every_object_is_closed(
    kind: KindName, form: Form
) -> None:
    for entry in objects(body(kind, form)):
        assert entry["additionalProperties"] is False
        for name, field in entry["properties"].items():
            assert field.get("description", "").strip(), name
            assert "\n" not in field["description"]


@pytest.mark.parametrize(("kind", "form"), EVERY)
def test_the_examples_fit(kind: KindName, form: Form) -> None:
    schema = schema_of(kind, form)
    union = schema_files()["definition.schema.json"]
    [example] = schema["examples"]
    jsonschema.validate(example, schema)
    jsonschema.validate(example, decode(union))  # type: ignore[arg-type]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**example, "extra": 1}, decode(union))  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", KINDS)
def test_a_patch_requires_nothing_below_spec_and_names_its_environment(kind: KindName) -> None:
    schema = schema_of(kind, "patch")
    metadata = schema["$defs"]["MetadataPatch"]
    assert metadata["required"] == ["name", "environment"]
    patched = [value for name, value in schema["$defs"].items() if name.endswith("SpecPatch")]
    assert patched
    assert not any("required" in entry for entry in patched)
    [example] = schema["examples"]
    jsonschema.validate({**example, "spec": {}}, schema)


@pytest.mark.parametrize("kind", KINDS)
def test_a_whole_document_knows_no_environment_and_no_null(kind: KindName) -> None:
    schema = body(kind, "full")
    assert "environment" not in schema["$defs"]["Metadata"]["properties"]
    assert {"type": "null"} not in [
        candidate for entry in objects(schema) for field in entry["properties"].values()
        for candidate in field.get("anyOf", [])
    ]  # fmt: skip


def test_vocabularies_and_defaults_are_in_the_schema() -> None:
    definitions = schema_of("Integration", "full")["$defs"]
    assert definitions["LineItemType"]["enum"] == [item_type.value for item_type in LineItemType]
    assert len(definitions["LineItemType"]["enum"]) == 19
    assert definitions["Destination"]["enum"] == [destination.value for destination in Destination]
    assert definitions["PushPolicy"]["properties"]["stamp"]["default"] == "cf_m3ter_bill_id"
    assert definitions["PushPolicy"]["required"] == ["since", "accountIs", "collection"]
    guards = schema_of("Project", "full")["$defs"]["MaxDeletes"]["properties"]
    assert str(guards["fraction"]["default"]) == "0.10"
    assert guards["fraction"]["type"] == "number"


def test_a_reference_may_be_patched_into_the_other_kind_of_reference() -> None:
    schema = schema_of("Environment", "patch")
    [example] = schema["examples"]
    change = {"m3ter": {"accessKey": {"env": None, "file": "/run/key"}}}
    jsonschema.validate({**example, "spec": change}, schema)


def test_what_stands_in_a_list_of_a_patch_is_whole() -> None:
    schema = schema_of("Environment", "patch")
    [example] = schema["examples"]
    with pytest.raises(jsonschema.ValidationError, match="'until' is a required"):
        jsonschema.validate(
            {**example, "spec": {"freeze": [{"from": "2026-01-01", "reason": "x"}]}}, schema
        )


def test_bounds_are_said_as_far_as_there_are_any() -> None:
    assert described({"type": "integer", "maximum": 3}, {}) == "a whole number of at most 3"
    assert described({"type": "number"}, {}) == "a number"
    assert described({}, {}) == "another value"
    assert listed_choices([str(position) for position in range(22)]).endswith("`19` and 2 more")
