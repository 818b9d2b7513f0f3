"""Where one bill stands before and after a sync, in words for people, and what they decided."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from reconciler.drafting.draft import BlockReason, EventName, InvoiceDraft
from reconciler.kernel.address import AccountId, BillId
from reconciler.kernel.money import Money
from reconciler.sync.model.push import InvoiceId, PushKey, PushStatus


class Group(StrEnum):
    """What a reader of a plan or a result sorts bills by."""

    READY = "ready"
    """Would be sent now."""
    SENT = "sent"
    """Was sent in this run, and read back."""
    UNDER_WAY = "under way"
    """Begun earlier; goes on by itself."""
    WAITING = "waiting"
    """Cannot begin yet; nobody has to do anything."""
    BLOCKED = "blocked"
    """Something must be corrected first."""
    DECIDE = "for a person"
    """Only a person can say what becomes of it."""
    UNCHANGED = "unchanged"
    """Sent already."""
    NOTHING = "nothing to send"
    """Adds up to nothing, or a person said not to send it."""
    NATIVE = "sent by m3ter"
    """m3ter's own integration sent it."""
    FAILED = "failed"
    """Could not be worked on now; nothing was sent for it in this run."""
    NOT_OURS = "not ours"
    """No push integration takes it, or it is outside the window."""


@dataclass(frozen=True, slots=True)
class Who:
    """A bill and its account, enough to speak of them."""

    bill_id: BillId
    account_id: AccountId
    account_code: str = ""


@dataclass(frozen=True, slots=True)
class BillStanding:
    """One bill.

    Attributes:
        short: The reason in few words, equal for all bills with this reason.
        why: The reason in full.
        page: Address of a page in the runbook; empty where nothing is to be done.
        again_at: When it is due again by itself; ``None`` when the next run finds out.
        new: Whether this is news since the last run; people are told of news only.
        status: For the ledger; ``None`` where nothing is recorded.
        draft: What is, or would be, sent.
        money: What m3ter bills, where it is known.
        reasons: Everything that blocks it.
        events: What m3ter's own integration would have raised.
        rounding: What Chargebee computes beyond m3ter's amounts, as announced.
        unexplained: What was read back beyond that; ``None`` when nothing was read back.
    """

    group: Group
    who: Who
    integration: str = ""
    short: str = ""
    why: str = ""
    page: str = ""
    status: PushStatus | None = None
    draft: InvoiceDraft | None = None
    money: Money | None = None
    reasons: tuple[BlockReason, ...] = ()
    events: tuple[EventName, ...] = ()
    invoice: InvoiceId | None = None
    rounding: Money | None = None
    unexplained: Money | None = None
    new: bool = True
    again_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided.

    Attributes:
        subject: What it is about: an effect, a bill, an integration or a step of a cut-over.
        what: The decision, in a few words.
        why: The reason given, or empty.
    """

    subject: str
    what: str
    actor: str
    why: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Tried:
    """One request that was sent, and what became of it; ``outcome`` is empty while it runs."""

    key: PushKey
    number: int
    started_at: datetime
    outcome: str
    message: str
