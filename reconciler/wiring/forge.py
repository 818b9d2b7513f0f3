"""Opens the forge that a job runs on, from what its runner says of it.

variable                 | meaning
-------------------------+------------------------------------------------------------------
GITHUB_API_URL           | where the API is, also on GitHub Enterprise Server and on Gitea
GITHUB_GRAPHQL_URL       | where GraphQL is
GITHUB_SERVER_URL        | where people read
GITHUB_REPOSITORY        | ``OWNER/NAME``
GITHUB_TOKEN             | the job's token
RECONCILER_TEAM_TOKEN    | a token that may read teams; the job's own by default
RECONCILER_SEAL          | the key of sealed plans, at least 32 characters; the old one behind it
RECONCILER_FORGE         | ``github`` or ``gitea``; read from ``GITEA_ACTIONS`` by default
RECONCILER_STATE         | the only state backend that this job believes, for example ``git-branch``
RECONCILER_FORGE_ACCOUNT | who the token writes as, where the forge does not say
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from reconciler.definitions.core.allowance import is_loopback
from reconciler.definitions.kinds.project import ProjectSpec
from reconciler.errors import ExitCode, IdentityError, ReconcilerError
from reconciler.forge.gitea import Gitea
from reconciler.forge.github import GitHub
from reconciler.forge.session import Session
from reconciler.kernel.ports import Clock
from reconciler.kernel.secret import Secret
from reconciler.review.model.pull_request import Forge
from reconciler.review.ports import ReviewForge
from reconciler.settings import Settings
from reconciler.transport.client import HttpClient, Request, shared_tls
from reconciler.transport.rate_limit import TokenBucket
from reconciler.transport.retry import TransportError

SEAL_CHARACTERS_MIN: Final = 32
# Source: GitHub REST "Best practices": no concurrent requests, a second between writes
_READS_PER_SECOND: Final = 15.0
_WRITES_PER_SECOND: Final = 1.0
_REHEARSAL: Final = 1_000.0
_HEADERS: Final = {
    "Accept": "application/vnd.github+json",
    "X-GitHub-Api-Version": "2022-11-28",
}


class NoForgeError(ReconcilerError):
    """The environment of the job does not say where it runs."""

    exit_code = ExitCode.REFUSED_IDENTITY

    def __init__(self, variable: str, why: str) -> None:
        super().__init__(
            f"{variable} {why}.\nNothing was asked and nothing was written. This command runs in a "
            "job of a forge; SETUP.md lists what the job needs."
        )


class OtherStateError(IdentityError):
    """The definitions keep what was applied elsewhere than the job allows."""

    def __init__(self, backend: str, pinned: str) -> None:
        super().__init__(
            f"the Project says `state.backend: {backend}`, and this job believes `{pinned}` alone "
            "(RECONCILER_STATE): what was applied before decides who may approve.\n"
            "Nothing was read from it and nothing was written. Put the Project right, or the job."
        )


def check_state(environ: Mapping[str, str], project: ProjectSpec) -> None:
    """Check that a proposal does not bring a memory of its own.

    Raises:
        OtherStateError: When the project names another backend than ``RECONCILER_STATE`` does.
    """
    pinned = environ.get("RECONCILER_STATE", "")
    if pinned and pinned != project.state.backend:
        raise OtherStateError(project.state.backend, pinned)


@contextmanager
def open_forge(settings: Settings, clock: Clock) -> Iterator[ReviewForge]:
    """Open the repository that a job runs for; its connections close with the block.

    Raises:
        NoForgeError: When the environment does not name it.
    """
    environ = settings.environ
    repository = _named(environ, "GITHUB_REPOSITORY")
    token = Secret(_named(environ, "GITHUB_TOKEN"))
    teams = Secret(environ.get("RECONCILER_TEAM_TOKEN") or token.reveal())
    api = environ.get("GITHUB_API_URL", "https://api.github.com")
    with ExitStack() as stack:
        kind = _kind(environ)
        is_gitea = kind == "gitea"

        def session(url: str, key: Secret) -> Session:
            tls = shared_tls(settings.authorities) if url.startswith("https:") else None
            parts = urlsplit(url)
            # a forge on this machine is a rehearsal, and nobody waits in one
            pace = _REHEARSAL if is_loopback(parts.hostname or "") else 1.0
            client = HttpClient(f"{parts.scheme}://{parts.netloc}", clock, tls=tls)
            return Session(
                stack.enter_context(client),
                clock,
                key,
                base_path=parts.path.rstrip("/"),
                scheme="token" if is_gitea else "Bearer",
                reads=TokenBucket(_READS_PER_SECOND * pace, clock),
                writes=TokenBucket(_WRITES_PER_SECOND * pace, clock),
                chance=random.random,
                headers={} if is_gitea else _HEADERS,
                page_size="limit" if is_gitea else "per_page",
            )

        place = _Place(
            repository,
            environ.get("GITHUB_SERVER_URL", "https://github.com"),
            environ.get("RECONCILER_FORGE_ACCOUNT", ""),
        )
        if is_gitea:
            yield Gitea(session(api, token), teams=session(api, teams), **place._asdict())
        else:
            graphql = environ.get("GITHUB_GRAPHQL_URL", "https://api.github.com/graphql")
            yield GitHub(
                session(api, token),
                session(graphql, token),
                teams=session(api, teams),
                **place._asdict(),
            )


class _Place(NamedTuple):
    repository: str
    server: str
    account: str


def _kind(environ: Mapping[str, str]) -> Forge:
    """Say which forge it is: what the job says, or what Gitea's runner says of itself.

    Raises:
        NoForgeError: For a name that is none.
    """
    # Source: act_runner, "environment variables": GITEA_ACTIONS is `true`
    runner = "gitea" if environ.get("GITEA_ACTIONS") == "true" else "github"
    match environ.get("RECONCILER_FORGE", runner):
        case "github":
            return "github"
        case "gitea":
            return "gitea"
        case other:
            raise NoForgeError("RECONCILER_FORGE", f"is {other!r}, not `github` or `gitea`")


def seal_keys(environ: Mapping[str, str]) -> tuple[Secret, ...]:
    """Read the keys of sealed plans, the newer one first.

    Raises:
        NoForgeError: When there is none, or one is short enough to be guessed.
    """
    keys = environ.get("RECONCILER_SEAL", "").split()
    if not keys:
        raise NoForgeError("RECONCILER_SEAL", "is not set")
    if any(len(key) < SEAL_CHARACTERS_MIN for key in keys):
        raise NoForgeError("RECONCILER_SEAL", f"has fewer than {SEAL_CHARACTERS_MIN} characters")
    return tuple(Secret(key) for key in keys)


def run_url(environ: Mapping[str, str]) -> str:
    """Give the URL of this run, or nothing."""
    run = environ.get("GITHUB_RUN_ID", "")
    server, repository = environ.get("GITHUB_SERVER_URL", ""), environ.get("GITHUB_REPOSITORY", "")
    return f"{server}/{repository}/actions/runs/{run}" if run and server else ""


def heartbeat(settings: Settings, clock: Clock) -> None:
    """Call the URL in ``RECONCILER_HEARTBEAT``, if there is one; a failure is nobody's drift."""
    url = settings.environ.get("RECONCILER_HEARTBEAT", "")
    if not url:
        return
    parts = urlsplit(url)
    tls = shared_tls(settings.authorities) if url.startswith("https:") else None
    with HttpClient(f"{parts.scheme}://{parts.netloc}", clock, tls=tls) as client:
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        with suppress(TransportError):
            client.send(Request("GET", path or "/"))


def _named(environ: Mapping[str, str], variable: str) -> str:
    value = environ.get(variable, "")
    if not value.strip():
        raise NoForgeError(variable, "is not set")
    return value
