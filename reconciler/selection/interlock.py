"""No account is billed by two routes, native or pushed: the decision before a bill is sent.

Everything that is not known counts against sending.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from reconciler.kernel.line_item import RunStatus
from reconciler.m3ter.live import LiveIntegration, NativeRun
from reconciler.selection.scope import Verdict


@dataclass(frozen=True, slots=True)
class RouteClaim:
    """One route and whether it selects the account: a native configuration or a push."""

    name: str
    verdict: Verdict
    why: str = ""


@dataclass(frozen=True, slots=True)
class RouteKnowledge:
    """What was read about one bill's account.

    Attributes:
        read_at: When the oldest part of it was read.
        native: Connected Bill configurations for the destination, managed or not.
        pushes: All push integrations, the one that asks included.
        runs: m3ter's own runs of the bill for the destination.
    """

    read_at: datetime
    native: tuple[RouteClaim, ...]
    pushes: tuple[RouteClaim, ...]
    runs: tuple[NativeRun, ...] = ()


@dataclass(frozen=True, slots=True)
class InterlockSettings:
    """The numbers, and what m3ter's run states mean; their triggers are not documented.

    Attributes:
        max_age: Older knowledge must be read again.
        sent: m3ter sent the bill.
        running: m3ter still works on it.
        harmless: m3ter did not reach the destination.
    """

    max_age: timedelta = timedelta(seconds=60)
    sent: frozenset[str] = frozenset({RunStatus.COMPLETE, RunStatus.INVOICE_ALREADY_PAID})
    running: frozenset[str] = field(
        default=frozenset(
            {
                RunStatus.WAITING,
                RunStatus.STARTED,
                RunStatus.AWAITING_RETRY,
                RunStatus.RATE_LIMIT_RETRY,
            }
        )
    )
    harmless: frozenset[str] = frozenset({RunStatus.AUTH_FAILED, RunStatus.DISABLED})


@dataclass(frozen=True, slots=True)
class Clear:
    """The bill may be sent."""


@dataclass(frozen=True, slots=True)
class ReadAgain:
    """What is known is too old."""


@dataclass(frozen=True, slots=True)
class SentNatively:
    """m3ter sent it; adopt it as such and send nothing."""

    run: NativeRun


@dataclass(frozen=True, slots=True)
class NativeRunning:
    """m3ter works on it; wait."""

    run: NativeRun


@dataclass(frozen=True, slots=True)
class MaybePartial:
    """m3ter failed half-way, or in a way we do not know; a person decides."""

    run: NativeRun


@dataclass(frozen=True, slots=True)
class OtherRoute:
    """Another route selects the account, or may; or none does. Nothing is sent."""

    why: str


Interlock = Clear | ReadAgain | SentNatively | NativeRunning | MaybePartial | OtherRoute


def is_connected(live: LiveIntegration) -> bool:
    """Whether a configuration can send: unless m3ter says otherwise, it can."""
    return live.authorized is not False or live.credential_id is not None


def interlock(
    route: str, known: RouteKnowledge, now: datetime, settings: InterlockSettings
) -> Interlock:
    """Decide whether a push may send a bill.

    Args:
        route: Name of the push integration that asks.
        known: About the bill's account.
        now: The time.
        settings: Numbers and readings.
    """
    if abs(now - known.read_at) > settings.max_age:
        return ReadAgain()
    if why := _other_route(route, known):
        return OtherRoute(why)
    return _by_runs(known.runs, settings)


def _other_route(route: str, known: RouteKnowledge) -> str:
    for claim in known.native:
        if claim.verdict != "out":
            return _words(f"the native configuration {claim.name}", claim)
    for push in known.pushes:
        if push.name != route and push.verdict != "out":
            return _words(f"the push integration {push.name}", push)
    mine = [push for push in known.pushes if push.name == route]
    if len(mine) == 1 and mine[0].verdict == "in":
        return ""
    why = mine[0].why if len(mine) == 1 else f"{len(mine)} definitions bear its name"
    return f"{route} does not surely select the account: {why}"


def _words(route: str, claim: RouteClaim) -> str:
    if claim.verdict == "in":
        return f"{route} is connected or active and selects the account too"
    return f"whether {route} selects the account is not known: {claim.why}"


def _by_runs(runs: Sequence[NativeRun], settings: InterlockSettings) -> Interlock:
    telling = [run for run in runs if run.status not in settings.harmless]
    for run in telling:
        if run.status in settings.running:
            return NativeRunning(run)
    if not telling:
        return Clear()
    newest = max(telling, key=lambda run: (run.started_at, run.id))
    if newest.status in settings.sent:
        return SentNatively(newest)
    return MaybePartial(newest)
