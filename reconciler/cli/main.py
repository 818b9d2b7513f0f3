"""The table of commands, and how every ending becomes an exit code.

``--help`` reads the table only: a command's module is imported when the command runs.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from importlib import import_module
from pathlib import Path
from typing import NamedTuple, TextIO

import click

from reconciler import __version__
from reconciler.cli.options import App, no_such_command, repository
from reconciler.errors import ExitCode, ReconcilerError

PROGRAM = "reconciler"


class ListedCommand(NamedTuple):
    """One line of the table: what people type, ``module:attribute`` below the cli, the help."""

    name: str
    target: str
    help: str


COMMANDS: Mapping[str, tuple[ListedCommand, ...]] = {
    "Look": (
        ListedCommand("status", "status:status", "What is in sync, connected, enabled and running"),
        ListedCommand("runs", "status:runs", "m3ter's own integration runs"),
        ListedCommand(
            "events", "status:events", "m3ter's error events, and how near auto-disable is"
        ),
        ListedCommand(
            "reconcile", "sync.reconcile:reconcile", "Compare m3ter, ledger and Chargebee"
        ),
        ListedCommand(
            "doctor", "status:doctor", "Check keys, organisation, dialects and site one by one"
        ),
    ),
    "Definitions": (
        ListedCommand("init", "definitions:init", "Write a starter integrations.d"),
        ListedCommand("validate", "definitions:validate", "Check every file; needs no network"),
        ListedCommand(
            "render", "definitions:render", "Print the definitions as one environment has them"
        ),
        ListedCommand(
            "schema", "definitions:schema", "Write or print the JSON Schemas of the kinds"
        ),
        ListedCommand("import", "importing:import_", "Write what is live in m3ter as definitions"),
        ListedCommand(
            "discover", "importing:discover", "Ask m3ter for its wire names and write the dialect"
        ),
    ),
    "Change": (
        ListedCommand("plan", "plan:plan", "Show what apply would change"),
        ListedCommand("show", "plan:show", "Print a saved plan"),
        ListedCommand("apply", "plan:apply", "Carry a plan out"),
        ListedCommand("drift", "plan:drift", "Show what was changed outside git, by whom and when"),
        ListedCommand("adopt", "importing:adopt", "Take a live object over under a name from git"),
        ListedCommand("accept-live", "importing:accept_live", "Write a live value into git"),
        ListedCommand("keep-git", "importing:keep_git", "Decide a conflict for the value in git"),
    ),
    "On a forge": (
        ListedCommand("ci", "ci.group:ci", "Plan pull requests, apply merges, watch for drift"),
    ),
    "Push": (
        ListedCommand("sync", "sync.group:sync", "Push m3ter's bills into Chargebee"),
        ListedCommand("ledger", "ledger:ledger", "Create, back up or rebuild the memory of pushes"),
    ),
    "State": (
        ListedCommand(
            "state", "state:state", "Begin, restore, push, move or verify what was applied"
        ),
        ListedCommand("lock", "lock:lock", "Show or take away the lock of an environment"),
    ),
    "Try": (
        ListedCommand("emulate", "emulate:emulate", "Serve an emulated m3ter and Chargebee here"),
        ListedCommand("demo", "demo.demo:demo", "Watch the whole way once, against the emulator"),
    ),
}
"""Every command by its heading in ``--help``; targets are below ``reconciler.cli``."""


class Commands(click.Group):
    """A group that imports a command only to run it."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Name every command, in the order of the table."""
        return [command.name for listed in COMMANDS.values() for command in listed]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command; an unknown name is a usage error with suggestions."""
        names = self.list_commands(ctx)
        if cmd_name.startswith("-"):
            return None
        if cmd_name not in names:
            raise click.UsageError(no_such_command(cmd_name, names), ctx)
        target = next(
            candidate.target
            for listed in COMMANDS.values()
            for candidate in listed
            if candidate.name == cmd_name
        )
        module, _, attribute = target.partition(":")
        command = getattr(import_module(f"reconciler.cli.{module}"), attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Print the table; no command is imported."""
        for section, listed in COMMANDS.items():
            with formatter.section(section):
                formatter.write_dl([(command.name, command.help) for command in listed], col_max=14)


@click.group(
    cls=Commands,
    name=PROGRAM,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    help="m3ter's billing integrations as code.",
    epilog="`--debug` shows the traceback of an unexpected error, without secrets.",
)
@click.version_option(__version__, prog_name=PROGRAM)
@repository
def commands() -> None:
    """Hold the table together."""


def main(
    argv: Sequence[str],
    environ: Mapping[str, str],
    *,
    stdin: TextIO | None = None,
    stdout: TextIO | None = None,
    stderr: TextIO | None = None,
    group: click.Group | None = None,
) -> int:
    """Run one command.

    Args:
        argv: The arguments, without the program's name.
        environ: The environment variables.
        stdin: Answers of a person; the process's own by default.
        stdout: Where results go; the process's own by default.
        stderr: Where everything else goes; the process's own by default.
        group: The commands; those of the table by default.

    Returns:
        The exit code.
    """
    app = App(Path(), environ, stdin or sys.stdin, stdout or sys.stdout, stderr or sys.stderr)
    arguments = [argument for argument in argv if argument != "--debug"]
    with redirect_stdout(app.stdout), redirect_stderr(app.stderr):
        return int(_run(group or commands, arguments, app, debug=len(arguments) < len(argv)))


def _run(group: click.Group, arguments: list[str], app: App, *, debug: bool) -> int:
    try:
        code = group.main(arguments, prog_name=PROGRAM, standalone_mode=False, obj=app)
        app.stdout.flush()
    except ReconcilerError as error:
        app.note(f"error: {_with_page(error)}")
        return error.exit_code
    except click.ClickException as error:
        return _usage(error, app)
    except (click.Abort, KeyboardInterrupt):
        app.note("interrupted")
        return ExitCode.INTERRUPTED
    except SystemExit:
        # click ends so when the reader of a pipe has gone away
        return ExitCode.UNEXPECTED
    except Exception as error:  # noqa: BLE001  the last line of defence: one line, no traceback
        return _unexpected(error, app, debug=debug)
    return code or ExitCode.DONE


def _with_page(error: ReconcilerError) -> str:
    from reconciler.kernel.runbook import with_page

    text = "\n".join((str(error), *getattr(error, "__notes__", ())))
    return with_page(text, error.exit_code, error.anchor)


def _usage(error: click.ClickException, app: App) -> ExitCode:
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        app.note(error.format_message())
        return ExitCode.INVALID
    context = getattr(error, "ctx", None)
    app.note(f"error: {error.format_message()}")
    if context is not None:
        app.note(f"`{context.command_path} --help` shows how it is used.")
    return ExitCode.INVALID


def _unexpected(error: Exception, app: App, *, debug: bool) -> ExitCode:
    from reconciler.cli.failure import one_line, traceback_text

    if debug:
        app.note(traceback_text(error, app.environ))
    app.note(f"error: unexpected {one_line(error, app.environ)}")
    if not debug:
        app.note("This is a defect of reconciler. `--debug` shows where; please report it.")
        app.note("See docs/runbook.md#exit-1.")
    return ExitCode.UNEXPECTED
