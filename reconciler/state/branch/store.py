"""Our own bare repository: records become commits in it, and commits become records again."""

from __future__ import annotations

import fcntl
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from reconciler.errors import ReconcilerError, StaleError
from reconciler.plan.model.applied import AppliedRecord
from reconciler.state.branch.commit_text import Circumstances, message, on_one_line, seconds_of
from reconciler.state.branch.record_json import NotARecordError
from reconciler.state.branch.record_tree import files_of, record_bytes
from reconciler.state.documents import decode_record
from reconciler.state.git import Git

COMMITTER = "m3ter-reconciler"
Files = Mapping[str, bytes]


class ForeignCommitError(StaleError):
    """A commit on a state branch was not made by this tool, or was changed."""

    anchor = "foreign-commit"

    def __init__(self, environment: str, commit: str, reason: str) -> None:
        super().__init__(
            f"commit {commit:.12} on the state branch of `{environment}` is no record of this "
            f"tool: {reason}.\nNothing was written. Find out who pushed it; "
            f"`reconciler state restore --env {environment}` takes the branch back to the last "
            "record."
        )
        self.commit = commit


@dataclass(frozen=True, slots=True)
class Store:
    """Objects and refs of one bare repository; made when it is first used.

    Attributes:
        known: Records that were read in this process, by commit.
    """

    git: Git
    known: dict[str, AppliedRecord] = field(default_factory=dict, compare=False, repr=False)

    def open(self) -> None:
        """Make the repository where there is none."""
        folder = self.git.repository
        if not (folder / "HEAD").exists():
            folder.mkdir(parents=True, exist_ok=True)
            self.git.must("init", "--quiet", "--bare", str(folder))

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Let one process at a time fetch into the repository."""
        self.open()
        with (self.git.repository / "reconciler.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def ref(self, name: str) -> str:
        """Give the object that a ref of our own names; empty without it."""
        self.open()
        return self.git.call("rev-parse", "--verify", "--quiet", name).text

    def point(self, refs: Mapping[str, str]) -> None:
        """Let refs of our own name objects, all at once; an empty name removes the ref."""
        lines = [
            f"update {ref} {commit}" if commit else f"delete {ref}" for ref, commit in refs.items()
        ]
        self.git.must("update-ref", "--stdin", data=("\n".join(lines) + "\n").encode())

    def has(self, commit: str) -> bool:
        """Say whether an object is here."""
        self.open()
        return self.git.call("cat-file", "-e", commit).well

    def parent(self, commit: str) -> str:
        """Give the first parent of a commit, also where it is not here; empty for the first."""
        lines = self.git.must("cat-file", "commit", commit).partition("\n\n")[0].splitlines()
        return next((line.split()[1] for line in lines if line.startswith("parent ")), "")

    def text(self, commit: str) -> str:
        """Give the message of a commit."""
        return self.git.must("cat-file", "commit", commit).partition("\n\n")[2]

    def descends(self, commit: str, ancestor: str) -> bool:
        """Say whether a commit is another one or comes after it, as far as history is here."""
        return self.git.call("merge-base", "--is-ancestor", ancestor, commit).well

    def write(self, record: AppliedRecord, parent: str, around: Circumstances) -> str:
        """Make the commit of a record that has its id, and give its name.

        The same record on the same parent, with the same circumstances, is the same commit.
        """
        text = message(record, around)
        commit = self.commit(
            files_of(record), text, parent=parent, author=record.actor, at=record.at
        )
        self.known[commit] = record
        return commit

    def commit(self, files: Files, text: str, *, parent: str, author: str, at: str) -> str:
        """Make a commit of files; ``parent`` is empty for one without."""
        self.open()
        when = f"@{seconds_of(at)} +0000"
        git = replace(
            self.git,
            environ={
                **self.git.environ,
                "GIT_AUTHOR_NAME": on_one_line(author).strip("<>") or "unknown",
                "GIT_AUTHOR_EMAIL": "",
                "GIT_AUTHOR_DATE": when,
                "GIT_COMMITTER_NAME": COMMITTER,
                "GIT_COMMITTER_EMAIL": "",
                "GIT_COMMITTER_DATE": when,
            },
        )
        tree = self._tree(self._blobs(files))
        before = ["-p", parent] if parent else []
        return git.must("commit-tree", tree, *before, data=text.encode())

    def record(self, commit: str, environment: str) -> AppliedRecord:
        """Read the record of a commit that is here.

        Raises:
            ForeignCommitError: When it is no record, or not as it was written.
        """
        if commit not in self.known:
            self.known[commit] = self._read(commit, environment)
        return self.known[commit]

    def _read(self, commit: str, environment: str) -> AppliedRecord:
        try:
            data = record_bytes(self.files(commit))
            record = decode_record(data, f"commit {commit:.12}")
        except (NotARecordError, ReconcilerError) as error:
            reason = str(error).partition("\n")[0].rstrip(".")
            raise ForeignCommitError(environment, commit, reason) from None
        if record.environment != environment:
            reason = f"it is of environment `{record.environment}`"
            raise ForeignCommitError(environment, commit, reason)
        return record

    def files(self, commit: str) -> dict[str, bytes]:
        """Give every file of a commit."""
        listed = self.git.must("ls-tree", "-r", "-z", commit)
        files: dict[str, bytes] = {}
        with self.git.objects() as objects:
            for entry in filter(None, listed.split("\0")):
                head, _, path = entry.partition("\t")
                found = objects.read(head.split()[2])
                if found is None or found[0] != "blob":
                    raise NotARecordError(f"`{path}` is no file")
                files[path] = found[1]
        return files

    def _blobs(self, files: Files) -> dict[str, str]:
        """Write the contents, and give their names by path; what is here already stays."""
        if not files:
            return {}
        with tempfile.TemporaryDirectory(dir=self.git.repository, prefix="writing-") as folder:
            places = [Path(folder) / str(number) for number in range(len(files))]
            for place, content in zip(places, files.values(), strict=True):
                place.write_bytes(content)
            listed = "\n".join(str(place.absolute()) for place in places) + "\n"
            written = self.git.must(
                "hash-object", "-w", "--no-filters", "--stdin-paths", data=listed.encode()
            )
        return dict(zip(files, written.split(), strict=True))

    def _tree(self, blobs: Mapping[str, str]) -> str:
        """Write the trees, deepest first, and give the name of the whole."""
        entries: dict[str, dict[str, str]] = {"": {}}
        for path, blob in blobs.items():
            folder, _, name = path.rpartition("/")
            entries.setdefault(folder, {})[name] = f"100644 blob {blob}"
            while folder:
                folder = folder.rpartition("/")[0]
                entries.setdefault(folder, {})
        deepest = max((owner.count("/") + 1 for owner in entries if owner), default=0)
        for depth in range(deepest, 0, -1):
            folders = [owner for owner in entries if owner and owner.count("/") + 1 == depth]
            for folder, tree in zip(folders, self._trees(entries, folders), strict=True):
                above, _, name = folder.rpartition("/")
                entries[above][name] = f"040000 tree {tree}"
        whole = "".join(f"{entry}\t{name}\n" for name, entry in entries[""].items())
        return self.git.must("mktree", data=whole.encode())

    def _trees(self, entries: Mapping[str, Mapping[str, str]], folders: list[str]) -> list[str]:
        texts = (
            "".join(f"{entry}\t{name}\n" for name, entry in entries[folder].items())
            for folder in folders
        )
        return self.git.must("mktree", "--batch", data="\n".join(texts).encode()).split()
