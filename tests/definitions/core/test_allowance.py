from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.definitions.core.allowance import (
    Allowance,
    AllowanceSyntaxError,
    is_loopback,
    parse_allowance,
)
from reconciler.errors import ExitCode

NOTHING = Allowance()
LABEL = st.text("abcdefghij0123456789", min_size=1, max_size=8)


@pytest.mark.parametrize(
    "url",
    [
        "https://api.m3ter.com",
        "https://api.eu.m3ter.com/",
        "https://API.M3TER.COM.",
        "https://acme-test.chargebee.com",
        "http://localhost:8080",
        "http://127.0.0.1:1234",
        "http://127.255.0.9",
        "http://[::1]:80",
        "https://localhost",
    ],
)
def test_vendors_and_loopback_are_always_allowed(url: str) -> None:
    assert NOTHING.allows_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://api.m3ter.com",
        "https://m3ter.com.evil.example",
        "https://evilm3ter.com",
        "https://api.m3ter.com@evil.example",
        "https://user:pass@api.m3ter.com",
        "https://localhost.evil.example",
        "http://128.0.0.1",
        "http://[::ffff:127.0.0.1]",
        "http://0.0.0.0",
        "https://",
        "ftp://localhost",
        "file:///etc/passwd",
        "https://api.m3ter.com?x=1",
        "https://api.m3ter.com#x",
        "https://api.m3ter.com:99999",
        "https://[broken",
    ],
)
def test_no_other_place_gets_a_key(url: str) -> None:
    assert not NOTHING.allows_url(url)


@given(labels=st.lists(LABEL, min_size=1, max_size=3))
def test_another_domain_needs_the_job_to_allow_it(labels: list[str]) -> None:
    host = ".".join([*labels, "example"])
    assert not NOTHING.allows_url(f"https://{host}")
    assert parse_allowance(f"host:{host.upper()}").allows_url(f"https://{host}")
    assert not parse_allowance(f"host:{host}").allows_url(f"http://{host}")


def test_a_pattern_for_subdomains_does_not_allow_the_domain_itself() -> None:
    allowance = parse_allowance("host:*.example.com")
    assert allowance.allows_host("a.b.example.com")
    assert not allowance.allows_host("example.com")
    assert not allowance.allows_host("badexample.com")


def test_entries_are_separated_by_commas_or_white_space() -> None:
    assert parse_allowance(" host:a ,env:B\nfile:/c  env:D ,, ") == Allowance(
        hosts=("a",), variables=("B", "D"), files=("/c",)
    )
    assert parse_allowance("") == NOTHING


@pytest.mark.parametrize("text", ["a.example.com", "host:", "hosts:a", "ENV:A", "*"])
def test_an_entry_that_cannot_be_understood_is_refused(text: str) -> None:
    with pytest.raises(AllowanceSyntaxError) as caught:
        parse_allowance(text)
    assert caught.value.exit_code is ExitCode.INVALID


def test_names_are_compared_as_they_are_written() -> None:
    assert NOTHING.allows_variable("M3TER_API_KEY")
    assert NOTHING.allows_variable("LEDGER_URL")
    assert NOTHING.allows_variable("NOTICE_URL")
    assert not NOTHING.allows_variable("m3ter_api_key")
    assert not NOTHING.allows_variable("GITHUB_TOKEN")
    assert NOTHING.allows_file("/run/secrets/m3ter")
    assert not NOTHING.allows_file("/run/secrets/../x")
    assert not NOTHING.allows_file("run/secrets/x")
    assert parse_allowance("file:/vault/*").allows_file("/vault/a/b")


@given(text=st.text(max_size=30))
def test_no_host_crashes_the_check(text: str) -> None:
    assert not is_loopback(text) or text == "localhost" or text.startswith(("127.", "::", "0"))
    assert NOTHING.allows_url(f"https://{text}") in {True, False}
