from __future__ import annotations

from pathlib import Path

import pytest
from fakes.clock import FakeClock
from fakes.plans import UK, binding, record

from reconciler.errors import ExitCode
from reconciler.plan.ports import ChainMovedError, LockedError
from reconciler.state.directory import BrokenChainError, DirectoryState
from reconciler.state.documents import TamperedDocumentError


@pytest.fixture
def state(tmp_path: Path) -> DirectoryState:
    return DirectoryState(tmp_path / "state", FakeClock())


def test_a_folder_that_does_not_exist_is_an_empty_chain(state: DirectoryState) -> None:
    assert state.head("sandbox") is None
    assert list(state.records("sandbox")) == []
    assert not state.folder.exists()


def test_an_appended_record_is_the_head_and_names_the_one_before(state: DirectoryState) -> None:
    first = state.append(record(1))
    second = state.append(record(2, first.id, binding()))
    assert state.head("sandbox") == second
    assert second.bindings[0].address == UK
    assert [record.sequence for record in state.records("sandbox")] == [2, 1]


def test_environments_have_chains_of_their_own(state: DirectoryState) -> None:
    state.append(record(1))
    assert state.head("production") is None


@pytest.mark.parametrize("late", [record(1), record(2), record(3, "f" * 64)])
def test_a_record_that_does_not_follow_the_head_is_refused(
    state: DirectoryState, late: object
) -> None:
    first = state.append(record(1))
    with pytest.raises(ChainMovedError, match="another run was here"):
        state.append(late)  # type: ignore[arg-type]
    assert state.head("sandbox") == first


def test_two_writers_of_one_number_end_with_one_record(state: DirectoryState) -> None:
    state.append(record(1))
    (state.folder / "sandbox" / "000002.json").write_text("taken")
    with pytest.raises(Exception, match="000002"):
        state.append(record(2, "f" * 64))


def test_a_record_edited_by_hand_is_refused(state: DirectoryState) -> None:
    state.append(record(1))
    file = state.folder / "sandbox" / "000001.json"
    file.write_text(file.read_text().replace("j.doe", "k.smith"))
    with pytest.raises(TamperedDocumentError, match="changed after it was written") as refused:
        state.head("sandbox")
    assert refused.value.exit_code is ExitCode.STALE


def test_a_missing_number_breaks_the_chain(state: DirectoryState) -> None:
    first = state.append(record(1))
    state.append(record(2, first.id))
    (state.folder / "sandbox" / "000001.json").unlink()
    with pytest.raises(BrokenChainError, match="record 1 is expected"):
        state.head("sandbox")


def test_a_record_that_was_exchanged_breaks_the_chain(
    state: DirectoryState, tmp_path: Path
) -> None:
    first = state.append(record(1))
    state.append(record(2, first.id))
    other = DirectoryState(tmp_path / "other", FakeClock())
    other.append(record(1, None, binding()))
    theirs = (tmp_path / "other" / "sandbox" / "000001.json").read_bytes()
    (state.folder / "sandbox" / "000001.json").write_bytes(theirs)
    with pytest.raises(BrokenChainError, match="names another"):
        list(state.records("sandbox"))


def test_the_lock_has_one_holder_and_names_it(state: DirectoryState) -> None:
    with state.hold("sandbox", "reconciler apply"):
        with (
            pytest.raises(LockedError, match=r"`reconciler apply` of .* since 01 Dec 2026") as held,
            state.hold("sandbox", "reconciler adopt"),
        ):
            pytest.fail("two hold the lock")
        with state.hold("production", "reconciler apply"):
            pass
    assert held.value.exit_code is ExitCode.LOCKED
    with state.hold("sandbox", "reconciler adopt"):
        pass
