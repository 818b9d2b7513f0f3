"""The memory of what was applied, on a git remote: begin it, put it back, push what was kept."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli import options
from reconciler.cli.desk import desk
from reconciler.cli.options import App


@click.group()
def state() -> None:
    """Begin, restore, push, move or verify the memory of what was applied."""


@state.command()
@options.repository
@options.environment
@click.option("--lost", is_flag=True, help="Begin anew: the old chain cannot be found any more.")
@click.option("--reason", default="", metavar="TEXT", help="Why; required with --lost.")
@options.pass_app
def init(app: App, environment: str, *, lost: bool, reason: str) -> None:
    """Make the state of an environment before its first apply."""
    from reconciler.wiring.state_work import begin_state

    if lost != bool(reason.strip()):
        raise click.UsageError("--lost needs --reason TEXT, and --reason only goes with --lost.")
    record = begin_state(desk(app, environment), reason if lost else "")
    app.show(f"The state of `{environment}` begins with record {record.sequence}, {record.id:.12}.")
    if lost:
        app.note(
            "What was applied before is unknown: every difference is a conflict, and nothing that "
            "m3ter already has of the same kind is made a second time unasked. Run "
            f"`reconciler plan --env {environment}`."
        )


@state.command()
@options.repository
@options.environment
@click.option(
    "--from",
    "place",
    type=click.Path(exists=True, path_type=Path),
    metavar="CLONE|BUNDLE",
    help="Another clone, or a bundle that CI kept; the remote's witness by default.",
)
@options.pass_app
def restore(app: App, environment: str, place: Path | None) -> None:
    """Put a state back that was deleted or rewritten."""
    from reconciler.wiring.state_work import restore_state

    done = restore_state(desk(app, environment), place)
    stands = f"record {done.record.sequence} of {done.record.at} by {done.record.actor}"
    said = "stands again at" if done.changed else "stood already at"
    app.show(f"The state of `{environment}` {said} {stands} (commit {done.commit:.12}).")


@state.command()
@options.repository
@options.environment
@click.option("--drop", is_flag=True, help="Put a record aside that cannot be pushed any more.")
@options.pass_app
def push(app: App, environment: str, *, drop: bool) -> None:
    """Push a record that a run could not push after it had written to m3ter."""
    from reconciler.wiring.state_work import push_state

    commit = push_state(desk(app, environment), drop=drop)
    if not commit:
        app.show(f"Nothing of `{environment}` is kept here.")
    elif drop:
        app.show(f"Record {commit:.12} is put aside: refs/aside/{environment} in our repository.")
    else:
        app.show(f"Record {commit:.12} of `{environment}` is pushed.")


@state.command()
@options.repository
@options.environment
@click.option(
    "--to",
    "backend",
    type=click.Choice(["git-branch", "directory"]),
    required=True,
    help="Where the chain is copied to.",
)
@options.pass_app
def migrate(app: App, environment: str, backend: str) -> None:
    """Copy the whole chain to the other backend; it may be run again."""
    from reconciler.wiring.state_work import migrate_state

    done = migrate_state(desk(app, environment), backend)
    app.show(
        f"{done.copied:,} records of `{environment}` copied; all {done.records:,} read back with "
        "the ids they had.\nOnce every environment is copied, write into the Project:\n\n"
        f"  state: {{backend: {backend}}}"
    )


@state.command()
@options.repository
@options.environment
@options.pass_app
def verify(app: App, environment: str) -> None:
    """Prove every record, link and receipt of the chain."""
    from reconciler.wiring.state_work import verify_state

    done = verify_state(desk(app, environment))
    app.show(
        f"{done.records:,} records of `{environment}` are sound, the newest with "
        f"{done.bindings:,} bindings; branch and witness agree."
    )
    for sequence, commit in done.unknown:
        app.show(f"  record {sequence}: its source commit {commit[:12]} is nowhere any more")
