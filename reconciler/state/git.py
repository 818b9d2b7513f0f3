"""The few git calls: which commit the definitions are at. The only subprocess seam of the tool."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

SECONDS_MAX = 20


@dataclass(frozen=True, slots=True)
class Checkout:
    """The commit that definitions are read at; empty outside a git checkout.

    Attributes:
        dirty: Whether ``integrations.d`` holds changes that are not committed.
    """

    commit: str
    dirty: bool


def read_checkout(root: Path, environ: Mapping[str, str]) -> Checkout:
    """Say at which commit a repository stands; never fails, also without git."""
    commit = _git(root, environ, "rev-parse", "HEAD")
    if not commit:
        return Checkout("", dirty=False)
    changed = _git(root, environ, "status", "--porcelain", "--", "integrations.d")
    return Checkout(commit, dirty=bool(changed))


def author(root: Path, environ: Mapping[str, str]) -> str:
    """Name the person that git knows here, or nothing."""
    return _git(root, environ, "config", "user.name")


def _git(root: Path, environ: Mapping[str, str], *arguments: str) -> str:
    # a checkout that belongs to someone else, as in containers, is still only read
    command = ["git", "-c", f"safe.directory={root.resolve()}", *arguments]
    try:
        ended = subprocess.run(  # noqa: S603  fixed arguments, no shell
            command,
            cwd=root,
            env={**environ, "GIT_OPTIONAL_LOCKS": "0"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS_MAX,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return ended.stdout.decode(errors="replace").strip() if ended.returncode == 0 else ""
