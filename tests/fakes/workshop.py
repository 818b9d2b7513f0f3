"""A repository whose pull requests are planned and applied as jobs of a forge would."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from fakes.github import GitHubWorld, Pull
from fakes.place import Place, Ran

TEAM = "acme/finance-team"
ENVIRONMENT = "sandbox"


@dataclass
class Workshop:
    """Git, the emulated organisation and the forge, moved together.

    Attributes:
        url: Of the forge.
        merges: What merging each pull request would give, by its number.
    """

    place: Place
    world: GitHubWorld
    url: str
    merges: dict[int, str] = field(default_factory=dict)

    def begin(self) -> None:
        """Put what is there on main."""
        self.git("init", "-q", "-b", "main")
        (self.place.folder / ".gitignore").write_text(".reconciler/\n*.json\nbase/\n")
        self.world.teams[TEAM] = {"fay": "active", "ann": "active"}
        self.world.permissions |= {"ann": "write", "bob": "write", "fay": "read"}
        self.world.users["robot"] = "Bot"
        self.world.branches["main"] = self.commit("ann", "begin")

    def protect(self) -> None:
        """Protect the environment, by somebody who may still do so at a terminal."""
        self.place.patch_sandbox(protected=True)
        self.world.branches["main"] = self.commit("ann", "protect")
        plan = self.place.plan_document_id()
        path = str(self.place.folder / "plan.json")
        ran = self.place.run("apply", path, "--approve", f"policy@{plan}")
        assert ran.code == 0, ran

    def git(self, *arguments: str, by: str = "ann", folder: Path | None = None) -> str:
        """Run git in the repository."""
        who = {
            f"GIT_{role}_{part}": by
            for role in ("AUTHOR", "COMMITTER")
            for part in ("NAME", "EMAIL")
        }
        ended = subprocess.run(
            ["git", *arguments],
            cwd=folder or self.place.folder,
            env={"PATH": "/usr/bin:/bin:/usr/local/bin", "HOME": "/nonexistent", **who},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended
        return ended.stdout.strip()

    def commit(self, by: str, words: str) -> str:
        """Commit whatever was changed, and let the forge know."""
        self.git("add", "-A")
        self.git("commit", "-q", "-m", words, "--allow-empty", by=by)
        return self.known("HEAD")

    def known(self, name: str) -> str:
        """Tell the forge of a commit and give its hash."""
        sha = self.git("rev-parse", name)
        parents = self.git("log", "-1", "--format=%P", sha).split()
        self.world.commits[sha] = parents
        return sha

    def branch(self, number: int) -> None:
        """Begin work on a pull request."""
        self.git("checkout", "-q", "-b", f"change-{number}", "main")

    def push(self, number: int, by: str = "ann") -> None:
        """Commit and push to a pull request, which is opened with the first push."""
        head = self.commit(by, f"work on {number}")
        base = self.git("rev-parse", "main")
        pull = self.world.pulls.setdefault(number, Pull(by, head, base_sha=base))
        pull.head, pull.base_sha = head, base
        pull.people.append((by, by))
        self.git("checkout", "-q", "--detach", "main")
        self.git("merge", "-q", "--no-ff", "-m", "merge", head, by="web-flow")
        self.merges[number] = self.known("HEAD")
        self.git("checkout", "-q", f"change-{number}")

    def plan(self, number: int, **variables: str) -> Ran:
        """Run the plan job of a pull request."""
        base = self.place.folder / "base"
        if not base.exists():
            self.git("worktree", "add", "-q", "--detach", str(base), "main")
        self.git("checkout", "-q", "--detach", "main", folder=base)
        self.git("checkout", "-q", "--detach", self.merges[number])
        ran = self.ci("plan", "--pull-request", str(number), "--against", str(base), **variables)
        self.git("checkout", "-q", f"change-{number}")
        return ran

    def merge(self, number: int) -> None:
        """Merge a pull request."""
        self.git("checkout", "-q", "main")
        self.git(
            "merge", "-q", "--no-ff", "-m", f"merge {number}", f"change-{number}", by="web-flow"
        )
        self.world.branches["main"] = self.known("HEAD")
        self.world.pulls[number].merged_at = "2026-12-01T00:00:00Z"
        for sha in (
            self.world.branches["main"],
            *self.git("log", "--format=%H", f"change-{number}").split(),
        ):
            self.world.carried.setdefault(sha, number)

    def apply(self, **variables: str) -> Ran:
        """Run the apply job on main."""
        self.git("checkout", "-q", "main")
        return self.ci("apply", **variables)

    def ci(self, command: str, *arguments: str, **variables: str) -> Ran:
        """Run a job."""
        known = {**self.world.environ(self.url), "GITHUB_ACTOR": "github-actions", **variables}
        return self.place.run("ci", command, "--env", ENVIRONMENT, *arguments, **known)

    def status(self, number: int) -> tuple[str, str]:
        """The status of a pull request."""
        return self.world.status(self.world.pulls[number].head, f"reconciler/{ENVIRONMENT}")

    def told(self, number: int) -> str:
        """Our comment on a pull request."""
        (comment,) = [note for note in self.world.notes(number) if "reconciler-comment" in note]
        return comment

    def line(self, number: int, guard: str = "sensitive-field") -> str:
        """The approval line that the comment gives."""
        told = self.told(number)
        start = told.index(f"/approve {guard}@")
        return told[start : told.index(" -- why", start)]
