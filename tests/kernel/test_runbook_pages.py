"""Which page a message ends with."""

from __future__ import annotations

import pytest

from reconciler.errors import ExitCode
from reconciler.kernel.runbook import with_page


@pytest.mark.parametrize(
    ("code", "anchor"),
    [
        (ExitCode.STALE, "stale-plan"),
        (ExitCode.LOCKED, "locked"),
        (ExitCode.REFUSED_IDENTITY, "exit-11"),
        (ExitCode.UNEXPECTED, "exit-1"),
    ],
)
def test_a_message_that_names_no_page_gets_the_one_of_its_ending(
    code: ExitCode, anchor: str
) -> None:
    assert with_page("what happened", code) == f"what happened\nSee docs/runbook.md#{anchor}."


def test_an_error_may_name_a_page_of_its_own() -> None:
    told = with_page("refused", ExitCode.REFUSED_IDENTITY, "refused-key")
    assert told.endswith("See docs/runbook.md#refused-key.")


def test_a_message_keeps_the_page_that_it_names() -> None:
    told = "paused. See docs/runbook.md#paused."
    assert with_page(told, ExitCode.NEEDS_APPROVAL) == told


def test_a_problem_in_files_names_its_rule_and_no_page() -> None:
    assert with_page("environment.yaml:3: no such key", ExitCode.INVALID).endswith("no such key")
