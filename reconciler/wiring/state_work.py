"""What people do about a state that is kept on a git remote."""

from __future__ import annotations

from pathlib import Path

from reconciler.errors import InvalidError
from reconciler.kernel.times import written_time
from reconciler.plan.make_plan import fingerprint
from reconciler.plan.model.applied import AppliedRecord
from reconciler.state import git_repair
from reconciler.state.git_branch import GitBranchState
from reconciler.wiring.desk import Desk


class OnlyOnGitBranchError(InvalidError):
    """The project keeps its state in a folder, where there is nothing of this to do."""

    def __init__(self, command: str) -> None:
        super().__init__(
            f"`reconciler {command}` is for the state backend `git-branch`, and this project keeps "
            "its state in a folder (`spec.state.backend: directory`).\nNothing was done. A folder "
            "begins with the first apply, and its lock ends with the process that holds it."
        )


def begin_state(desk: Desk, lost: str) -> AppliedRecord:
    """Make the state before the first apply, or anew after everything was lost."""
    first = git_repair.Beginning(
        environment=desk.environment,
        fingerprint=fingerprint(desk.effective),
        source_commit=desk.authorship.commit,
        at=written_time(desk.clock.now()),
    )
    return git_repair.begin(_on_git(desk, "state init"), first, lost=lost)


def restore_state(desk: Desk, place: Path | None) -> git_repair.Restored:
    """Put the branch back to the newest record that anybody knows."""
    return git_repair.restore(_on_git(desk, "state restore"), desk.environment, place)


def push_state(desk: Desk, *, drop: bool) -> str:
    """Push a record that an earlier run kept, or put it aside; empty where there was none."""
    state = _on_git(desk, "state push")
    if drop:
        return git_repair.drop(state, desk.environment)
    return state.settle(desk.environment)


def lock_holder(desk: Desk) -> str:
    """Say who holds the lock; empty while it is free."""
    found = git_repair.lock_of(_on_git(desk, "lock show"), desk.environment)
    return str(found) if found else ""


def release_lock(desk: Desk, reason: str) -> str:
    """Take the lock away, write down why, and say whose it was."""
    return str(git_repair.release(_on_git(desk, "lock release"), desk.environment, reason))


def _on_git(desk: Desk, command: str) -> GitBranchState:
    if not isinstance(desk.chain, GitBranchState):
        raise OnlyOnGitBranchError(command)
    return desk.chain
