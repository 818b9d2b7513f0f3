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
    bad = sum(one.run.status in FAILED for one in seen)
    lines = [
        f"{environment}: {counted(len(seen), 'run', 'runs')} of m3ter's own, from {looked}"
        + (f" · {bad:,} failed" if bad else ""),
        "",
    ]
    for one in seen:
        lines += _run(one, names)
    if any(len(one.configurations) > 1 for one in seen):
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
    runs: list[JsonValue] = [_run_json(one, names) for one in seen]
    return exact_json.encode(
        {"schema": RUNS_SCHEMA, "environment": environment, "runs": runs, **pushed}, indent=2
    )


def events_text(
    environment: str, events: Sequence[SeenEvent], rows: Sequence[ErrorRow], names: Names
) -> str:
    """Render error events, after how near each configuration is to being disabled."""
    lines = [_nearest(environment, rows), ""]
    width = max((len(one.name) for one in rows), default=0)
    lines += [_row(one, width) for one in rows]
    if events:
        lines.append("")
    for one in events:
        lines += _event(one, names)
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
    listed: list[JsonValue] = [_event_json(one, names) for one in events]
    near: list[JsonValue] = [
        {
            "id": one.id,
            "name": one.name,
            "enabled": one.enabled,
            "errorsInARow": one.count,
            "disabledAfter": DISABLE_AFTER,
            "maybeOfOthers": one.shared,
            "noSuccessKnown": one.oldest,
        }
        for one in rows
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


def _run(one: SeenRun, names: Names) -> Iterator[str]:
    run = one.run
    mark = "!" if run.status in FAILED else " "
    external = f"  -> {run.external_id}" if run.external_id else ""
    yield (
        f"{mark} {shown_time(run.started_at)}  {str(run.status).ljust(16)}"
        f"  bill {run.entity_id}  {one.account}{external}"
    ).rstrip()
    whose = (
        _whose(one.configurations, names)
        or f"{run.destination}, but no integration takes this account now"
    )
    yield f"    {whose} · run {run.id}"
    if run.error:
        yield from _wrapped(run.error)
    if run.url:
        yield f"    {printable(run.url)}"
    if one.payload is not None:
        yield from (f"      | {printable(line)}" for line in one.payload.splitlines())


def _run_json(one: SeenRun, names: Names) -> JsonValue:
    run = one.run
    return {
        "id": run.id,
        "bill": run.entity_id,
        "account": one.account,
        "destination": run.destination,
        "status": str(run.status),
        "startedAt": run.started_at,
        "completedAt": run.completed_at,
        "error": run.error,
        "url": run.url,
        "externalId": run.external_id,
        "integrations": [names.get(each, each) for each in one.configurations],
        "payload": one.payload,
    }


def _nearest(environment: str, rows: Sequence[ErrorRow]) -> str:
    off = [one.name for one in rows if not one.enabled]
    if off:
        return f"{environment}: m3ter has disabled {', '.join(off)}"
    worst = max(rows, key=lambda one: one.count, default=None)
    if worst is None or not worst.count:
        return f"{environment}: no integration has errors in a row"
    return f"{environment}: {worst.name} is nearest to being disabled by m3ter"


def _row(one: ErrorRow, width: int) -> str:
    state = "disabled by m3ter" if not one.enabled else "enabled"
    doubt = " (some may be of another integration)" if one.shared else ""
    if one.oldest and one.count:
        doubt += " (no completed run was found)"
    mark = "!" if one.count or not one.enabled else " "
    return f"{mark} {one.name.ljust(width)}  {one.count} of {DISABLE_AFTER}  {state}{doubt}"


def _event(one: SeenEvent, names: Names) -> Iterator[str]:
    event = one.event
    short = event.name.removeprefix("integration.").removesuffix(".error")
    mark = "!" if event.name == DISABLED_EVENT else " "
    bill = f"  bill {one.bill}" if one.bill else ""
    actioned = "  (actioned)" if event.actioned_at else ""
    yield f"{mark} {shown_time(event.time)}  {short.ljust(21)}{bill}{actioned}".rstrip()
    whose = _whose(one.configurations, names)
    if whose:
        yield f"    {whose}"
    if one.message:
        yield from _wrapped(one.message)


def _event_json(one: SeenEvent, names: Names) -> JsonValue:
    return {
        "id": one.event.id,
        "name": one.event.name,
        "time": one.event.time,
        "actionedAt": one.event.actioned_at or None,
        "bill": one.bill or None,
        "message": one.message,
        "integrations": [names.get(each, each) for each in one.configurations],
    }


def _whose(ids: Sequence[str], names: Names) -> str:
    return " or ".join(names.get(one) or one for one in ids)


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(printable(text), WIDTH, initial_indent="    ", subsequent_indent="    ")


def _inferred(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH)
