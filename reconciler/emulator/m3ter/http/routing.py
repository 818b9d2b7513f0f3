"""Finds the handler of a path among routes with variable parts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from reconciler.emulator.exchange import HttpAnswer
from reconciler.emulator.m3ter.http import entities
from reconciler.emulator.m3ter.http.call import CallHandler, ReceivedCall, ok, public
from reconciler.emulator.m3ter.http.entities import EntityKind
from reconciler.emulator.m3ter.http.paging import Predicate, page, table_rows

Route = tuple[str, str, CallHandler]


class Router:
    """Routes by method and number of parts; fixed parts win over variable ones."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes: dict[tuple[str, int], list[tuple[tuple[str, ...], CallHandler]]] = {}
        for method, pattern, handler in routes:
            parts = tuple(pattern.strip("/").split("/"))
            self._routes.setdefault((method, len(parts)), []).append((parts, handler))
        for found in self._routes.values():
            found.sort(key=lambda route: [part.startswith("{") for part in route[0]])

    def find(self, method: str, path: str) -> tuple[CallHandler, Mapping[str, str]] | None:
        """The handler and the variable parts of the path; ``None`` if there is no such route."""
        parts = path.strip("/").split("/")
        for pattern, handler in self._routes.get((method, len(parts)), ()):
            params = _match(pattern, parts)
            if params is not None:
                return handler, params
        return None


JsonObject = dict[str, Any]
Routes = list[tuple[str, str, CallHandler]]
Show = Callable[[JsonObject], JsonObject]


def _match(pattern: tuple[str, ...], parts: list[str]) -> dict[str, str] | None:
    params: dict[str, str] = {}
    for wanted, part in zip(pattern, parts, strict=True):
        if wanted[0] == "{":
            params[wanted[1:-1]] = part
        elif wanted != part:
            return None
    return params


def routes(resource: EntityKind, path: str | None = None, *, methods: str = "LCRUD") -> Routes:
    """The routes of a resource at its path; ``methods`` are the first letters of those wanted."""
    at = path or f"/{resource.name}"

    def _list(call: ReceivedCall) -> HttpAnswer:
        return listing(call, resource)

    def _create(call: ReceivedCall) -> HttpAnswer:
        return ok(public(entities.create(call.store, resource, call.body(), user=call.user)))

    def _read(call: ReceivedCall) -> HttpAnswer:
        return ok(public(entities.find(call.store, resource.kind, call.params["id"])))

    def _update(call: ReceivedCall) -> HttpAnswer:
        return ok(public(entities.update(call, resource, call.params["id"], call.body())))

    def _delete(call: ReceivedCall) -> HttpAnswer:
        return ok(public(entities.delete(call, resource, call.params["id"])))

    table: dict[str, tuple[str, str, CallHandler]] = {
        "L": ("GET", at, _list),
        "C": ("POST", at, _create),
        "R": ("GET", f"{at}/{{id}}", _read),
        "U": ("PUT", f"{at}/{{id}}", _update),
        "D": ("DELETE", f"{at}/{{id}}", _delete),
    }
    return [table[letter] for letter in methods]


def listing(call: ReceivedCall, resource: EntityKind, keep: Predicate | None = None) -> HttpAnswer:
    """The list of a resource under the filters of its query and one more."""
    tests: list[Predicate] = [] if keep is None else [keep]
    for parameter, name in resource.filters.items():
        wanted = call.values(parameter)
        if wanted is not None:
            tests.append(_is_in(name, wanted))
    if not tests:
        return page(call, table_rows(call, resource.kind), maximum=resource.page_max)
    return page(
        call,
        table_rows(call, resource.kind),
        maximum=resource.page_max,
        keep=lambda data: all(test(data) for test in tests),
    )


def _is_in(name: str, wanted: frozenset[str]) -> Predicate:
    return lambda data: data.get(name) in wanted
