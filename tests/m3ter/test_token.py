from __future__ import annotations

from base64 import urlsafe_b64encode
from concurrent.futures import ThreadPoolExecutor

import pytest
from fakes.clock import FakeClock
from fakes.scripted_m3ter import ScriptedM3ter, json, session, token
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import ExitCode
from reconciler.kernel.exact_json import encode
from reconciler.kernel.value import JsonValue
from reconciler.m3ter.api.errors import (
    AuthenticationError,
    M3terRefusedError,
    M3terUnreachableError,
    PermissionDeniedError,
    UnreadableAnswerError,
    WrongOrganisationError,
)
from reconciler.m3ter.api.token import LIFETIME_SECONDS, claims
from reconciler.transport.client import Request
from reconciler.transport.retry import Answer, LostAnswerError, Outcome

OK = json({"data": []})


def _good(_: Request) -> Outcome:
    return OK


def _accepting(*refused: int, status: int = 403, said: str = "expired") -> ScriptedM3ter:
    """m3ter that refuses the tokens of these serial numbers."""
    bad = [f"Bearer {token(serial=reason)}" for reason in refused]

    def behave(request: Request) -> Outcome:
        if request.headers["Authorization"] in bad:
            return json({"message": said}, status)
        return OK

    return ScriptedM3ter(behave)


def test_one_token_serves_for_nearly_five_hours() -> None:
    clock, m3ter = FakeClock(), ScriptedM3ter(_good)
    one = session(m3ter, clock)
    for _ in range(5):
        one.read("/users", intent="list")
        clock.advance((LIFETIME_SECONDS - 600) / 5)
    assert m3ter.tokens == 1
    clock.advance(400)
    one.read("/users", intent="list")
    assert m3ter.tokens == 2


def test_many_threads_fetch_one_token() -> None:
    m3ter = ScriptedM3ter(_good)
    one = session(m3ter)
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda _: one.read("/users", intent="list"), range(40)))
    assert m3ter.tokens == 1


@pytest.mark.parametrize(
    ("status", "said"),
    [(401, "no"), (403, "The access token has expired"), (403, "Unauthorized"), (401, "")],
)
def test_a_refused_token_is_renewed_once(status: int, said: str) -> None:
    m3ter = _accepting(1, status=status, said=said)
    session(m3ter).read("/users", intent="list")
    assert (m3ter.tokens, len(m3ter.requests)) == (2, 2)


def test_many_threads_renew_a_refused_token_once() -> None:
    m3ter = _accepting(1)
    one = session(m3ter)
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda _: one.read("/users", intent="list"), range(12)))
    assert m3ter.tokens == 2


def test_a_token_that_was_renewed_meanwhile_is_not_fetched_again() -> None:
    m3ter = ScriptedM3ter(_good)
    tokens = session(m3ter)._tokens
    old = tokens.current()
    new = tokens.renewed(old)
    assert tokens.renewed(old) == new != old
    assert m3ter.tokens == 2


def test_a_key_that_is_always_refused_ends_with_exit_11() -> None:
    m3ter = _accepting(1, 2, 3, status=401)
    with pytest.raises(
        AuthenticationError, match=r"GET /users .*401.*Nothing was changed"
    ) as caught:
        session(m3ter).read("/users", intent="list the users")
    assert caught.value.exit_code is ExitCode.REFUSED_IDENTITY
    assert len(m3ter.requests) == 2


def test_a_missing_permission_is_no_expired_token() -> None:
    m3ter = _accepting(1, said="Forbidden")
    with pytest.raises(PermissionDeniedError, match="may not list the users") as caught:
        session(m3ter).read("/users", intent="list the users")
    assert (m3ter.tokens, len(m3ter.requests)) == (1, 1)
    assert caught.value.exit_code is ExitCode.REFUSED_IDENTITY


def test_a_bare_refusal_of_an_older_token_renews_it_once() -> None:
    clock, m3ter = FakeClock(), _accepting(1, said="Forbidden")
    one = session(m3ter, clock)
    one.check()
    clock.advance(3600)
    one.read("/users", intent="list")
    assert m3ter.tokens == 2


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_wrong_key_is_said_to_be_wrong_without_showing_it(status: int) -> None:
    m3ter = ScriptedM3ter(_good, lambda _: json({"message": "bad key-hunter2"}, status))
    with pytest.raises(AuthenticationError, match=r"accessKey and m3ter\.apiSecret") as caught:
        session(m3ter).read("/users", intent="list")
    assert m3ter.requests == []
    assert "secret-hunter2" not in str(caught.value)


def test_a_key_of_another_organisation_reads_and_writes_nothing() -> None:
    m3ter = ScriptedM3ter(_good, lambda _: json({"access_token": token("22222222-2222")}))
    with pytest.raises(WrongOrganisationError, match="22222222-2222") as caught:
        session(m3ter).check()
    assert caught.value.exit_code is ExitCode.REFUSED_IDENTITY
    assert m3ter.requests == []


@pytest.mark.parametrize("value", [token(None), "opaque", "a.b.c", "a.!!.c", "a.MTI.c"])
def test_a_token_that_names_no_organisation_is_refused_unless_switched(value: str) -> None:
    m3ter = ScriptedM3ter(_good, lambda _: json({"access_token": value}))
    with pytest.raises(WrongOrganisationError, match="names no organisation"):
        session(m3ter).check()
    session(m3ter, organisation_claim="if-present").check()


@pytest.mark.parametrize(
    "answer", [Answer(200, {}, b"<html>"), json({}), json([]), json({"access_token": ""})]
)
def test_an_unreadable_token_answer_is_said_to_be_one(answer: Answer) -> None:
    with pytest.raises(UnreadableAnswerError, match="a token"):
        session(ScriptedM3ter(_good, lambda _: answer)).check()


@pytest.mark.parametrize("outcome", [Answer(500, {}, b""), LostAnswerError("x", "cut")])
def test_m3ter_that_gives_no_token_is_unreachable(outcome: Outcome) -> None:
    m3ter = ScriptedM3ter(_good, lambda _: outcome)
    with pytest.raises(M3terUnreachableError, match="/oauth/token"):
        session(m3ter).check()
    assert m3ter.tokens == 5


def test_an_unusual_refusal_of_a_token_is_not_taken_for_a_wrong_key() -> None:
    with pytest.raises(M3terRefusedError, match="418"):
        session(ScriptedM3ter(_good, lambda _: json({}, 418))).check()


def test_a_shorter_lifetime_is_obeyed() -> None:
    clock = FakeClock()
    m3ter = ScriptedM3ter(
        _good, lambda n: json({"access_token": token(serial=n), "expires_in": 900})
    )
    one = session(m3ter, clock)
    one.check()
    clock.advance(601)
    one.check()
    assert m3ter.tokens == 2


def test_the_token_request_can_be_a_form() -> None:
    seen: list[Request] = []

    class Watching(ScriptedM3ter):
        def send(self, request: Request) -> Answer:
            seen.append(request)
            return super().send(request)

    session(Watching(_good), token_body="form").check()
    assert seen[0].body == b"grant_type=client_credentials"
    assert seen[0].headers["Content-Type"] == "application/x-www-form-urlencoded"


@given(text=st.text(max_size=60))
def test_no_token_crashes_the_reader_of_claims(text: str) -> None:
    assert isinstance(claims(text), dict)


@given(found=st.dictionaries(st.text(max_size=5), st.one_of(st.integers(), st.text(max_size=5))))
def test_claims_come_back_as_they_were_written(found: dict[str, JsonValue]) -> None:
    body = urlsafe_b64encode(encode(found).encode()).decode().rstrip("=")
    assert claims(f"x.{body}.y") == found
