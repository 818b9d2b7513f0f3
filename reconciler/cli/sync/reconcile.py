"""What finance and on-call read of pushes: sync reconcile, explain and cutover."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Literal

import click

from reconciler.cli import options
from reconciler.cli.desk import desk
from reconciler.cli.options import App, Output, UnwritableOutputError
from reconciler.errors import ExitCode

if TYPE_CHECKING:
    from reconciler.reconcile.core.month import Question
    from reconciler.wiring.reading import ReadingDesk

Pieces = Callable[[], Iterator[str]]


@click.command()
@options.repository
@options.environment
@click.option(
    "--period", metavar="YYYY-MM", help="The month; by default the last one that is over."
)
@click.option("--integration", metavar="NAME", help="Only the bills of this integration.")
@click.option(
    "--tolerance",
    "tolerances",
    multiple=True,
    metavar="CUR:AMOUNT",
    help="Let differences up to this pass, instead of push.tolerance. May be repeated.",
)
@click.option("--complete", is_flag=True, help="Exit 17 also while a bill is not sent yet.")
@click.option("--notify", is_flag=True, help="Tell whoever subscribed to `overdue`, too.")
@options.formats("text", "csv", "json", "markdown")
@options.pass_app
def reconcile(
    app: App,
    environment: str,
    *,
    period: str | None,
    integration: str | None,
    tolerances: tuple[str, ...],
    complete: bool,
    notify: bool,
    formats: tuple[Output, ...],
) -> ExitCode:
    """Compare m3ter's bills, the ledger and Chargebee's invoices, line by line before tax.

    What m3ter bills is sent, not sent for a reason that is listed, or unexplained. Exit 17 when
    something unexplained is outside the tolerance. Nothing is written anywhere.
    """
    from reconciler.reconcile.reconcile import reconcile as workflow
    from reconciler.reconcile.show.rows import RowSpool, csv_pieces, json_pieces
    from reconciler.reconcile.show.text import reconcile_markdown, reconcile_text
    from reconciler.wiring.reading import open_reading

    place = desk(app, environment)
    question = _question(place.clock.now().date(), period, integration, tolerances)
    question = replace(question, complete=complete)
    with TemporaryFile("w+", encoding="utf-8", newline="\n") as file:
        spool = RowSpool(file)
        with open_reading(place) as reading:
            _refuse_unknown(integration, reading)
            reconciled = workflow(question, reading.reconcile, spool.hear)
            if notify:
                _tell_overdue(app, reading, environment)
        _publish(
            app,
            formats,
            {
                "text": lambda: iter([reconcile_text(reconciled)]),
                "markdown": lambda: iter([reconcile_markdown(reconciled)]),
                "csv": lambda: csv_pieces(spool.rows()),
                "json": lambda: json_pieces(reconciled, spool.rows()),
            },
        )
    return reconciled.exit_code


@click.command()
@options.repository
@options.environment
@click.argument("bill", metavar="BILL")
@click.option(
    "--line", type=click.IntRange(min=1), metavar="N", help="Only this line of the bill, from 1."
)
@click.option(
    "--estimate", is_flag=True, help="Ask Chargebee what it would make of it; nothing is written."
)
@options.pass_app
def explain(app: App, bill: str, environment: str, line: int | None, *, estimate: bool) -> None:
    """Show how one bill became its invoice, or why it did not. Nothing is written anywhere."""
    from reconciler.kernel.address import BillId
    from reconciler.reconcile.explain import estimate_bill
    from reconciler.reconcile.explain import explain as workflow
    from reconciler.reconcile.show.explain_text import explain_text
    from reconciler.wiring.reading import open_reading

    with open_reading(desk(app, environment)) as reading:
        explanation = workflow(BillId(bill), reading.explain, line)
        if estimate:
            explanation = replace(
                explanation, estimate=estimate_bill(explanation, reading.explain.destination)
            )
    app.show(explain_text(explanation, line))


@click.command()
@options.repository
@options.environment
@click.option("--integration", required=True, metavar="NAME", help="The integration.")
@click.option(
    "--to",
    "way",
    required=True,
    type=click.Choice(["push", "native"]),
    help="push: this tool sends the bills. native: m3ter sends them.",
)
@click.option(
    "--from",
    "start",
    type=options.DAY,
    metavar="YYYY-MM-DD",
    help="The new route sends bills whose period ends on or after it. Remembered.",
)
@click.option("--confirm", default="", metavar="WORD", help="Confirm the step to do now.")
@options.pass_app
def cutover(
    app: App,
    environment: str,
    *,
    integration: str,
    way: Literal["push", "native"],
    start: datetime | None,
    confirm: str,
) -> ExitCode:
    """Change between m3ter's own sending and ours, one step at a time; run it after each step.

    Lists the owner of every open bill. Writes nothing to m3ter or Chargebee.
    """
    from reconciler.cutover.cutover import cutover as workflow
    from reconciler.cutover.text import cutover_text, owned_text
    from reconciler.cutover.world import Order
    from reconciler.wiring.reading import open_cutover

    place = desk(app, environment)
    day = start.date() if start else None
    order = Order(integration, way, day, confirm, place.authorship.actor)
    head = place.chain.head(environment)
    with open_cutover(place) as ports:
        stand = workflow(
            order, place.effective, head, ports, lambda bill: app.show(owned_text(bill))
        )
    app.show("\n" + cutover_text(stand.facts, stand.steps))
    return ExitCode.DONE if stand.now is None else ExitCode.NEEDS_APPROVAL


def _question(
    today: date, period: str | None, integration: str | None, tolerances: tuple[str, ...]
) -> Question:
    from reconciler.reconcile.core.month import Question
    from reconciler.sync.core.billing_month import BillingMonth

    month = BillingMonth.parse(period) if period else BillingMonth.before(today)
    return Question(month, integration, dict(map(_tolerance, tolerances)))


def _tolerance(text: str) -> tuple[str, Decimal]:
    currency, colon, limit = text.partition(":")
    plain = limit.replace(".", "", 1)
    if not colon or not currency.isalpha() or not (plain.isascii() and plain.isdigit()):
        message = f"--tolerance {text!r} is not of the form CUR:AMOUNT, for example GBP:0.05."
        raise click.UsageError(message)
    return currency.upper(), Decimal(limit)


def _refuse_unknown(integration: str | None, reading: ReadingDesk) -> None:
    """A name that nothing ever had would reconcile nothing, and look as if all were well."""
    if integration is not None and not reading.knows(integration):
        known = ", ".join(reading.integrations)
        raise click.UsageError(
            f"no push integration `{integration}` is in force; there is {known}."
        )


def _tell_overdue(app: App, reading: ReadingDesk, environment: str) -> None:
    from reconciler.sync.run.summary import notify_overdue
    from reconciler.sync.show.summary import push_status_lines

    standing = reading.standing()
    text = "\n".join(push_status_lines(standing, environment))
    if notify_overdue(standing, reading.notifier, text):
        app.note("told whoever subscribed to `overdue`")


def _publish(app: App, outputs: tuple[Output, ...], renderers: Mapping[str, Pieces]) -> None:
    """Write every wanted format piece by piece, files first."""
    for output in sorted(outputs, key=lambda out: out.file is None):
        pieces = renderers[output.format]()
        if output.file is None:
            for piece in pieces:
                app.stdout.write(piece)
        else:
            _write(output.file, pieces)


def _write(file: Path, pieces: Iterator[str]) -> None:
    try:
        with file.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as opened:
            opened.writelines(pieces)
    except OSError as error:
        raise UnwritableOutputError(file, error.strerror or str(error)) from None
