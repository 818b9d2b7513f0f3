"""Where a bill stands that m3ter's own integration has worked on."""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from reconciler.selection.interlock import MaybePartial, NativeRunning, SentNatively
from reconciler.sync.in_force.push_route import PushRoute
from reconciler.sync.judge.standings import stands
from reconciler.sync.model.push import PushStatus
from reconciler.sync.model.runbook import bill_page
from reconciler.sync.model.standing import Group, Standing, Who


def by_run(
    who: Who, route: PushRoute, found: SentNatively | NativeRunning | MaybePartial
) -> Standing:
    """Say what m3ter's own run of the bill means."""
    match found:
        case NativeRunning(run):
            why = f"m3ter's own run {run.id} of it is {run.status}"
            return stands(who, Group.WAITING, "m3ter works on it itself", why, route.name)
        case SentNatively(run):
            invoice = f", as {run.external_id}" if run.external_id else ""
            why = f"m3ter sent it itself (run {run.id}){invoice}"
            made = stands(who, Group.NATIVE, "m3ter sent it itself", why, route.name)
            return replace(made, status=PushStatus.COMPLETE)
        case MaybePartial(run):
            why = f"m3ter's own run {run.id} ended as {run.status}; it may have sent a part"
            made = stands(who, Group.DECIDE, "m3ter may have sent a part", why, route.name)
            stopped = PushStatus.TIMEOUT_LIMIT_EXCEEDED
            return replace(made, page=bill_page(stopped), status=stopped)
        case _:
            assert_never(found)
