"""Pause, resume and enable: rows of the ledger, without a word to m3ter or Chargebee."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from reconciler.errors import IdentityError
from reconciler.kernel.runbook import Page, page
from reconciler.ledger.sql.damage import LedgerDamagedError
from reconciler.ledger.sql.database import LedgerGoneError
from reconciler.sync.in_force.applied_definitions import definitions_in_force
from reconciler.sync.in_force.scope import NoPushError
from reconciler.sync.model.push import SiteName
from reconciler.sync.ports.ledger import Ledger
from reconciler.wiring.desk import Desk
from reconciler.wiring.ledger import controlling_ledger, site_of


@dataclass(frozen=True, slots=True)
class Controls:
    """A person at the controls of one site.

    Attributes:
        integrations: The push integrations in force.
    """

    environment: str
    site: SiteName
    ledger: Ledger
    actor: str
    integrations: tuple[str, ...]

    def pause(self, reason: str) -> None:
        """Stop all writes of the site."""
        self.ledger.pause(self.site, self.actor, reason)

    def resume(self) -> str | None:
        """Let writes go on; gives who had paused the site and why, ``None`` when nobody had."""
        why = self.ledger.paused(self.site)
        if why is not None:
            self.ledger.resume(self.site, self.actor)
        return why

    def enable(self, integration: str) -> str | None:
        """Enable a push again; gives why it was disabled, ``None`` when it was not.

        Raises:
            NoPushError: When it is no push integration.
        """
        if integration not in self.integrations:
            raise NoPushError(self.environment, integration)
        why = self.ledger.disabled(self.site, integration)
        if why is not None:
            self.ledger.enable(self.site, integration, self.actor)
        return why


class ControlRefusedError(IdentityError):
    """The ledger took no row; whoever pushes has heard of nothing."""

    def __init__(self, where: str, reason: str, todo: str) -> None:
        super().__init__(
            f"the ledger in {where} took no change: {reason}.\n"
            f"Nothing was paused, resumed or enabled: whoever pushes goes on as before. {todo}"
        )


@contextmanager
def _told_here() -> Iterator[None]:
    """Say of a ledger that fails only that: no request of ours is under way at the controls."""
    try:
        yield
    except LedgerGoneError as error:
        todo = "Check the room on its disk and the rights of this user."
        raise ControlRefusedError(error.where, error.reason, todo) from None
    except LedgerDamagedError as error:
        todo = f"What it holds cannot be read; go on with {page(Page.LEDGER_LOST)}."
        raise ControlRefusedError(error.where, error.reason, todo) from None


@contextmanager
def controls(desk: Desk) -> Iterator[Controls]:
    """Open the controls of an environment's site, also while a run is under way."""
    effective = definitions_in_force(desk.chain.head(desk.environment), desk.effective)
    spec = effective.environment.spec
    site = SiteName(site_of(desk, spec).site)
    names = tuple(
        integration.name
        for integration in effective.integrations
        if integration.spec.delivery == "push"
    )
    with controlling_ledger(desk, spec) as opened, _told_here():
        yield Controls(desk.environment, site, opened.ledger, desk.authorship.actor, names)
