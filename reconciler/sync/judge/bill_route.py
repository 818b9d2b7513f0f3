"""Which push integration takes a bill, or why none does."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from reconciler.kernel.runbook import Page, page
from reconciler.m3ter.bill import Bill
from reconciler.selection.scope import Left, Taken, takes
from reconciler.sync.core.run_tally import IN_NONE
from reconciler.sync.in_force.push_route import PushRoute
from reconciler.sync.judge.account_facts import About, membership_of
from reconciler.sync.judge.narrow import Narrow
from reconciler.sync.judge.standings import stands, who_of
from reconciler.sync.model.push import PushStatus
from reconciler.sync.model.standing import Group, Standing, Who


@dataclass(frozen=True, slots=True)
class RoutesOfRun:
    """The push integrations of one run, as its flags leave them."""

    routes: tuple[PushRoute, ...]
    narrow: Narrow

    def taking(self, bill: Bill, about: About, *, sent: bool) -> PushRoute | Standing:
        """Find the one route that takes the bill, or say why none does."""
        who = who_of(bill)
        if about.account is None:
            why = f"m3ter has no account with the code {bill.account_code!r} that the bill names"
            made = stands(who, Group.BLOCKED, "its account is not known", why)
            return replace(made, page=page(Page.INTERLOCK))
        found = [(one, self._takes(bill, one, about)) for one in self.routes]
        ours = [
            (one, told)
            for one, told in found
            if not (isinstance(told, Left) and told.reason == "other-account")
        ]
        if not ours:
            why = "no push integration takes its account"
            return stands(who, Group.NOT_OURS, IN_NONE, why)
        named = self.narrow.integrations
        if named and not any(one.name in named for one, _ in ours):
            return stands(who, Group.NOT_OURS, "of another integration")
        route, told = ours[0]
        if isinstance(told, Taken) or (sent and told.reason == "unapproved"):
            return route
        return self._left(who, route, told)

    def since(self, route: PushRoute) -> date:
        """Give the date from which a route's bills are sent in this run."""
        own = date.fromisoformat(route.route.policy.since)
        flag = self.narrow.since
        if flag is None:
            return own
        return flag if self.narrow.backfill else max(own, flag)

    def _takes(self, bill: Bill, route: PushRoute, about: About) -> Taken | Left:
        found = membership_of(route.scope, about, bill)
        if found.verdict == "unknown" or about.account is None:
            return Left("unknown", found.why)
        return takes(route.scope, self.since(route), bill, about.account)

    def _left(self, who: Who, route: PushRoute, left: Left) -> Standing:
        if left.reason == "before-since":
            return stands(who, Group.NOT_OURS, f"before {self.since(route):%-d %b %Y}", left.why)
        if left.reason == "unapproved":
            return stands(who, Group.WAITING, "not approved yet", left.why, route.name)
        short = "whether it is selected is not known"
        made = stands(who, Group.BLOCKED, short, left.why, route.name)
        return replace(made, page=page(Page.INTERLOCK), status=PushStatus.BLOCKED)
