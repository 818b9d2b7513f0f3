"""The memory of pushes: `init` makes it, `backup` copies it, `rebuild` learns it after a loss."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli import options
from reconciler.cli.desk import desk
from reconciler.cli.options import App, Output
from reconciler.errors import ExitCode

if TYPE_CHECKING:
    from reconciler.sync.core.stamp_findings import Rebuilt
    from reconciler.wiring.desk import Desk


@click.group()
def ledger() -> None:
    """Create, back up or rebuild the memory of pushes."""


@ledger.command()
@options.repository
@options.environment
@options.pass_app
def init(app: App, environment: str) -> None:
    """Make the ledger before the first push; once for an environment."""
    from reconciler.wiring.ledger import init_ledger, where

    place = desk(app, environment)
    spec = place.effective.environment.spec
    ledger = init_ledger(place, spec)
    at = (
        f"at record {ledger.at.sequence}"
        if ledger.at.sequence
        else "with nothing recorded in it yet"
    )
    state = "is new" if ledger.new else f"was there already, {at}"
    app.show(f"Ledger {ledger.at.id} of `{environment}` in {where(place, spec)} {state}.")


@ledger.command()
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@options.repository
@options.environment
@options.pass_app
def backup(app: App, file: Path, environment: str) -> None:
    """Copy the ledger into a new FILE, whole and checked, also while a run pushes.

    A FILE that exists is never overwritten. It is for your backups; nobody but you may read it.
    """
    from reconciler.wiring.ledger import back_up_ledger

    place = desk(app, environment)
    identity = back_up_ledger(place, place.effective.environment.spec, file)
    app.show(
        f"Ledger {identity.id} of `{environment}`, at record {identity.sequence}, is in {file}."
    )


@ledger.command()
@options.repository
@options.environment
@click.option(
    "--since",
    required=True,
    type=options.DAY,
    metavar="YYYY-MM-DD",
    help="A day (UTC) before the first bill that the ledger may have lost.",
)
@options.formats("text", "json")
@options.pass_app
def rebuild(app: App, environment: str, since: datetime, formats: tuple[Output, ...]) -> ExitCode:
    """Learn from stamped invoices what a lost or restored ledger knew.

    Lists what they cannot say; nothing of it is sent until a person decides.
    """
    from reconciler.sync.show.rebuilt import rebuilt_json, rebuilt_text

    place = desk(app, environment)
    done = _rebuilt(place, since.replace(tzinfo=UTC))
    app.publish(formats, {"text": lambda: rebuilt_text(done), "json": lambda: rebuilt_json(done)})
    return ExitCode.PARTLY_DONE if done.undecided else ExitCode.DONE


def _rebuilt(place: Desk, since: datetime) -> Rebuilt:
    from reconciler.sync.run.rebuild_ledger import rebuild, stamp_fields
    from reconciler.wiring.chargebee import connect_site
    from reconciler.wiring.ledger import rebuilding_ledger, site_of

    view = place.effective
    site = site_of(place, view.environment.spec)
    with (
        rebuilding_ledger(place, view.environment.spec) as again,
        connect_site(site, place, stamps=stamp_fields(view)) as connected,
        place.organisation() as organisation,
    ):
        read, bills = connected.destination, organisation.bills
        done = rebuild(again.ledger, read, bills, view, since, progress=place.progress)
        again.accept(done.newest)
        return done
