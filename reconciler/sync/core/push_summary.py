"""Where all pushes of a site stand: counts with money, and what is overdue."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from reconciler.errors import ExitCode
from reconciler.kernel.address import AccountId, BillId
from reconciler.kernel.money import Money
from reconciler.sync.core.tally import Purse
from reconciler.sync.model.push import PushStatus
from reconciler.sync.model.statuses import StatusMeaning, given_up, meaning

LISTED_MAX = 20
FINISHED = frozenset({PushStatus.COMPLETE, PushStatus.NOTHING_TO_SEND, PushStatus.DISABLED})
"""Bills that nothing more becomes of; ``DISABLED`` is one that a person said not to send."""


@dataclass(frozen=True, slots=True)
class BillDeadlines:
    """How long after the end of its period a bill may be unfinished before it is overdue.

    Neither vendor says when a bill should have been sent; these are ours.

    Attributes:
        usual: For every integration that has none of its own.
        own: By integration: ``push.pending.waitUpTo`` where bills wait for a pending invoice.
    """

    usual: timedelta = timedelta(days=3)
    own: Mapping[str, timedelta] = field(default_factory=dict)

    def deadline(self, integration: str, period_end: date) -> datetime:
        """Give the time from which an unfinished bill is overdue."""
        end = datetime.combine(period_end, time(0), UTC)
        return end + self.own.get(integration, self.usual)


@dataclass(frozen=True, slots=True)
class Pushed:
    """One bill as the ledger has it, as far as a list shows it."""

    bill_id: BillId
    account_id: AccountId
    integration: str
    status: PushStatus
    money: Money | None
    period_end: date
    changed_at: datetime
    next_at: datetime | None
    message: str

    @property
    def means(self) -> StatusMeaning:
        """What its status means."""
        return meaning(self.status, again=self.next_at is not None)


@dataclass(slots=True)
class PushStanding:
    """The pushes of a site.

    Attributes:
        counts: Bills and money by status.
        given_up: Those of them that go on only with a person, though their status tells of trying.
        overdue: Unfinished bills that are late, and their money.
        listed: The first of them, the oldest period first.
        paused: Who paused the site and why; ``None`` when it is not.
        disabled: Why, by disabled integration.
    """

    site: str
    at: datetime
    counts: dict[PushStatus, Purse] = field(default_factory=dict)
    given_up: dict[PushStatus, Purse] = field(default_factory=dict)
    overdue: Purse = field(default_factory=Purse)
    listed: list[Pushed] = field(default_factory=list)
    paused: str | None = None
    disabled: dict[str, str] = field(default_factory=dict)

    @property
    def exit_code(self) -> ExitCode:
        """17 when bills are overdue; the rest is for people to read."""
        return ExitCode.OUTSIDE_TOLERANCE if self.overdue.bills else ExitCode.DONE

    def going_on(self, status: PushStatus) -> Purse:
        """Give the bills of a status without those that were given up."""
        purse = Purse()
        purse.move(self.counts.get(status, Purse()))
        purse.move(self.given_up.get(status, Purse()), -1)
        return purse

    def add(self, push: Pushed, patience: BillDeadlines) -> None:
        """Count one bill; bills come by the end of their period."""
        self.counts.setdefault(push.status, Purse()).add(push.money)
        if given_up(push.status, again=push.next_at is not None):
            self.given_up.setdefault(push.status, Purse()).add(push.money)
        late = self.at >= patience.deadline(push.integration, push.period_end)
        if push.status in FINISHED or not late:
            return
        self.overdue.add(push.money)
        if len(self.listed) < LISTED_MAX:
            self.listed.append(push)


def standing_of(
    site: str, at: datetime, bills: Iterable[Pushed], patience: BillDeadlines
) -> PushStanding:
    """Count the bills of a site, one at a time."""
    standing = PushStanding(site, at)
    for bill in bills:
        standing.add(bill, patience)
    return standing
