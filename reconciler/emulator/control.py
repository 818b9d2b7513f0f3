"""The control surface under ``/_emulator``: all JSON, never credentials."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from reconciler.emulator import wire
from reconciler.emulator.clock import iso, parse_instant
from reconciler.emulator.exchange import HttpAnswer, HttpRequest
from reconciler.emulator.world import World

PREFIX = "/_emulator"
_VENDORS = ("m3ter", "chargebee")
JsonObject = dict[str, Any]


class ControlError(ValueError):
    """A control request that cannot be understood; nothing was changed."""


def handle(world: World, request: HttpRequest) -> HttpAnswer:
    """Answer one control request: 200, 400 with the reason, or 404."""
    path = request.path[len(PREFIX) :]
    action = _ACTIONS.get((request.method, path))
    if action is None:
        return _answer(404, {"message": f"no control request {request.method} {request.path}"})
    try:
        return _answer(200, action(world, request))
    except ValueError as error:  # every refusal of the emulator's own modules is one
        return _answer(400, {"message": str(error)})


def merge_patch(target: Any, patch: Any) -> Any:
    """Apply an RFC 7396 merge patch; the arguments stay as they are."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patch(merged.get(key), value)
    return merged


def _health(world: World, _: HttpRequest) -> JsonObject:
    return {
        "status": "ok",
        "scenario": world.scenario,
        "seed": world.seed,
        "switches": world.store.switches.as_dict(),
        "now": iso(world.store.now()),
    }


def _reset(world: World, request: HttpRequest) -> JsonObject:
    body = _body(request, {"scenario", "seed", "switches"})
    scenario, seed, switches = body.get("scenario"), body.get("seed"), body.get("switches")
    if scenario is not None and not isinstance(scenario, str):
        raise ControlError("`scenario` must be a name")
    if seed is not None and type(seed) is not int:
        raise ControlError("`seed` must be a whole number")
    if switches is not None and not isinstance(switches, dict):
        raise ControlError("`switches` must be an object")
    world.reset(scenario, seed, switches)
    return _health(world, request)


def _add_faults(world: World, request: HttpRequest) -> JsonObject:
    world.faults.add(_body(request, {"rules"}).get("rules"))
    return _faults(world, request)


def _clear_faults(world: World, request: HttpRequest) -> JsonObject:
    world.faults.clear()
    return _faults(world, request)


def _faults(world: World, _: HttpRequest) -> JsonObject:
    return {"rules": [rule.as_dict() for rule in world.faults.rules]}


def _clock(world: World, request: HttpRequest) -> JsonObject:
    body = _body(request, {"advance_seconds", "at"})
    seconds, at = body.get("advance_seconds"), body.get("at")
    if (seconds is None) == (at is None):
        raise ControlError("give either `advance_seconds` or `at`")
    if at is not None:
        if not isinstance(at, str):
            raise ControlError("`at` must be an ISO 8601 instant")
        world.move_clock(at=parse_instant(at))
    elif isinstance(seconds, bool) or not isinstance(seconds, (int, Decimal)):
        raise ControlError("`advance_seconds` must be a number")
    else:
        world.move_clock(seconds=float(seconds))
    return {"now": iso(world.store.now())}


def _requests(world: World, request: HttpRequest) -> JsonObject:
    query = _query(request, {"vendor", "since"})
    since = None
    if "since" in query:
        since = parse_instant(query["since"].replace(" ", "+"))  # a plus sign left unescaped
    entries = world.log.select(vendor=_vendor(query), since=since)
    return {"requests": [owner.as_dict() for owner in entries]}


def _state(world: World, request: HttpRequest) -> JsonObject:
    vendor = _vendor(_query(request, {"vendor"}))
    shown: dict[str, dict[str, list[JsonObject]]] = {
        side: {} for side in _VENDORS if vendor in (None, side)
    }
    for kind in world.store.kinds():
        owner, _, name = kind.partition("/")
        if owner in shown:
            shown[owner][name] = [_public(row) for row in world.store.all(kind)]
    return {**shown}


def _counts(world: World, _: HttpRequest) -> JsonObject:
    return {kind: len(world.store.table(kind).rows) for kind in world.store.kinds()}


def _user_edit(world: World, request: HttpRequest) -> JsonObject:
    body = _body(request, {"id", "patch", "user"})
    key, patch, user = body.get("id"), body.get("patch"), body.get("user", "console-user")
    if not isinstance(key, str) or not isinstance(patch, dict) or not isinstance(user, str):
        raise ControlError("give `id` (text), `patch` (object) and `user` (text)")
    store = world.store
    kind = next(
        (candidate for candidate in store.kinds() if store.get(candidate, key) is not None), None
    )
    if kind is None:
        raise ControlError(f"nothing has the id {key!r}")
    half = world.chargebee if kind.startswith("chargebee/") else world.m3ter
    edited = half.user_edit(merge_patch(store.get(kind, key), patch | {"id": key}), user)
    store.put(kind, edited)
    return {"kind": kind, "object": _public(edited)}


def _public(data: JsonObject) -> JsonObject:
    """An object without its secrets; they are kept in one key so that none is forgotten."""
    return {key: value for key, value in data.items() if key != "_secret"}


def _body(request: HttpRequest, known: set[str]) -> JsonObject:
    body = wire.decode(request.body) if request.body else {}
    if not isinstance(body, dict):
        raise ControlError("the body must be an object")
    unknown = sorted(body.keys() - known)
    if unknown:
        raise ControlError(f"unknown keys {', '.join(unknown)}; known: {', '.join(sorted(known))}")
    return body


def _query(request: HttpRequest, known: set[str]) -> Mapping[str, str]:
    query = dict(request.query)
    unknown = sorted(query.keys() - known)
    if unknown:
        raise ControlError(f"unknown query parameters {', '.join(unknown)}")
    return query


def _vendor(query: Mapping[str, str]) -> str | None:
    vendor = query.get("vendor")
    if vendor is not None and vendor not in _VENDORS:
        raise ControlError(f"unknown vendor {vendor!r}; known: {', '.join(_VENDORS)}")
    return vendor


def _answer(status: int, body: JsonObject) -> HttpAnswer:
    return HttpAnswer(status, wire.encode(body))


_ACTIONS: Mapping[tuple[str, str], Callable[[World, HttpRequest], JsonObject]] = {
    ("GET", "/health"): _health,
    ("POST", "/reset"): _reset,
    ("GET", "/faults"): _faults,
    ("POST", "/faults"): _add_faults,
    ("DELETE", "/faults"): _clear_faults,
    ("POST", "/clock"): _clock,
    ("GET", "/requests"): _requests,
    ("GET", "/state"): _state,
    ("GET", "/counts"): _counts,
    ("POST", "/user-edit"): _user_edit,
}
