"""Who holds an environment, and how a lock is taken away whose run has ended."""

from __future__ import annotations

import click

from reconciler.cli import options
from reconciler.cli.desk import desk
from reconciler.cli.options import App


@click.group()
def lock() -> None:
    """Show or take away the lock of an environment."""


@lock.command()
@options.repository
@options.environment
@options.pass_app
def show(app: App, environment: str) -> None:
    """Say who holds the lock, for what and since when."""
    from reconciler.wiring.state_work import lock_holder

    holder = lock_holder(desk(app, environment))
    app.show(f"`{environment}` is locked by {holder}." if holder else f"`{environment}` is free.")


@lock.command()
@options.repository
@options.environment
@click.option("--reason", required=True, metavar="TEXT", help="Why; it is recorded.")
@options.pass_app
def release(app: App, environment: str, reason: str) -> None:
    """Take a lock away whose run has ended without giving it back; it is recorded."""
    from reconciler.wiring.state_work import release_lock

    if not reason.strip():
        raise click.UsageError("--reason needs words: they are all that the next reader has.")
    app.show(f"Taken away from {release_lock(desk(app, environment), reason)}.")
