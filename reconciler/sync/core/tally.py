"""Sums by currency, group and reason, bill by bill; memory does not depend on their number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from reconciler.drafting.draft import EventName, WholePricing
from reconciler.errors import ExitCode, winning
from reconciler.kernel.money import Currency, Money
from reconciler.sync.core.readback.compare import BillComparison
from reconciler.sync.model.push import PushStatus
from reconciler.sync.model.reconciliation import Totals
from reconciler.sync.model.standing import BillStanding, Group


@dataclass(slots=True)
class Purse:
    """A count of bills and their money, by currency."""

    bills: int = 0
    minor: dict[Currency, int] = field(default_factory=dict)

    def add(self, money: Money | None) -> None:
        """Count one bill."""
        self.bills += 1
        if money is not None:
            self.minor[money.currency] = self.minor.get(money.currency, 0) + money.minor

    def move(self, other: Purse, sign: int = 1) -> None:
        """Add the bills and money of another; with ``-1`` take them away."""
        self.bills += sign * other.bills
        for currency, minor in other.minor.items():
            self.minor[currency] = self.minor.get(currency, 0) + sign * minor

    @property
    def money(self) -> tuple[Money, ...]:
        """The sums, by currency code."""
        return tuple(Money(self.minor[currency], currency) for currency in sorted(self.minor))


@dataclass(slots=True)
class Tally:
    """Running totals of a reconciliation."""

    rows: dict[Currency, _Row] = field(default_factory=dict)

    def add(self, comparison: BillComparison) -> None:
        """Count one bill."""
        row = self.rows.setdefault(comparison.currency, _Row())
        row.bills += 1
        row.billed += comparison.billed.minor
        row.sent += comparison.sent.minor
        row.not_sent += comparison.not_sent.minor
        row.invoiced += comparison.invoiced.minor
        row.rounding += comparison.rounding.minor
        row.catalogue += comparison.catalogue.minor

    def totals(self) -> Iterator[Totals]:
        """Give one row per currency, by code."""
        for currency in sorted(self.rows):
            row = self.rows[currency]
            yield Totals(
                currency.code,
                row.bills,
                Money(row.billed, currency),
                Money(row.sent, currency),
                Money(row.not_sent, currency),
                Money(row.invoiced, currency),
                Money(row.rounding, currency),
                Money(row.invoiced - row.billed + row.not_sent - row.rounding, currency),
                Money(row.catalogue, currency),
            )


@dataclass(slots=True)
class Reason:
    """Bills of one group with one reason."""

    purse: Purse = field(default_factory=Purse)
    page: str = ""


@dataclass(slots=True)
class News:
    """Bills that something new is to be told of, the first of them by name."""

    bills: int = 0
    named: list[BillStanding] = field(default_factory=list)

    def add(self, standing: BillStanding) -> None:
        """Count one bill."""
        self.bills += 1
        if len(self.named) < NAMED_MAX:
            self.named.append(replace(standing, draft=None))


@dataclass(slots=True)
class SyncTally:
    """What became of the bills of one run, or would.

    Attributes:
        groups: Bills and money by group.
        reasons: The same by group and reason.
        listed: Bills that someone may have to look at, at most ``LISTED_MAX`` a group.
        news: What is new, by the event that m3ter's own integration would have raised.
        fallbacks: Lines that fall to a default price, and their money, by price.
        rounding: What Chargebee makes of the amounts beyond them, by currency.
        unexplained: What was read back beyond that, by currency.
        kept_whole: Lines that are sent as quantity 1 to keep m3ter's amount.
        requests: What sending the ready bills takes, reads before and after aside.
        unknown: Bills whose outcome nobody knows.
        differing: Sent bills that do not stand in Chargebee as they were sent.
        due_again: Bills that are tried again by themselves.
        due_first: When the first of those is due.
    """

    groups: dict[Group, Purse] = field(default_factory=dict)
    reasons: dict[tuple[Group, str], Reason] = field(default_factory=dict)
    listed: dict[Group, list[BillStanding]] = field(default_factory=dict)
    news: dict[EventName, News] = field(default_factory=dict)
    fallbacks: dict[str, Purse] = field(default_factory=dict)
    rounding: Purse = field(default_factory=Purse)
    unexplained: Purse = field(default_factory=Purse)
    kept_whole: int = 0
    requests: int = 0
    unknown: int = 0
    differing: int = 0
    due_again: int = 0
    due_first: datetime | None = None

    def add(self, standing: BillStanding) -> None:
        """Count one bill."""
        self.groups.setdefault(standing.group, Purse()).add(standing.money)
        if standing.short:
            self._reason(standing).purse.add(standing.money)
        listed = self.listed.setdefault(standing.group, [])
        if (standing.group in _LISTED or standing.short == IN_NONE) and len(listed) < LISTED_MAX:
            listed.append(replace(standing, draft=None))
        for event in standing.events if standing.new else ():
            self.news.setdefault(event, News()).add(standing)
        if standing.status is PushStatus.UNKNOWN:
            self.unknown += 1
        if standing.again_at is not None:
            self.due_again += 1
            self.due_first = min(self.due_first or standing.again_at, standing.again_at)
        if standing.group in {Group.READY, Group.SENT}:
            self._money(standing)

    def begun_with(self, canary: SyncTally) -> None:
        """Count what a canary sent as sent; the run after it has found the same bills unchanged."""
        sent = canary.groups.get(Group.SENT, Purse())
        self.groups.setdefault(Group.SENT, Purse()).move(sent)
        self.rounding.move(canary.rounding)
        self.unexplained.move(canary.unexplained)
        if Group.UNCHANGED in self.groups:
            self.groups[Group.UNCHANGED].move(sent, -1)
        if ALREADY_SENT in self.reasons:
            self.reasons[ALREADY_SENT].purse.move(sent, -1)
        self.groups = {key: purse for key, purse in self.groups.items() if purse.bills}
        self.reasons = {key: reason for key, reason in self.reasons.items() if reason.purse.bills}

    def bills(self, group: Group) -> int:
        """Count the bills of a group."""
        return self.groups[group].bills if group in self.groups else 0

    def money(self, group: Group) -> tuple[Money, ...]:
        """Give the money of a group, by currency."""
        return self.groups[group].money if group in self.groups else ()

    @property
    def exit_code(self) -> ExitCode:
        """16 for an unknown outcome, 14 when something could not be sent, 17 for a difference."""
        codes = []
        if self.unknown:
            codes.append(ExitCode.UNKNOWN_OUTCOME)
        if any(self.bills(group) for group in _PARTLY):
            codes.append(ExitCode.PARTLY_DONE)
        if self.differing:
            codes.append(ExitCode.OUTSIDE_TOLERANCE)
        return winning(codes)

    def _reason(self, standing: BillStanding) -> Reason:
        key = (standing.group, standing.short)
        if key not in self.reasons and len(self.reasons) >= REASONS_MAX:
            key = (standing.group, OTHER_REASONS)
        return self.reasons.setdefault(key, Reason(page=standing.page))

    def _money(self, standing: BillStanding) -> None:
        self.rounding.add(standing.rounding)
        if standing.unexplained is not None:
            self.unexplained.add(standing.unexplained)
        if standing.group is Group.SENT and standing.page:
            self.differing += 1
        if standing.draft is None:
            return
        draft = standing.draft
        # a line on a pending invoice costs a read and a write
        lines = 2 * len(draft.lines) if draft.way == "pending" else 1
        self.requests += lines + (1 if draft.credits else 0)
        self.kept_whole += sum(
            isinstance(line.pricing, WholePricing)
            and line.pricing.quantity == 1
            and bool(line.trace.rounding)
            for line in draft.lines
        )
        for line in draft.fallbacks:
            self.fallbacks.setdefault(line.price_id, Purse()).add(line.billed)


@dataclass(slots=True)
class _Row:
    bills: int = 0
    billed: int = 0
    sent: int = 0
    not_sent: int = 0
    invoiced: int = 0
    rounding: int = 0
    catalogue: int = 0


LISTED_MAX = 200
"""Bills that are listed one by one for each group; the rest is counted."""
NAMED_MAX = 20
"""Bills that one notice names; the rest is counted."""
REASONS_MAX = 500
"""Different reasons that are counted apart; there are far fewer unless their texts name bills."""
OTHER_REASONS = "for other reasons"
IN_NONE = "in no push integration"
"""The reason of bills that nobody sends; they are named, because some may have been forgotten."""
ALREADY_SENT = (Group.UNCHANGED, "already sent")
_LISTED = frozenset({Group.BLOCKED, Group.DECIDE, Group.FAILED, Group.UNDER_WAY, Group.WAITING})
_PARTLY = frozenset({Group.BLOCKED, Group.DECIDE, Group.FAILED, Group.UNDER_WAY})
