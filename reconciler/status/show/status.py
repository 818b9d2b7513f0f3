"""Status for a terminal and as JSON: the answer first, then one line for each integration."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from reconciler.errors import ExitCode
from reconciler.kernel import exact_json
from reconciler.kernel.text import counted, shown_time
from reconciler.kernel.value import JsonObject, JsonValue
from reconciler.status.core.integration_status import Applied, IntegrationStatus, Report, RunSeen

SCHEMA = "m3ter-reconciler/status/v1"
_DIFFERENCES_MAX = 4
_NAMED_MAX = 5


@dataclass(frozen=True, slots=True)
class StatusPart:
    """What another part of the program adds to the status: the push, for one.

    Attributes:
        name: Its key in the JSON.
        lines: For a terminal; the first is its summary.
        json: The same as data.
        code: What it wants ``--exit-code`` to end with.
    """

    name: str
    lines: tuple[str, ...]
    json: JsonObject = field(default_factory=dict)
    code: ExitCode = ExitCode.DONE


def status_text(report: Report, parts: Sequence[StatusPart] = ()) -> str:
    """Render the status of an environment."""
    lines = [_summary(report), *_applied(report), ""]
    width = max((len(standing.address.name) for standing in report.standings), default=0)
    for standing in report.standings:
        lines += _standing(standing, width)
    if any(standing.run and standing.run.shared for standing in report.standings):
        lines.append("  * or of another integration there: m3ter's runs name only a destination")
    lines += _unmanaged(report.unmanaged)
    for part in parts:
        lines += ["", *part.lines]
    lines += _what_next(report)
    return "\n".join(lines) + "\n"


def status_json(report: Report, parts: Sequence[StatusPart] = ()) -> str:
    """Render the status as one JSON document."""
    document: dict[str, JsonValue] = {
        "schema": SCHEMA,
        "environment": report.environment,
        "applied": _applied_json(report.applied),
        "integrations": [_standing_json(standing) for standing in report.standings],
        "unmanaged": list(report.unmanaged),
    }
    return exact_json.encode(document | {part.name: part.json for part in parts}, indent=2)


def _summary(report: Report) -> str:
    total = len(report.standings)
    if not total:
        return f"{report.environment}: git has no integrations."
    synced = sum(standing.sync == "in sync" for standing in report.standings)
    off = [standing for standing in report.standings if standing.enabled is False]
    apart = [
        standing
        for standing in report.standings
        if standing.connection in {"disconnected", "not in m3ter"}
    ]
    parts = [
        (
            f"{report.environment}: "
            f"{synced:,} of {counted(total, 'integration', 'integrations')} as git says"
        )
    ]
    if off:
        parts.append(f"{len(off):,} disabled by m3ter")
    if apart:
        parts.append(f"{len(apart):,} not connected")
    return " · ".join(parts)


def _applied(report: Report) -> Iterator[str]:
    done = report.applied
    if done is None:
        yield "Nothing was applied yet."
        return
    if done.sequence:
        commit = f", commit {done.commit[:7]}" if done.commit else ""
        yield (
            f"Applied record {done.sequence}: {done.action} by {done.actor}, "
            f"{shown_time(done.at)}{commit}"
        )
    if done.unfinished:
        yield (
            f"! An apply of plan {done.unfinished:.12} was cut off. Run `reconciler plan --env "
            f"{report.environment}` to see what is left, and apply it."
        )


def _standing(status: IntegrationStatus, width: int) -> Iterator[str]:
    mark = " " if status.sync == "in sync" and status.enabled is not False else "!"
    words = [status.sync.ljust(14)]
    if status.connection:
        words += [status.connection.ljust(14), _enabled(status).ljust(18), _run(status.run)]
    yield f"{mark} {status.address.name.ljust(width)}  {'  '.join(words)}".rstrip()
    shown = status.differs[:_DIFFERENCES_MAX]
    yield from (f"    {text}" for text in shown)
    if len(status.differs) > len(shown):
        yield f"    and {len(status.differs) - len(shown):,} more"


def _enabled(status: IntegrationStatus) -> str:
    if status.enabled is None:
        return ""
    return "enabled" if status.enabled else "disabled by m3ter"


def _run(seen: RunSeen | None) -> str:
    if seen is None:
        return "no run seen"
    return f"last run {seen.run.status}{'*' * bool(seen.shared)}, {shown_time(seen.run.started_at)}"


def _unmanaged(names: Sequence[str]) -> Iterator[str]:
    if names:
        shown = ", ".join(f'"{name}"' for name in names[:_NAMED_MAX])
        more = f" and {len(names) - _NAMED_MAX:,} more" if len(names) > _NAMED_MAX else ""
        yield ""
        yield f"Only in m3ter, left alone: {shown}{more}"


def _what_next(report: Report) -> Iterator[str]:
    hints = list(dict.fromkeys(_hints(report)))
    if hints:
        yield ""
    yield from hints


def _hints(report: Report) -> Iterable[str]:
    env = report.environment
    for standing in report.standings:
        if standing.sync in {"edited in m3ter", "both moved", "conflict"}:
            yield f"Who changed what:         reconciler drift --env {env}"
        if standing.sync in {"git is ahead", "both moved", "error"}:
            yield f"What apply would do:      reconciler plan --env {env}"
        if standing.sync == "not adopted":
            yield f"To manage it from git:    reconciler adopt --env {env} {standing.address}"
        if standing.enabled is False:
            yield f"Why m3ter disabled it:    reconciler events --env {env}"


def _applied_json(done: Applied | None) -> JsonValue:
    if done is None:
        return None
    return {
        "sequence": done.sequence,
        "at": done.at,
        "actor": done.actor,
        "action": done.action,
        "commit": done.commit,
        "unfinishedPlan": done.unfinished or None,
    }


def _standing_json(status: IntegrationStatus) -> JsonValue:
    run = status.run
    return {
        "address": str(status.address),
        "displayName": status.label,
        "sync": status.sync,
        "differs": list(status.differs),
        "connection": status.connection,
        "enabled": status.enabled,
        "lastRun": None
        if run is None
        else {
            "id": run.run.id,
            "status": str(run.run.status),
            "startedAt": run.run.started_at,
            "bill": run.run.entity_id,
            "error": run.run.error,
            "maybeOfOthers": run.shared,
        },
    }
