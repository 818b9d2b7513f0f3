"""Where a bill stands, in sentences for people who explain it to others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, assert_never

from reconciler.kernel.runbook import Page, page
from reconciler.reconcile.routes_port import NotOurs, NotYet, Ours, SentByM3ter, Standing, Undecided
from reconciler.sync.model.push import PushStatus


def stands(standing: Standing) -> tuple[str, str]:
    """Give the sentence and the page of a bill that the ledger does not hold."""
    match standing:
        case Ours(integration):
            return f"It is ready: the next run of {integration} sends it.", ""
        case NotYet(integration):
            return f"{integration} will send it, but not yet.", page(Page.WAITING)
        case Undecided(short=short, page=where):
            return f"It is not sent: {short}.", where
        case SentByM3ter():
            return "m3ter sent it itself, so nothing is sent for it again.", ""
        case NotOurs():
            return "It is not ours: no push integration takes it.", page(Page.NOT_OURS)
        case _:
            assert_never(standing)


WORDS: Final[Mapping[PushStatus, str]] = {
    PushStatus.WAITING: "It waits: nothing of it was sent yet.",
    PushStatus.STARTED: "It is being sent.",
    PushStatus.COMPLETE: "It was sent, all of it.",
    PushStatus.ERROR: "Chargebee refused it. Nothing of it stands there.",
    PushStatus.AWAITING_RETRY: "It was provably not sent yet, and will be tried again.",
    PushStatus.AUTH_FAILED: "Chargebee refused the key. Nothing of it was sent by that attempt.",
    PushStatus.INVOICE_ALREADY_PAID: "m3ter changed it after its invoice was paid.",
    PushStatus.ACCOUNTING_PERIOD_CLOSED: "Its accounting period is closed in Chargebee.",
    PushStatus.RATE_LIMIT_RETRY: "Chargebee asked to slow down; it will be tried again.",
    PushStatus.TIMEOUT_LIMIT_EXCEEDED: "It was given up after a time; a person decides.",
    PushStatus.DISABLED: "A person decided not to send it, or its push is disabled.",
    PushStatus.UNKNOWN: "Whether it arrived is not known. It is looked for before it is sent.",
    PushStatus.PARTIAL: "Some of its lines stand on an invoice, and some do not.",
    PushStatus.REOPENED: "It was sent, and then went back to PENDING in m3ter.",
    PushStatus.BLOCKED: "It is blocked: nothing of it is sent until this is put right.",
    PushStatus.NOTHING_TO_SEND: "It has nothing to send.",
}
