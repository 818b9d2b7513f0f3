"""Opens what a sync works with: site, ledger, workers and notices, and what people do with it."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import uuid4

from reconciler.chargebee.destination import ChargebeeDestination
from reconciler.definitions.kinds.environment import EnvironmentSpec
from reconciler.errors import InvalidError
from reconciler.kernel.address import AccountId, BillId
from reconciler.kernel.ports import Notifier, Stopped
from reconciler.m3ter.ports import BillQuery, Organisation
from reconciler.notify.apprise import AppriseNotifier, SilentNotifier, Subscription, apprise_send
from reconciler.reconcile.explain import UnknownBillError
from reconciler.selection.interlock import InterlockSettings
from reconciler.settings import Settings
from reconciler.sync.core.when_to_act import RetryTimes
from reconciler.sync.in_force.scope import NoPushError, PushesInForce, read_in_force
from reconciler.sync.judge.account import AccountReader
from reconciler.sync.judge.judge import Judge, LedgerView, NoLedgerYet
from reconciler.sync.judge.run_filter import RunFilter
from reconciler.sync.people.decisions import NOT_SENT_BY_LEDGER, NOT_SENT_BY_M3TER, BillDecisions
from reconciler.sync.ports.workers import Workers
from reconciler.sync.push.limits import RunLimits, refuse_held
from reconciler.sync.push.push_bill import Pusher
from reconciler.sync.run.due_again import NO_PATIENCE, RunPatience
from reconciler.sync.run.run import Serving, read_stamps, result_of
from reconciler.sync.run.world import SyncPorts, SyncResult
from reconciler.wiring.chargebee import connect_site, with_flat_prices
from reconciler.wiring.desk import Desk
from reconciler.wiring.ledger import OpenLedger, pushing_ledger, reading_ledger, site_of
from reconciler.workers.embedded import EmbeddedWorkers


class NoAccountError(InvalidError):
    """``--account`` names accounts that m3ter does not have."""

    def __init__(self, codes: Sequence[str]) -> None:
        super().__init__(
            f"m3ter has no account with the code {', '.join(codes)}. Nothing was sent. "
            "Check the spelling; ids are not taken here."
        )


@dataclass(frozen=True, slots=True)
class PushDesk:
    """Everything a sync works with.

    Attributes:
        view: What plans read: the ledger, or nothing where there is none yet.
        opened: The ledger; ``None`` where there is none yet, only for plans.
    """

    desk: Desk
    scope: PushesInForce
    watch: AccountReader
    organisation: Organisation
    destination: ChargebeeDestination
    view: LedgerView
    opened: OpenLedger | None
    workers: Workers
    notifier: Notifier
    settings: RetryTimes

    @property
    def ports(self) -> SyncPorts:
        """Give the world that a run acts on."""
        assert self.opened is not None, "only plans do without a ledger"
        return SyncPorts(
            bills=self.organisation.bills,
            ledger=self.opened.ledger,
            destination=self.destination,
            workers=self.workers,
            notifier=self.notifier,
            clock=self.desk.clock,
            progress=self.desk.progress,
        )

    def judge(self, narrow: RunFilter) -> Judge:
        """Give the judge of one run."""
        clock = self.desk.clock
        said = (self._cleared, self._freed)
        return Judge(self.watch, self.view, self.destination, clock, narrow, *said)

    def pusher(self, narrow: RunFilter, limits: RunLimits, stopped: Stopped) -> Pusher:
        """Give what brings bills on in one run."""
        ports = self.ports
        return Pusher(
            judge=self.judge(narrow),
            ledger=ports.ledger,
            destination=ports.destination,
            bills=ports.bills,
            clock=ports.clock,
            notifier=ports.notifier,
            limits=limits,
            settings=self.settings,
            run=str(uuid4()),
            worker=f"{socket.gethostname()}/{os.getpid()}",
            stopped=stopped,
        )

    def run(
        self,
        narrow: RunFilter,
        limits: RunLimits,
        stopped: Stopped,
        patience: RunPatience = NO_PATIENCE,
    ) -> SyncResult:
        """Run a sync."""
        return result_of(self.pusher(narrow, limits, stopped), self.ports, stopped, patience)

    def serving(self, narrow: RunFilter, stopped: Stopped) -> Serving:
        """Give a worker that reads what is in force again before every round."""

        def refreshed() -> Pusher:
            scope = in_force(self.desk, self.organisation)
            scope = with_flat_prices(scope, self.destination)
            fresh = replace(self, scope=scope, watch=watch_of(scope, self.organisation, self.desk))
            read_stamps(scope, fresh.ports)
            return fresh.pusher(narrow, RunLimits(), stopped)

        first = self.pusher(narrow, RunLimits(), stopped)
        return Serving(self.ports, stopped, refreshed, first)

    def read_stamps(self) -> None:
        """Read the stamped invoices of the site, once a run."""
        read_stamps(self.scope, self.ports)

    def refuse_held(self, integrations: frozenset[str], *, thawed: bool) -> None:
        """Refuse a run in which nothing may be sent.

        Raises:
            ReconcilerError: See ``sync.run.run.refuse_held``.
        """
        now = self.desk.clock.now()
        refuse_held(self.scope, self.ports.ledger, integrations, now, thawed=thawed)

    def named(self, integrations: Iterable[str]) -> frozenset[str]:
        """Check names of push integrations.

        Raises:
            NoPushError: For a name that is none.
        """
        for integration in integrations:
            if self.scope.route(integration) is None:
                raise NoPushError(self.scope.name, integration)
        return frozenset(integrations)

    def accounts(self, codes: Iterable[str]) -> frozenset[AccountId]:
        """Find accounts by code.

        Raises:
            NoAccountError: For a code that m3ter does not know.
        """
        wanted = set(codes)
        found = self.organisation.codes.accounts(wanted) if wanted else {}
        if missing := sorted(wanted - set(found)):
            raise NoAccountError(missing)
        return frozenset(run.id for run in found.values())

    def bills(self, ids: Iterable[str]) -> frozenset[BillId]:
        """Check ids of bills: one that nobody knows is a slip, not a bill with nothing to do.

        Raises:
            UnknownBillError: For an id that neither m3ter nor the ledger has.
        """
        wanted = frozenset(BillId(bill_id) for bill_id in ids)
        if not wanted:
            return wanted
        query = BillQuery(ids=tuple(sorted(wanted)), lines=False)
        bill_ids = {bill.id for bill in self.organisation.bills.list(query)}
        for bill_id in sorted(wanted - bill_ids):
            if self.view.bill(self.scope.site, bill_id) is None:
                raise UnknownBillError(bill_id, self.scope.name)
        return wanted

    def decided(self, subject: str, what: str, reason: str) -> None:
        """Record what a person decided."""
        assert self.opened is not None
        actor = self.desk.authorship.actor
        self.opened.history.decide(self.scope.site, subject, what, actor, reason)

    def decider(self) -> BillDecisions:
        """Give a person's hand on bills."""
        assert self.opened is not None, "only plans do without a ledger"
        return BillDecisions(
            judge=self.judge(RunFilter()),
            ledger=self.opened.ledger,
            history=self.opened.history,
            destination=self.destination,
            bills=self.organisation.bills,
            clock=self.desk.clock,
            actor=self.desk.authorship.actor,
            run=str(uuid4()),
        )

    def _cleared(self, bill: BillId) -> bool:
        """Tell whether a person said that m3ter's own failed run of a bill sent nothing."""
        if self.opened is None:
            return False
        decisions = self.opened.history.decisions(self.scope.site, f"native/{bill}")
        return bool(decisions) and decisions[-1].what == NOT_SENT_BY_M3TER

    def _freed(self, bill: BillId, rebuilt: datetime) -> bool:
        """Tell whether a person said since the ledger was rebuilt that it had not sent a bill.

        A ledger that was rebuilt in the future was so under another clock, which says nothing.
        """
        if self.opened is None:
            return False
        decisions = self.opened.history.decisions(self.scope.site, f"bill/{bill}")
        since = [
            decision
            for decision in decisions
            if decision.at >= rebuilt or rebuilt > self.desk.clock.now()
        ]
        return any(decision.what == NOT_SENT_BY_LEDGER for decision in since)


def in_force(desk: Desk, organisation: Organisation, *, from_files: bool = False) -> PushesInForce:
    """Read what sync obeys."""
    head = desk.chain.head(desk.environment)
    return read_in_force(desk.effective, head, organisation, desk.progress, from_files=from_files)


def watch_of(scope: PushesInForce, organisation: Organisation, desk: Desk) -> AccountReader:
    """Give what knows who else may bill an account."""
    return AccountReader(scope, organisation, desk.clock, InterlockSettings())


@contextmanager
def open_push(
    desk: Desk, *, reading: bool = False, from_files: bool = False, many: bool = False
) -> Iterator[PushDesk]:
    """Open everything for the time of a ``with`` block.

    Args:
        desk: The repository and its environment.
        reading: Only to print: the ledger is opened to read, also beside whoever pushes.
        from_files: Obey the files; only to print.
        many: Let workers on other machines help.
    """
    with ExitStack() as stack:
        organisation = stack.enter_context(desk.organisation())
        scope = in_force(desk, organisation, from_files=from_files)
        spec = site_of(desk, scope.environment)
        opened = _ledger(desk, scope.environment, stack, reading=reading)
        stamps = {route.route.policy.stamp for route in scope.routes}
        limiter = opened.limiter(spec) if opened else None
        site = stack.enter_context(connect_site(spec, desk, stamps=stamps, limiter=limiter))
        scope = with_flat_prices(scope, site.destination)
        yield PushDesk(
            desk=desk,
            scope=scope,
            watch=watch_of(scope, organisation, desk),
            organisation=organisation,
            destination=site.destination,
            view=opened.ledger if opened else NoLedgerYet(),
            opened=opened,
            workers=opened.workers(on_many_machines=many)
            if opened
            else EmbeddedWorkers(desk.clock),
            notifier=notifier(scope.environment, desk.settings, desk),
            settings=desk.settings.look_first,
        )


def _ledger(
    desk: Desk, environment: EnvironmentSpec, stack: ExitStack, *, reading: bool
) -> OpenLedger | None:
    if not reading:
        return stack.enter_context(pushing_ledger(desk, environment))
    if environment.ledger is None:
        return None
    return stack.enter_context(reading_ledger(desk, environment))


def notifier(environment: EnvironmentSpec, settings: Settings, desk: Desk) -> Notifier:
    """Give the notices of an environment; silence where it has none.

    Raises:
        NotifyMissingError: When it has some and Apprise is not installed.
    """
    if not environment.notices:
        return SilentNotifier()
    subscriptions = [
        Subscription(frozenset(notice.events), settings.resolve(notice.url, desk.root))
        for notice in environment.notices
    ]
    return AppriseNotifier(subscriptions, apprise_send())
