"""Which backend keeps the memory of what was applied, and what else hangs on that."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from reconciler import __version__
from reconciler.definitions.kinds.project import ProjectSpec, StateBackend
from reconciler.kernel.ports import Clock
from reconciler.ledger.watch import DirectoryLedgerWatch
from reconciler.state.branch.commit_text import Circumstances
from reconciler.state.branch.lock import ci_run
from reconciler.state.branch.remote import open_remote
from reconciler.state.branch.store import Store
from reconciler.state.directory import DirectoryState
from reconciler.state.git import Git
from reconciler.state.git_branch import GitBranchState
from reconciler.state.git_watch import GitLedgerWatch, watched
from reconciler.state.source_commits import SourceCommits
from reconciler.sync.ports.ledger import LedgerWatch
from reconciler.transport.system_clock import SystemClock

TOOL = f"m3ter-reconciler {__version__}"
State = DirectoryState | GitBranchState
FOLDER = ".reconciler/state.git"
"""Our own bare repository, below the repository of the definitions."""


def open_state(
    root: Path,
    project: ProjectSpec,
    clock: Clock | None = None,
    *,
    actor: str = "",
    environ: Mapping[str, str] | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> State:
    """Open the state backend of a project: chain and lock in one.

    Raises:
        NoRemoteError: When the state is kept on a git remote that the clone does not have.
    """
    if project.state.backend == "directory":
        return DirectoryState(root / project.state.path, clock or SystemClock())
    time = clock or SystemClock()
    return open_git_branch(root, project.state, time, actor=actor, environ=environ or {}, tell=tell)


def open_git_branch(
    root: Path,
    backend: StateBackend,
    clock: Clock,
    *,
    actor: str,
    environ: Mapping[str, str],
    tell: Callable[[str], None] = lambda _: None,
) -> GitBranchState:
    """Open the state on a git remote; nothing is read yet.

    Raises:
        NoRemoteError: When the clone does not have the remote.
    """
    store = Store(Git((root / FOLDER).absolute(), environ))
    reached = open_remote(store, root, backend.remote, environ)
    run, attempt = ci_run(environ)
    return GitBranchState(
        store=reached.store,
        remote=reached,
        clock=clock,
        actor=actor,
        around=Circumstances(TOOL, f"{run}/attempts/{attempt}" if run else ""),
        environ=environ,
        tell=tell,
        source=backend.source,
    )


def source_commits(
    root: Path, environ: Mapping[str, str], state: State, *, protected: bool
) -> SourceCommits:
    """Give what says how commits of the definitions stand to each other.

    Args:
        root: The repository of the definitions.
        environ: Of the process.
        state: Where the state is kept.
        protected: Whether only the source branch may be applied.
    """
    if isinstance(state, DirectoryState):
        return SourceCommits(root, environ)
    branch = state.source if protected else ""
    return SourceCommits(root, environ, state.remote, branch, state.newest_source)


def refuse_absent(state: State, environment: str) -> None:
    """Let nothing be sent where an absent state is not an empty one.

    Raises:
        AbsentStateError: When the remote has no state of the environment.
    """
    if isinstance(state, GitBranchState):
        state.refuse_absent(environment)


@contextmanager
def watching(
    state: State, environment: str, stopped: Callable[[], bool]
) -> Iterator[Callable[[], bool]]:
    """End what runs in a ``with`` block when another run applies something meanwhile.

    Raises:
        StateMovedError: At the end, when that happened.
    """
    if isinstance(state, DirectoryState):
        yield stopped
    else:
        with watched(state, environment, stopped) as ends:
            yield ends


def ledger_watch(state: State) -> LedgerWatch:
    """Give where it is noted how far a ledger had come: beside the chain."""
    if isinstance(state, DirectoryState):
        return DirectoryLedgerWatch(state.folder)
    return GitLedgerWatch(state, DirectoryLedgerWatch(state.store.git.repository / "notes"))
