"""What was read about one bill's account, and which routes take it by that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from reconciler.m3ter.bill import Bill
from reconciler.m3ter.live import Account, NativeRun
from reconciler.selection.interlock import RouteClaim
from reconciler.selection.scope import Membership, Scope, membership
from reconciler.sync.in_force.push_route import PushRoute


@dataclass(frozen=True, slots=True)
class About:
    """What was read about one bill's account.

    Attributes:
        account: ``None`` when m3ter has none with the bill's account code.
        runs: m3ter's own runs of the bill.
        moment: When it was read, in seconds of the monotonic clock: the other may be set back.
    """

    read_at: datetime
    account: Account | None
    runs: tuple[NativeRun, ...] = ()
    moment: float = 0.0


def membership_of(scope: Scope, about: About, bill: Bill | None = None) -> Membership:
    """Say whether a bill's account is in a scope; an account that is not there is unknown."""
    if about.account is None:
        return Membership("unknown", "m3ter has no account with the bill's account code")
    if bill is not None and about.account.id != bill.account_id:
        return Membership("unknown", "the account code of the bill belongs to another account")
    return membership(scope, about.account)


def claim(name: str, scope: Scope, about: About) -> RouteClaim:
    """Say whether a connected configuration takes an account."""
    found = membership_of(scope, about)
    return RouteClaim(name, found.verdict, found.why)


def push_claim(one: PushRoute, about: About, changed: Mapping[str, str]) -> RouteClaim:
    """Say whether one of our push integrations takes an account, as far as that is still known."""
    found = membership_of(one.scope, about)
    if found.verdict == "in" and one.name in changed:
        return RouteClaim(one.name, "unknown", changed[one.name])
    return RouteClaim(one.name, found.verdict, found.why)
