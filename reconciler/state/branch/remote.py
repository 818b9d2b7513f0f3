"""The remote that state is kept on: what stands there, and pushes that all happen or none.

Who won is decided by what stands on the remote afterwards, never by what git prints.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from urllib.parse import urlsplit

from reconciler.errors import IdentityError, ReconcilerError
from reconciler.state.branch.store import Store
from reconciler.state.git import TOKEN, Ended, Git, clone

NAME = "state"
"""Under which our repository knows the remote; the URL is a setting, never an argument."""
_ATTEMPTS = 2
"""A push that changed nothing is tried once more: a cut connection is not a refusal."""


class NoRemoteError(IdentityError):
    """The clone has no remote of that name."""

    anchor = "state-remote"

    def __init__(self, root: Path, name: str) -> None:
        super().__init__(
            f"{root.resolve()} has no git remote `{name}`, and the Project's `spec.state` keeps "
            f"the state there.\nNothing was written. `git remote add {name} URL` adds it; or name "
            "another one in `spec.state.remote`."
        )


class RemoteAwayError(ReconcilerError):
    """The remote cannot be reached."""

    anchor = "state-offline"

    def __init__(self, url: str, said: str) -> None:
        super().__init__(
            f"the state on {url} cannot be reached: {said or 'git does not say why'}.\n"
            "Nothing was written to m3ter. Run the same command again when the remote is there."
        )


class StateRefusedError(IdentityError):
    """The remote refuses a push, and nothing of it happened."""

    anchor = "state-refused"

    def __init__(self, url: str, refs: Iterable[str], said: str) -> None:
        listed = ", ".join(refs)
        if "atomic" in said:
            todo = (
                "This remote cannot push several refs at once (`--atomic`), so that chain, witness "
                "and lock could part. Keep the state on another remote, or ask for a newer git "
                "there."
            )
        else:
            todo = (
                "Let whoever applies push to `reconciler/state/*` and `refs/reconciler/*` there: a "
                "protection rule that names them, or a token with permission to write contents "
                f"in {TOKEN}. Deletion and force pushes of the branch may stay forbidden."
            )
        super().__init__(
            f"{url} refused {listed}: {said or 'git does not say why'}.\n"
            f"Nothing was written to m3ter. {todo}"
        )


class Standing(Enum):
    """How a push ended."""

    WON = "won"
    LOST = "lost"
    REFUSED = "refused"
    AWAY = "away"


class Reach(Enum):
    """How much of the history a fetch brings along."""

    TIP = "the commits alone"
    ONWARD = "what came after the commits that are here"
    WHOLE = "everything before them"


@dataclass(frozen=True, slots=True)
class Move:
    """One ref of a push: from where to where; empty is not there."""

    ref: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Pushed:
    """How a push ended, and what stands on the remote then; ``said`` is for people."""

    standing: Standing
    found: Mapping[str, str] = field(default_factory=dict)
    said: str = ""


def not_pushed(shown: str, moves: Iterable[Move], pushed: Pushed) -> ReconcilerError:
    """Say why a push changed nothing: the remote is away, or refuses it."""
    if pushed.standing is Standing.AWAY:
        return RemoteAwayError(shown, pushed.said)
    refs = [move.ref.removeprefix("refs/heads/") for move in moves]
    return StateRefusedError(shown, refs, pushed.said)


@dataclass(frozen=True, slots=True)
class Remote:
    """One remote of the user's clone, reached from our own repository.

    Attributes:
        url: As the clone has it; for pushes, so that what is written is what is read.
        shown: The same for people: without a user or password.
    """

    store: Store
    url: str = field(repr=False)
    shown: str
    token: str = field(default="", repr=False)

    def refs(self, names: Sequence[str]) -> dict[str, str]:
        """Read what stands on the remote, by name; what is not there is left out.

        Raises:
            RemoteAwayError: When it cannot be reached.
        """
        self.store.open()
        ended = self._call("ls-remote", "--quiet", NAME, *names)
        if not ended.well:
            raise RemoteAwayError(self.shown, self.words(ended))
        lines = (line.split("\t") for line in ended.text.splitlines())
        return {ref: commit for commit, ref in lines if ref in names}

    def fetch(self, commits: Sequence[str], reach: Reach) -> None:
        """Bring commits here.

        Raises:
            RemoteAwayError: When they do not come.
        """
        with self.store.alone():
            shallow = (self.store.git.repository / "shallow").exists()
            depth = ["--depth=1"] if reach is Reach.TIP else []
            if reach is Reach.WHOLE and shallow:
                depth = ["--unshallow"]
            ended = self._call(
                *("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", *depth),
                *("--no-auto-maintenance", NAME, *dict.fromkeys(commits)),
            )
        if not ended.well:
            raise RemoteAwayError(self.shown, self.words(ended))

    def push(self, moves: Sequence[Move]) -> Pushed:
        """Move refs, all or none."""
        said, found = "", dict[str, str]()
        for _ in range(_ATTEMPTS):
            leases = [f"--force-with-lease={move.ref}:{move.old}" for move in moves]
            ended = self._call(
                *("push", "--quiet", "--atomic", "--no-verify", *leases),
                *(NAME, *(f"{move.new}:{move.ref}" for move in moves)),
            )
            if ended.well:
                return Pushed(Standing.WON, {move.ref: move.new for move in moves})
            said = self.words(ended)
            try:
                found = self.refs([move.ref for move in moves])
            except RemoteAwayError:
                return Pushed(Standing.AWAY, said=said)
            if all(found.get(move.ref, "") == move.new for move in moves):
                return Pushed(Standing.WON, found)
            if any(found.get(move.ref, "") != move.old for move in moves):
                return Pushed(Standing.LOST, found, said)
        return Pushed(Standing.REFUSED, found, said)

    def words(self, ended: Ended) -> str:
        """Give git's own last words for a person: one line, and no secret in it."""
        lines = [splitline.strip() for splitline in ended.said.splitlines() if splitline.strip()]
        telling = [
            line for line in lines if not line.startswith(("hint:", "To ", "error: failed to"))
        ]
        text = "; ".join(dict.fromkeys(telling[-3:])).rstrip(".")
        for secret in filter(None, (self.token, _basic(self.token))):
            text = text.replace(secret, "…")
        return re.sub(r"(?<=://)[^/@\s]+@", "", text).replace(self.url, self.shown)

    def _call(self, *arguments: str) -> Ended:
        return self.store.git.call(*arguments, reaches_out=True)


def open_remote(store: Store, root: Path, name: str, environ: Mapping[str, str]) -> Remote:
    """Find a remote of the user's clone, and what its settings say about reaching it.

    Raises:
        NoRemoteError: When the clone has none of that name.
    """
    url = clone(root, environ, "remote", "get-url", "--push", name)
    if not url:
        raise NoRemoteError(root, name)
    if _is_relative(url):
        url = str((Path(clone(root, environ, "rev-parse", "--show-toplevel")) / url).resolve())
    token = environ.get(TOKEN, "")
    settings = (
        (f"remote.{NAME}.url", url),
        *_of_clone(root, environ, with_headers=not token),
        *_authorization(url, token),
    )
    known = Store(Git(store.git.repository, environ, settings, store.git.spawn), store.known)
    return Remote(known, url, re.sub(r"(?<=://)[^/@]+@", "", url), token)


def _is_relative(url: str) -> bool:
    return not (url.startswith("/") or re.match(r"^[^/]*:", url))


def _authorization(url: str, token: str) -> tuple[tuple[str, str], ...]:
    """Bind the token to the host of the remote; a redirect elsewhere does not take it along."""
    parts = urlsplit(url)
    if not token or parts.scheme not in {"https", "http"}:
        return ()
    host = parts.netloc.rpartition("@")[2]
    key = f"http.{parts.scheme}://{host}/.extraHeader"
    return ((key, f"Authorization: Basic {_basic(token)}"),)


def _basic(token: str) -> str:
    return base64.b64encode(f"x-access-token:{token}".encode()).decode() if token else ""


def _of_clone(
    root: Path, environ: Mapping[str, str], *, with_headers: bool
) -> tuple[tuple[str, str], ...]:
    """Give what the clone's own settings say about reaching its remotes."""
    wanted = r"^(http|credential)\.|^core\.sshcommand$|^ssh\."
    listed = clone(root, environ, "config", "--local", "--includes", "-z", "--get-regexp", wanted)
    pairs = (entry.partition("\n") for entry in listed.split("\0") if entry)
    return tuple(
        (key, value)
        for key, _, value in pairs
        if with_headers or not key.lower().endswith(".extraheader")
    )
