"""Machines that keep their state on one bare remote, and ways to cut their git calls off."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from fakes.clock import FakeClock
from fakes.git_place import NAME, bare, git
from fakes.plans import record

from reconciler.plan.model.applied import AppliedRecord, Binding
from reconciler.state.branch.commit_text import Circumstances
from reconciler.state.branch.lock import RunEnded, nobody_knows
from reconciler.state.branch.remote import open_remote
from reconciler.state.branch.store import Store
from reconciler.state.git import Git, Spawn
from reconciler.state.git_branch import GitBranchState
from reconciler.state.git_repair import Beginning, begin

ENVIRONMENT = "sandbox"
BRANCH = "refs/heads/reconciler/state/sandbox"
WITNESS = "refs/reconciler/witness/sandbox"
LOCK = "refs/reconciler/lock/sandbox"
REACHES = {"ls-remote", "fetch", "push"}


class Killed(BaseException):
    """The process is gone: nothing of it runs any more."""


def command(arguments: list[str]) -> str:
    """Name the git command of a call."""
    words = [argument for argument in arguments[1:] if not argument.startswith("--git-dir")]
    while words and words[0] == "-c":
        words = words[2:]
    return words[0]


@dataclass
class Calls:
    """A spawn that counts calls, and kills its process before or after one of them."""

    at: int = 0
    after: bool = False
    count: int = 0
    dead: bool = False
    seen: list[str] = field(default_factory=list)
    lose: Callable[[str], bool] = lambda _: False
    away: bool = False

    def __call__(self, arguments: list[str], **options: Any) -> subprocess.CompletedProcess[bytes]:
        if self.dead:
            raise Killed
        self.count += 1
        name = command(arguments)
        self.seen.append(name)
        if self.count == self.at and not self.after:
            self.dead = True
            raise Killed
        if self.away and name in REACHES:
            return subprocess.CompletedProcess(arguments, 128, b"", b"fatal: no route to host")
        ended: subprocess.CompletedProcess[bytes] = subprocess.run(  # noqa: PLW1510  as the caller says
            arguments, **options
        )
        if self.count == self.at:
            self.dead = True
            raise Killed
        if self.lose(name):
            return subprocess.CompletedProcess(arguments, 128, b"", b"fatal: the remote hung up")
        return ended

    def reached(self) -> list[str]:
        """The calls that went to the remote."""
        return [text for text in self.seen if text in REACHES]


@dataclass
class Bench:
    """One bare remote, and as many machines as a test wants."""

    folder: Path
    clock: FakeClock = field(default_factory=FakeClock)

    def __post_init__(self) -> None:
        self.remote = bare(self.folder / "remote.git")

    def machine(
        self,
        name: str = "one",
        spawn: Spawn = subprocess.run,
        ended: RunEnded = nobody_knows,
        **environ: str,
    ) -> GitBranchState:
        """Give a machine with a clone; the same name is the same disk."""
        clone = self.folder / name
        if not clone.exists():
            clone.mkdir()
            git(clone, "init", "--quiet")
            git(clone, "remote", "add", "origin", "../remote.git")
        given: Mapping[str, str] = {**os.environ, **NAME, **environ}
        store = Store(Git(clone / ".reconciler/state.git", given, spawn=spawn))
        remote = open_remote(store, clone, "origin", given)
        return GitBranchState(
            remote.store, remote, self.clock, name, Circumstances("tool 1"), given, ended
        )

    def begun(self, name: str = "one", **options: Any) -> GitBranchState:
        """Give a machine, the state begun by another one."""
        start(self.machine("first"))
        return self.machine(name, **options)

    def refs(self) -> dict[str, str]:
        """What stands on the remote."""
        listed = git(self.remote, "for-each-ref", "--format=%(refname) %(objectname)")
        return dict(line.split() for line in listed.splitlines())

    def chain(self) -> list[str]:
        """What the commits say, oldest first."""
        return git(self.remote, "log", "--reverse", "--format=%s", BRANCH).splitlines()


def start(state: GitBranchState) -> AppliedRecord:
    """Begin the state."""
    example = record(1)
    first = Beginning(ENVIRONMENT, example.fingerprint, "", "2026-12-01T06:00:00Z")
    return begin(state, first)


def write(state: GitBranchState, *bindings: Binding, action: str = "keep-git") -> AppliedRecord:
    """Append one record under the lock, as a decision does."""
    with state.hold(ENVIRONMENT, f"reconciler {action}"):
        return append(state, *bindings, action=action)


def die(calls: Calls, state: GitBranchState) -> None:
    """Take the lock, and be gone."""
    try:
        with state.hold(ENVIRONMENT, "reconciler apply"):
            calls.dead = True
            raise Killed  # noqa: TRY301  it is the process that ends
    except Killed:
        return


def append(state: GitBranchState, *bindings: Binding, **more: Any) -> AppliedRecord:
    """Append one record that follows the head."""
    head = state.head(ENVIRONMENT)
    assert head is not None
    after = record(head.sequence + 1, head.id, *(bindings or head.bindings))
    at = state.clock.now().isoformat().replace("+00:00", "Z")
    return state.append(replace(after, actor=state.actor, at=at, **more))
