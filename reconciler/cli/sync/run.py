"""sync run, backfill and worker: send what is ready."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import click

from reconciler.cli import options
from reconciler.cli.desk import push_desk, stoppable
from reconciler.cli.options import App, Output
from reconciler.cli.sync.flags import (
    limiting,
    limits_of,
    narrow_of,
    narrowing,
    patience_of,
    waiting,
)
from reconciler.errors import ExitCode

if TYPE_CHECKING:
    from reconciler.sync.judge.run_filter import RunFilter
    from reconciler.sync.run.world import SyncResult
    from reconciler.wiring.sync_desk import PushDesk


@click.command()
@options.repository
@options.environment
@narrowing
@limiting
@waiting
@click.option(
    "--canary",
    type=click.IntRange(min=1),
    metavar="N",
    help="Send N bills first; go on only when all of them stand in Chargebee as they were sent.",
)
@options.formats("text", "json")
@options.pass_app
def run(
    app: App,
    /,
    environment: str,
    *,
    canary: int | None,
    formats: tuple[Output, ...],
    **flags: object,
) -> ExitCode:
    """Send what is ready. Running it again, or twice at once, sends nothing twice."""
    with push_desk(app, environment) as place:
        return _run(app, place, narrow_of(place, flags), flags, formats, canary=canary)


@click.command()
@options.repository
@options.environment
@narrowing
@limiting
@waiting
@click.option("--reason", required=True, help="Why; it is recorded.")
@click.option("--yes", is_flag=True, help="Answer the question.")
@options.formats("text", "json")
@options.pass_app
def backfill(
    app: App,
    /,
    environment: str,
    *,
    reason: str,
    yes: bool,
    formats: tuple[Output, ...],
    **flags: object,
) -> ExitCode:
    """Send bills from before `push.since`; --since and --until say which."""
    from dataclasses import replace

    if flags["since"] is None or flags["until"] is None:
        raise click.UsageError("backfill needs --since and --until: it goes past push.since.")
    with push_desk(app, environment) as place:
        narrow = replace(narrow_of(place, flags), backfill=True)
        question = (
            f"Send bills of {place.scope.site} whose period ends from {narrow.since} to "
            f"{narrow.until}, although push.since is later?"
        )
        if not (yes or app.ask(question)):
            app.note("Nothing was sent. Answer the question, or give --yes.")
            return ExitCode.NEEDS_APPROVAL
        place.decided(f"backfill/{narrow.since}..{narrow.until}", "backfill", reason)
        return _run(app, place, narrow, flags, formats, canary=None)


@click.command()
@options.repository
@options.environment
@narrowing
@click.option("--approve", type=click.Choice(["freeze"]), help="Work inside a freeze window too.")
@options.pass_app
def worker(app: App, /, environment: str, **flags: object) -> ExitCode:
    """Send whatever becomes ready, until stopped; on as many hosts as wanted over PostgreSQL."""
    from reconciler.sync.show.text import bill_line

    with push_desk(app, environment, many=True) as place, stoppable(app) as stopped:
        narrow = narrow_of(place, flags)
        place.refuse_held(narrow.integrations, thawed=flags["approve"] == "freeze")
        app.note(f"working for {place.scope.site} until stopped")
        for ended in place.serving(narrow, stopped).outcomes():
            app.note(bill_line(ended))
    return ExitCode.INTERRUPTED


def _run(
    app: App,
    place: PushDesk,
    narrow: RunFilter,
    flags: Mapping[str, object],
    formats: tuple[Output, ...],
    *,
    canary: int | None,
) -> ExitCode:
    from reconciler.sync.run.world import canary_failed
    from reconciler.sync.show.data import sync_run_json
    from reconciler.sync.show.text import sync_run_text

    place.refuse_held(narrow.integrations, thawed=flags["approve"] == "freeze")
    limits, patience = limits_of(flags), patience_of(app, flags)
    first: SyncResult | None = None
    with stoppable(app) as stopped:
        place.read_stamps()
        if canary is not None:
            few = limits.first(canary)
            first = place.run(narrow, few, stopped, patience)
            why = canary_failed(first, canary)
            if why or stopped():
                first.notes.append(why or "the run was stopped")
                return _publish(app, first, formats, sync_run_text, sync_run_json)
            app.note(f"canary: {canary} bills stand in Chargebee as they were sent; going on")
            limits = limits.after(few)
        result = place.run(narrow, limits, stopped, patience)
        if first is not None:
            result.tally.begun_with(first.tally)
    return _publish(app, result, formats, sync_run_text, sync_run_json)


def _publish(
    app: App,
    result: SyncResult,
    formats: tuple[Output, ...],
    text: Callable[[SyncResult], str],
    json: Callable[[SyncResult], str],
) -> ExitCode:
    app.publish(formats, {"text": lambda: text(result), "json": lambda: json(result)})
    return result.exit_code
