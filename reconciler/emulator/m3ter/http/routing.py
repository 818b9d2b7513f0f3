"""Finds the handler of a path among routes with variable parts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reconciler.emulator.m3ter.http.call import CallHandler

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


def _match(pattern: tuple[str, ...], parts: list[str]) -> dict[str, str] | None:
    params: dict[str, str] = {}
    for wanted, part in zip(pattern, parts, strict=True):
        if wanted[0] == "{":
            params[wanted[1:-1]] = part
        elif wanted != part:
            return None
    return params
