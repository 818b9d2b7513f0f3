"""Who is told: the subscribers of the environment, or nobody."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from reconciler.cli.progress import SilentProgress
from reconciler.definitions.kinds.environment import EnvironmentSpec
from reconciler.notify.apprise import AppriseNotifier, SilentNotifier
from reconciler.settings import Settings
from reconciler.wiring.desk import Desk, open_desk
from reconciler.wiring.repository import example_folder
from reconciler.wiring.sync_desk import notifier


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    shutil.copytree(example_folder(), tmp_path / "integrations.d")
    environ = {"NOTICE_URL": "json://127.0.0.1/a"}
    settings = Settings.from_environment(environ)
    return open_desk(tmp_path, "sandbox", environ, settings, progress=SilentProgress())


def spec_of(desk: Desk, *notices: dict[str, object]) -> EnvironmentSpec:
    plain = desk.effective.environment.spec.model_dump(by_alias=True, exclude_unset=True)
    return EnvironmentSpec.model_validate(plain | {"notices": list(notices)}, strict=False)


def test_an_environment_without_notices_is_silent(desk: Desk) -> None:
    assert isinstance(notifier(spec_of(desk), desk.settings, desk), SilentNotifier)


def test_an_environment_with_notices_has_subscribers(desk: Desk) -> None:
    spec = spec_of(desk, {"events": ["disabled"], "url": {"env": "NOTICE_URL"}})
    assert isinstance(notifier(spec, desk.settings, desk), AppriseNotifier)
