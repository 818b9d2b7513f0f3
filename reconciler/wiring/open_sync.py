"""Opens what a sync works with: the Chargebee site, the ledger, workers, notices."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from reconciler.definitions.kinds.environment import EnvironmentSpec
from reconciler.sync.judge.ledger_view import NoLedgerYet
from reconciler.wiring.chargebee import connect_site, with_flat_prices
from reconciler.wiring.desk import Desk
from reconciler.wiring.ledger import (
    OpenLedger,
    pushing_ledger,
    reading_ledger,
    site_of,
)
from reconciler.wiring.notices import notifier
from reconciler.wiring.sync_desk import PushDesk, in_force, watch_of
from reconciler.workers.embedded import EmbeddedWorkers


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
        stamps = {one.route.policy.stamp for one in scope.routes}
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
