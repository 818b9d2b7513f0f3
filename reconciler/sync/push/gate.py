"""What forbids a write: a stop, a pause, another route, a push disabled by failures in a row."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import assert_never

from reconciler.kernel.runbook import Page, page
from reconciler.sync.core.disabling import DISABLE_AFTER, must_disable
from reconciler.sync.judge.account import AccountFacts
from reconciler.sync.model.push import (
    CredentialsRefused,
    Effect,
    KeyConflict,
    Mark,
    NotPerformed,
    Performed,
    Refused,
    StepOutcome,
    Undecidable,
    UnknownOutcome,
    WindowClosed,
)
from reconciler.sync.model.standing import BillStanding
from reconciler.sync.push.bill_record import BillRecord


@dataclass(slots=True)
class Gate:
    """Asked before every write of one bill.

    Attributes:
        about: What the interlock knows; ``None`` until it is asked.
    """

    record: BillRecord
    about: AccountFacts | None = None

    def held(self, effects: tuple[Effect, ...]) -> BillStanding | None:
        """Say what forbids a write at this moment; ``None`` when nothing does."""
        record = self.record
        push, site, name = record.push, record.site, record.route.name
        if push.stopped():
            return record.unsent("the run was stopped")
        if why := push.ledger.paused(site):
            return replace(record.unsent("the site is paused", why), page=page(Page.PAUSED))
        if why := push.ledger.disabled(site, name):
            return replace(record.unsent("the push is disabled", why), page=page(Page.DISABLED))
        who = record.who
        if self.about is None or not push.judge.watch.fresh(self.about):
            self.about = push.judge.watch.one(who.bill_id, who.account_code)
        barred = push.judge.barred(who, record.route, self.about)
        if barred is None:
            return None
        if not any(effect.attempts for effect in effects):
            return replace(record.unsent(barred.short, barred.why), page=barred.page)
        rests = record.rests(effects, f"{barred.short}: {barred.why}", None)
        return replace(rests, page=barred.page or rests.page)


_MARKS_READ = 500


def mark_of(outcome: StepOutcome) -> Mark:
    """Say whom an outcome is to be counted against."""
    match outcome:
        case Performed() | Undecidable():
            return "success"
        case Refused(about="site") | UnknownOutcome():
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
