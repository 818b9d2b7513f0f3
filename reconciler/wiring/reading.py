"""Opens what people read of pushes: m3ter, the site and the ledger, none of them to write.

Only a cut-over opens the ledger to write, because it records what a person decided.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial

from reconciler.cutover.world import CutoverPorts
from reconciler.kernel.address import BillId
from reconciler.kernel.ports import Notifier
from reconciler.ledger.opening import NoLedgerError
from reconciler.ledger.spooled_invoices import spooled_invoices
from reconciler.m3ter.ports import Organisation
from reconciler.reconcile.bill_invoices import SidePorts
from reconciler.reconcile.explain import ExplainPorts
from reconciler.reconcile.reconcile import ReconcilePorts
from reconciler.reconcile.routes import PastPushes, PushRoutes, ScopeView, newest_that_pushed
from reconciler.selection.interlock import InterlockSettings
from reconciler.sync.core.push_summary import Pushed, PushStanding
from reconciler.sync.in_force.applied_definitions import definitions_in_force
from reconciler.sync.in_force.scope import NoPushError, NoSiteError, PushesInForce, read_in_force
from reconciler.sync.judge.account import AccountReader
from reconciler.sync.model.push import SiteName
from reconciler.sync.model.standing import Tried
from reconciler.sync.people.decisions import NOT_SENT_BY_M3TER
from reconciler.sync.ports.ledger import Ledger, PushHistory
from reconciler.sync.run.summary import newest_pushes, push_status, requests_of
from reconciler.wiring.chargebee import connect_site, with_flat_prices
from reconciler.wiring.desk import Desk
from reconciler.wiring.ledger import pushing_ledger, reading_ledger, site_of, where
from reconciler.wiring.sync_desk import in_force, notifier


@dataclass(frozen=True, slots=True)
class ReadingDesk:
    """What reconcile and explain read."""

    desk: Desk
    organisation: Organisation
    ledger: Ledger
    reconcile: ReconcilePorts
    explain: ExplainPorts
    notifier: Notifier

    @property
    def integrations(self) -> tuple[str, ...]:
        """Names of the push integrations in force."""
        return self.explain.routes.integrations

    def knows(self, integration: str) -> bool:
        """Tell whether an integration is pushed, or was when a bill that the ledger has was."""
        rows = self.ledger.bills(self.explain.site)
        return integration in self.integrations or any(
            row.integration == integration for row in rows
        )

    def standing(self) -> PushStanding:
        """Say where every bill of the site stands."""
        view = self.desk.effective
        site, clock = self.explain.site, self.desk.clock
        return push_status(site, self.ledger, clock, view.integrations)


@contextmanager
def open_reading(desk: Desk) -> Iterator[ReadingDesk]:
    """Open everything for the time of a ``with`` block; nothing of it is written.

    Raises:
        NoLedgerError: Before the first push.
    """
    with ExitStack() as stack:
        organisation = stack.enter_context(desk.organisation())
        scope, past = scope_to_read(desk, organisation)
        spec = site_of(desk, scope.environment)
        opened = stack.enter_context(reading_ledger(desk, scope.environment))
        if opened is None:
            raise NoLedgerError(where(desk, scope.environment))
        stamps = {route.route.policy.stamp for route in scope.routes}
        limiter = opened.limiter(spec)
        site = stack.enter_context(connect_site(spec, desk, stamps=stamps, limiter=limiter))
        scope = with_flat_prices(scope, site.destination)
        watch = AccountReader(scope, organisation, desk.clock, InterlockSettings())
        cleared = partial(_cleared, opened.history, scope.site)
        now = ScopeView(scope, watch, desk.clock, cleared)
        view: PushRoutes = PastPushes(now) if past else now
        shelf = stack.enter_context(spooled_invoices())
        sides = SidePorts(scope.site, opened.ledger, site.destination, view, shelf)
        yield ReadingDesk(
            desk=desk,
            organisation=organisation,
            ledger=opened.ledger,
            reconcile=ReconcilePorts(organisation.bills, sides, site.destination, desk.progress),
            explain=ExplainPorts(
                site=scope.site,
                bills=organisation.bills,
                ledger=opened.ledger,
                destination=site.destination,
                routes=view,
                history=opened.history,
                invoices=site.destination,
            ),
            notifier=notifier(scope.environment, desk.settings, desk),
        )


def scope_to_read(desk: Desk, organisation: Organisation) -> tuple[PushesInForce, bool]:
    """Read what is in force; where nothing is pushed any more, what was when it last was.

    Returns:
        The scope, and whether it is past. Site and ledger are those of now, as far as they are
        still named.

    Raises:
        NoPushError: When nothing was ever pushed.
        NoSiteError: When there never was a site.
    """
    try:
        return in_force(desk, organisation), False
    except (NoPushError, NoSiteError):
        record = newest_that_pushed(desk.chain.records(desk.environment))
        if record is None:
            raise
    scope = read_in_force(desk.effective, record, organisation, desk.progress)
    now = definitions_in_force(desk.chain.head(desk.environment), desk.effective).environment.spec
    if now.chargebee is None or now.ledger is None:
        return scope, True
    return replace(scope, environment=now, site=SiteName(now.chargebee.site)), True


@contextmanager
def open_cutover(desk: Desk) -> Iterator[CutoverPorts]:
    """Open what a cut-over looks at, and the ledger to record decisions in."""
    environment = definitions_in_force(
        desk.chain.head(desk.environment), desk.effective
    ).environment.spec
    site = SiteName(site_of(desk, environment).site)
    with desk.organisation() as organisation, pushing_ledger(desk, environment) as opened:
        yield CutoverPorts(
            environment=desk.environment,
            site=site,
            organisation=organisation,
            ledger=opened.ledger,
            history=opened.history,
            clock=desk.clock,
            progress=desk.progress,
        )


def _cleared(history: PushHistory, site: SiteName, bill: BillId) -> bool:
    decisions = history.decisions(site, f"native/{bill}")
    return bool(decisions) and decisions[-1].what == NOT_SENT_BY_M3TER


def requests_for(desk: Desk, bill: BillId) -> tuple[Tried, ...]:
    """Read every request that was sent for a bill; none where nothing was ever pushed."""
    environment = desk.effective.environment.spec
    if environment.chargebee is None or environment.ledger is None:
        return ()
    with reading_ledger(desk, environment) as opened:
        if opened is None:
            return ()
        return requests_of(SiteName(environment.chargebee.site), opened.ledger, bill)


def pushes_of(desk: Desk, newest: int) -> tuple[PushStanding, tuple[Pushed, ...]] | None:
    """Read the push part of status and runs; ``None`` where nothing was ever pushed."""
    environment = desk.effective.environment.spec
    if environment.chargebee is None or environment.ledger is None:
        return None
    site = SiteName(environment.chargebee.site)
    with reading_ledger(desk, environment) as opened:
        if opened is None:
            return None
        ledger = opened.ledger
        standing = push_status(site, ledger, desk.clock, desk.effective.integrations)
        return standing, newest_pushes(site, ledger, newest) if newest else ()
