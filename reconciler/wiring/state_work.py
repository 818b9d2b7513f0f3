"""What people do about a state that is kept on a git remote."""

from __future__ import annotations

from pathlib import Path

from reconciler.errors import InvalidError
from reconciler.kernel.times import written_time
from reconciler.plan.make_plan import fingerprint
from reconciler.plan.model.applied import AppliedRecord
from reconciler.state import git_repair
from reconciler.state.branch.verify import Verified, verify
from reconciler.state.directory import DirectoryState
from reconciler.state.git_branch import GitBranchState
from reconciler.state.migrate import Migrated, migrate
from reconciler.wiring.desk import Desk
from reconciler.wiring.state import open_git_branch


class OnlyOnGitBranchError(InvalidError):
    """The project keeps its state in a folder, where there is nothing of this to do."""

    def __init__(self, command: str) -> None:
        super().__init__(
            f"`reconciler {command}` is for the state backend `git-branch`, and this project keeps "
            "its state in a folder (`spec.state.backend: directory`).\nNothing was done. A folder "
            "begins with the first apply, and its lock ends with the process that holds it."
        )


class SameBackendError(InvalidError):
    """The chain is where it is to be copied to."""

    def __init__(self, backend: str) -> None:
        super().__init__(f"the state is kept in `{backend}` already; nothing was copied.")


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


def migrate_state(desk: Desk, backend: str) -> Migrated:
    """Copy the chain to the other backend; the project still names the one it is in."""
    project = desk.effective.project.spec.state
    if backend == project.backend:
        raise SameBackendError(backend)
    target: DirectoryState | GitBranchState
    if backend == "directory":
        target = DirectoryState(desk.root / project.path, desk.clock)
    else:
        actor, environ = desk.authorship.actor, desk.settings.environ
        target = open_git_branch(desk.root, project, desk.clock, actor=actor, environ=environ)
    with desk.chain.hold(desk.environment, "reconciler state migrate"):
        return migrate(desk.environment, desk.chain, target)


def verify_state(desk: Desk) -> Verified:
    """Prove the whole chain; what is wrong is named by its commit.

    Raises:
        BrokenRecordError: With the first commit that is wrong.
    """
    state = _on_git(desk, "state verify")
    commits = state.commits(desk.environment)
    if not commits:
        state.refuse_absent(desk.environment)
    missing = desk.source_commits.missing
    label = "verifying records"
    with state.store.git.objects() as objects, desk.progress.task(label, len(commits)) as task:
        return verify(desk.environment, commits, objects, missing, task.advance)


def lock_holder(desk: Desk) -> str:
    """Say who holds the lock; empty while it is free."""
    holder = git_repair.lock_of(_on_git(desk, "lock show"), desk.environment)
    return str(holder) if holder else ""


def release_lock(desk: Desk, reason: str) -> str:
    """Take the lock away, write down why, and say whose it was."""
    return str(git_repair.release(_on_git(desk, "lock release"), desk.environment, reason))


def _on_git(desk: Desk, command: str) -> GitBranchState:
    if not isinstance(desk.chain, GitBranchState):
        raise OnlyOnGitBranchError(command)
    return desk.chain
