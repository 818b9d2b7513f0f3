"""Reading where nothing is pushed any more: drafts are as they were, and nobody takes a bill."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from fakes.push_data import bill, line
from fakes.push_reading import NAME, OneRoute

from reconciler.drafting.draft import InvoiceDraft
from reconciler.kernel.address import BillId, OrganizationId
from reconciler.plan.model.applied import AppliedRecord
from reconciler.plan.model.plan import Fingerprint, References
from reconciler.reconcile.routes import (
    NotOurs,
    PastPushes,
    SentByM3ter,
    UndecidedRoute,
    newest_that_pushed,
)

BILL = bill(line("USAGE", "400", units="8"), id=BillId("bill-1"))
SITE = {"chargebee": {"site": "acme"}, "ledger": {"sqlite": "x"}}


def record(number: int, delivery: str = "push", **environment: Any) -> AppliedRecord:
    return AppliedRecord(
        environment="sandbox",
        sequence=number,
        previous=None,
        at="2026-12-01T00:00:00Z",
        actor="j.doe",
        action="apply",
        source_commit="3f2c9ab",
        plan=None,
        fingerprint=Fingerprint(OrganizationId("o"), "https://m3ter"),
        references=References(),
        bindings=(),
        receipt=None,
        approvals=(),
        definitions={
            "Integration": {"uk": {"delivery": delivery}},
            "Environment": {"sandbox": environment or SITE},
        },
    )


def test_the_newest_record_that_pushed_to_a_site_is_taken_and_no_older_one_is_read() -> None:
    read: list[int] = []

    def newest_first() -> Iterator[AppliedRecord]:
        for entry in (
            record(9, "native"),
            record(8, "push", chargebee={}, ledger={}),
            record(7),
            record(6),
        ):
            read.append(entry.sequence)
            yield entry

    found = newest_that_pushed(newest_first())
    assert found is not None
    assert (found.sequence, read) == (7, [9, 8, 7])
    assert newest_that_pushed([record(9, "native")]) is None


def test_nobody_takes_a_bill_unless_m3ter_sent_it() -> None:
    routes = OneRoute(limit=Decimal(5))
    past = PastPushes(routes)
    standing = past.standing(BILL)
    assert isinstance(standing, NotOurs)
    assert "applied record 4 was the last to push" in standing.why
    routes.standings[BILL.id] = UndecidedRoute(NAME, "native selects it")
    assert isinstance(past.standing(BILL), NotOurs)
    routes.standings[BILL.id] = SentByM3ter("uk", "run r1")
    assert past.standing(BILL) == SentByM3ter("uk", "run r1")


def test_everything_else_is_as_it_was_then() -> None:
    routes = OneRoute(limit=Decimal(5))
    past = PastPushes(routes)
    assert (past.in_force.record, past.in_force.past) == (4, True)
    assert past.integrations == (NAME,)
    assert past.tolerance(NAME) == Decimal(5)
    assert past.readings == routes.readings
    past.expect([BILL])
    assert routes.expected == [1]
    assert isinstance(past.draft(BILL, NAME), InvoiceDraft)


@pytest.mark.parametrize("definitions", [{}, {"Integration": None}, {"Integration": {"uk": 1}}])
def test_a_record_without_such_definitions_did_not_push(definitions: dict[str, Any]) -> None:
    bare = replace(record(1), definitions=definitions)
    assert newest_that_pushed([bare]) is None
