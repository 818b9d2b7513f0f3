"""Whom the outcome of an attempt counts against, and what ten failures in a row do."""

from __future__ import annotations

from typing import assert_never

from reconciler.kernel.runbook import Page, page
from reconciler.sync.core.disabling import DISABLE_AFTER, must_disable
from reconciler.sync.model.push import (
    CredentialsRefused,
    KeyConflict,
    Mark,
    NotPerformed,
    Performed,
    Refused,
    StepOutcome,
    Undecidable,
    Unknown,
    WindowClosed,
)
from reconciler.sync.push.bill_record import BillRecord

_MARKS_READ = 500


def mark_of(outcome: StepOutcome) -> Mark:
    """Say whom an outcome is to be counted against."""
    match outcome:
        case Performed() | Undecidable():
            return "success"
        case Refused(about="site") | Unknown():
            return "systemic"
        case Refused() | WindowClosed():
            return "bill"
        case CredentialsRefused():
            return "credentials"
        case NotPerformed() | KeyConflict():
            return "transient"
        case _:
            assert_never(outcome)


def disable_if_due(record: BillRecord) -> None:
    """Disable the push after ten failures in a row, in ledger order across workers."""
    ledger, site, name = record.push.ledger, record.site, record.route.name
    policy = record.route.route.policy.auto_disable
    if ledger.disabled(site, name) or not must_disable(
        ledger.marks(site, name, _MARKS_READ), policy
    ):
        return
    why = f"{DISABLE_AFTER} failures in a row; the last at bill {record.row.bill_id}"
    ledger.disable(site, name, why)
    record.push.notifier.notify(
        "disabled",
        f"The push of {name} to {site} is disabled",
        f"{why}.\nNothing more is sent for it. When the cause is gone: "
        f"`reconciler sync enable {name}`. See {page(Page.DISABLED)}.",
    )
