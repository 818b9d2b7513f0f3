"""Which accounts and bills a configuration takes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from fakes.push_data import bill, line, spec

from reconciler.definitions.kinds.integration import CodeReference, GlobalPanel
from reconciler.kernel.address import AccountId
from reconciler.m3ter.live import Account
from reconciler.selection.scope import AccountScope, NotTaken, Taken, membership, scope_of, takes

ACME = Account(AccountId("acc-acme"), "acme-uk", "Acme", "GBP", custom_fields={"country": "UK"})
UUID = "11111111-1111-4111-8111-111111111111"
SINCE = date(2026, 12, 1)


def scope(accounts: Any = "all", restricted: Any = (), **entity: Any) -> AccountScope:
    panel = GlobalPanel(account_ids=accounts, restricted_account_ids=restricted)
    settings = spec(**entity).model_copy(update={"global_": panel})
    return scope_of(settings, {"acme-uk": AccountId("acc-acme")})


@pytest.mark.parametrize(
    ("given", "verdict", "why"),
    [
        (scope(), "in", "without a filter"),
        (scope((CodeReference(code="acme-uk"),)), "in", "without a filter"),
        (scope((UUID,)), "out", "not in accountIds"),
        (scope(restricted=(CodeReference(code="acme-uk"),)), "out", "restrictedAccountIds"),
        (
            scope((CodeReference(code="acme-uk"),), (CodeReference(code="acme-uk"),)),
            "out",
            "restrictedAccountIds",
        ),
        (scope(account_filter='customFields.country == "UK"'), "in", "filter is true"),
        (scope(account_filter='customFields.country == "US"'), "out", "filter is false"),
        (scope((CodeReference(code="nobody"),)), "unknown", "nobody do not exist"),
        (scope(account_filter='country ==== "UK"'), "unknown", "cannot be read"),
        (scope(account_filter="1 / 0 == 1"), "unknown", "has no answer"),
    ],
)
def test_an_account_is_in_out_or_unknown(given: AccountScope, verdict: str, why: str) -> None:
    found = membership(given, ACME)
    assert (found.verdict, why in found.why) == (verdict, True), found


def test_an_answer_on_an_undocumented_rule_carries_it() -> None:
    filtered = scope(account_filter="customFields.country == UK")
    found = membership(filtered, ACME)
    assert found.verdict == "in"
    assert found.assumptions == ("a word without quotes that names no field is text",)
    taken = takes(filtered, SINCE, bill(line()), ACME)
    assert taken == Taken(found.assumptions)


def test_a_bill_is_taken_by_bill_and_never_by_month() -> None:
    assert takes(scope(), SINCE, bill(line()), ACME) == Taken()


@pytest.mark.parametrize(
    ("change", "given", "reason"),
    [
        ({"end_date": date(2026, 11, 30)}, scope(), "before-since"),
        ({"status": "PENDING"}, scope(), "unapproved"),
        ({}, scope((UUID,)), "other-account"),
        ({}, scope((CodeReference(code="nobody"),)), "unknown"),
    ],
)
def test_a_bill_that_is_left_out_says_why(
    change: dict[str, Any], given: AccountScope, reason: str
) -> None:
    left = takes(given, SINCE, replace(bill(line()), **change), ACME)
    assert isinstance(left, NotTaken)
    assert left.reason == reason
    assert left.why


def test_without_approval_a_pending_bill_is_taken() -> None:
    given = scope(only_send_bill_on_approval=False)
    assert takes(given, SINCE, bill(line(), status="PENDING"), ACME) == Taken()
