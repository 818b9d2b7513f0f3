from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.kernel.exact_json import encode
from reconciler.kernel.secret import Secret
from reconciler.transport.redaction import (
    BLANK,
    is_secret_key,
    redact_text,
    redact_value,
)

SECRETS = st.text(
    "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghkmnpqrstuvwxyz23456789", min_size=12, max_size=40
)


@given(secret=SECRETS)
def test_no_usual_way_to_write_a_secret_shows_it(secret: str) -> None:
    for text in (
        f"Authorization: Bearer {secret}",
        f"authorization=Basic {secret}==",
        f"https://user:{secret}@api.m3ter.com/x",
        encode({"apiKey": secret, "name": "x"}),
        encode({"credentials": {"api_secret": secret}}),
        encode({"access_token": secret, "expires_in": 18000}),
        f"api_key={secret}&x=1",
        f"password: '{secret}'",
        f"eyJhbGciOiJub25lIn0.{secret}.{secret}",
    ):
        assert secret not in redact_text(text), text


@given(secret=SECRETS, before=st.text(max_size=10), after=st.text(max_size=10))
def test_a_known_secret_is_blanked_wherever_it_stands(secret: str, before: str, after: str) -> None:
    assert secret not in redact_text(f"{before}{secret}{after}", [Secret(secret)])


@pytest.mark.parametrize(
    "text",
    [
        "GET /organizations/1/integrationconfigs -> 200",
        "integrationCredentialsId: 3f2c9ab0-0000-4000-8000-000000000001",
        '{"accessKeyId": "x"}',
        "version 8 does not match",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact_text(text) == text


def test_values_of_secret_keys_are_blanked_at_any_depth() -> None:
    value = {
        "list": [{"secret": "s", "apiKey": "k", "nextToken": "n"}],
        "password": None,
        "n": 1,
        "note": "Bearer abcdefgh",
    }
    assert redact_value(value) == {
        "list": [{"secret": BLANK, "apiKey": BLANK, "nextToken": "n"}],
        "password": None,
        "n": 1,
        "note": f"Bearer {BLANK}",
    }


@pytest.mark.parametrize(
    "piece", ["x", "token", "eyJ-", "a.", "eyJa.", "basic ", "secret-", 'token="', "://a", "a:'"]
)
def test_no_long_text_takes_long(piece: str) -> None:
    text = piece * (200_000 // len(piece))
    began = time.process_time()
    redact_text(text)
    assert time.process_time() - began < 5


def test_ids_and_page_marks_are_no_secrets() -> None:
    assert not is_secret_key("integrationCredentialsId")
    assert not is_secret_key("nextToken")
    assert is_secret_key("clientSecret")
