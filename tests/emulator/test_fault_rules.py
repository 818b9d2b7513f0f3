from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from reconciler.emulator.exchange import HttpRequest
from reconciler.emulator.faults import FAULTS, FaultBook, FaultRuleError, parse_rule


def request(method: str = "GET", path: str = "/organizations/o/bills") -> HttpRequest:
    return HttpRequest(method, path, (), {})


def hits(book: FaultBook, times: int, vendor: str = "m3ter") -> list[bool]:
    return [bool(book.hitting(vendor, request())) for _ in range(times)]


def book_of(*rules: dict[str, Any]) -> FaultBook:
    book = FaultBook(1)
    book.add(list(rules))
    return book


def test_a_rule_ends_after_its_times_and_begins_after_its_after() -> None:
    assert hits(book_of({"fault": "http_500", "times": 2, "after": 1}), 5) == [
        False,
        True,
        True,
        False,
        False,
    ]


def test_a_rule_without_limits_hits_every_request() -> None:
    assert hits(book_of({"fault": "http_500"}), 3) == [True, True, True]


def test_chances_are_the_same_for_the_same_seed() -> None:
    rule = {"fault": "http_500", "probability": Decimal("0.5")}
    first, second = hits(book_of(rule), 50), hits(book_of(rule), 50)
    assert first == second
    assert 10 < sum(first) < 40


@pytest.mark.parametrize(
    ("match", "hit"),
    [
        ({}, True),
        ({"vendor": "m3ter"}, True),
        ({"vendor": "chargebee"}, False),
        ({"method": "get"}, True),
        ({"method": "POST"}, False),
        ({"path": "/organizations/o/bills"}, True),
        ({"path": "/organizations/o/bill"}, False),
        ({"path": "/organizations/*"}, True),
        ({"path": "/api/*"}, False),
        ({"path": "*", "vendor": None}, True),
    ],
)
def test_a_rule_is_about_vendor_method_and_path(match: dict[str, Any], hit: bool) -> None:
    assert hits(book_of({"fault": "http_500", "match": match}), 1) == [hit]


def test_cuts_while_reading_are_kept_apart() -> None:
    book = book_of({"fault": "cut_before_commit", "bytes": 10})
    assert book.hitting("m3ter", request()) == []
    assert len(book.hitting("m3ter", request(), while_reading=True)) == 1


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_every_fault_of_the_design_is_known(fault: str) -> None:
    assert parse_rule({"fault": fault, "seconds": Decimal("0.5")}).seconds == 0.5


@pytest.mark.parametrize(
    "rule",
    [
        "http_500",
        {},
        {"fault": "http_418"},
        {"fault": "http_500", "probability": 2},
        {"fault": "http_500", "probability": True},
        {"fault": "http_500", "probability": "often"},
        {"fault": "http_500", "times": -1},
        {"fault": "http_500", "times": Decimal("1.5")},
        {"fault": "http_500", "when": "now"},
        {"fault": "http_500", "match": "m3ter"},
        {"fault": "http_500", "match": {"host": "x"}},
        {"fault": "http_500", "match": {"path": 1}},
        {"fault": "http_500", "match": {"vendor": "stripe"}},
        {"fault": "latency", "seconds": -1},
    ],
)
def test_a_rule_that_cannot_be_understood_is_refused_and_none_is_added(rule: object) -> None:
    book = FaultBook(1)
    with pytest.raises(FaultRuleError):
        book.add([{"fault": "http_500"}, rule])
    assert book.rules == []


def test_rules_must_be_a_list() -> None:
    with pytest.raises(FaultRuleError, match="must be a list"):
        FaultBook(1).add({"fault": "http_500"})


@pytest.mark.parametrize(
    ("fault", "vendor", "method", "path", "hit"),
    [
        ("empty_page", "m3ter", "GET", "/organizations/o/bills", True),
        ("empty_page", "m3ter", "POST", "/organizations/o/bills", False),
        ("version_conflict", "m3ter", "PUT", "/organizations/o/bills/b", True),
        ("version_conflict", "m3ter", "GET", "/organizations/o/bills/b", False),
        ("version_conflict", "chargebee", "PUT", "/api/v2/invoices", False),
        ("expired_token", "m3ter", "POST", "/oauth/token", False),
        ("http_500", "m3ter", "POST", "/oauth/token", True),
        ("lock_timeout", "m3ter", "POST", "/organizations/o/bills", False),
        ("lock_timeout", "chargebee", "POST", "/api/v2/invoices", True),
    ],
)
def test_a_fault_meets_only_requests_that_it_means_something_for(
    fault: str, vendor: str, method: str, path: str, hit: bool
) -> None:
    book = book_of({"fault": fault})
    assert bool(book.hitting(vendor, request(method, path))) == hit
