"""A token reaches git by its environment alone, and stands in no message."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path
from typing import Any

import pytest
from fakes.git_bench import ENVIRONMENT, Bench, Calls
from fakes.git_place import git

from reconciler.state.branch.remote import RemoteAwayError

TOKEN = "ghs_a-token-of-the-job"
BASIC = base64.b64encode(f"x-access-token:{TOKEN}".encode()).decode()


class Heard(Calls):
    """Keeps what git was given, and answers as a host that shows everything back."""

    given: tuple[list[str], dict[str, str]]

    def __call__(self, arguments: list[str], **options: Any) -> subprocess.CompletedProcess[bytes]:
        if "ls-remote" in arguments:
            self.given = (arguments, options["env"])
            said = f"fatal: https://me:{TOKEN}@forge.example/x: {BASIC} {TOKEN} refused".encode()
            return subprocess.CompletedProcess(arguments, 128, b"", said)
        return super().__call__(arguments, **options)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_token_is_a_setting_for_its_host_and_no_argument(bench: Bench) -> None:
    bench.machine("one")
    git(bench.folder / "one", "remote", "set-url", "origin", "https://forge.example/acme/x.git")
    heard = Heard()
    state = bench.machine("one", spawn=heard, RECONCILER_GIT_TOKEN=TOKEN)
    with pytest.raises(RemoteAwayError) as refused:
        state.head(ENVIRONMENT)
    for secret in (TOKEN, BASIC):
        assert secret not in str(refused.value)
        assert secret not in repr(state)
    arguments, environ = heard.given
    assert "forge.example" not in " ".join(arguments)
    keys = {name: value for name, value in environ.items() if name.startswith("GIT_CONFIG_KEY")}
    (name,) = [key for key, value in keys.items() if value.endswith("extraHeader")]
    assert keys[name] == "http.https://forge.example/.extraHeader"
    assert environ[name.replace("KEY", "VALUE")] == f"Authorization: Basic {BASIC}"
    assert "RECONCILER_GIT_TOKEN" not in environ
    assert TOKEN not in (bench.folder / "one/.reconciler/state.git/config").read_text()


def test_without_a_token_the_settings_of_the_clone_count(bench: Bench) -> None:
    bench.machine("one")
    clone = bench.folder / "one"
    git(clone, "remote", "set-url", "origin", "https://me:hidden@forge.example/acme/x.git")
    git(clone, "config", "http.https://forge.example/.extraheader", "Authorization: Basic abc")
    heard = Heard()
    state = bench.machine("one", spawn=heard)
    assert state.remote.shown == "https://forge.example/acme/x.git"
    with pytest.raises(RemoteAwayError):
        state.head(ENVIRONMENT)
    assert "Authorization: Basic abc" in heard.given[1].values()


def test_a_hook_does_not_lend_its_repository(bench: Bench) -> None:
    state = bench.machine("one", GIT_DIR="/nowhere", GIT_INDEX_FILE="/nowhere/index")
    assert state.head(ENVIRONMENT) is None
