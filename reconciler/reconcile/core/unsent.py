"""Bills, and parts of bills, that are knowingly not sent: why, and which page of the runbook helps.

A bill counts as held back only where nothing of it can stand at the destination. One whose request
may have arrived, or that nothing holds back, is missing instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from reconciler.drafting.block_words import in_short
from reconciler.drafting.draft import BlockReason, InvoiceDraft
from reconciler.kernel.runbook import Page, page
from reconciler.sync.model.push import Effect, PushState, PushStatus, StepKind
from reconciler.sync.model.runbook import bill_page


@dataclass(frozen=True, slots=True)
class Held:
    """Why something is not sent.

    Attributes:
        short: In a few words, the same for every bill of its kind.
        why: In one sentence, with the objects it is about.
        page: Of the runbook.
        settled: Whether a person decided that it stays so.
    """

    short: str
    why: str
    page: str
    settled: bool = False


_CREDITS: Final = frozenset({StepKind.CREDIT_NOTE, StepKind.PROMOTIONAL_CREDIT})
_IN_DOUBT: Final = frozenset({PushState.SENDING, PushState.IN_DOUBT, PushState.PERSON})
_MAY_STAND: Final = _IN_DOUBT | {PushState.DONE}
_FINISHED: Final = frozenset(
    {PushStatus.COMPLETE, PushStatus.REOPENED, PushStatus.INVOICE_ALREADY_PAID}
)
_SHORT: Final[Mapping[PushStatus, str]] = {
    PushStatus.WAITING: "waiting",
    PushStatus.STARTED: "begun, and nothing of it sent yet",
    PushStatus.ERROR: "Chargebee refused it",
    PushStatus.AWAITING_RETRY: "will be tried again",
    PushStatus.RATE_LIMIT_RETRY: "will be tried again",
    PushStatus.AUTH_FAILED: "Chargebee refused the key",
    PushStatus.INVOICE_ALREADY_PAID: "m3ter changed it after its invoice was paid",
    PushStatus.ACCOUNTING_PERIOD_CLOSED: "its accounting period is closed",
    PushStatus.TIMEOUT_LIMIT_EXCEEDED: "m3ter may have sent a part of it",
    PushStatus.DISABLED: "a person decided not to send it",
    PushStatus.BLOCKED: "blocked",
}


def held_by_row(status: PushStatus, message: str, effects: Sequence[Effect] = ()) -> Held | None:
    """Read from the ledger why a bill is not sent.

    Returns:
        ``None`` when something of it may stand at the destination, or nothing holds it back.
    """
    if status not in _SHORT or any(one.state in _MAY_STAND for one in effects):
        return None
    if status is PushStatus.STARTED:
        return Held(_SHORT[status], "the next `sync run` goes on with it", bill_page(status))
    settled = status is PushStatus.DISABLED
    return Held(_SHORT[status], message or _SHORT[status], bill_page(status), settled)


def held_by_reasons(reasons: Sequence[BlockReason]) -> Held:
    """Say why a bill that cannot be drafted is not sent."""
    why = "; ".join(f"{one.text} ({one.hint})" for one in reasons)
    return Held(in_short(reasons), why, bill_page(reasons[0].code))


def held_by_switch(paused: str | None, disabled: str | None) -> Held | None:
    """Say who stopped all pushes, or why one integration's is disabled; ``None`` when neither."""
    if paused is not None:
        return Held("the site is paused", f"the site is paused by {paused}", page(Page.PAUSED))
    if disabled is not None:
        why = f"the push is disabled: {disabled}"
        return Held("the push is disabled", why, page(Page.DISABLED))
    return None


def held_part(status: PushStatus, message: str) -> Held:
    """Say why the rest of a bill is not sent, of which a part was."""
    why = message or "some of its lines were sent, and some were not yet"
    return Held("the rest of a bill that was sent in part", why, bill_page(status))


def held_lines(
    draft: InvoiceDraft, effects: Sequence[Effect], generation: int, status: PushStatus
) -> tuple[frozenset[int], bool]:
    """Tell what of a bill was provably not sent, while it is unfinished.

    Args:
        draft: Of the newest generation.
        effects: Every effect of the bill.
        generation: The newest one.
        status: Where the ledger has the bill; of a finished one everything was sent.

    Returns:
        Positions of lines in the draft, and whether its credits were not sent.
    """
    mine = [one for one in effects if one.key.generation == generation]
    if status in _FINISHED:
        return frozenset(), False
    if any(one.state in _IN_DOUBT for one in mine):
        return _never_begun(draft, mine), False
    done = [one for one in mine if one.state is PushState.DONE]
    made = any(one.key.step.kind is StepKind.CREATE_INVOICE for one in done)
    added = {one.draft_line for one in done if one.key.step.kind is StepKind.ADD_LINE}
    lines = () if made else (one for one in range(len(draft.lines)) if one not in added)
    credited = any(one.key.step.kind in _CREDITS and not one.key.step.number for one in done)
    return frozenset(lines), bool(draft.credits) and not credited


def _never_begun(draft: InvoiceDraft, mine: Sequence[Effect]) -> frozenset[int]:
    """Give the lines after one in doubt: they are added one by one, and have no step yet."""
    steps = {one.draft_line for one in mine if one.key.step.kind is StepKind.ADD_LINE}
    return frozenset(range(len(draft.lines))) - steps if steps else frozenset()
