"""Effective definitions are shown with the place that set each value."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from fakes.sound_repository import PRICES, sound_repository
from ruamel.yaml import YAML

from reconciler.definitions.model import Effective
from reconciler.definitions.show import as_yaml as render
from reconciler.kernel.exact_json import decode


def _view(environment: str = "production") -> Effective:
    repository = sound_repository()
    repository.specs["Integration", "uk", "production"] = {
        "displayName": "yes",
        "configData": {"rules": [[1, "two"], {"deep": [{"a": None}, True]}], "empty": {}},
    }
    repository.specs[PRICES]["rows"].append(  # type: ignore[index]
        {"m3ter": {"id": "s p a c e"}, "externalId": {"production": "only: here"}}
    )
    return repository.effective(repository.load().definitions, environment)


def _documents(text: str) -> list[Any]:
    yaml = YAML(typ="safe", pure=True)
    return list(yaml.load_all(StringIO(text)))


@pytest.mark.parametrize("origins", [False, True])
def test_the_yaml_reads_back_as_the_effective_definitions(*, origins: bool) -> None:
    documents = _documents(render.definitions_yaml(_view(), origins=origins))

    by_kind = {
        (document["kind"], document["metadata"]["name"]): document["spec"] for document in documents
    }
    uk = by_kind["Integration", "uk"]
    assert uk["displayName"] == "yes"
    assert uk["configData"] == {
        "rules": [[1, "two"], {"deep": [{"a": None}, True]}],
        "empty": {},
    }
    assert uk["entity"]["accountFilter"] == 'customFields != null AND customFields.country == "UK"'
    assert by_kind["MappingSet", "uk-accounts"]["rows"] == [
        {"m3ter": {"code": "acme-uk"}, "externalId": "sub_2"},
        {"m3ter": {"code": "globex-uk"}, "externalId": "sub_4"},
    ]
    assert by_kind["MappingSet", "uk-prices"]["rows"][1] == {
        "m3ter": {"id": "s p a c e"},
        "externalId": "only: here",
    }
    assert by_kind["Environment", "production"]["m3ter"]["accessKey"] == {"env": "M3TER_API_KEY"}


def test_the_dialect_of_the_environment_is_shown() -> None:
    documents = _documents(render.definitions_yaml(_view("sandbox"), origins=False))

    assert [document["kind"] for document in documents][-1] == "Dialect"


def test_each_value_names_the_line_that_set_it() -> None:
    lines = render.definitions_yaml(_view(), origins=True).splitlines()

    assert any(
        line.split("# ") == ['  displayName: "yes"' + " " * (len(line.split("# ")[0]) - 20), place]
        for line in lines
        if (place := line.rpartition("# ")[2]).startswith("integrations.d/uk-production-")
    )
    (default_price,) = [line for line in lines if "defaultPriceId" in line]
    assert "# integrations.d/uk-integration.yaml:" in default_price
    assert any("externalId: sub_2" in line and "accounts.csv:2" in line for line in lines)
    assert not any("kind:" in line and "#" in line for line in lines)


def test_without_origins_nothing_is_said_about_lines() -> None:
    assert "# " not in render.definitions_yaml(_view(), origins=False)


def test_json_holds_the_same_documents_and_the_places_by_path() -> None:
    plain: Any = decode(render.definitions_json(_view(), origins=False))
    placed: Any = decode(render.definitions_json(_view(), origins=True))

    assert plain["schema"] == "m3ter-reconciler/render/v1"
    assert plain["environment"] == "production"
    (uk,) = [document for document in placed["documents"] if document["kind"] == "Integration"]
    assert uk["origins"]["spec.displayName"].startswith("integrations.d/uk-production-")
    assert uk["origins"]["spec.configData.rules[1].deep[0].a"]
    assert {**uk, "origins": None} == {
        **next(document for document in plain["documents"] if document["kind"] == "Integration"),
        "origins": None,
    }
