"""sync close: give the invoices that were left open their number."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.cli import options
from reconciler.cli.desk import desk, stoppable
from reconciler.cli.options import App, Output
from reconciler.errors import ExitCode

if TYPE_CHECKING:
    from reconciler.sync.run.close_bills import CloseOrder
    from reconciler.wiring.sync_desk import PushDesk


@click.command()
@options.repository
@options.environment
@click.argument("bills", metavar="[BILL]...", nargs=-1)
@click.option("--period", metavar="YYYY-MM", help="Every open invoice of bills of this month.")
@click.option("--all", "every", is_flag=True, help="Every open invoice of ours.")
@click.option("--integration", "integrations", multiple=True, metavar="NAME", help="Only these.")
@click.option("--account", "accounts", multiple=True, metavar="CODE", help="Only these.")
@click.option(
    "--with-foreign-lines",
    is_flag=True,
    help="Close also what holds lines that this tool did not send; they are billed with it.",
)
@click.option(
    "--approve", type=click.Choice(["freeze"]), help="Close inside a freeze window all the same."
)
@options.formats("text", "json")
@options.pass_app
def close(
    app: App,
    /,
    environment: str,
    *,
    bills: tuple[str, ...],
    period: str | None,
    every: bool,
    integrations: tuple[str, ...],
    accounts: tuple[str, ...],
    with_foreign_lines: bool,
    approve: str | None,
    formats: tuple[Output, ...],
) -> ExitCode:
    """Close invoices that `push.open: true` left open, once they are as they were sent.

    Closing gives the invoice its number and lets Chargebee collect it. It cannot be taken back.
    """
    from reconciler.sync.judge.run_filter import RunFilter
    from reconciler.sync.push.limits import RunLimits
    from reconciler.sync.run.close_bills import Closer
    from reconciler.sync.show.closed import close_json, close_text
    from reconciler.wiring.sync_desk import open_push

    if bool(bills) + bool(period) + every != 1:
        raise click.UsageError(
            "name bills, or give --period YYYY-MM, or --all; one of the three. Nothing was closed."
        )
    if bills and (integrations or accounts):
        raise click.UsageError("--integration and --account narrow --period and --all, not bills.")
    with open_push(desk(app, environment)) as place, stoppable(app) as stopped:
        order = _order(place, bills, period, integrations, accounts, foreign=with_foreign_lines)
        place.refuse_held(order.integrations, thawed=approve == "freeze")
        pusher = place.pusher(RunFilter(), RunLimits(), stopped)
        ports = place.ports
        result = Closer(pusher, order).run(ports.workers, ports.progress)
    app.publish(formats, {"text": lambda: close_text(result), "json": lambda: close_json(result)})
    return result.exit_code


def _order(
    place: PushDesk,
    bills: tuple[str, ...],
    period: str | None,
    integrations: tuple[str, ...],
    accounts: tuple[str, ...],
    *,
    foreign: bool,
) -> CloseOrder:
    from reconciler.sync.core.billing_month import BillingMonth
    from reconciler.sync.run.close_bills import CloseOrder

    return CloseOrder(
        bills=tuple(sorted(place.bills(bills))),
        month=BillingMonth.parse(period) if period else None,
        integrations=place.named(integrations),
        accounts=place.accounts(accounts),
        with_foreign_lines=foreign,
    )
