"""Secrets and the references to them that may stand in git."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


class Secret:
    """A value that no text ever shows; only ``reveal`` gives it away."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Give the value, for the one place that sends it."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__

    def __format__(self, _spec: str) -> str:
        return repr(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> str:
        message = "a Secret cannot be stored or sent to another process"
        raise TypeError(message)


@dataclass(frozen=True, slots=True)
class SecretReference:
    """Where a secret is kept: the name of an environment variable, or a file."""

    source: Literal["env", "file"]
    name: str

    def __str__(self) -> str:
        return f"{{{self.source}: {self.name}}}"
