"""One call to m3ter's API: what handlers see of the request, and how they answer or refuse."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.emulator import wire
from reconciler.emulator.exchange import HttpAnswer, HttpRequest
from reconciler.emulator.store import Store

JsonObject = dict[str, Any]
_TRUTH = {"true": True, "false": False}


class RefusedCall(Exception):  # noqa: N818 - not an error of the emulator: an answer
    """The answer is an error with m3ter's body, ``{"message": ...}``."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(frozen=True, slots=True)
class ReceivedCall:
    """A request that passed the token, organisation and rate checks.

    Attributes:
        store: Shared state.
        request: The request.
        params: Variable parts of the path by name.
        user: Id of the caller, written into audit fields.
        query: The last value of each query parameter.
        empty_page: A fault: the first page is empty but has a token.
        lag_seconds: Objects younger than this are missing from lists.
    """

    store: Store
    request: HttpRequest
    params: Mapping[str, str]
    user: str
    query: Mapping[str, str] = field(default_factory=dict)
    empty_page: bool = False
    lag_seconds: int = 0

    def body(self) -> JsonObject:
        """The JSON object of the request.

        Raises:
            Refusal: With 400 if the body is not a JSON object.
        """
        try:
            value = wire.decode(self.request.body)
        except wire.MalformedJsonError:
            raise RefusedCall(400, "Malformed JSON in the request body") from None
        if not isinstance(value, dict):
            raise RefusedCall(400, "The request body must be a JSON object")
        return value

    def values(self, name: str) -> frozenset[str] | None:
        """A list parameter, repeated or joined by commas; ``None`` if it is absent."""
        given = [value for key, value in self.request.query if key == name]
        if not given:
            return None
        return frozenset(part for value in given for part in value.split(",") if part)

    def flag(self, name: str) -> bool | None:
        """A boolean parameter; ``None`` if it is absent.

        Raises:
            Refusal: With 400 if it is neither true nor false.
        """
        value = self.query.get(name)
        if value is None:
            return None
        if value.lower() not in _TRUTH:
            raise RefusedCall(400, f"{name} must be true or false")
        return _TRUTH[value.lower()]


CallHandler = Callable[[ReceivedCall], HttpAnswer]


def ok(value: Any) -> HttpAnswer:
    """200 with a JSON value."""
    return HttpAnswer(200, wire.encode(value))


def public(data: JsonObject) -> JsonObject:
    """An object as the API shows it: internal keys begin with an underscore."""
    return {key: value for key, value in data.items() if key[0] != "_"}
