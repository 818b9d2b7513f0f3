"""Handlers of the plain resources: list, create, read, replace, delete."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from reconciler.emulator.exchange import Answer
from reconciler.emulator.m3ter.http import entities
from reconciler.emulator.m3ter.http.call import Call, CallHandler, ok, public
from reconciler.emulator.m3ter.http.entities import Resource
from reconciler.emulator.m3ter.http.paging import Predicate, page, table_rows

JsonObject = dict[str, Any]
Routes = list[tuple[str, str, CallHandler]]
Show = Callable[[JsonObject], JsonObject]


def routes(resource: Resource, path: str | None = None, *, methods: str = "LCRUD") -> Routes:
    """The routes of a resource at its path; ``methods`` are the first letters of those wanted."""
    at = path or f"/{resource.name}"

    def _list(call: Call) -> Answer:
        return listing(call, resource)

    def _create(call: Call) -> Answer:
        return ok(public(entities.create(call.store, resource, call.body(), user=call.user)))

    def _read(call: Call) -> Answer:
        return ok(public(entities.find(call.store, resource.kind, call.params["id"])))

    def _update(call: Call) -> Answer:
        return ok(public(entities.update(call, resource, call.params["id"], call.body())))

    def _delete(call: Call) -> Answer:
        return ok(public(entities.delete(call, resource, call.params["id"])))

    table: dict[str, tuple[str, str, CallHandler]] = {
        "L": ("GET", at, _list),
        "C": ("POST", at, _create),
        "R": ("GET", f"{at}/{{id}}", _read),
        "U": ("PUT", f"{at}/{{id}}", _update),
        "D": ("DELETE", f"{at}/{{id}}", _delete),
    }
    return [table[letter] for letter in methods]


def listing(call: Call, resource: Resource, keep: Predicate | None = None) -> Answer:
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
