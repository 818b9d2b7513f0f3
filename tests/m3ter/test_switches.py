from __future__ import annotations

from typing import get_args, get_type_hints

import pytest

from reconciler.errors import ExitCode
from reconciler.m3ter.api.errors import UnknownM3terSwitchError
from reconciler.m3ter.api.switches import ALLOWED, M3terSwitches, parse_m3ter_switches


def test_the_allowed_values_are_those_of_the_types() -> None:
    hints = get_type_hints(M3terSwitches)
    assert {name: get_args(hint) for name, hint in hints.items()} == dict(ALLOWED)


def test_switches_are_read_by_name() -> None:
    assert parse_m3ter_switches({}) == M3terSwitches()
    assert parse_m3ter_switches({"disconnect": "null"}) == M3terSwitches(disconnect="null")


@pytest.mark.parametrize("entry", [{"disconnect": "maybe"}, {"nothing": "omit"}])
def test_an_unknown_switch_is_refused_with_those_that_exist(entry: dict[str, str]) -> None:
    with pytest.raises(UnknownM3terSwitchError, match=r"disconnect=omit\|null") as caught:
        parse_m3ter_switches(entry)
    assert caught.value.exit_code is ExitCode.INVALID
