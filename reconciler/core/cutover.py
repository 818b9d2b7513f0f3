"""Which steps of a cut-over are done, which one is next, and who owns each open bill.

The order keeps the two routes apart: one is surely off before the other can be on. What can be seen
is looked at anew each time; only what a person decided is remembered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Literal

from reconciler.core.exact_json import digest
from reconciler.core.interlock import Clear, Interlock, MaybePartial, NativeRunning, SentNatively
from reconciler.core.tally import Purse
from reconciler.domain.address import BillId
from reconciler.domain.decision import Decision
from reconciler.domain.kinds.integration import IntegrationSpec
from reconciler.domain.money import Money
from reconciler.domain.push import PushStatus

Way = Literal["push", "native"]
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
        PushStatus.TIMEOUT_LIMIT_EXCEEDED,
    }
)
"""Pushes that began and did not end: the other route must not start over them."""
ENDED = frozenset({PushStatus.COMPLETE, PushStatus.NOTHING_TO_SEND, PushStatus.DISABLED})
"""Bills that are done with; ``DISABLED`` is one that a person said not to send."""
UNBEGUN = frozenset({PushStatus.WAITING, PushStatus.BLOCKED})
"""Bills that the ledger only looked at: nothing of them was sent, so either route may own them."""


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

    def add(self, one: OwnedBill) -> None:
        """Count one open bill."""
        self.counts.setdefault(one.owner, Purse()).add(one.money)
        self.running += one.running
        self.chain = digest([self.chain, one.bill_id, one.owner.value])

    @property
    def digest(self) -> str:
        """Twelve digits that stand for the list."""
        return (self.chain or digest([]))[:12]

    def bills(self, owner: Owner) -> int:
        """Count an owner's bills."""
        return self.counts[owner].bills if owner in self.counts else 0


@dataclass(frozen=True, slots=True)
class Facts:
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
class Step:
    """One step: its name, what it makes sure of, whether it holds, and what to do when not."""

    name: str
    title: str
    done: bool
    todo: tuple[str, ...] = ()


def subject(name: str, to: Way, step: str = "") -> str:
    """Name a decision of a cut-over in the ledger."""
    return "/".join(one for one in ("cutover", name, to, step) if one)


def current(decisions: Sequence[Decision], name: str, to: Way) -> dict[str, str]:
    """Give what was decided in the cut-over that is under way, by step.

    Args:
        decisions: About all cut-overs of the integration, oldest first.
        name: The integration.
        to: The direction; deciding in one direction ends the other.
    """
    found: dict[str, str] = {}
    for one in decisions:
        if not one.subject.startswith(f"{subject(name, to)}/"):
            found = {}
            continue
        step = one.subject.rsplit("/", 1)[1]
        if step == "date" or (FINISHED in found and step != FINISHED):
            found = {}
        found[step] = one.what
    return found


def steps(facts: Facts, decided: Mapping[str, str]) -> tuple[Step, ...]:
    """Give every step in order; the first that is not done is the one to do now."""
    return tuple(_to_push(facts, decided) if facts.to == "push" else _to_native(facts, decided))


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


def _to_push(facts: Facts, decided: Mapping[str, str]) -> list[Step]:
    spec = facts.applied
    defined = spec is not None and spec.delivery == "push" and spec.push is not None
    since = spec.push.since if spec is not None and spec.push is not None else ""
    confirmed = decided.get("owners", "")
    safe = not defined or facts.paused is not None or bool(confirmed)
    env = f"--env {facts.environment}"
    return [
        _date(facts, decided),
        Step(
            "quiet",
            "nothing is pushed while the routes change",
            safe,
            (f'reconciler sync pause {env} --reason "cut-over of {facts.name}"',),
        ),
        Step(
            "disconnect",
            "m3ter sends nothing: its configuration is disconnected",
            facts.connected is not True,
            (
                f"In {facts.place}: set `connection: disconnected`, remove `enabled: true`.",
                f"Merge it, then: reconciler apply {env}",
            ),
        ),
        Step(
            "drain",
            "m3ter works on no open bill any more",
            facts.owners.running == 0,
            (
                f"{facts.owners.running:,} bills are with m3ter. Wait, then run this again;",
                f"reconciler runs {env} shows them.",
            ),
        ),
        _owners(facts, confirmed),
        Step(
            "define",
            f"the applied record pushes bills from {facts.start} on",
            defined and since == facts.start.isoformat(),
            (
                f"In {facts.place}: set `delivery: push`, keep `connection: disconnected`, add",
                f"  push: {{since: {facts.start}, accountIs: subscription, collection: off}}",
                f"Merge it, then: reconciler apply {env}",
            ),
        ),
        _resume(facts),
    ]


def _to_native(facts: Facts, decided: Mapping[str, str]) -> list[Step]:
    spec = facts.applied
    native = spec is not None and spec.delivery == "native"
    count = sum(one.bills for one in facts.half_way.values())
    env = f"--env {facts.environment}"
    return [
        _date(facts, decided),
        Step(
            "settle",
            "no push is half-way",
            count == 0,
            (
                f"{count:,} pushes began and did not end: {', '.join(sorted(facts.half_way))}.",
                f"reconciler sync run {env} finishes what can be finished; for the others see",
                "docs/runbook.md#unknown-outcome and docs/runbook.md#partial",
            ),
        ),
        Step(
            "quiet",
            "nothing is pushed while the routes change",
            native or facts.paused is not None,
            (f'reconciler sync pause {env} --reason "cut-over of {facts.name}"',),
        ),
        _owners(facts, decided.get("owners", "")),
        Step(
            "define",
            "the applied record gives the bills to m3ter",
            native,
            (
                f"In {facts.place}: set `delivery: native`, `connection: {{credential: NAME}}`,",
                "remove `push`.",
                f"Merge it, then: reconciler apply {env}   (it connects last)",
            ),
        ),
        Step(
            "connect",
            "m3ter's configuration is connected and enabled",
            bool(facts.connected) and facts.enabled,
            (
                f"reconciler status {env} says what is missing;",
                f"reconciler plan {env} shows what an apply would do.",
            ),
        ),
        _resume(facts),
    ]


def _date(facts: Facts, decided: Mapping[str, str]) -> Step:
    return Step(
        "date",
        f"the new route sends bills whose period ends on or after {facts.start}",
        decided.get("date") == facts.start.isoformat(),
        (f"Confirm the date: add --confirm {facts.start}",),
    )


def _owners(facts: Facts, confirmed: str) -> Step:
    owners = facts.owners
    people = owners.bills(Owner.PERSON)
    if people:
        todo = (
            f"{people:,} bills may be at Chargebee in part. Look each up there, then say so:",
            f"reconciler sync adopt-invoice BILL INVOICE --env {facts.environment} --reason …",
            f"reconciler sync skip BILL --env {facts.environment} --reason …",
        )
        return Step("owners", "every open bill has one owner", done=False, todo=todo)
    nobody = owners.bills(Owner.NOBODY)
    alone = f"{nobody:,} bills have no owner: nobody will send them by itself. " if nobody else ""
    return Step(
        "owners",
        "every open bill has one owner, and a person has read the list",
        bool(confirmed),
        (f"{alone}Read the list above, then add --confirm {owners.digest}",),
    )


def _resume(facts: Facts) -> Step:
    env = f"--env {facts.environment}"
    todo: tuple[str, ...] = ()
    if facts.paused is not None:
        todo = (f"The site is paused by {facts.paused}.", f"reconciler sync resume {env}")
    elif facts.to == "push" and facts.disabled is not None:
        todo = (f"{facts.disabled}", f"reconciler sync enable {facts.name} {env}")
    return Step("resume", "the new route may work", not todo, todo)
