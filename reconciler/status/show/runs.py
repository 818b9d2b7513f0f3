"""m3ter's own runs and error events, for a terminal and as JSON."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence

from reconciler.kernel import exact_json
from reconciler.kernel.text import counted, printable, shown_time
from reconciler.kernel.value import JsonObject, JsonValue
from reconciler.status.core.attribution import DISABLED_EVENT, FAILED, ErrorRow, SeenEvent, SeenRun
from reconciler.sync.core.disabling import DISABLE_AFTER

WIDTH = 100
RUNS_SCHEMA = "m3ter-reconciler/runs/v1"
EVENTS_SCHEMA = "m3ter-reconciler/events/v1"
Names = Mapping[str, str]
"""Names of configurations by id."""


def runs_text(environment: str, seen: Sequence[SeenRun], names: Names, *, looked: str) -> str:
    """Render runs.

    Args:
        environment: Its name.
        seen: Newest first.
        names: Of the configurations.
        looked: Where was looked, in words: ``the newest 100 bills``.
    """
    if not seen:
        return f"{environment}: m3ter has no runs for {looked}.\n"
    bad = sum(run.run.status in FAILED for run in seen)
    lines = [
        f"{environment}: {counted(len(seen), 'run', 'runs')} of m3ter's own, from {looked}"
        + (f" · {bad:,} failed" if bad else ""),
        "",
    ]
    for run in seen:
        lines += _run(run, names)
    if any(len(run.configurations) > 1 for run in seen):
        lines += ["", *_inferred("A run names its destination, not its integration.")]
    return "\n".join(lines) + "\n"


def runs_json(
    environment: str, seen: Sequence[SeenRun], names: Names, *, pushed: JsonObject
) -> str:
    """Render runs as one JSON document.

    Args:
        environment: Its name.
        seen: Newest first.
        names: Of the configurations.
        pushed: ``pushes``, or for one bill ``requests``: what reconciler itself sent.
    """
    runs: list[JsonValue] = [_run_json(run, names) for run in seen]
    return exact_json.encode(
        {"schema": RUNS_SCHEMA, "environment": environment, "runs": runs, **pushed}, indent=2
    )


def events_text(
    environment: str, events: Sequence[SeenEvent], rows: Sequence[ErrorRow], names: Names
) -> str:
    """Render error events, after how near each configuration is to being disabled."""
    lines = [_nearest(environment, rows), ""]
    width = max((len(row.name) for row in rows), default=0)
    lines += [_row(row, width) for row in rows]
    if events:
        lines.append("")
    for event in events:
        lines += _event(event, names)
    lines += [
        "",
        *_inferred(
            f"m3ter disables an integration after {DISABLE_AFTER} errors in a row, and publishes "
            "no counter. This one is inferred: error events since the last completed run that "
            "was found. Events are kept for 28 days."
        ),
    ]
    return "\n".join(lines) + "\n"


def events_json(
    environment: str, events: Sequence[SeenEvent], rows: Sequence[ErrorRow], names: Names
) -> str:
    """Render events as one JSON document."""
    listed: list[JsonValue] = [_event_json(event, names) for event in events]
    near: list[JsonValue] = [
        {
            "id": row.id,
            "name": row.name,
            "enabled": row.enabled,
            "errorsInARow": row.count,
            "disabledAfter": DISABLE_AFTER,
            "maybeOfOthers": row.shared,
            "noSuccessKnown": row.oldest,
        }
        for row in rows
    ]
    return exact_json.encode(
        {
            "schema": EVENTS_SCHEMA,
            "environment": environment,
            "integrations": near,
            "events": listed,
        },
        indent=2,
    )


def _run(seen: SeenRun, names: Names) -> Iterator[str]:
    run = seen.run
    mark = "!" if run.status in FAILED else " "
    external = f"  -> {run.external_id}" if run.external_id else ""
    yield (
        f"{mark} {shown_time(run.started_at)}  {str(run.status).ljust(16)}"
        f"  bill {run.entity_id}  {seen.account}{external}"
    ).rstrip()
    whose = (
        _whose(seen.configurations, names)
        or f"{run.destination}, but no integration takes this account now"
    )
    yield f"    {whose} · run {run.id}"
    if run.error:
        yield from _wrapped(run.error)
    if run.url:
        yield f"    {printable(run.url)}"
    if seen.payload is not None:
        yield from (f"      | {printable(line)}" for line in seen.payload.splitlines())


def _run_json(seen: SeenRun, names: Names) -> JsonValue:
    run = seen.run
    return {
        "id": run.id,
        "bill": run.entity_id,
        "account": seen.account,
        "destination": run.destination,
        "status": str(run.status),
        "startedAt": run.started_at,
        "completedAt": run.completed_at,
        "error": run.error,
        "url": run.url,
        "externalId": run.external_id,
        "integrations": [
            names.get(configuration, configuration) for configuration in seen.configurations
        ],
        "payload": seen.payload,
    }


def _nearest(environment: str, rows: Sequence[ErrorRow]) -> str:
    off = [row.name for row in rows if not row.enabled]
    if off:
        return f"{environment}: m3ter has disabled {', '.join(off)}"
    worst = max(rows, key=lambda row: row.count, default=None)
    if worst is None or not worst.count:
        return f"{environment}: no integration has errors in a row"
    return f"{environment}: {worst.name} is nearest to being disabled by m3ter"


def _row(row: ErrorRow, width: int) -> str:
    state = "disabled by m3ter" if not row.enabled else "enabled"
    doubt = " (some may be of another integration)" if row.shared else ""
    if row.oldest and row.count:
        doubt += " (no completed run was found)"
    mark = "!" if row.count or not row.enabled else " "
    return f"{mark} {row.name.ljust(width)}  {row.count} of {DISABLE_AFTER}  {state}{doubt}"


def _event(seen: SeenEvent, names: Names) -> Iterator[str]:
    event = seen.event
    short = event.name.removeprefix("integration.").removesuffix(".error")
    mark = "!" if event.name == DISABLED_EVENT else " "
    bill = f"  bill {seen.bill}" if seen.bill else ""
    actioned = "  (actioned)" if event.actioned_at else ""
    yield f"{mark} {shown_time(event.time)}  {short.ljust(21)}{bill}{actioned}".rstrip()
    whose = _whose(seen.configurations, names)
    if whose:
        yield f"    {whose}"
    if seen.message:
        yield from _wrapped(seen.message)


def _event_json(seen: SeenEvent, names: Names) -> JsonValue:
    return {
        "id": seen.event.id,
        "name": seen.event.name,
        "time": seen.event.time,
        "actionedAt": seen.event.actioned_at or None,
        "bill": seen.bill or None,
        "message": seen.message,
        "integrations": [
            names.get(configuration, configuration) for configuration in seen.configurations
        ],
    }


def _whose(ids: Sequence[str], names: Names) -> str:
    return " or ".join(names.get(entity_id) or entity_id for entity_id in ids)


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(printable(text), WIDTH, initial_indent="    ", subsequent_indent="    ")


def _inferred(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH)
