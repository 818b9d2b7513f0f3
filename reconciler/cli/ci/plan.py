"""ci plan: the plan of a pull request, where its reviewers read it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli import options
from reconciler.cli.ci.job import judging, now, summarise
from reconciler.cli.desk import desk, system_clock
from reconciler.cli.options import App
from reconciler.cli.plan import caused
from reconciler.errors import ExitCode, ReconcilerError

if TYPE_CHECKING:
    from reconciler.review.ports import ReviewForge
    from reconciler.review.show.report import Report


@click.command()
@options.repository
@options.environment
@click.option("--pull-request", "number", type=int, metavar="N", help="The pull request's number.")
@click.option(
    "--against",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="A checkout of the base branch: say of each change whether it has it too.",
)
@click.option(
    "--html",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the whole report there.",
)
@options.pass_app
def plan(
    app: App, environment: str, number: int | None, against: Path | None, html: Path | None
) -> ExitCode:
    """Plan what is checked out, a pull request as merged, and post its status and comment."""
    from reconciler.review.failed import tell_failure
    from reconciler.review.show.comment import SUMMARY_BYTES_MAX, comment
    from reconciler.wiring.forge import open_forge, run_url

    with open_forge(app.settings, system_clock()) as forge:
        try:
            report = _report(app, environment, forge, number, against)
        except ReconcilerError as error:
            told = tell_failure(forge, number, environment, str(error), run_url(app.environ))
            summarise(app, told)
            raise
    summarise(app, comment(report, bytes_max=SUMMARY_BYTES_MAX).text)
    if html is not None:
        _write_page(report, html)
    return ExitCode.INVALID if report.plan.body.unplanned else ExitCode.DONE


def _report(
    app: App, environment: str, forge: ReviewForge, number: int | None, against: Path | None
) -> Report:
    """Plan, judge and post."""
    from reconciler.review.model.pull_request import Commit
    from reconciler.review.proposal import Proposal, merged_into_base
    from reconciler.wiring.desk import authorship
    from reconciler.wiring.forge import run_url

    commit = Commit(authorship(app.root, app.environ).commit)
    pull_request = None if number is None else merged_into_base(forge, number, commit)
    place = desk(app, environment)
    proposal = Proposal(judging(place, forge, app), commit, run_url(app.environ), now())
    planned = caused(place, against)
    if pull_request is None:
        return proposal.queued(planned)
    report, why = proposal.posted(planned, pull_request)
    if why:
        app.note(f"the comment could not be written; the status was. {why}")
    return report


def _write_page(report: Report, file: Path) -> None:
    """Write the page that is kept with the run; it shows the names that the comment may show."""
    from reconciler.plan.show.formats import plan_html
    from reconciler.wiring.desk import write_file

    shown = replace(report.plan, head=replace(report.plan.head, names=report.names))
    write_file("the report", file, plan_html(shown).encode())
