"""Every page of the runbook is walked by a test; a new page without a walk fails."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fakes.walking import RUNBOOK, section

from reconciler.drafting.draft import BlockCode
from reconciler.errors import ExitCode
from reconciler.kernel.runbook import Page, page
from reconciler.sync.model.push import PushStatus
from reconciler.sync.model.statuses import bill_page

HERE = Path(__file__).parent
TESTS = HERE.parent
ANCHORS = re.findall(r'<a id="([a-z0-9-]+)"></a>', RUNBOOK.read_text(encoding="utf-8"))
WALKED = {
    anchor
    for file in HERE.glob("test_runbook_*.py")
    for listed in re.findall(r"^@walks\((.*)\)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    for anchor in re.findall(r'"([a-z0-9-]+)"', listed)
}
# Pages whose state needs a process that is killed or signalled, or cannot be applied at all.
ELSEWHERE = {
    "started": "chaos/test_killed_pushers.py::test_killed_pushers_send_every_bill_once",
    "exit-130": "acceptance/test_plan_apply_signals.py::"
    "test_a_signal_lets_what_is_in_flight_finish_and_is_recorded",
    "cut-over": "acceptance/test_cutover_whole_way.py::"
    "test_every_open_bill_has_one_owner_on_the_whole_way_there_and_back",
    "stays-open": "acceptance/test_closing_open_invoices.py::"
    "test_an_edited_line_is_named_and_nothing_is_closed",
    "not-applied": "acceptance/test_pull_request_to_production.py::"
    "test_what_nobody_approved_is_merged_and_not_applied",
    "broken-seal": "acceptance/test_pull_request_to_production.py::"
    "test_a_block_that_was_taken_away_stops_the_apply",
    "not-the-merge": "acceptance/test_pull_request_to_production.py::"
    "test_an_old_merge_is_not_planned",
    "state-absent": "cli/test_state_commands.py::"
    "test_without_a_state_a_plan_is_shown_and_nothing_is_written",
    "state-lost": "cli/test_state_commands.py::test_a_deleted_branch_comes_back_from_its_witness",
    "foreign-commit": "cli/test_state_commands.py::"
    "test_a_chain_is_verified_and_the_first_wrong_commit_named",
    "state-kept": "state/test_git_branch.py::"
    "test_offline_after_the_first_write_the_record_is_kept_and_pushed_first",
    "state-offline": "state/test_git_branch.py::"
    "test_offline_before_the_first_write_nothing_was_written",
    "state-refused": "state/test_git_branch.py::"
    "test_a_remote_that_forbids_the_push_is_refused_with_the_rule_to_set",
    "state-remote": "cli/test_state_commands.py::"
    "test_a_remote_that_the_clone_does_not_have_is_named",
    "state-moved": "state/test_git_watch.py::test_a_record_applied_meanwhile_ends_a_run",
    "state-migrate": "cli/test_state_commands.py::test_two_chains_are_never_mixed",
    "older-commit": "cli/test_state_commands.py::"
    "test_an_older_commit_is_not_applied_over_a_newer_one",
    "blocked-decimal-places": "drafting/test_draft_bill.py::test_missing_decimal_places_block",
    "blocked-price": "drafting/test_draft_bill.py::test_every_reason_is_reported_at_once",
}


@pytest.mark.parametrize("of", [*Page, *PushStatus, *BlockCode, *ExitCode], ids=str)
def test_every_state_that_has_a_page_is_walked(
    of: Page | PushStatus | BlockCode | ExitCode,
) -> None:
    anchor = (page(of) if isinstance(of, Page | ExitCode) else bill_page(of)).partition("#")[2]
    assert not anchor or anchor in WALKED | ELSEWHERE.keys()


@pytest.mark.parametrize("anchor", ANCHORS)
def test_every_page_is_walked(anchor: str) -> None:
    assert anchor in WALKED | ELSEWHERE.keys()


@pytest.mark.parametrize("anchor", sorted(ELSEWHERE))
def test_a_page_that_is_walked_elsewhere_names_the_test(anchor: str) -> None:
    file, _, name = ELSEWHERE[anchor].partition("::")
    assert f"def {name}(" in (TESTS / file).read_text(encoding="utf-8")
    assert anchor not in WALKED


def test_no_walk_is_of_a_page_that_is_gone() -> None:
    assert WALKED | ELSEWHERE.keys() <= set(ANCHORS)


@pytest.mark.parametrize("anchor", ANCHORS)
def test_every_command_of_a_page_can_be_pasted(anchor: str) -> None:
    verbs = "sync|plan|apply|drift|status|runs|doctor|ledger|accept-live|keep-git|discover"
    _, _, told = section(anchor).partition("**What to do**")
    told = told.partition("\n")[0]
    bare = re.findall(rf"`((?:{verbs}) [^`]*)`", told)
    assert [entry for entry in bare if entry not in {"sync run", "sync worker"}] == []
    for entry in re.findall(r"`(reconciler (?:sync|ledger) [^`]+)`", told):
        assert "--env " in entry or entry == "reconciler sync cutover"
