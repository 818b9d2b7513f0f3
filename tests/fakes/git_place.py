"""A bare repository as the remote, and clones of it that apply to one emulator."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from fakes.place import Place, Ran, Terminal

from reconciler.cli.main import main

NAME = {
    "GIT_AUTHOR_NAME": "a.writer",
    "GIT_AUTHOR_EMAIL": "a.writer@example.com",
    "GIT_COMMITTER_NAME": "a.writer",
    "GIT_COMMITTER_EMAIL": "a.writer@example.com",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
}


def git(folder: Path, *arguments: str) -> str:
    """Run git as a person would; it must succeed."""
    ended = subprocess.run(
        ["git", "-C", str(folder), *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin:/usr/local/bin", "HOME": str(folder), **NAME},
    )
    assert ended.returncode == 0, (arguments, ended.stderr)
    return ended.stdout.strip()


def bare(folder: Path) -> Path:
    """Make an empty remote."""
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet", "--bare", "--initial-branch=main")
    return folder


@dataclass
class GitPlace(Place):
    """A clone with the example's definitions, committed to `main` of a bare remote."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.edit(
            "project.yaml",
            "state: {backend: directory, path: .reconciler/state}",
            "state: {backend: git-branch}",
        )
        self.patch_sandbox()
        self.discover_first()

    def discover_first(self) -> None:
        """Make clone and remote, and push what there is."""
        bare(self.remote)
        git(self.folder, "init", "--quiet", "--initial-branch=main")
        git(self.folder, "remote", "add", "origin", "../remote.git")
        (self.folder / ".gitignore").write_text(".reconciler/\n*.json\n")
        self.discover()
        self.publish("the example")

    @property
    def remote(self) -> Path:
        return self.folder.parent / "remote.git"

    def publish(self, message: str) -> str:
        """Commit everything and push it; give the commit."""
        git(self.folder, "add", "-A")
        git(self.folder, "commit", "--quiet", "-m", message)
        git(self.folder, "push", "--quiet", "origin", "main")
        return git(self.folder, "rev-parse", "HEAD")

    def refs(self) -> dict[str, str]:
        """What stands on the remote beside `main`."""
        listed = git(self.remote, "for-each-ref", "--format=%(refname) %(objectname)")
        pairs = (line.split() for line in listed.splitlines())
        return {ref: commit for ref, commit in pairs if ref != "refs/heads/main"}

    def init(self) -> None:
        """Begin the state of the sandbox."""
        ran = self.run("state", "init", "--env", "sandbox")
        assert ran.code == 0, ran

    def run(self, *arguments: str, answer: str | None = None, **variables: str) -> Ran:
        """Run a command in this clone; with an answer a person sits at a terminal."""
        stdin: StringIO = StringIO() if answer is None else Terminal(answer)
        out, err = StringIO(), StringIO() if answer is None else Terminal()
        given = {**os.environ, **self.environ, **NAME, "NO_COLOR": "1", **variables}
        code = main(
            ["-C", str(self.folder), *arguments], given, stdin=stdin, stdout=out, stderr=err
        )
        return Ran(code, out.getvalue(), err.getvalue())


def second(place: GitPlace, *options: str) -> GitPlace:
    """Clone the remote beside the first clone: another machine, the same organisation."""
    folder = place.folder.parent / "second"
    git(place.folder.parent, "clone", "--quiet", *options, f"file://{place.remote}", str(folder))
    other = GitPlace.__new__(GitPlace)
    other.folder, other.emulator, other.sandbox, other.seen = folder, place.emulator, {}, 0
    return other
