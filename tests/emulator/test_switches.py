from __future__ import annotations

import pytest

from reconciler.emulator.switches.table import (
    SWITCHES,
    Switches,
    SwitchValueError,
    UnknownSwitchError,
)


def test_every_switch_has_a_default_it_takes_itself_and_a_meaning() -> None:
    for switch in SWITCHES.values():
        assert switch.takes(switch.default), switch.name
        assert switch.meaning


@pytest.mark.parametrize(
    ("name", "given", "value"),
    [
        ("stale_version", "409", 409),
        ("stale_version", 412, 412),
        ("endpoints_2026", "false", False),
        ("endpoints_2026", True, True),
        ("m3ter_retry_after", "on", True),
        ("config_keys", "screaming", "screaming"),
        ("event_days", "3", 3),
    ],
)
def test_a_switch_takes_its_value_also_as_text(name: str, given: object, value: object) -> None:
    assert Switches({name: given}).as_dict()[name] == value


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("stale_version", 418),
        ("stale_version", True),
        ("config_keys", "kebab"),
        ("event_days", -1),
        ("event_days", "many"),
        ("endpoints_2026", 1),
        ("endpoints_2026", None),
    ],
)
def test_a_value_that_a_switch_does_not_take_is_refused_with_what_it_takes(
    name: str, given: object
) -> None:
    with pytest.raises(SwitchValueError, match=f"switch `{name}` is "):
        Switches({name: given})


def test_an_unknown_switch_is_refused_with_the_known_names() -> None:
    with pytest.raises(UnknownSwitchError, match="config_keys"):
        Switches({"confg_keys": "camel"})


def test_values_are_read_by_kind() -> None:
    switches = Switches()
    assert switches.text("config_keys") == "camel"
    assert switches.number("stale_version") == 400
    assert switches.on("endpoints_2026") is True
