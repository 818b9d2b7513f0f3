"""ci drift and ci review: what schedules and reviews start."""

from __future__ import annotations

import click

from reconciler.cli import options
from reconciler.cli.ci.job import judging
from reconciler.cli.desk import desk, system_clock
from reconciler.cli.options import App
from reconciler.cli.plan import planned
from reconciler.errors import ExitCode


@click.command()
@options.repository
@options.environment
@options.pass_app
def drift(app: App, environment: str) -> ExitCode:
    """Keep one issue about what was changed outside git: open it, update it, close it.

    A URL in RECONCILER_HEARTBEAT is called at every end, also when there is no drift: a schedule
    that stopped is silent.
    """
    from reconciler.kernel.text import counted
    from reconciler.review.drift_issue import report_drift
    from reconciler.wiring.forge import heartbeat, open_forge
    from reconciler.wiring.sync_desk import notifier

    place = desk(app, environment)
    with open_forge(app.settings, place.clock) as forge, place.organisation() as organisation:
        rules = judging(place, forge, app)
        count = report_drift(planned(place, organisation), rules)
    told = f"{environment}: {counted(count, 'difference', 'differences')} made outside git"
    if count:
        notices = notifier(place.effective.environment.spec, app.settings, place)
        notices.notify("drift", told, told)
    heartbeat(app.settings, place.clock)
    app.show(told)
    return ExitCode.DONE


@click.command()
@click.option("--pull-request", "number", type=int, metavar="N", required=True, help="Its number.")
@click.option("--workflow", default="plan.yml", show_default=True, help="What is started.")
@click.option("--branch", default="main", show_default=True, help="Whose workflow it is.")
@options.pass_app
def review(app: App, number: int, workflow: str, branch: str) -> None:
    """Start the plan of a pull request again, so that status and comment follow its reviews."""
    from reconciler.wiring.forge import open_forge

    with open_forge(app.settings, system_clock()) as forge:
        forge.dispatch(workflow, branch, {"pull-request": str(number)})
    app.show(f"started {workflow} for pull request {number}")
