"""Standings as people read them: from rows of the ledger, and from reasons that block."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from reconciler.drafting.block_words import in_short
from reconciler.drafting.draft import BlockReason
from reconciler.drafting.input_hash import input_hash
from reconciler.m3ter.bill import Bill
from reconciler.sync.model.push import PushStatus
from reconciler.sync.model.standing import BillStanding, Group, Who
from reconciler.sync.model.statuses import bill_page, given_up, meaning
from reconciler.sync.ports.ledger import BillRow

RESUMED = frozenset(
    {
        PushStatus.STARTED,
        PushStatus.AWAITING_RETRY,
        PushStatus.RATE_LIMIT_RETRY,
        PushStatus.AUTH_FAILED,
        PushStatus.UNKNOWN,
    }
)
"""Rows with something under way; they go on by what the ledger holds, not by the bill."""
STOPPED = frozenset(
    {
        PushStatus.PARTIAL,
        PushStatus.ERROR,
        PushStatus.ACCOUNTING_PERIOD_CLOSED,
        PushStatus.TIMEOUT_LIMIT_EXCEEDED,
    }
)
"""Rows that stay as they are until a person acts."""
SENT = frozenset({PushStatus.COMPLETE, PushStatus.REOPENED, PushStatus.INVOICE_ALREADY_PAID})
_UNTIL_CHANGED: Mapping[PushStatus, tuple[Group, str]] = {
    PushStatus.COMPLETE: (Group.UNCHANGED, "already sent"),
    PushStatus.NOTHING_TO_SEND: (Group.NOTHING, "nothing to send"),
}


def by_row(bill: Bill, row: BillRow) -> BillStanding | None:
    """Judge a bill by what the ledger holds alone."""
    if begun := _begun(row):
        return begun
    if row.status is PushStatus.DISABLED:
        return of_row(row, Group.NOTHING, "a person said not to send it")
    if row.status not in _UNTIL_CHANGED or row.input_hash != input_hash(bill):
        return None
    if row.status is PushStatus.COMPLETE and bill.status != "APPROVED":
        return None
    return of_row(row, *_UNTIL_CHANGED[row.status])


def _begun(row: BillRow) -> BillStanding | None:
    """Judge what is under way, or stopped on its way."""
    means = meaning(row.status, again=row.next_at is not None)
    if given_up(row.status, again=row.next_at is not None):
        # it does not go on by itself: a run ended with a question to a person
        return of_row(row, means.group, means.short)
    if row.status in RESUMED:
        return of_row(row, Group.UNDER_WAY, "begun earlier")
    if row.status in STOPPED:
        return of_row(row, means.group, means.short)
    return None


def blocked_standing(standing: BillStanding, reasons: tuple[BlockReason, ...]) -> BillStanding:
    """Give the standing of a bill for which something must be corrected."""
    codes = tuple(dict.fromkeys(reason.code for reason in reasons))
    return replace(
        standing,
        group=Group.BLOCKED,
        status=PushStatus.BLOCKED,
        short=in_short(reasons),
        why="; ".join(f"{reason.text} ({reason.hint})" for reason in reasons),
        page=bill_page(codes[0]),
        reasons=reasons,
        events=tuple(dict.fromkeys(reason.event for reason in reasons)),
    )


def of_row(row: BillRow, group: Group, short: str) -> BillStanding:
    """Give the standing that the ledger tells."""
    standing = bill_standing(
        Who(row.bill_id, row.account_id), group, short, row.message, row.integration
    )
    where = "" if group in {Group.UNCHANGED, Group.NOTHING} else bill_page(row.status)
    return replace(standing, money=row.billed, status=row.status, page=where, new=False)


def who_of(bill: Bill) -> Who:
    """Name a bill and its account."""
    return Who(bill.id, bill.account_id, bill.account_code)


def bill_standing(
    who: Who, group: Group, short: str, why: str = "", integration: str = ""
) -> BillStanding:
    """Make a standing."""
    return BillStanding(group, who, integration, short, why or short)
