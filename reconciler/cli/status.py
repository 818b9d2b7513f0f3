"""Commands that only look: status, runs, events, doctor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.cli import options
from reconciler.cli.desk import desk
from reconciler.cli.options import App, Output
from reconciler.errors import ExitCode, winning

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.kernel.value import JsonObject
    from reconciler.m3ter.ports import Organisation
    from reconciler.status.core.attribution import RunOwner
    from reconciler.status.show.status import StatusPart
    from reconciler.wiring.desk import Desk


@click.command()
@options.repository
@options.environment
@click.option(
    "--exit-code",
    is_flag=True,
    help="Exit 0 when all is in sync, 2 when git is ahead, 3 on drift, 4 on both; 17 when bills "
    "are overdue.",
)
@options.formats("text", "json")
@options.pass_app
def status(app: App, environment: str, exit_code: bool, formats: tuple[Output, ...]) -> ExitCode:
    """Say what is in sync, connected, enabled and running."""
    from reconciler.status.show.status import status_json, status_text
    from reconciler.status.status import status as workflow

    place = desk(app, environment)
    with place.organisation() as organisation:
        ports = place.plan_ports(organisation)
        report = workflow(place.effective, place.chain, place.made_from, ports)
    parts = _status_parts(place)
    app.publish(
        formats,
        {
            "text": lambda: status_text(report, parts),
            "json": lambda: status_json(report, parts),
        },
    )
    if exit_code:
        return winning([report.code, *(part.code for part in parts)])
    return ExitCode.DONE


@click.command()
@options.repository
@options.environment
@click.option("--bill", default="", metavar="ID", help="All runs of one bill.")
@click.option("--payload", is_flag=True, help="Show what was exchanged, without secrets.")
@click.option(
    "--limit",
    type=click.IntRange(1, 1000),
    default=20,
    show_default=True,
    metavar="N",
    help="Show at most so many runs.",
)
@options.formats("text", "json")
@options.pass_app
def runs(
    app: App,
    environment: str,
    *,
    bill: str,
    payload: bool,
    limit: int,
    formats: tuple[Output, ...],
) -> None:
    """Show m3ter's own integration runs, newest first, and the pushes that moved last.

    Without --bill: the latest run of each of the newest 100 bills.
    """
    from reconciler.kernel.address import BillId
    from reconciler.status import native_runs as workflow
    from reconciler.status.show.runs import runs_json, runs_text
    from reconciler.status.status import NEWEST_BILLS

    place = desk(app, environment)
    with place.organisation() as organisation:
        known = _scopes(place, organisation)
        if bill:
            seen = workflow.runs_of_bill(organisation, BillId(bill), known, limit)
        else:
            newest = workflow.newest_bills(organisation, NEWEST_BILLS)
            seen = workflow.latest_runs(organisation, newest, known)[:limit]
        if payload:
            seen = tuple(workflow.with_payloads(organisation, seen))
    names = {str(owner.live.id): owner.live.name for owner in known}
    looked = f"bill {bill}" if bill else f"the newest {NEWEST_BILLS} bills"
    app.publish(
        formats,
        {
            "text": lambda: (
                runs_text(environment, seen, names, looked=looked) + _pushes(place, bill, limit)
            ),
            "json": lambda: runs_json(
                environment, seen, names, pushed=_pushes_json(place, bill, limit)
            ),
        },
    )


@click.command()
@options.repository
@options.environment
@click.option(
    "--limit",
    type=click.IntRange(1, 10_000),
    default=100,
    show_default=True,
    metavar="N",
    help="Read at most so many events.",
)
@options.formats("text", "json")
@options.pass_app
def events(app: App, environment: str, limit: int, formats: tuple[Output, ...]) -> None:
    """Show m3ter's error events, and how near each integration is to auto-disable."""
    from reconciler.status import native_runs as workflow
    from reconciler.status.show.runs import events_json, events_text
    from reconciler.status.status import NEWEST_BILLS

    place = desk(app, environment)
    with place.organisation() as organisation:
        known = _scopes(place, organisation)
        newest = workflow.newest_bills(organisation, NEWEST_BILLS)
        seen = workflow.seen_events(organisation, newest, known, limit)
        latest = workflow.latest_runs(organisation, newest, known)
    rows = workflow.error_rows(known, seen, latest)
    names = {str(owner.live.id): owner.live.name for owner in known}
    app.publish(
        formats,
        {
            "text": lambda: events_text(environment, seen, rows, names),
            "json": lambda: events_json(environment, seen, rows, names),
        },
    )


@click.command()
@options.repository
@options.environment
@options.formats("text", "json")
@options.pass_app
def doctor(app: App, environment: str, formats: tuple[Output, ...]) -> ExitCode:
    """Check files, keys, organisation, dialects, names, site and ledger one by one.

    Each finding says what to do. Exit by the worst; nothing is written anywhere.
    """
    from reconciler.cli.progress import SilentProgress
    from reconciler.doctor.core import exit_code_of_checks
    from reconciler.doctor.text import doctor_json, doctor_text
    from reconciler.wiring.doctor import checkup

    walk = checkup(app.root, environment, app.environ, app.settings, SilentProgress())
    results = tuple(walk)
    app.publish(
        formats,
        {
            "text": lambda: doctor_text(environment, results),
            "json": lambda: doctor_json(environment, results),
        },
    )
    return exit_code_of_checks(results)


def _scopes(place: Desk, organisation: Organisation) -> tuple[RunOwner, ...]:
    from reconciler.status.native_runs import scopes

    return scopes(place.effective, organisation.integrations.list())


def _pushes(place: Desk, bill: str, limit: int) -> str:
    """Give the push part of runs, as text; empty where nothing was ever pushed."""
    from reconciler.kernel.address import BillId
    from reconciler.sync.show.summary import pushes_text, requests_text
    from reconciler.wiring.reading import pushes_of, requests_for

    if bill:
        requests = requests_for(place, BillId(bill))
        return "\n" + requests_text(bill, requests) if requests else ""
    found = pushes_of(place, limit)
    return "" if found is None else "\n" + pushes_text(place.environment, found[1])


def _pushes_json(place: Desk, bill: str, limit: int) -> JsonObject:
    """Give the push part of runs, as data; empty where nothing was ever pushed."""
    from reconciler.kernel.address import BillId
    from reconciler.sync.show.summary import pushes_json, requests_json
    from reconciler.wiring.reading import pushes_of, requests_for

    if bill:
        return {"requests": requests_json(requests_for(place, BillId(bill)))}
    found = pushes_of(place, limit)
    return {"pushes": [] if found is None else pushes_json(found[1])}


def _status_parts(place: Desk) -> Sequence[StatusPart]:
    """Collect what other parts of the program add; one for each part that is there."""
    from reconciler.status.show.status import StatusPart
    from reconciler.sync.show.summary import push_status_json, push_status_lines
    from reconciler.wiring.reading import pushes_of

    parts = _break_glass(place)
    found = pushes_of(place, 0)
    if found is None:
        return parts
    standing, _ = found
    lines = push_status_lines(standing, place.environment)
    return (*parts, StatusPart("push", lines, push_status_json(standing), standing.exit_code))


def _break_glass(place: Desk) -> Sequence[StatusPart]:
    """Tell for 30 days of approvals that no review gave."""
    from reconciler.kernel.exact_json import as_json
    from reconciler.plan.core.break_glass import lately
    from reconciler.status.show.status import StatusPart

    records = place.chain.records(place.environment)
    approvals = tuple(lately(records, place.clock.now()))
    if not approvals:
        return ()
    lines = tuple(
        f"break-glass: {approval.guard} approved by {approval.by} at {approval.at}, no review: "
        f"{approval.reason}"
        for approval in approvals
    )
    return (StatusPart("breakGlass", lines, {"approvals": as_json(approvals)}, ExitCode.DONE),)
