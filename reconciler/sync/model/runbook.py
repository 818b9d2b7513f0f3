"""Which page of ``docs/runbook.md`` belongs to where a bill stands."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.drafting.draft import BlockCode
from reconciler.kernel.runbook import RUNBOOK, Page, page
from reconciler.sync.model.push import PushStatus

_OF_STATUS: Mapping[PushStatus, Page] = {
    PushStatus.WAITING: Page.WAITING,
    PushStatus.STARTED: Page.STARTED,
    PushStatus.ERROR: Page.REFUSED_LINE,
    PushStatus.AWAITING_RETRY: Page.RETRYING,
    PushStatus.RATE_LIMIT_RETRY: Page.RETRYING,
    PushStatus.AUTH_FAILED: Page.REFUSED_KEY,
    PushStatus.INVOICE_ALREADY_PAID: Page.ALREADY_PAID,
    PushStatus.ACCOUNTING_PERIOD_CLOSED: Page.PERIOD_CLOSED,
    PushStatus.TIMEOUT_LIMIT_EXCEEDED: Page.TIMEOUT,
    PushStatus.DISABLED: Page.SKIPPED,
    PushStatus.UNKNOWN: Page.UNKNOWN,
    PushStatus.PARTIAL: Page.PARTIAL,
    PushStatus.REOPENED: Page.REOPENED,
    PushStatus.BLOCKED: Page.BLOCKED,
    PushStatus.NOTHING_TO_SEND: Page.NOTHING_TO_SEND,
}


def bill_page(of: PushStatus | BlockCode) -> str:
    """Give the address of the page about where a bill stands, or why it is blocked.

    Args:
        of: The status or the reason; ``COMPLETE`` needs no page and gives the file.
    """
    if isinstance(of, BlockCode):
        return f"{RUNBOOK}#blocked-{of.value}"
    found = _OF_STATUS.get(of)
    return page(found) if found else RUNBOOK
