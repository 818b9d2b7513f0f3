"""What the command line takes from the repository: definitions and time zones."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.definitions.core.allowance import Allowance
from reconciler.definitions.validate import validate
from reconciler.wiring.repository import knows_time_zone, open_repository

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", ["Europe/London", "UTC", "America/New_York", "Asia/Kolkata"])
def test_time_zones_of_the_iana_list_are_known(name: str) -> None:
    assert knows_time_zone(name)


@pytest.mark.parametrize(
    "name", ["", "Europe", "Europe/Londn", "../Europe/London", "/etc/passwd", "a\x00b", "x" * 5000]
)
def test_other_names_are_no_time_zones(name: str) -> None:
    assert not knows_time_zone(name)


def test_the_example_of_this_repository_is_read() -> None:
    validated = validate(open_repository(ROOT), Allowance(), knows_time_zone)

    assert validated.problems == ()
    names = {(document.kind, document.name) for document in validated.definitions.documents}
    assert {
        ("Project", "acme-billing"),
        ("Environment", "sandbox"),
        ("Environment", "production"),
        ("Integration", "chargebee-uk"),
        ("Integration", "chargebee-us"),
    } <= names
