"""One bill under its lease: what the ledger holds of it, and where it is said to stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from reconciler.drafting.draft import InvoiceDraft
from reconciler.drafting.draft_json import draft_to_json
from reconciler.kernel.ports import Clock, Notifier, Stopped
from reconciler.m3ter.ports import Bills
from reconciler.sync.core.effect_states import status_of
from reconciler.sync.core.when_to_act import RetryTimes
from reconciler.sync.in_force.push_route import PushRoute
from reconciler.sync.judge.judge import Judge
from reconciler.sync.judge.standings import bill_standing
from reconciler.sync.model.push import (
    Effect,
    PushKey,
    PushState,
    PushStatus,
    SiteName,
    Step,
    StepName,
)
from reconciler.sync.model.standing import BillStanding, Group, Who
from reconciler.sync.model.statuses import bill_page, meaning
from reconciler.sync.ports.destination import PushDestination
from reconciler.sync.ports.ledger import BillRow, Lease, Ledger, Provenance
from reconciler.sync.push.limits import RunLimits


@dataclass(slots=True)
class BillRecord:
    """What is known of a bill while it is brought on.

    Attributes:
        push: What the run works with.
        lease: The right to work on it; renewed before every request.
        row: As it was recorded last.
        draft: What is sent.
        version: m3ter's version of the bill.
        former: The row of an earlier sending, which holds until a step of this one is stored.
    """

    push: PushPorts
    lease: Lease
    row: BillRow
    draft: InvoiceDraft
    route: PushRoute
    version: int
    former: BillRow | None = None

    @property
    def site(self) -> SiteName:
        """The site."""
        return self.lease.site

    @property
    def effects(self) -> tuple[Effect, ...]:
        """Its effects as the ledger has them now."""
        return self.push.ledger.effects(self.site, self.row.bill_id)

    def rests(
        self,
        effects: tuple[Effect, ...],
        message: str,
        at: datetime | None,
        *,
        waiting: PushStatus | None = None,
    ) -> BillStanding:
        """Record where the bill stands until it can go on."""
        mine = self.mine(effects)
        status = status_of(mine, len(mine) + 1)
        if waiting is not None and status is PushStatus.STARTED:
            status = waiting
        news = (self.row.status, self.row.message) != (status, message)
        if news or self.row.next_at != at:
            self.put(status, message, at)
        means = meaning(status, again=at is not None)
        group = means.group
        if at is None and group is Group.UNDER_WAY:
            group = Group.DECIDE
        standing = bill_standing(self.who, group, means.short, message, self.route.name)
        return replace(
            standing,
            money=self.draft.billed,
            status=status,
            page=bill_page(status),
            events=("integration.perform.error",) if means.error else (),
            new=news,
            again_at=at if group is Group.UNDER_WAY else None,
        )

    def put(self, status: PushStatus, message: str, at: datetime | None) -> None:
        """Record a status; since when it has it is kept while it stays the same."""
        kept = self.row.changed_at if status is self.row.status else self.push.clock.now()
        self.row = replace(self.row, status=status, message=message, next_at=at, changed_at=kept)
        self.push.ledger.put_bill(self.lease, self.row)

    def unsent(self, short: str, why: str = "") -> BillStanding:
        """Leave the bill as it stands in the ledger; a later run goes on."""
        standing = bill_standing(self.who, Group.UNDER_WAY, short, why or short, self.route.name)
        return replace(standing, money=self.draft.billed, status=self.row.status)

    def stays(self, former: BillRow, why: str) -> BillStanding:
        """Leave a bill as it was sent before: what m3ter made of it since cannot be sent."""
        news = (former.status, former.message) != (PushStatus.REOPENED, why)
        self.row = former
        self.put(PushStatus.REOPENED, why, None)
        short = "recalculated after it was sent"
        standing = bill_standing(self.who, Group.DECIDE, short, why, self.route.name)
        return replace(
            standing,
            money=self.draft.billed,
            status=PushStatus.REOPENED,
            page=bill_page(PushStatus.REOPENED),
            new=news,
        )

    def replaced(self, effects: Sequence[Effect]) -> BillRow | None:
        """Give the row of the sending whose lines were to be replaced; ``None`` when none were.

        Only before a step of the new sending is done: what stands is what was sent before.
        """
        before = [effect for effect in effects if effect.key.generation < self.row.generation]
        billed = [sign.key.generation for sign in before if sign.state is PushState.DONE]
        if not billed or any(effect.state is PushState.DONE for effect in self.mine(effects)):
            return None
        return self.former or as_before(self.row, max(billed))

    def begins_anew(self) -> None:
        """Number the sending anew; nothing of it arrived under the number that it had."""
        self.row = replace(self.row, generation=self.row.generation + 1)
        self.put(PushStatus.STARTED, "being sent", None)

    def dated_today(self, note: str) -> None:
        """Draft the invoice without a date of its own: the destination takes today."""
        draft = replace(self.draft, invoice_at=None, notes=(*self.draft.notes, note))
        self.draft, self.row = draft, replace(self.row, draft=draft_to_json(draft))

    def provenance(self) -> Provenance:
        """Say in whose name something is sent."""
        scope = self.push.judge.watch.scope
        return Provenance(
            run=self.push.run,
            integration=self.route.name,
            record=scope.record,
            commit=scope.commit,
            bill_version=self.version,
            input_hash=self.row.input_hash,
        )

    def mine(self, effects: Sequence[Effect]) -> list[Effect]:
        """Keep the effects of the generation that is sent."""
        return [effect for effect in effects if effect.key.generation == self.row.generation]

    def open_step(self, effects: Sequence[Effect]) -> Effect | None:
        """Give the first step of the generation that is not done."""
        return next(
            (effect for effect in self.mine(effects) if effect.state is not PushState.DONE), None
        )

    def intend(self, step: Step, *, anew: bool = False) -> None:
        """Store a step before it is sent.

        Args:
            step: What will be sent, byte for byte.
            anew: It replaces one that was refused.
        """
        ledger = self.push.ledger
        if self.former is not None:
            ledger.put_bill(self.lease, self.row)
            self.former = None
        store = ledger.redraft if anew else ledger.intend
        store(self.lease, self.key(step.name), step, self.provenance())

    def key(self, name: StepName) -> PushKey:
        """Give the identity of a step of the generation that is sent."""
        return PushKey(self.site, self.row.bill_id, self.row.generation, name)

    @property
    def who(self) -> Who:
        """Name the bill and its account."""
        return Who(self.draft.bill_id, self.draft.account_id, self.draft.account_code)


@dataclass(frozen=True, slots=True)
class PushPorts:
    """What one run works with.

    Attributes:
        run: Id of the run.
        worker: Name of this process, for leases and attempts.
        stopped: Asked before every send.
    """

    judge: Judge
    ledger: Ledger
    destination: PushDestination
    bills: Bills
    clock: Clock
    notifier: Notifier
    limits: RunLimits
    settings: RetryTimes
    run: str
    worker: str
    stopped: Stopped


def as_before(row: BillRow, generation: int) -> BillRow:
    """Give the row of a bill as an earlier sending left it; the bill is judged anew from there.

    What was drafted then is not kept, and an empty hash equals that of no bill.
    """
    return replace(row, status=PushStatus.COMPLETE, generation=generation, input_hash="")


LEASE_SECONDS = 300
