"""The lock on the remote: a parentless commit that says who holds it; it exists only while held."""

from __future__ import annotations

import getpass
import os
import secrets
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from reconciler.plan.model.applied import AppliedRecord
from reconciler.state.branch.commit_text import PREFIX, on_one_line, trailers_of

STARTED: Final = "apply-started"
RELEASED: Final = "lock-released"
BEGUN: Final = "state-init"
LOST: Final = "state-lost"
RunEnded = Callable[[str, int], bool | None]
"""Says whether an attempt of a CI run (URL, number) has ended; ``None`` when nobody knows."""


def nobody_knows(_run: str, _attempt: int) -> bool | None:
    """Answer for a place without a forge."""
    return None


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lock: ``since`` is ISO 8601, UTC; ``attempt`` is 0 outside CI.

    Attributes:
        run: URL of the CI run; empty outside CI.
        nonce: Makes two locks of one person in one second two locks.
    """

    command: str
    person: str
    host: str
    since: str
    run: str = ""
    attempt: int = 0
    nonce: str = ""

    def __str__(self) -> str:
        since = datetime.fromisoformat(self.since).astimezone(UTC).strftime("%d %b %Y, %H:%M UTC")
        where = f"in {self.run}, attempt {self.attempt}" if self.run else f"on {self.host}"
        return f"`{self.command}` of {self.person} {where} (since {since})"


def holder(command: str, person: str, now: datetime, environ: Mapping[str, str]) -> Holder:
    """Describe this process."""
    run, attempt = ci_run(environ)
    return Holder(
        command=command,
        person=person or getpass.getuser(),
        host=f"{socket.gethostname()}, process {os.getpid()}",
        since=now.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        run=run,
        attempt=attempt,
        nonce=secrets.token_hex(8),
    )


def ci_run(environ: Mapping[str, str]) -> tuple[str, int]:
    """Give the URL of the CI run and its attempt.

    Source: GitHub Actions, "Default environment variables"; Gitea sets the same ones.
    """
    server, name = environ.get("GITHUB_SERVER_URL", ""), environ.get("GITHUB_REPOSITORY", "")
    run, attempt = environ.get("GITHUB_RUN_ID", ""), environ.get("GITHUB_RUN_ATTEMPT", "1")
    if not (server and name and run):
        return "", 0
    return f"{server}/{name}/actions/runs/{run}", int(attempt) if attempt.isdecimal() else 1


def lock_text(environment: str, holder: Holder) -> str:
    """Write the message of a lock's commit."""
    lines = {
        "Environment": environment,
        "Command": holder.command,
        "Actor": holder.person,
        "Host": holder.host,
        "Run": holder.run,
        "Attempt": str(holder.attempt or ""),
        "Since": holder.since,
        "Nonce": holder.nonce,
    }
    told = "\n".join(f"{PREFIX}{name}: {on_one_line(line)}" for name, line in lines.items() if line)
    return f"lock of {environment}: {on_one_line(holder.command)}\n\n{told}\n"


def holder_of(text: str) -> Holder:
    """Read a lock's message; what is not there is said to be unknown."""
    found = {name: values[0] for name, values in trailers_of(text).items()}
    attempt = found.get("Attempt", "0")
    return Holder(
        command=found.get("Command", "an unknown command"),
        person=found.get("Actor", "somebody"),
        host=found.get("Host", "an unknown machine"),
        since=_time(found.get("Since", "")),
        run=found.get("Run", ""),
        attempt=int(attempt) if attempt.isdecimal() else 0,
        nonce=found.get("Nonce", ""),
    )


def is_over(holder: Holder, head: AppliedRecord | None, ended: RunEnded) -> bool:
    """Say whether it is proved that whoever took a lock needs it no more.

    Either what it was taken for is written down: nobody else could append while it was held. Or
    the forge says that the run has ended. A guess is no proof.
    """
    if head is not None and head.action != STARTED:
        same = head.actor == holder.person
        if same and datetime.fromisoformat(head.at) > datetime.fromisoformat(holder.since):
            return True
    return bool(holder.run) and ended(holder.run, holder.attempt) is True


def _time(text: str) -> str:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return "1970-01-01T00:00:00Z"
    return text
