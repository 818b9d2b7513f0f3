"""sync: push m3ter's bills into Chargebee, and say what a push would do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from reconciler.cli import options
from reconciler.cli.desk import desk, stoppable
from reconciler.cli.options import App, Output
from reconciler.cli.sync_flags import (
    limiting,
    limits_of,
    narrow_of,
    narrowing,
    patience_of,
    waiting,
)
from reconciler.errors import ExitCode, ReconcilerError

if TYPE_CHECKING:
    from reconciler.domain.standing import Standing
    from reconciler.wiring.push_desk import PushDesk
    from reconciler.workflows.narrow import Narrow
    from reconciler.workflows.sync_world import SyncResult


class UnwritableListError(ReconcilerError):
    """The file that ``--list`` names cannot be opened."""

    exit_code = ExitCode.INVALID

    def __init__(self, file: Path, reason: str) -> None:
        super().__init__(
            f"cannot write the list of bills to {file}: {reason}.\n"
            "No bill was looked at, and nothing was sent. Name a file in a folder that exists."
        )


class Listed(NamedTuple):
    """One subcommand: what people type, ``module:attribute`` below the cli, the help."""

    name: str
    target: str
    help: str


COMMANDS: tuple[Listed, ...] = (
    Listed("plan", "sync:plan", "Show what would be sent; writes nothing anywhere"),
    Listed("run", "sync:run", "Send what is ready"),
    Listed("worker", "sync:worker", "Send whatever becomes ready, until stopped"),
    Listed("close", "sync_close:close", "Close invoices that were left open"),
    Listed("backfill", "sync:backfill", "Send bills from before push.since"),
    Listed("retry", "sync_decide:retry", "Try bills again that Chargebee refused"),
    Listed("resolve", "sync_decide:resolve", "Say whether a bill was sent, when nobody knows"),
    Listed("adopt-invoice", "sync_decide:adopt_invoice", "Say which invoice a bill was sent as"),
    Listed("skip", "sync_decide:skip", "Never send a bill"),
    Listed("pause", "sync_decide:pause", "Stop every write to the site"),
    Listed("resume", "sync_decide:resume", "Let writes go on"),
    Listed("enable", "sync_decide:enable", "Enable a push that disabled itself"),
    Listed("reconcile", "sync_report:reconcile", "Compare m3ter, ledger and Chargebee"),
    Listed("explain", "sync_report:explain", "Show how one bill became its invoice"),
    Listed("cutover", "sync_report:cutover", "Change between m3ter's sending and ours"),
)


class SyncCommands(click.Group):
    """A group that imports a subcommand only to run it."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Name every subcommand, in the order of the table."""
        return [one.name for one in COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import one subcommand."""
        target = next((one.target for one in COMMANDS if one.name == cmd_name), None)
        if target is None:
            return None
        module, _, attribute = target.partition(":")
        command = getattr(import_module(f"reconciler.cli.{module}"), attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Print the table; no subcommand is imported."""
        with formatter.section("Commands"):
            formatter.write_dl([(one.name, one.help) for one in COMMANDS], col_max=14)


@click.group(cls=SyncCommands)
def sync() -> None:
    """Push m3ter's bills into Chargebee: exactly once, exact to the minor unit."""


@click.command()
@options.repository
@options.environment
@narrowing
@click.option(
    "--from-files", is_flag=True, help="Obey the files, not what was applied. Only prints."
)
@click.option(
    "--list",
    "listing",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    metavar="FILE",
    help="Write every bill with its reason into a CSV file, however many there are.",
)
@options.formats("text", "json")
@options.pass_app
def plan(
    app: App,
    /,
    environment: str,
    *,
    from_files: bool,
    listing: Path | None,
    formats: tuple[Output, ...],
    **flags: object,
) -> ExitCode:
    """Show what would be sent. Nothing is written, neither to m3ter nor to Chargebee nor here."""
    from reconciler.render.sync_json import plan_json
    from reconciler.render.sync_text import plan_text
    from reconciler.workflows.sync_plan import plan_sync

    with _open(app, environment, reading=True, from_files=from_files) as place:
        judge = place.judge(narrow_of(place, flags))
        with _listing(listing) as hear:
            made = plan_sync(judge, place.organisation.bills, place.desk.progress, hear)
    app.publish(formats, {"text": lambda: plan_text(made), "json": lambda: plan_json(made)})
    return ExitCode.DONE


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
    with _open(app, environment) as place:
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
    with _open(app, environment) as place:
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
    from reconciler.render.sync_text import bill_line

    with _open(app, environment, many=True) as place, stoppable(app) as stopped:
        narrow = narrow_of(place, flags)
        place.refuse_held(narrow.integrations, thawed=flags["approve"] == "freeze")
        app.note(f"working for {place.scope.site} until stopped")
        for ended in place.serving(narrow, stopped).outcomes():
            app.note(bill_line(ended))
    return ExitCode.INTERRUPTED


def _run(
    app: App,
    place: PushDesk,
    narrow: Narrow,
    flags: Mapping[str, object],
    formats: tuple[Output, ...],
    *,
    canary: int | None,
) -> ExitCode:
    from reconciler.render.sync_json import run_json
    from reconciler.render.sync_text import run_text
    from reconciler.workflows.sync_world import canary_failed

    place.refuse_held(narrow.integrations, thawed=flags["approve"] == "freeze")
    limits, patience = limits_of(flags), patience_of(app, flags)
    with stoppable(app) as stopped:
        place.read_stamps()
        if canary is not None:
            few = limits.first(canary)
            first = place.run(narrow, few, stopped, patience)
            why = canary_failed(first, canary)
            if why or stopped():
                first.notes.append(why or "the run was stopped")
                return _publish(app, first, formats, run_text, run_json)
            app.note(f"canary: {canary} bills stand in Chargebee as they were sent; going on")
            limits = limits.after(few)
        result = place.run(narrow, limits, stopped, patience)
    return _publish(app, result, formats, run_text, run_json)


def _publish(
    app: App,
    result: SyncResult,
    formats: tuple[Output, ...],
    text: Callable[[SyncResult], str],
    json: Callable[[SyncResult], str],
) -> ExitCode:
    app.publish(formats, {"text": lambda: text(result), "json": lambda: json(result)})
    return result.exit_code


@contextmanager
def _listing(file: Path | None) -> Iterator[Callable[[Standing], None]]:
    """Open the list of bills; without a file nobody hears of them."""
    from reconciler.render.sync_list import BillList

    if file is None:
        yield lambda _: None
        return
    try:
        stream = file.open("w", encoding="utf-8", newline="")
    except OSError as error:
        raise UnwritableListError(file, error.strerror or str(error)) from None
    with stream:
        yield BillList(stream).add


@contextmanager
def _open(
    app: App,
    environment: str,
    *,
    reading: bool = False,
    from_files: bool = False,
    many: bool = False,
) -> Iterator[PushDesk]:
    from reconciler.wiring.push import open_push

    world = desk(app, environment)
    with open_push(world, reading=reading, from_files=from_files, many=many) as place:
        yield place
