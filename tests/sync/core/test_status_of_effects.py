"""Where a bill stands, and when a push disables itself."""

from __future__ import annotations

import pytest

from reconciler.kernel.address import BillId
from reconciler.sync.core.disabling import DISABLE_AFTER, AutoDisable, in_a_row, must_disable
from reconciler.sync.core.effect_states import status_of
from reconciler.sync.model.push import (
    Effect,
    Mark,
    PushKey,
    PushState,
    PushStatus,
    SiteName,
    StepKind,
    StepName,
    StoredRequest,
)

S = PushState
P = PushStatus


@pytest.mark.parametrize(
    ("states", "steps", "wanted"),
    [
        ([], 2, P.STARTED),
        ([S.INTENDED], 2, P.STARTED),
        ([S.DONE], 2, P.STARTED),
        ([S.DONE, S.DONE], 2, P.COMPLETE),
        ([S.DONE, S.SENDING], 2, P.UNKNOWN),
        ([S.IN_DOUBT], 1, P.UNKNOWN),
        ([S.PERSON, S.CLOSED], 2, P.UNKNOWN),
        ([S.DONE, S.CLOSED], 2, P.PARTIAL),
        ([S.CLOSED], 2, P.WAITING),
        ([S.DONE, S.REFUSED], 2, P.PARTIAL),
        ([S.REFUSED], 2, P.ERROR),
        ([S.DONE, S.RETRY], 2, P.AWAITING_RETRY),
    ],
)
def test_a_bill_stands_where_its_effects_do(
    states: list[PushState], steps: int, wanted: PushStatus
) -> None:
    effects = [
        Effect(
            PushKey(SiteName("s"), BillId("b"), 1, StepName(StepKind.ADD_LINE, number)),
            state,
            StoredRequest("/p", b""),
        )
        for number, state in enumerate(states)
    ]
    assert status_of(effects, steps) is wanted


@pytest.mark.parametrize(
    ("marks", "policy", "count"),
    [
        ([], "systemic", 0),
        (["systemic"] * 3, "systemic", 3),
        (["systemic", "bill", "transient", "credentials", "systemic"], "systemic", 2),
        (["systemic", "success", "systemic"], "systemic", 1),
        (["systemic", "bill", "transient", "credentials"], "as-m3ter", 3),
    ],
)
def test_failures_are_counted_since_the_last_success(
    marks: list[Mark], policy: AutoDisable, count: int
) -> None:
    assert in_a_row(marks, policy) == count


def test_the_tenth_systemic_failure_disables() -> None:
    assert not must_disable(["systemic"] * (DISABLE_AFTER - 1))
    assert must_disable(["systemic"] * DISABLE_AFTER)
    assert not must_disable(["bill"] * 50)
    assert must_disable(["bill"] * DISABLE_AFTER, "as-m3ter")


@pytest.mark.parametrize(
    ("message", "wanted"),
    [
        ("param_wrong_value: invoice_date : must not be in the past", P.ACCOUNTING_PERIOD_CLOSED),
        ("param_wrong_value: item_prices[unit_price][0] : must be at least 0", P.ERROR),
    ],
)
def test_a_refused_invoice_date_has_a_status_of_its_own(message: str, wanted: PushStatus) -> None:
    key = PushKey(SiteName("acme"), BillId("b"), 1, StepName(StepKind.CREATE_INVOICE))
    refused = Effect(key, S.REFUSED, StoredRequest("/x", b""), message=message)
    assert status_of([refused], 1) is wanted
