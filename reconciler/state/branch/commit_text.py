"""What a commit of the chain says: a subject for people, trailers for programs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from reconciler.plan.model.applied import Already, AppliedRecord, Done, OutcomeUnknown
from reconciler.plan.model.plan import Approval

PREFIX: Final = "Reconciler-"
_WORDS: Final = {
    "create": "created",
    "update": "changed",
    "delete": "deleted",
    "adopt": "taken over",
    "enable": "enabled",
    "connect": "connected",
    "disconnect": "disconnected",
}
_STANDING: Final = {
    "apply-started": "before the first write",
    "adopt": "an object taken over",
    "keep-git": "decided for git",
    "accept-live": "decided for m3ter",
    "lock-released": "a lock taken away by hand",
    "state-init": "the first record",
    "state-lost": "a new chain after the old one was lost",
}
_TRAILER: Final = re.compile(rf"^{PREFIX}(?P<name>[A-Za-z]+): (?P<value>.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is known of a run besides its record.

    Attributes:
        tool: Name and version.
        run: URL of the CI run, with its attempt; empty outside CI.
        reason: As a person gave it.
    """

    tool: str
    run: str = ""
    reason: str = ""


def message(record: AppliedRecord, around: Circumstances) -> str:
    """Write the message of a record's commit."""
    return f"{_subject(record)}\n\n" + "\n".join(_trailers(record, around)) + "\n"


def trailers_of(text: str) -> dict[str, list[str]]:
    """Read trailers by their name without the prefix; every value in its order."""
    found: dict[str, list[str]] = {}
    for trailer in _TRAILER.finditer(text):
        found.setdefault(trailer["name"], []).append(trailer["value"])
    return found


def seconds_of(at: str) -> int:
    """Give an ISO 8601 time as git counts it."""
    return int(datetime.fromisoformat(at).timestamp())


def on_one_line(text: str) -> str:
    """Let no text of a person begin a line of its own."""
    return " ".join(text.split())


def _subject(record: AppliedRecord) -> str:
    plan = f" {record.plan:.12}" if record.plan else ""
    return f"{record.action}{plan}: {_done(record)}"


def _done(record: AppliedRecord) -> str:
    if record.action in _STANDING or record.receipt is None:
        return _STANDING.get(record.action, "recorded")
    counts: Counter[str] = Counter()
    for outcome in record.receipt.outcomes:
        match outcome.outcome:
            case Done():
                counts[_WORDS.get(outcome.change.partition(":")[0], "done")] += 1
            case Already():
                pass
            case OutcomeUnknown():
                counts["unknown"] += 1
            case _:
                counts["not done"] += 1
    return ", ".join(f"{count:,} {words}" for words, count in counts.items()) or "nothing to do"


def _trailers(record: AppliedRecord, around: Circumstances) -> Iterator[str]:
    values = [
        ("Environment", record.environment),
        ("Record", f"{record.sequence} {record.id}"),
        ("Previous", record.previous or ""),
        ("Action", record.action),
        ("Plan", record.plan or ""),
        ("Source", record.source_commit),
        ("Actor", record.actor),
        *(("Approved", _approved(approval)) for approval in record.approvals),
        ("Run", around.run),
        ("Reason", around.reason),
        ("Tool", around.tool),
    ]
    for name, value in values:
        if value:
            yield f"{PREFIX}{name}: {on_one_line(value)}"


def _approved(approval: Approval) -> str:
    return f"{approval.guard} {len(approval.digests)} by {approval.by}"
