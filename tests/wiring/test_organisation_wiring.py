from __future__ import annotations

import gc
import socket
from pathlib import Path

import pytest
from fakes.clock import FakeClock
from fakes.raw_server import RawServer, answer, read_request
from fakes.scripted_m3ter import token
from fakes.tls import certificate, server_context
from hypothesis import given
from hypothesis import strategies as st

from reconciler.definitions.kinds.environment import EnvironmentSpec
from reconciler.emulator.m3ter.http.tokens import API_SECRET
from reconciler.emulator.running import RunningEmulator, environment
from reconciler.errors import ExitCode
from reconciler.kernel.address import IntegrationId
from reconciler.kernel.exact_json import encode
from reconciler.m3ter.ports import AccessError, OrganisationError, UnreachableError
from reconciler.settings import HostNotAllowedError, MissingSecretError, Settings
from reconciler.transport.system_clock import SystemClock
from reconciler.wiring.organisation import VENDOR_REQUESTS_PER_SECOND, bucket, connect

TOKEN = encode({"access_token": token()}).encode()
ORGANISATION = "11111111-1111-4111-8111-111111111111"


def _spec(url: str = "https://api.m3ter.com", **m3ter: object) -> EnvironmentSpec:
    connection = {
        "organizationId": ORGANISATION,
        "baseUrl": url,
        "accessKey": {"env": "M3TER_API_KEY"},
        "apiSecret": {"env": "M3TER_API_SECRET"},
        **m3ter,
    }
    return EnvironmentSpec.model_validate({"protected": False, "m3ter": connection})


def test_an_organisation_is_opened_checked_and_closed(emulator: RunningEmulator) -> None:
    settings = Settings.from_environment(environment(emulator.url))
    with connect(_spec(), settings, clock=FakeClock()) as organisation:
        assert organisation.identity == ORGANISATION
        assert organisation.calls == 1
        assert organisation.integrations.list()
        assert organisation.calls == 2
    gc.collect()


@pytest.mark.parametrize(
    "variables",
    [
        {"M3TER_API_SECRET": "wrong"},
        {"M3TER_API_KEY": "other-key", "M3TER_API_SECRET": "other-secret"},
    ],
    ids=["wrong secret", "another organisation"],
)
def test_a_wrong_key_ends_with_exit_11_before_anything_is_read(
    emulator: RunningEmulator, variables: dict[str, str]
) -> None:
    settings = Settings.from_environment({**environment(emulator.url), **variables})
    with pytest.raises(AccessError) as caught, connect(_spec(), settings, clock=FakeClock()):
        pass
    assert caught.value.exit_code is ExitCode.REFUSED_IDENTITY
    log = emulator.world.log.select(vendor="m3ter")
    assert {request.path for request in log} == {"/oauth/token"}


def test_debug_lines_hold_neither_key_nor_token(emulator: RunningEmulator) -> None:
    lines: list[str] = []
    settings = Settings.from_environment(environment(emulator.url))
    with connect(_spec(), settings, clock=FakeClock(), log=lines.append) as organisation:
        organisation.people.users()
        with pytest.raises(OrganisationError):
            organisation.runs.log("nothing")
    assert len(lines) == 3
    text = "\n".join(lines)
    assert API_SECRET not in text
    assert "Bearer" not in text
    assert "eyJ" not in text


def test_own_certificates_are_used_for_https(tmp_path: Path) -> None:
    context = server_context(tmp_path)

    def serve(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secure:
            while read_request(secure):
                secure.sendall(answer(TOKEN))

    with RawServer(serve) as server:
        url = server.url.replace("http:", "https:")
        variables = environment(url) | {"SSL_CERT_FILE": str(certificate(tmp_path))}
        settings = Settings.from_environment(variables)
        with connect(_spec(), settings, clock=FakeClock()) as organisation:
            assert organisation.calls == 1


def test_a_missing_key_and_a_strange_host_are_refused_before_anything_is_sent() -> None:
    nothing = Settings.from_environment({})
    with pytest.raises(MissingSecretError), connect(_spec(), nothing):
        pass
    with pytest.raises(HostNotAllowedError), connect(_spec("https://evil.example"), nothing):
        pass


def test_m3ter_that_is_not_there_is_unreachable() -> None:
    variables = environment("http://127.0.0.1:1")
    settings = Settings.from_environment(variables)
    with (
        pytest.raises(UnreachableError, match="get a token"),
        connect(_spec(), settings, clock=FakeClock()),
    ):
        pass


def test_a_write_answered_503_goes_again_only_where_the_switch_says_so() -> None:
    posts: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        while request := read_request(connection):
            if b"/oauth/token" in request:
                connection.sendall(answer(TOKEN))
            elif request.startswith(b"POST"):
                posts.append(request)
                connection.sendall(answer(b"{}", "503 Service Unavailable"))
            else:
                connection.sendall(answer(b'{"data": []}'))

    for value, expected in (("unknown", 3), ("not-processed", 5)):
        posts.clear()
        with RawServer(serve) as server:
            variables = environment(server.url) | {"RECONCILER_M3TER": f"unavailable={value}"}
            settings = Settings.from_environment(variables)
            with (
                connect(_spec(), settings, clock=FakeClock()) as organisation,
                pytest.raises(OrganisationError, match="enable integration"),
            ):
                organisation.integrations.enable(IntegrationId("i1"))
        assert len(posts) == expected


@given(rate=st.integers(1, 50))
def test_the_burst_never_passes_m3ters_own_limit(rate: int) -> None:
    one = bucket(_spec(requestsPerSecond=rate), SystemClock())
    assert one.per_second == rate
    assert rate + one.burst <= VENDOR_REQUESTS_PER_SECOND + 1
