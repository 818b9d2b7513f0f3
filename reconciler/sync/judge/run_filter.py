"""What the flags of one run leave."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from reconciler.kernel.address import AccountId, BillId


@dataclass(frozen=True, slots=True)
class RunFilter:
    """What the flags of one run leave; they only narrow.

    Attributes:
        since: Bills whose period ends on or after it.
        until: Bills whose period ends before it.
        backfill: Whether ``since`` goes before ``push.since``.
    """

    since: date | None = None
    until: date | None = None
    integrations: frozenset[str] = frozenset()
    accounts: frozenset[AccountId] = frozenset()
    bills: frozenset[BillId] = frozenset()
    backfill: bool = False

    def leaves(self, integration: str, account: AccountId, bill: BillId, end: date) -> bool:
        """Whether a bill is left; an empty integration is any."""
        return (
            (not self.integrations or not integration or integration in self.integrations)
            and (not self.accounts or account in self.accounts)
            and (not self.bills or bill in self.bills)
            and (self.since is None or end >= self.since)
            and (self.until is None or end < self.until)
        )
