"""Switches: every behaviour that no public source settles, by name, with its default.

The tables stand in ``m3ter_switches`` and ``chargebee_switches``; here values are checked and held.
"""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.emulator.switches.chargebee import CHARGEBEE_SWITCHES
from reconciler.emulator.switches.m3ter import M3TER_SWITCHES
from reconciler.emulator.switches.switch import Scalar, Switch

SWITCHES: Mapping[str, Switch] = {
    switch.name: switch for switch in (*M3TER_SWITCHES, *CHARGEBEE_SWITCHES)
}


class UnknownSwitchError(ValueError):
    """No switch has that name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"unknown switch `{name}`; known: {', '.join(sorted(SWITCHES))}")


class SwitchValueError(ValueError):
    """A switch does not take that value."""

    def __init__(self, switch: Switch, value: object) -> None:
        super().__init__(f"switch `{switch.name}` is {switch.expected()}, not {value!r}")


class Switches:
    """The values in force; names that were not set have their default."""

    def __init__(self, values: Mapping[str, object] | None = None) -> None:
        """Check the names and values.

        Raises:
            UnknownSwitchError: On a name that is in no table.
            SwitchValueError: On a value that the switch does not take.
        """
        self._values: dict[str, Scalar] = {
            switch.name: switch.default for switch in SWITCHES.values()
        }
        for name, value in (values or {}).items():
            if name not in SWITCHES:
                raise UnknownSwitchError(name)
            self._values[name] = _checked(SWITCHES[name], value)

    def text(self, name: str) -> str:
        """The value of a switch that names a choice."""
        value = self._values[name]
        assert isinstance(value, str)
        return value

    def number(self, name: str) -> int:
        """The value of a switch that counts something."""
        value = self._values[name]
        assert isinstance(value, int)
        return value

    def on(self, name: str) -> bool:
        """The value of a switch that is on or off."""
        value = self._values[name]
        assert isinstance(value, bool)
        return value

    def as_dict(self) -> dict[str, Scalar]:
        """All values by name."""
        return dict(self._values)


def _checked(switch: Switch, value: object) -> Scalar:
    """Take the value itself or, from a command line, its text."""
    for candidate in (value, *_read(value)):
        if switch.takes(candidate):
            assert isinstance(candidate, (str, int))
            return candidate
    raise SwitchValueError(switch, value)


def _read(value: object) -> tuple[Scalar, ...]:
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return ()
    text = str(value)
    if text.lower() in {"true", "on", "yes"}:
        return (True,)
    if text.lower() in {"false", "off", "no"}:
        return (False,)
    return (int(text), text) if text.isascii() and text.isdigit() else (text,)
