"""ci apply: what was merged goes to m3ter with the approvals that its pull requests have."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from reconciler.cli import options
from reconciler.cli.ci.job import judging, now, summarise
from reconciler.cli.desk import desk, stoppable
from reconciler.cli.options import App
from reconciler.cli.plan import planned
from reconciler.errors import ExitCode

if TYPE_CHECKING:
    from reconciler.m3ter.ports import Organisation
    from reconciler.plan.model.applied import AppliedRecord
    from reconciler.plan.model.plan import Plan
    from reconciler.review.core.judge import Judged
    from reconciler.wiring.desk import Desk


@click.command()
@options.repository
@options.environment
@click.option(
    "--branch", default="main", metavar="NAME", show_default=True, help="The branch to apply."
)
@options.pass_app
def apply(app: App, environment: str, branch: str) -> ExitCode:
    """Apply the newest commit of a branch, if everything that needs someone is approved.

    Exit 13 when something is not: its pull requests and one issue say what, and nothing is written.
    """
    from reconciler.plan.show.receipt import exit_code_of_receipt, receipt_text
    from reconciler.review.merged import Merged
    from reconciler.review.model.pull_request import Commit
    from reconciler.wiring.forge import open_forge

    place = desk(app, environment)
    with open_forge(app.settings, place.clock) as forge, place.organisation() as organisation:
        rules = judging(place, forge, app)
        merged = Merged(rules, branch, Commit(place.authorship.commit), now())
        merged.check_newest()
        plan = planned(place, organisation)
        judged = merged.judge(plan, merged.collect())
        record = _carry_out(app, place, organisation, plan, judged)
        assert record.receipt is not None
        ended = exit_code_of_receipt(record.receipt)
        if ended is ExitCode.DONE:
            merged.settled(record)
    summarise(app, receipt_text(record))
    return ended


def _carry_out(
    app: App, place: Desk, organisation: Organisation, plan: Plan, judged: Judged
) -> AppliedRecord:
    from reconciler.plan.apply import ApplyPorts, apply
    from reconciler.plan.consent import consent

    given = consent(
        plan,
        (),
        effective=place.effective,
        head=place.chain.head(place.environment),
        actor=place.authorship.actor,
        now=place.clock.now(),
        saved=True,
    )
    agreed = replace(given, approvals=(*judged.approvals, *given.approvals), confirmed=True)
    ports = ApplyPorts(organisation, place.chain, place.chain, place.clock, place.progress)
    with stoppable(app) as stopped:
        return apply(plan, agreed, ports, stopped)
