from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.definitions.kinds.environment import EnvReference, FileReference
from reconciler.errors import ExitCode
from reconciler.kernel.secret import Secret, SecretReference
from reconciler.settings import (
    ClockAheadError,
    HostNotAllowedError,
    MissingCertificatesError,
    MissingSecretError,
    ReferenceNotAllowedError,
    Settings,
    SwitchSyntaxError,
)


def _settings(**environ: str) -> Settings:
    return Settings.from_environment(environ)


def _with_file(folder: Path, data: bytes) -> tuple[Settings, FileReference]:
    path = folder / "key"
    path.write_bytes(data)
    return _settings(RECONCILER_ALLOW=f"file:{folder}/*"), FileReference(file=str(path))


def test_a_variable_becomes_a_secret_whichever_way_it_is_named() -> None:
    settings = _settings(M3TER_API_KEY="k1")
    assert settings.resolve(EnvReference(env="M3TER_API_KEY")) == Secret("k1")
    assert settings.resolve(SecretReference("env", "M3TER_API_KEY")) == Secret("k1")


def test_a_file_becomes_a_secret_without_its_last_line_end(tmp_path: Path) -> None:
    for data in (b"k1", b"k1\n", b"k1\r\n"):
        settings, reference = _with_file(tmp_path, data)
        assert settings.resolve(reference) == Secret("k1")


def test_a_relative_file_is_looked_for_in_the_repository(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "m3ter").write_text("k1")
    settings = _settings(RECONCILER_ALLOW="file:keys/*")
    assert settings.resolve(FileReference(file="keys/m3ter"), tmp_path) == Secret("k1")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"a\nb", "line end"),
        (b"\xff\xfe", "not UTF-8"),
        (b"k" * (64 * 1024 + 1), "larger than 64 KiB"),
    ],
)
def test_a_file_that_holds_no_usable_secret_is_refused(
    tmp_path: Path, data: bytes, said: str
) -> None:
    settings, reference = _with_file(tmp_path, data)
    with pytest.raises(MissingSecretError, match=said) as caught:
        settings.resolve(reference)
    assert caught.value.exit_code is ExitCode.REFUSED_IDENTITY


def test_a_file_of_exactly_64_kib_is_read(tmp_path: Path) -> None:
    settings, reference = _with_file(tmp_path, b"k" * 64 * 1024)
    assert len(settings.resolve(reference).reveal()) == 64 * 1024


def test_a_missing_file_a_folder_and_a_pipe_are_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    settings = _settings(RECONCILER_ALLOW=f"file:{tmp_path}/*")
    for name, said in (
        ("none", "No such file"),
        ("folder", "directory|not a regular"),
        ("pipe", "not a regular file"),
    ):
        with pytest.raises(MissingSecretError, match=said):
            settings.resolve(FileReference(file=f"{tmp_path}/{name}"))


def test_a_variable_that_is_not_set_is_named() -> None:
    with pytest.raises(MissingSecretError, match=r"M3TER_API_KEY.*not set"):
        _settings().resolve(EnvReference(env="M3TER_API_KEY"))


def test_a_pull_request_cannot_send_another_secret_of_the_job() -> None:
    settings = _settings(AWS_SECRET_ACCESS_KEY="hunter2")
    with pytest.raises(ReferenceNotAllowedError, match="env:AWS_SECRET_ACCESS_KEY") as caught:
        settings.resolve(EnvReference(env="AWS_SECRET_ACCESS_KEY"))
    assert "hunter2" not in str(caught.value)
    for path in ("/etc/passwd", "/run/secrets/../../etc/passwd", "/proc/self/environ"):
        with pytest.raises(ReferenceNotAllowedError):
            settings.resolve(FileReference(file=path))


def test_what_the_job_allows_may_be_used() -> None:
    settings = _settings(RECONCILER_ALLOW="env:ACME_*, host:*.example.com", ACME_KEY="k1")
    assert settings.resolve(EnvReference(env="ACME_KEY")) == Secret("k1")
    assert settings.m3ter_url("https://m3ter.example.com/") == "https://m3ter.example.com"


def test_the_environment_overrides_the_base_urls_under_the_same_rule() -> None:
    settings = _settings(
        M3TER_BASE_URL="http://127.0.0.1:8080", CHARGEBEE_BASE_URL="https://evil.example"
    )
    assert settings.m3ter_url("https://api.m3ter.com") == "http://127.0.0.1:8080"
    with pytest.raises(HostNotAllowedError, match=r"CHARGEBEE_BASE_URL is https://evil\.example"):
        settings.chargebee_url("https://acme-test.chargebee.com")


def test_a_refused_url_shows_no_password() -> None:
    with pytest.raises(HostNotAllowedError) as caught:
        _settings().m3ter_url("https://user:hunter2@api.m3ter.com")
    assert "hunter2" not in str(caught.value)
    assert caught.value.exit_code is ExitCode.REFUSED_IDENTITY


def test_switches_are_names_and_values() -> None:
    settings = _settings(RECONCILER_M3TER="disconnect=null, arrays=repeat")
    assert settings.m3ter_switches == {"disconnect": "null", "arrays": "repeat"}
    assert settings.chargebee_switches == {}
    with pytest.raises(SwitchSyntaxError, match="'disconnect'"):
        _settings(RECONCILER_M3TER="disconnect")


def test_own_certificates_are_a_file_that_exists(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text("x")
    assert _settings().authorities == ""
    assert _settings(SSL_CERT_FILE=str(file)).authorities == str(file)
    with pytest.raises(MissingCertificatesError, match="is no file"):
        _ = _settings(SSL_CERT_FILE=str(tmp_path / "none")).authorities


def test_no_color_counts_only_when_it_is_not_empty() -> None:
    assert not _settings().no_color
    assert not _settings(NO_COLOR="").no_color
    assert _settings(NO_COLOR="0").no_color


@given(value=st.text(min_size=4).filter(lambda text: text not in "environ"))
def test_no_value_of_the_environment_is_shown(value: str) -> None:
    assert value not in repr(_settings(ZZZZ=f"{value}{value}")) or value in repr(_settings())


def test_waits_after_an_unknown_outcome_can_be_set() -> None:
    settings = Settings.from_environment({"RECONCILER_LOOK_FIRST": "look=3s"})
    assert settings.look_first.look_after == timedelta(seconds=3)


def test_a_clock_ahead_is_for_this_machine_only() -> None:
    settings = Settings.from_environment({"RECONCILER_CLOCK_AHEAD": "-60"})
    assert settings.clock_ahead == timedelta(seconds=-60)
    assert settings.m3ter_url("http://127.0.0.1:8765") == "http://127.0.0.1:8765"
    with pytest.raises(ClockAheadError, match="no address of this machine"):
        settings.chargebee_url("https://acme-test.chargebee.com")
    with pytest.raises(ClockAheadError, match="'soon'"):
        Settings.from_environment({"RECONCILER_CLOCK_AHEAD": "soon"})
