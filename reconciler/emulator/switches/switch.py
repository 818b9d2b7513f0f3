"""One switch: a name, a default, what it takes and what it decides."""

from __future__ import annotations

from dataclasses import dataclass

Scalar = str | int | bool


@dataclass(frozen=True, slots=True)
class Switch:
    """A behaviour that the references leave open.

    Attributes:
        name: As given to ``--switch`` and ``POST /_emulator/reset``.
        default: What the references recommend.
        choices: The values it takes; empty means true and false for a boolean default, and any
            whole number from 0 up for an integer default.
        meaning: What it decides, for a reader.
    """

    name: str
    default: Scalar
    choices: tuple[Scalar, ...]
    meaning: str

    def takes(self, value: object) -> bool:
        """Whether the value is one of this switch, of the same type."""
        if type(value) is not type(self.default):
            return False
        if self.choices:
            return value in self.choices
        return isinstance(value, bool) or (isinstance(value, int) and value >= 0)

    def expected(self) -> str:
        """Say what it takes."""
        if self.choices:
            return " | ".join(str(choice) for choice in self.choices)
        return "true | false" if isinstance(self.default, bool) else "a whole number from 0 up"


def on(name: str, meaning: str) -> Switch:
    """A switch that is on by default."""
    return Switch(name, default=True, choices=(), meaning=meaning)


def off(name: str, meaning: str) -> Switch:
    """A switch that is off by default."""
    return Switch(name, default=False, choices=(), meaning=meaning)
