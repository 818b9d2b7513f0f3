"""The only place that starts git: what a clone says about itself, and calls of our own.

Two kinds of call. *Reading a clone* never fails: without git, or outside a checkout, the answer is
empty. *Calls of our own* (``Git``) run in a repository of ours; hooks and settings of the user that
would change what is written are out of the way, and nothing of a token stands in an argument.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from reconciler.errors import ReconcilerError

SECONDS_MAX = 20
NETWORK_SECONDS_MAX = 300
_MISSING = 127
_TIMED_OUT = 124
# Source: `git rev-parse --local-env-vars`; a hook that calls us must not lend us its repository.
_OF_ANOTHER_REPOSITORY = frozenset(
    {
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_COMMON_DIR",
        "GIT_CONFIG",
        "GIT_CONFIG_PARAMETERS",
        "GIT_DIR",
        "GIT_GRAFT_FILE",
        "GIT_IMPLICIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_INTERNAL_SUPER_PREFIX",
        "GIT_NAMESPACE",
        "GIT_NO_REPLACE_OBJECTS",
        "GIT_OBJECT_DIRECTORY",
        "GIT_PREFIX",
        "GIT_QUARANTINE_PATH",
        "GIT_REPLACE_REF_BASE",
        "GIT_SHALLOW_FILE",
        "GIT_WORK_TREE",
    }
)
_NEUTRAL = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "push.followTags=false",
    "push.gpgSign=false",
    "push.recurseSubmodules=no",
    "push.pushOption=",
    "fetch.recurseSubmodules=no",
    "fetch.fsckObjects=true",
    "protocol.version=2",
)
"""Settings of a user that would change what a call does."""


class GitMissingError(ReconcilerError):
    """There is no git on this machine."""

    def __init__(self) -> None:
        super().__init__(
            "the state backend `git-branch` needs git, and there is none on this machine.\n"
            "Nothing was written. Install git 2.30 or newer."
        )


class BrokenRepositoryError(ReconcilerError):
    """Our own repository does not do what it must."""

    def __init__(self, repository: Path, said: str) -> None:
        super().__init__(
            f"git cannot work in {repository}: {said}.\nNothing was written. What was pushed is "
            "not in danger; the folder may be moved away, and is made anew by the next command."
        )


@dataclass(frozen=True, slots=True)
class Checkout:
    """The commit that definitions are read at; empty outside a git checkout.

    Attributes:
        dirty: Whether ``integrations.d`` holds changes that are not committed.
    """

    commit: str
    dirty: bool


@dataclass(frozen=True, slots=True)
class Ended:
    """How a call ended; ``said`` is for people and decides nothing."""

    code: int
    out: bytes
    said: str

    @property
    def well(self) -> bool:
        """Say whether git called it a success."""
        return self.code == 0

    @property
    def text(self) -> str:
        """Give what it printed, without white space around it."""
        return self.out.decode(errors="replace").strip()


Spawn = Callable[..., "subprocess.CompletedProcess[bytes]"]
"""``subprocess.run``; a seam, so that tests may cut a run off at any call."""


@dataclass(frozen=True, slots=True)
class Git:
    """Calls in one bare repository of our own.

    Attributes:
        repository: The bare repository.
        environ: Of the process; what belongs to another repository is left out.
        settings: Further settings, by environment and never by argument: they may hold a token.
    """

    repository: Path
    environ: Mapping[str, str] = field(repr=False)
    settings: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    spawn: Spawn = field(default=subprocess.run, repr=False)

    def call(self, *arguments: str, data: bytes = b"", reaches_out: bool = False) -> Ended:
        """Run git, and say how it ended.

        Args:
            arguments: Of git.
            data: What it reads from stdin.
            reaches_out: Whether it talks to a remote: the user's proxy, certificates and
                credential helpers count then, and it may take its time.

        Raises:
            GitMissingError: When there is no git.
        """
        command = ["git", f"--git-dir={self.repository}"]
        for setting in _NEUTRAL:
            command += ["-c", setting]
        try:
            ended = self.spawn(
                [*command, *arguments],
                env=self._environment(reaches_out=reaches_out),
                input=data,
                capture_output=True,
                timeout=NETWORK_SECONDS_MAX if reaches_out else SECONDS_MAX * 6,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Ended(_TIMED_OUT, b"", f"it did not end within {NETWORK_SECONDS_MAX} s")
        except FileNotFoundError:
            raise GitMissingError from None
        return Ended(ended.returncode, ended.stdout, ended.stderr.decode(errors="replace").strip())

    def must(self, *arguments: str, data: bytes = b"") -> str:
        """Run git where nothing but a broken disk can stop it, and give what it printed.

        Raises:
            BrokenRepositoryError: When it did not succeed.
        """
        ended = self.call(*arguments, data=data)
        if not ended.well:
            raise BrokenRepositoryError(self.repository, ended.said or f"`git {arguments[0]}`")
        return ended.text

    @contextmanager
    def objects(self) -> Iterator[Objects]:
        """Read objects one after the other, by one process, for the time of a ``with`` block."""
        command = ["git", f"--git-dir={self.repository}", "cat-file", "--batch"]
        with subprocess.Popen(  # noqa: S603  fixed arguments, no shell
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=self._environment(reaches_out=False),
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                yield Objects(process.stdin, process.stdout)
            finally:
                process.stdin.close()

    def _environment(self, *, reaches_out: bool) -> dict[str, str]:
        environ = _own(self.environ) | {
            "LC_ALL": "C",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_OPTIONAL_LOCKS": "0",
        }
        if not reaches_out:
            return environ | {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
        count = int(environ.get("GIT_CONFIG_COUNT") or 0)
        for number, (key, value) in enumerate(self.settings, count):
            environ |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
        return environ | {"GIT_CONFIG_COUNT": str(count + len(self.settings))}


TOKEN = "RECONCILER_GIT_TOKEN"  # noqa: S105  the name of a variable
"""Holds the token for pushes; git gets it as a setting, and no other process gets it at all."""


@dataclass(frozen=True, slots=True)
class Objects:
    """A reader of objects: one question, one answer."""

    _asked: IO[bytes]
    _answers: IO[bytes]

    def read(self, name: str) -> tuple[str, bytes] | None:
        """Give kind and content of an object; ``None`` when this repository does not have it."""
        self._asked.write(name.encode() + b"\n")
        self._asked.flush()
        head = self._answers.readline().split()
        if len(head) != len(("name", "kind", "size")):
            return None
        content = self._answers.read(int(head[2]))
        self._answers.read(1)
        return head[1].decode(), content


def read_checkout(root: Path, environ: Mapping[str, str]) -> Checkout:
    """Say at which commit a repository stands; never fails, also without git."""
    commit = clone(root, environ, "rev-parse", "HEAD")
    if not commit:
        return Checkout("", dirty=False)
    changed = clone(root, environ, "status", "--porcelain", "--", "integrations.d")
    return Checkout(commit, dirty=bool(changed))


def author(root: Path, environ: Mapping[str, str]) -> str:
    """Name the person that git knows here, or nothing."""
    return clone(root, environ, "config", "user.name")


def _own(environ: Mapping[str, str]) -> dict[str, str]:
    """Leave out what belongs to another repository, what would show a header, and the token."""
    return {
        name: value
        for name, value in environ.items()
        if name not in _OF_ANOTHER_REPOSITORY and not name.startswith("GIT_TRACE") and name != TOKEN
    }


def clone(root: Path, environ: Mapping[str, str], *arguments: str) -> str:
    """Ask the user's clone something that changes nothing; empty when it cannot say."""
    # a checkout that belongs to someone else, as in containers, is still only read
    command = ["git", "-c", f"safe.directory={root.resolve()}", *arguments]
    try:
        ended = subprocess.run(  # noqa: S603  fixed arguments, no shell
            command,
            cwd=root,
            env={**_own(environ), "GIT_OPTIONAL_LOCKS": "0"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS_MAX,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return ended.stdout.decode(errors="replace").strip() if ended.returncode == 0 else ""
