"""What is seen of a cut-over, what of it is remembered, and who sends each open bill meanwhile.

What can be seen is looked at anew each time; only what a person decided is remembered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Literal

from reconciler.definitions.kinds.integration import IntegrationSpec
from reconciler.kernel.address import BillId
from reconciler.kernel.exact_json import digest
from reconciler.kernel.money import Money
from reconciler.selection.interlock import (
    Clear,
    Interlock,
    MaybePartial,
    NativeRunning,
    SentNatively,
)
from reconciler.sync.core.tally import Purse
from reconciler.sync.model.push import PushStatus
from reconciler.sync.model.standing import Decision


@dataclass(frozen=True, slots=True)
class CutoverFacts:
    """What can be seen of one integration.

    Attributes:
        applied: Its settings in the applied record; ``None`` when it is not there.
        connected: Whether its configuration in m3ter can send; ``None`` when it has none.
        enabled: Whether m3ter disabled it.
        others: Names of other connected Bill configurations for Chargebee.
        half_way: Pushes of it that began and did not end, by status.
        paused: Who paused the site; ``None`` when it is not.
        disabled: Why the push is disabled; ``None`` when it is not.
        place: ``file:line`` of the definition.
    """

    environment: str
    name: str
    to: Way
    start: date
    applied: IntegrationSpec | None
    connected: bool | None
    enabled: bool
    others: tuple[str, ...]
    half_way: Mapping[PushStatus, Purse]
    paused: str | None
    disabled: str | None
    place: str
    owners: Owners


@dataclass(frozen=True, slots=True)
class CutoverStep:
    """One step: its name, what it makes sure of, whether it holds, and what to do when not."""

    name: str
    title: str
    done: bool
    todo: tuple[str, ...] = ()


Way = Literal["push", "native"]


class Owner(StrEnum):
    """Who sends a bill."""

    PUSH = "push"
    NATIVE = "native"
    PERSON = "a person"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class OwnedBill:
    """One open bill and its owner; ``running`` when m3ter works on it now."""

    bill_id: BillId
    account: str
    period_end: date
    owner: Owner
    why: str
    money: Money | None
    running: bool = False


@dataclass(slots=True)
class Owners:
    """The owners of all open bills, counted; the list itself streams by.

    Attributes:
        finished: Bills that are sent, by either route.
        digest: Names exactly this list; a person confirms it by this name.
    """

    counts: dict[Owner, Purse] = field(default_factory=dict)
    running: int = 0
    finished: int = 0
    chain: str = ""

    def add(self, bill: OwnedBill) -> None:
        """Count one open bill."""
        self.counts.setdefault(bill.owner, Purse()).add(bill.money)
        self.running += bill.running
        self.chain = digest([self.chain, bill.bill_id, bill.owner.value])

    @property
    def digest(self) -> str:
        """Twelve digits that stand for the list."""
        return (self.chain or digest([]))[:12]

    def bills(self, owner: Owner) -> int:
        """Count an owner's bills."""
        return self.counts[owner].bills if owner in self.counts else 0


FINISHED = "finished"
HALF_WAY = frozenset(
    {
        PushStatus.STARTED,
        PushStatus.AWAITING_RETRY,
        PushStatus.RATE_LIMIT_RETRY,
        PushStatus.AUTH_FAILED,
        PushStatus.UNKNOWN,
        PushStatus.PARTIAL,
        PushStatus.ERROR,
        PushStatus.ACCOUNTING_PERIOD_CLOSED,
        PushStatus.TIMEOUT_LIMIT_EXCEEDED,
    }
)
"""Pushes that began and did not end: the other route must not start over them."""


def subject(name: str, to: Way, step: str = "") -> str:
    """Name a decision of a cut-over in the ledger."""
    return "/".join(word for word in ("cutover", name, to, step) if word)


def current(decisions: Sequence[Decision], name: str, to: Way) -> dict[str, str]:
    """Give what was decided in the cut-over that is under way, by step.

    Args:
        decisions: About all cut-overs of the integration, oldest first.
        name: The integration.
        to: The direction; deciding in one direction ends the other.
    """
    found: dict[str, str] = {}
    for decision in decisions:
        if not decision.subject.startswith(f"{subject(name, to)}/"):
            found = {}
            continue
        step = decision.subject.rsplit("/", 1)[1]
        if step == "date" or (FINISHED in found and step != FINISHED):
            found = {}
        found[step] = decision.what
    return found


ENDED = frozenset({PushStatus.COMPLETE, PushStatus.NOTHING_TO_SEND, PushStatus.DISABLED})
"""Bills that are done with; ``DISABLED`` is one that a person said not to send."""
SENT = frozenset({PushStatus.COMPLETE, PushStatus.REOPENED, PushStatus.INVOICE_ALREADY_PAID})
"""Bills that stand on an invoice of ours, whatever became of them in m3ter since."""
UNBEGUN = frozenset({PushStatus.WAITING, PushStatus.BLOCKED})
"""Bills that the ledger only looked at: nothing of them was sent, so either route may own them."""


def owner_of(
    *,
    to: Way,
    start: date,
    period_end: date,
    approved: bool,
    row: PushStatus | None,
    native: Interlock,
) -> tuple[Owner, str] | None:
    """Say who sends a bill; ``None`` when it is sent.

    Args:
        to: Where the cut-over leads.
        start: The first period end that the new route sends.
        period_end: Of the bill.
        approved: Whether the bill is approved.
        row: Where the ledger has it.
        native: What m3ter's own runs say.
    """
    if to == "native" and row in SENT:
        again = "we sent it, and m3ter would send it again once it is approved"
        return None if approved else (Owner.PERSON, again)
    if row in ENDED or isinstance(native, SentNatively):
        return None
    if row is PushStatus.TIMEOUT_LIMIT_EXCEEDED:
        return Owner.PERSON, "m3ter may have sent a part, and nobody has decided yet"
    if row is not None and row not in UNBEGUN:
        return Owner.PUSH, f"the ledger has it: {row.value}"
    return _of_runs(native) or _unsent(to, start, period_end, approved=approved)


def _of_runs(native: Interlock) -> tuple[Owner, str] | None:
    match native:
        case Clear():
            return None
        case NativeRunning(run):
            return Owner.NATIVE, f"m3ter works on it: run {run.id} is {run.status}"
        case MaybePartial(run):
            return Owner.PERSON, f"m3ter may have sent a part: run {run.id} is {run.status}"
        case _:
            return Owner.PERSON, "m3ter's own runs could not be read"


def _unsent(to: Way, start: date, period_end: date, *, approved: bool) -> tuple[Owner, str]:
    if to == "push":
        if period_end >= start:
            return Owner.PUSH, f"its period ends on or after {start}"
        what = "approved, and m3ter never sent it" if approved else "not approved"
        return Owner.NOBODY, f"its period ends before {start}; {what}"
    if approved:
        # m3ter does not say whether connecting sends bills that were approved before
        return Owner.NOBODY, "approved before m3ter is connected, which may never send it"
    return Owner.NATIVE, "m3ter sends it once it is approved"
