"""What holds a whole run back before it begins."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from reconciler.errors import HeldError
from reconciler.kernel.runbook import Page, page
from reconciler.plan.core.guards.time import freeze
from reconciler.sync.in_force.scope import SyncScope
from reconciler.sync.ports.ledger import Ledger


class FrozenError(HeldError):
    """Sync was called inside a freeze window."""

    def __init__(self, windows: Sequence[str]) -> None:
        super().__init__(
            "; ".join(windows) + ".\nNothing was sent. Wait until the window is over, or approve "
            "this run with `--approve freeze`."
        )


class PausedError(HeldError):
    """A person paused the site."""

    def __init__(self, site: str, why: str) -> None:
        super().__init__(
            f"pushing to site `{site}` is paused by {why}.\n"
            "Nothing was sent. When it may go on: `reconciler sync resume`. "
            f"See {page(Page.PAUSED)}."
        )


class HeldBackError(HeldError):
    """No integration may push at all."""

    def __init__(self, reasons: Sequence[str], where: Page) -> None:
        listed = "\n".join(f"  {one}" for one in reasons)
        super().__init__(
            f"no push integration may send anything now:\n{listed}\n"
            "Nothing was sent. Run `reconciler drift` and decide what holds, or `reconciler sync "
            f"enable NAME` for a disabled push. See {page(where)}."
        )


def refuse_held(
    scope: SyncScope, ledger: Ledger, integrations: frozenset[str], now: datetime, *, thawed: bool
) -> None:
    """Refuse a run in which nothing may be sent.

    Raises:
        FrozenError: Inside a freeze window that nobody approved.
        PausedError: When a person paused the site.
        HeldBackError: When every integration of the run drifted or is disabled.
    """
    windows = [one.message for one in freeze(scope.environment.freeze, now)]
    if windows and not thawed:
        raise FrozenError(windows)
    if why := ledger.paused(scope.site):
        raise PausedError(scope.site, why)
    wanted = [one for one in scope.routes if not integrations or one.name in integrations]
    drifted = [one.drift[0] for one in wanted if one.drift]
    disabled = [
        f"{one.name} is disabled: {why}"
        for one in wanted
        if not one.drift and (why := ledger.disabled(scope.site, one.name))
    ]
    if wanted and len(drifted) + len(disabled) == len(wanted):
        raise HeldBackError([*drifted, *disabled], Page.DRIFT if drifted else Page.DISABLED)
