"""Integration runs and their logs: ``/integrationruns``."""

from __future__ import annotations

from typing import Any

from reconciler.emulator.exchange import HttpAnswer
from reconciler.emulator.m3ter.http import entities
from reconciler.emulator.m3ter.http.call import CallHandler, ReceivedCall, RefusedCall, ok, public
from reconciler.emulator.m3ter.http.paging import Predicate, page
from reconciler.emulator.m3ter.integrations.native import RUNS
from reconciler.emulator.store import StoredRow

JsonObject = dict[str, Any]
_PAGE_MAX = 200


def _of_entity(call: ReceivedCall) -> HttpAnswer:
    kind = call.params["entityType"]
    rows = call.store.table(RUNS).where("entityId", call.params["entityId"])
    return _listed(call, [row for row in rows if row.data["entityType"] == kind])


def _of_destination(call: ReceivedCall) -> HttpAnswer:
    rows = call.store.table(RUNS).where("destinationId", call.params["destinationId"])
    wanted = call.query.get("destination")
    return _listed(call, [row for row in rows if wanted in (None, row.data["destination"])])


def _listed(call: ReceivedCall, rows: list[StoredRow]) -> HttpAnswer:
    """A page, newest first or by ``order=ASC`` oldest first."""
    if call.query.get("order") == "ASC":
        mirrored = [StoredRow(-row.position, row.data, row.created) for row in reversed(rows)]
        shift = max((row.position for row in rows), default=0)
        rows = [StoredRow(row.position + shift, row.data, row.created) for row in mirrored]

    def below(before: int | None) -> list[StoredRow]:
        return rows if before is None else [row for row in rows if row.position < before]

    return page(call, below, maximum=_PAGE_MAX, keep=_filter(call))


def _filter(call: ReceivedCall) -> Predicate:
    status = call.query.get("status")
    start, end = call.query.get("startDate", ""), call.query.get("endDate", "~")
    return lambda run: status in (None, run["status"]) and start <= run["dtStarted"] < end


def _latest(call: ReceivedCall) -> HttpAnswer:
    return ok(_last(call, call.params["id"]))


def _latest_of_many(call: ReceivedCall) -> HttpAnswer:
    """The latest runs of several entities, as a list; the published type is one run."""
    ids = call.values("ids")
    if not ids:
        raise RefusedCall(400, "ids must not be empty")
    known = [key for key in sorted(ids) if call.store.where(RUNS, "entityId", key)]
    return ok([_last(call, key) for key in known])


def _last(call: ReceivedCall, key: str) -> JsonObject:
    for run in call.store.where(RUNS, "entityId", key):
        if run["entityType"] == call.params["entityType"]:
            return public(run)
    raise RefusedCall(404, f"{call.params['entityType']} {key} has no integration run")


def _get(call: ReceivedCall) -> HttpAnswer:
    return ok(public(entities.find(call.store, RUNS, call.params["id"])))


def _log(call: ReceivedCall) -> HttpAnswer:
    run = entities.find(call.store, RUNS, call.params["id"])
    # Source: m3ter OpenAPI 2026-08-03, IntegrationRunLogResponse: `Payload` with a capital letter
    return ok({"Payload": run["_payload"]})


def _replay(call: ReceivedCall) -> HttpAnswer:
    """Send the payload of a run once more. The path and the new field are guesses."""
    if not call.store.switches.on("endpoints_2026"):
        raise RefusedCall(404, f"No such path: {call.request.path}")
    old = entities.find(call.store, RUNS, call.params["id"])
    fresh = entities.raised(call.store, old, call.user)
    run = fresh | {"id": call.store.new_id(), "version": 1, "replayedFromId": old["id"]}
    call.store.put(RUNS, run)
    return ok(public(run))


ROUTES: list[tuple[str, str, CallHandler]] = [
    ("GET", "/integrationruns/{entityType}/{entityId}", _of_entity),
    ("GET", "/integrationruns/{entityType}/latest", _latest_of_many),
    ("GET", "/integrationruns/{entityType}/latest/{id}", _latest),
    ("GET", "/integrationruns/destinations/{destinationId}", _of_destination),
    ("GET", "/integrationruns/{id}", _get),
    ("GET", "/integrationruns/logs/{id}", _log),
    ("POST", "/integrationruns/{id}/replay", _replay),
]
