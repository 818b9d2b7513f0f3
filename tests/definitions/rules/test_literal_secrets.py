"""What counts as a literal secret, and what does not."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.definitions.core.secrets import BLANK, blank_secrets, looks_like_secret

SECRETS = [
    "live_1234567890abcdefABCD",
    "test_NwC1dBxAAcufEbMpc0kEcdXjlzTvpCPyK",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcdefghijkl",
    "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
    "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
    "github_pat_11ABCDEFG0abcdefghijkl",
    "AKIAIOSFODNN7EXAMPLE",
    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "3f786850e387550fdab836ed7e6dc881de23001b",
    "k8Jd93nfKq02nVb7Lq9xTzR4wYp1Ga",
    "-----BEGIN PRIVATE KEY-----\nMIIEvQ==\n-----END PRIVATE KEY-----",
]


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_is_found_inside_a_text(secret: str) -> None:
    span = looks_like_secret(f"the key is {secret} and more")

    assert span is not None
    assert span[0] == len("the key is ")
    assert secret[: span[1] - span[0]] == secret


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("Authorization: Bearer abcdefghij0123456789", "abcdefghij0123456789"),
        ("basic dXNlcjpwYXNzd29yZA==", "dXNlcjpwYXNzd29yZA=="),
        ("https://user:hunter2@example.com/x", "hunter2"),
        ("postgresql://:pw@db/ledger", "pw"),
        ("https://hooks.slack.com/services/T0/B0/xyz", "T0/B0/xyz"),
    ],
)
def test_the_secret_part_of_a_text_is_the_span(text: str, secret: str) -> None:
    span = looks_like_secret(text)

    assert span is not None
    assert text[slice(*span)] == secret


@pytest.mark.parametrize(
    "text",
    [
        "",
        "acme-uk",
        "usage-other-GBP",
        "11111111-1111-4111-8111-111111111111",
        "sub_169lhDTaWTcNH8kj",
        "cbdemo_enterprise-USD-monthly-2024-long-name",
        "chargebee-enterprise-subscription-2025-annual-GBP-v2-1234",
        "price_api-calls_standard-tier-2_GBP-Monthly",
        "integrationDisabledNotificationUsers",
        'customFields != null AND customFields.country == "UK"',
        "https://acme-test.chargebee.com/a/b:c",
        "deadbeefdeadbeefdeadbeefdeadbeef"[:16],
        "00000000000000000000000000000000",
        "one/two/three/four/five/six/seven/eight",
        "a" * 100,
        "SKU-2024-0001-ABCD-9912-XK-0042-77",
        "1234567890123456789012345678901",
        "2026-0001-9912-0042-7700-1234-55",
    ],
)
def test_names_codes_and_ids_are_no_secrets(text: str) -> None:
    assert looks_like_secret(text) is None
    assert blank_secrets(text) == text


@given(st.lists(st.sampled_from([*SECRETS, "acme-uk", "text"]), max_size=6))
def test_a_blanked_text_holds_no_secret(parts: list[str]) -> None:
    blanked = blank_secrets(" ".join(parts))

    assert not any(secret in blanked for secret in SECRETS)
    assert blanked.count(BLANK) == sum(part in SECRETS for part in parts)


@given(st.text())
def test_any_text_can_be_looked_at(text: str) -> None:
    span = looks_like_secret(text)

    assert span is None or 0 <= span[0] < span[1] <= len(text)


@pytest.mark.parametrize("piece", ["eyJ-", "a.a", "-----BEGIN PRIVATE KEY-----", "aB3/", "a://b:"])
def test_a_hostile_text_takes_no_longer_than_its_length(piece: str) -> None:
    started = time.perf_counter()

    looks_like_secret(piece * (1_000_000 // len(piece)))

    assert time.perf_counter() - started < 5
