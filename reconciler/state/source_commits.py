"""How two commits of the definitions stand to each other: asked of the clone, else of the remote.

A shallow clone cannot say that a commit does *not* come after another one. Then commits alone are
fetched into a repository of our own, further back each time, until the question is answered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from reconciler.state.branch.remote import NAME, Remote
from reconciler.state.branch.store import Store
from reconciler.state.git import clone

_DEPTHS: Final = (64, 1024, 0)
"""Commits to fetch; 0 is all of them."""


@dataclass(frozen=True, slots=True)
class SourceCommits:
    """Implements ``ports.state.SourceCommits``.

    Attributes:
        root: The user's clone, or a folder in no clone.
        remote: Where the state is kept; ``None`` where it is in a folder.
        branch: What protected environments are applied from; empty where nothing asks for it.
        newest_of: Reads where that branch stands on the remote.
    """

    root: Path
    environ: Mapping[str, str] = field(repr=False)
    remote: Remote | None = None
    branch: str = ""
    newest_of: Callable[[], str] = lambda: ""

    def newest(self) -> str:
        """Give where the branch stands on the remote; empty without it."""
        return self.newest_of()

    def descends(self, commit: str, ancestor: str) -> bool | None:
        """Say whether a commit is another one or comes after it; ``None`` when nobody can tell."""
        if commit == ancestor:
            return True
        known = self._in_clone(commit, ancestor)
        return self._on_remote(commit, ancestor) if known is None else known

    def missing(self, commits: Iterable[str]) -> tuple[str, ...]:
        """Give those of some commits that neither the clone nor the remote has."""
        gone = [commit for commit in commits if not self._ask(*_verify(commit))]
        if self.remote is None or not gone:
            return tuple(gone)
        store = self._commits(self.remote)
        with store.alone():
            for commit in gone:
                if not store.has(commit):
                    store.git.call(*_fetch(0, store), commit, reaches_out=True)
        return tuple(commit for commit in gone if not store.has(commit))

    def _commits(self, remote: Remote) -> Store:
        ours = remote.store.git
        return Store(replace(ours, repository=ours.repository.with_name("commits.git")))

    def _in_clone(self, commit: str, ancestor: str) -> bool | None:
        if not self._ask(*_verify(commit)):
            return None
        if self._ask("merge-base", commit, ancestor) == ancestor:
            return True
        return False if self._ask("rev-parse", "--is-shallow-repository") == "false" else None

    def _on_remote(self, commit: str, ancestor: str) -> bool | None:
        if self.remote is None:
            return None
        store = self._commits(self.remote)
        for depth in _DEPTHS:
            with store.alone():
                for wanted in (commit, ancestor):
                    store.git.call(*_fetch(depth, store), wanted, reaches_out=True)
            if store.has(commit) and store.has(ancestor):
                if store.descends(commit, ancestor):
                    return True
                if store.descends(ancestor, commit):
                    return False
        return False if store.has(commit) and store.has(ancestor) else None

    def _ask(self, *arguments: str) -> str:
        return clone(self.root, self.environ, *arguments)


def _verify(commit: str) -> tuple[str, ...]:
    return ("rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}")


def _fetch(depth: int, store: Store) -> tuple[str, ...]:
    whole = () if not (store.git.repository / "shallow").exists() else ("--unshallow",)
    return (
        *("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--filter=tree:0"),
        *((f"--depth={depth}",) if depth else whole),
        NAME,
    )
