"""What a status means, told once: for who pushes, who reads and who writes reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from reconciler.drafting.draft import BlockCode
from reconciler.kernel.runbook import RUNBOOK, Page, page
from reconciler.sync.model.push import PushStatus
from reconciler.sync.model.standing import Group

S, P = PushStatus, Page


@dataclass(frozen=True, slots=True)
class StatusMeaning:
    """One status, in the words of each place that speaks of it.

    Attributes:
        group: What becomes of such a bill at the end of a run.
        short: Beside a bill that rests, in few words.
        counted: After the number of such bills.
        sentence: About one bill, in full.
        not_sent: Why a bill is not sent, in a reconciliation; empty where something may stand.
        page: In the runbook; ``None`` where nothing is to be done.
        error: Whether a bill that comes to it is an error event.
    """

    group: Group
    short: str
    counted: str
    sentence: str
    not_sent: str = ""
    page: Page | None = None
    error: bool = False


MEANING: Final[Mapping[PushStatus, StatusMeaning]] = {
    S.COMPLETE: StatusMeaning(Group.UNCHANGED, "already sent", "sent", "It was sent, all of it."),
    S.STARTED: StatusMeaning(
        Group.UNDER_WAY,
        "begun",
        "being sent",
        "It is being sent.",
        "begun, and nothing of it sent yet",
        P.STARTED,
    ),
    S.WAITING: StatusMeaning(
        Group.WAITING,
        "no pending invoice yet",
        "waiting",
        "It waits: nothing of it was sent yet.",
        "waiting",
        P.WAITING,
    ),
    S.AWAITING_RETRY: StatusMeaning(
        Group.UNDER_WAY,
        "tried again later",
        "to be tried again",
        "It was provably not sent yet, and will be tried again.",
        "will be tried again",
        P.RETRYING,
    ),
    S.RATE_LIMIT_RETRY: StatusMeaning(
        Group.UNDER_WAY,
        "tried again later",
        "to be tried again (rate limit)",
        "Chargebee asked to slow down; it will be tried again.",
        "will be tried again",
        P.RETRYING,
    ),
    S.BLOCKED: StatusMeaning(
        Group.BLOCKED,
        "Chargebee is not ready for it",
        "blocked",
        "It is blocked: nothing of it is sent until this is put right.",
        "blocked",
        P.BLOCKED,
    ),
    S.ERROR: StatusMeaning(
        Group.DECIDE,
        "Chargebee refused it",
        "refused by Chargebee",
        "Chargebee refused it. Nothing of it stands there.",
        "Chargebee refused it",
        P.REFUSED_LINE,
        error=True,
    ),
    S.UNKNOWN: StatusMeaning(
        Group.UNDER_WAY,
        "the outcome is not known",
        "outcome unknown",
        "Whether it arrived is not known. It is looked for before it is sent.",
        "",
        P.UNKNOWN,
        error=True,
    ),
    S.PARTIAL: StatusMeaning(
        Group.DECIDE,
        "a part of it was sent",
        "sent in part",
        "Some of its lines stand on an invoice, and some do not.",
        "",
        P.PARTIAL,
        error=True,
    ),
    S.REOPENED: StatusMeaning(
        Group.DECIDE,
        "recalculated after it was sent",
        "reopened after they were sent",
        "It was sent, and then went back to PENDING in m3ter.",
        "",
        P.REOPENED,
    ),
    S.INVOICE_ALREADY_PAID: StatusMeaning(
        Group.DECIDE,
        "changed after it was paid",
        "changed after they were paid",
        "m3ter changed it after its invoice was paid.",
        "m3ter changed it after its invoice was paid",
        P.ALREADY_PAID,
    ),
    S.ACCOUNTING_PERIOD_CLOSED: StatusMeaning(
        Group.DECIDE,
        "Chargebee refused its date",
        "of a closed accounting period",
        "Its accounting period is closed in Chargebee.",
        "its accounting period is closed",
        P.PERIOD_CLOSED,
        error=True,
    ),
    S.AUTH_FAILED: StatusMeaning(
        Group.UNDER_WAY,
        "Chargebee refused the key",
        "stopped at a refused key",
        "Chargebee refused the key. Nothing of it was sent by that attempt.",
        "Chargebee refused the key",
        P.REFUSED_KEY,
    ),
    S.TIMEOUT_LIMIT_EXCEEDED: StatusMeaning(
        Group.DECIDE,
        "m3ter may have sent a part",
        "for a person to decide",
        "It was given up after a time; a person decides.",
        "m3ter may have sent a part of it",
        P.TIMEOUT,
    ),
    S.DISABLED: StatusMeaning(
        Group.NOTHING,
        "a person said not to send it",
        "not to be sent (a person decided)",
        "A person decided not to send it, or its push is disabled.",
        "a person decided not to send it",
        P.SKIPPED,
    ),
    S.NOTHING_TO_SEND: StatusMeaning(
        Group.NOTHING,
        "nothing to send",
        "with nothing to send",
        "It has nothing to send.",
        "",
        P.NOTHING_TO_SEND,
    ),
}
"""Every status; the order is that in which `status` counts them."""
_GIVEN_UP: Final[Mapping[PushStatus, StatusMeaning]] = {
    S.AWAITING_RETRY: replace(
        MEANING[S.AWAITING_RETRY],
        group=Group.DECIDE,
        short="tried for long enough",
        counted="tried for long enough, for a person",
        sentence="It was provably not sent, and was tried for long enough; a person decides.",
        not_sent="was tried for long enough; a person decides",
    ),
    S.UNKNOWN: replace(
        MEANING[S.UNKNOWN],
        group=Group.DECIDE,
        counted="outcome unknown, for a person",
        sentence="Whether it arrived is not known, and cannot be found out; a person decides.",
    ),
}
"""The same where no next moment is set: nobody goes on with them but a person."""


def meaning(status: PushStatus, *, again: bool) -> StatusMeaning:
    """Give what a status means.

    Args:
        status: Of a bill's row.
        again: Whether a moment is set at which it is tried or looked for again.
    """
    return MEANING[status] if again else _GIVEN_UP.get(status, MEANING[status])


def given_up(status: PushStatus, *, again: bool) -> bool:
    """Whether a bill would go on by itself, had it a next moment, and has none."""
    return not again and status in _GIVEN_UP


def bill_page(of: PushStatus | BlockCode) -> str:
    """Give the address of the page about where a bill stands, or why it is blocked.

    Args:
        of: The status or the reason; ``COMPLETE`` needs no page and gives the file.
    """
    if isinstance(of, BlockCode):
        return f"{RUNBOOK}#blocked-{of.value}"
    found = MEANING[of].page
    return page(found) if found else RUNBOOK
