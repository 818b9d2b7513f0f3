"""No account by two routes: what is not known counts against sending."""

from __future__ import annotations

from datetime import timedelta

import pytest
from fakes.push_data import NOW

from reconciler.kernel.address import CredentialId, IntegrationId
from reconciler.m3ter.live import LiveIntegration, NativeRun
from reconciler.selection.interlock import (
    Clear,
    Interlock,
    InterlockSettings,
    MaybePartial,
    NativeRunning,
    OtherRoute,
    ReadAgain,
    RouteClaim,
    RouteKnowledge,
    SentNatively,
    interlock,
    is_connected,
)

MINE = RouteClaim("uk", "in")


def run(status: str, at: str = "2026-12-01T06:00:00Z") -> NativeRun:
    return NativeRun("run", "Bill", "bill-1", "Chargebee", status, at, "", "", "", "", "")


def decide(*runs: NativeRun, **changes: tuple[RouteClaim, ...]) -> Interlock:
    known = RouteKnowledge(NOW, changes.get("native", ()), changes.get("pushes", (MINE,)), runs)
    return interlock("uk", known, NOW + timedelta(seconds=60), InterlockSettings())


def test_one_push_alone_is_clear() -> None:
    other = RouteClaim("us", "out")
    assert decide(native=(RouteClaim("old", "out"),), pushes=(MINE, other)) == Clear()


@pytest.mark.parametrize("seconds", [61, -61])
def test_old_knowledge_is_read_again(seconds: int) -> None:
    known = RouteKnowledge(NOW, (), (MINE,))
    late = NOW + timedelta(seconds=seconds)
    assert interlock("uk", known, late, InterlockSettings()) == ReadAgain()


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"native": (RouteClaim("old", "in"),)}, "native configuration old is connected"),
        ({"native": (RouteClaim("old", "unknown", "no dialect"),)}, "not known: no dialect"),
        ({"pushes": (MINE, RouteClaim("us", "in"))}, "push integration us is connected"),
        ({"pushes": (MINE, RouteClaim("us", "unknown", "bad filter"))}, "not known: bad filter"),
        ({"pushes": (RouteClaim("uk", "unknown", "bad"),)}, "does not surely select"),
        ({"pushes": (RouteClaim("uk", "out", "not in accountIds"),)}, "not in accountIds"),
        ({"pushes": ()}, "0 definitions bear its name"),
        ({"pushes": (MINE, MINE)}, "2 definitions bear its name"),
    ],
)
def test_another_or_no_sure_route_blocks(
    changes: dict[str, tuple[RouteClaim, ...]], why: str
) -> None:
    found = decide(**changes)
    assert isinstance(found, OtherRoute)
    assert why in found.why


@pytest.mark.parametrize(
    ("statuses", "wanted"),
    [
        (["AUTH_FAILED", "DISABLED"], Clear),
        (["COMPLETE"], SentNatively),
        (["INVOICE_ALREADY_PAID"], SentNatively),
        (["ERROR", "COMPLETE"], SentNatively),
        (["COMPLETE", "ERROR"], MaybePartial),
        (["TIMEOUT_LIMIT_EXCEEDED"], MaybePartial),
        (["ACCOUNTING_PERIOD_CLOSED"], MaybePartial),
        (["A_NEW_WORD"], MaybePartial),
        (["WAITING"], NativeRunning),
        (["RATE_LIMIT_RETRY", "COMPLETE"], NativeRunning),
        (["AWAITING_RETRY", "DISABLED"], NativeRunning),
    ],
)
def test_m3ters_own_runs_decide(statuses: list[str], wanted: type) -> None:
    runs = [run(status, f"2026-12-01T0{n}:00:00Z") for n, status in enumerate(statuses)]
    assert isinstance(decide(*reversed(runs)), wanted)


@pytest.mark.parametrize(
    ("authorized", "credential", "connected"),
    [
        (None, None, True),
        (True, None, True),
        (False, None, False),
        (False, CredentialId("c"), True),
    ],
)
def test_a_configuration_is_connected_unless_m3ter_says_otherwise(
    authorized: bool | None, credential: CredentialId | None, connected: bool
) -> None:
    live = LiveIntegration(
        IntegrationId("i"), 1, "Chargebee", "Bill", "x", {}, credential, authorized, enabled=True
    )
    assert is_connected(live) is connected
