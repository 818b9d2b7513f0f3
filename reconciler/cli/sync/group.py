"""sync: push m3ter's bills into Chargebee, and say what a push would do."""

from __future__ import annotations

from importlib import import_module
from typing import NamedTuple

import click

from reconciler.cli import options


class ListedSubcommand(NamedTuple):
    """One subcommand: what people type, ``module:attribute`` below the cli, the help."""

    name: str
    target: str
    help: str


COMMANDS: tuple[ListedSubcommand, ...] = (
    ListedSubcommand("plan", "sync.plan:plan", "Show what would be sent; writes nothing anywhere"),
    ListedSubcommand("run", "sync.run:run", "Send what is ready"),
    ListedSubcommand("worker", "sync.run:worker", "Send whatever becomes ready, until stopped"),
    ListedSubcommand("close", "sync.close:close", "Close invoices that were left open"),
    ListedSubcommand("backfill", "sync.run:backfill", "Send bills from before push.since"),
    ListedSubcommand("retry", "sync.people:retry", "Try bills again that Chargebee refused"),
    ListedSubcommand("decide", "sync.people:decide", "Say what only a person can say of a bill"),
    ListedSubcommand("pause", "sync.people:pause", "Stop every write to the site"),
    ListedSubcommand("resume", "sync.people:resume", "Let writes go on"),
    ListedSubcommand("enable", "sync.people:enable", "Enable a push that disabled itself"),
    ListedSubcommand(
        "reconcile", "sync.reconcile:reconcile", "Compare m3ter, ledger and Chargebee"
    ),
    ListedSubcommand("explain", "sync.reconcile:explain", "Show how one bill became its invoice"),
    ListedSubcommand(
        "cutover", "sync.reconcile:cutover", "Change between m3ter's sending and ours"
    ),
)


class SyncCommands(click.Group):
    """A group that imports a subcommand only to run it."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Name every subcommand, in the order of the table."""
        return [command.name for command in COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one subcommand; an unknown name is a usage error with suggestions."""
        if cmd_name.startswith("-"):
            return None
        target = next(
            (candidate.target for candidate in COMMANDS if candidate.name == cmd_name), None
        )
        if target is None:
            names = self.list_commands(ctx)
            raise click.UsageError(options.no_such_command(cmd_name, names, below="sync "), ctx)
        module, _, attribute = target.partition(":")
        command = getattr(import_module(f"reconciler.cli.{module}"), attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Print the table; no subcommand is imported."""
        with formatter.section("Commands"):
            formatter.write_dl([(command.name, command.help) for command in COMMANDS], col_max=14)


@click.group(cls=SyncCommands)
def sync() -> None:
    """Push m3ter's bills into Chargebee: exactly once, exact to the minor unit."""
