"""Edits that are tried on a copy first, and the clock of a server."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.definitions.core.edits import AddDocuments, RemoveValue, SetValue
from reconciler.definitions.kinds.environment import EnvironmentSpec
from reconciler.kernel.value import JsonObject
from reconciler.settings import Settings
from reconciler.transport.system_clock import SystemClock
from reconciler.wiring.doctor import server_time
from reconciler.wiring.repository import EditsNotValidError, edit_files, start_repository

PROJECT = "integrations.d/project.yaml"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    start_repository(tmp_path)
    return tmp_path


def test_valid_edits_are_made(root: Path) -> None:
    edit_files(root, (), Settings({}))
    edit_files(root, (SetValue(PROJECT, 0, ("spec", "prune"), "never"),), Settings({}))
    assert "prune: never " in (root / PROJECT).read_text()


def test_edits_that_break_the_files_are_not(root: Path) -> None:
    before = (root / PROJECT).read_text()
    with pytest.raises(
        EditsNotValidError, match=r"it would have been integrations\.d/project"
    ) as e:
        edit_files(root, (RemoveValue(PROJECT, 0, ("spec", "prune")),), Settings({}))
    assert "No file was written" in str(e.value)
    assert (root / PROJECT).read_text() == before


def test_many_errors_are_counted(root: Path) -> None:
    body: JsonObject = {
        "apiVersion": "m3ter-reconciler/v1",
        "kind": "Nothing",
        "metadata": {"name": "x"},
    }
    documents = tuple({**body, "spec": {"number": number}} for number in range(12))
    with pytest.raises(EditsNotValidError, match="and 2 more"):
        edit_files(root, (AddDocuments("integrations.d/x.yaml", documents),), Settings({}))


def test_a_server_that_is_not_there_has_no_time() -> None:
    spec = EnvironmentSpec.model_validate(
        {
            "protected": False,
            "m3ter": {
                "organizationId": "11111111-1111-4111-8111-111111111111",
                "baseUrl": "http://127.0.0.1:9",
                "accessKey": {"env": "M3TER_API_KEY"},
                "apiSecret": {"env": "M3TER_API_SECRET"},
            },
        },
        strict=False,
    )
    assert server_time(spec, Settings({}), SystemClock()) is None
