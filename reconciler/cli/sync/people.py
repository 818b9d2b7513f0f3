"""What people decide about pushes: retry, decide, pause, resume, enable."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from reconciler.cli import options
from reconciler.cli.desk import desk
from reconciler.cli.options import App
from reconciler.errors import ExitCode, ReconcilerError

if TYPE_CHECKING:
    from reconciler.sync.people.decisions import BillDecisions

reasoned = click.option("--reason", required=True, metavar="TEXT", help="Why; it is recorded.")


@click.command()
@options.repository
@options.environment
@click.argument("bills", metavar="[BILL]...", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Every bill that Chargebee refused.")
@options.pass_app
def retry(app: App, environment: str, bills: tuple[str, ...], *, every: bool) -> ExitCode:
    """Try bills again that Chargebee refused, that gave up, or that were skipped."""
    from reconciler.kernel.address import BillId

    if every == bool(bills):
        raise click.UsageError("name bills, or give --all; not both.")
    code = ExitCode.DONE
    with _decider(app, environment) as decider:
        for bill_id in tuple(decider.refused()) if every else map(BillId, bills):
            try:
                app.show(decider.retry(bill_id))
            except ReconcilerError as error:
                app.note(f"error: {error}")
                code = error.exit_code if len(bills) == 1 else ExitCode.PARTLY_DONE
    return code


@click.command()
@options.repository
@options.environment
@click.argument("bill", metavar="BILL")
@click.option("--sent", metavar="INVOICE", help="It was sent, as this invoice.")
@click.option("--not-sent", is_flag=True, help="Nothing of what is in doubt arrived.")
@click.option("--skip", is_flag=True, help="Never send it, also when it changes.")
@reasoned
@options.pass_app
def decide(
    app: App,
    environment: str,
    bill: str,
    *,
    sent: str | None,
    not_sent: bool,
    skip: bool,
    reason: str,
) -> None:
    """Say what becomes of a bill that only a person can bring on; retry takes --skip back."""
    from reconciler.kernel.address import BillId
    from reconciler.sync.model.push import InvoiceId

    if (sent is not None) + not_sent + skip != 1:
        raise click.UsageError("give one of --sent INVOICE, --not-sent and --skip.")
    with _decider(app, environment) as decider:
        if sent is not None:
            app.show(decider.sent_as(BillId(bill), InvoiceId(sent), reason))
        elif skip:
            app.show(decider.skip(BillId(bill), reason))
        else:
            app.show(decider.not_sent(BillId(bill), reason))


@click.command()
@options.repository
@options.environment
@reasoned
@options.pass_app
def pause(app: App, environment: str, *, reason: str) -> None:
    """Stop every write to the site, also of runs that are under way."""
    from reconciler.wiring.controls import controls

    with controls(desk(app, environment)) as held:
        held.pause(reason)
        app.show(
            f"Pushing to {held.site} is paused. What is in flight is finished and recorded.\n"
            f"To go on: reconciler sync resume --env {environment}"
        )


@click.command()
@options.repository
@options.environment
@options.pass_app
def resume(app: App, environment: str) -> None:
    """Let writes to the site go on."""
    from reconciler.wiring.controls import controls

    with controls(desk(app, environment)) as held:
        why = held.resume()
    if why is None:
        app.show(f"Pushing to {held.site} was not paused.")
        return
    app.show(f"Pushing to {held.site} goes on with the next run (it was paused by {why}).")


@click.command()
@options.repository
@options.environment
@click.argument("integration", metavar="NAME")
@options.pass_app
def enable(app: App, environment: str, integration: str) -> None:
    """Enable a push that disabled itself after ten failures in a row."""
    from reconciler.wiring.controls import controls

    with controls(desk(app, environment)) as held:
        why = held.enable(integration)
    if why is None:
        app.show(f"{integration} was not disabled.")
        return
    app.show(f"{integration} is enabled again (it was disabled: {why}).")


@contextmanager
def _decider(app: App, environment: str) -> Iterator[BillDecisions]:
    from reconciler.wiring.sync_desk import open_push

    with open_push(desk(app, environment)) as place:
        yield place.decider()
