"""Commands that change m3ter, and those that show what would change: plan, show, apply, drift."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli import options
from reconciler.cli.desk import desk, stoppable
from reconciler.cli.options import App, Output
from reconciler.errors import ExitCode

if TYPE_CHECKING:
    from reconciler.m3ter.ports import Organisation
    from reconciler.plan.against import CausedPlan
    from reconciler.plan.apply import Consent
    from reconciler.plan.model.plan import Plan
    from reconciler.wiring.desk import Desk

FORMATS = ("text", "json", "markdown", "html")


@click.command()
@options.repository
@options.environment
@click.option(
    "-o",
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Save the plan, for review and for `reconciler apply FILE`.",
)
@click.option(
    "--exit-code",
    is_flag=True,
    help="Exit 0 when nothing is to do, 2 when git is ahead, 3 on drift, 4 on both.",
)
@click.option("--full", is_flag=True, help="Show unchanged fields and every mapping too.")
@click.option(
    "--against",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="A checkout of the base branch: say of each change whether it has it too.",
)
@options.formats(*FORMATS)
@options.pass_app
def plan(
    app: App,
    environment: str,
    out: Path | None,
    against: Path | None,
    *,
    exit_code: bool,
    full: bool,
    formats: tuple[Output, ...],
) -> ExitCode:
    """Show what apply would change in m3ter. Nothing is written there."""
    from reconciler.plan.make_plan import exit_code_of_plan
    from reconciler.wiring.desk import encode_plan, write_file

    held = caused(desk(app, environment), against)
    plan = held.plan
    if out is not None:
        write_file("the plan", out, encode_plan(plan))
    app.publish(formats, _renderers(plan, full=full, file=str(out) if out else None))
    if against is not None:
        from reconciler.plan.show.causes import causes_text

        app.note(causes_text(held))
    if plan.body.unplanned:
        return ExitCode.INVALID
    return exit_code_of_plan(plan) if exit_code else ExitCode.DONE


@click.command()
@click.argument("file", metavar="PLAN", type=click.Path(path_type=Path))
@click.option("--full", is_flag=True, help="Show unchanged fields and every mapping too.")
@options.formats(*FORMATS)
@options.pass_app
def show(app: App, file: Path, full: bool, formats: tuple[Output, ...]) -> None:
    """Print a saved plan."""
    plan = _saved(file)
    app.publish(formats, _renderers(plan, full=full, file=str(file)))


@click.command()
@options.repository
@options.environment
@click.option("--exit-code", is_flag=True, help="Exit 3 on drift, 4 when git moved too.")
@options.formats("text", "json")
@options.pass_app
def drift(app: App, environment: str, exit_code: bool, formats: tuple[Output, ...]) -> ExitCode:
    """Show what was changed outside git, by whom and when."""
    from reconciler.plan.make_plan import exit_code_of_plan
    from reconciler.plan.show.formats import plan_json
    from reconciler.plan.show.text import drift_text

    plan = _make(desk(app, environment))
    app.publish(formats, {"text": lambda: drift_text(plan), "json": lambda: plan_json(plan)})
    if plan.body.unplanned:
        return ExitCode.INVALID
    stand = exit_code_of_plan(plan)
    drifted = stand in {ExitCode.ONLY_DRIFT, ExitCode.BOTH_MOVED}
    return stand if exit_code and drifted else ExitCode.DONE


@click.command()
@options.repository
@click.argument("file", metavar="[PLAN]", required=False, type=click.Path(path_type=Path))
@click.option(
    "--env",
    "environment",
    metavar="NAME",
    help="Without a saved plan: plan this environment, ask, and apply.",
)
@click.option(
    "--approve",
    "approvals",
    multiple=True,
    metavar="GUARD@PLAN",
    help="Approve what one guard holds in this plan. May be repeated.",
)
@click.option(
    "--break-glass",
    is_flag=True,
    help="Approve without the review that it needs; recorded, and shown by status for 30 days.",
)
@click.option("--reason", default="", metavar="TEXT", help="Why; required with --break-glass.")
@click.option("--yes", is_flag=True, help="Answer the questions of unprotected environments.")
@options.pass_app
def apply(
    app: App,
    file: Path | None,
    environment: str | None,
    approvals: tuple[str, ...],
    *,
    break_glass: bool,
    reason: str,
    yes: bool,
) -> ExitCode:
    """Carry out a saved PLAN, or plan, ask and apply with --env."""
    if break_glass != bool(reason.strip()):
        raise click.UsageError("--break-glass and --reason TEXT go together.")
    if (file is None) == (environment is None):
        raise click.UsageError("give a saved plan, or --env NAME; not both.")
    saved = _saved(file) if file is not None else None
    place = desk(app, saved.body.environment if saved else str(environment))
    with place.organisation() as organisation:
        plan = saved or planned(place, organisation)
        if saved is None:
            app.show(_renderers(plan, full=False, file="")["text"]())
        consent = _consent(place, plan, approvals, saved=bool(saved), break_glass=reason.strip())
        return _apply(app, place, plan, organisation, consent, yes=yes)


def _apply(
    app: App,
    place: Desk,
    plan: Plan,
    organisation: Organisation,
    consent: Consent,
    *,
    yes: bool,
) -> ExitCode:
    from reconciler.plan.apply import ApplyPorts, apply
    from reconciler.plan.make_plan import is_empty
    from reconciler.plan.ports import RecordKeptError
    from reconciler.plan.show.receipt import exit_code_of_receipt, receipt_text

    if not (is_empty(plan) or yes):
        confirmed = _asked(app, plan)
        if confirmed is None:
            app.note("Nothing was written.")
            return ExitCode.NEEDS_APPROVAL
        yes = confirmed
    ports = ApplyPorts(
        organisation,
        place.chain,
        place.chain,
        place.clock,
        place.progress,
        place.source_commits,
    )
    with stoppable(app) as stopped:
        try:
            record = apply(plan, replace(consent, confirmed=yes), ports, stopped)
        except RecordKeptError as kept:
            app.show(receipt_text(kept.record))
            raise
    app.show(receipt_text(record))
    assert record.receipt is not None
    return exit_code_of_receipt(record.receipt)


def _asked(app: App, plan: Plan) -> bool | None:
    """Ask on a terminal; without one a plan goes on unconfirmed, and guards may still hold it."""
    if not app.interactive:
        return False
    return True if app.ask(f"Apply plan {plan.id:.12} to {plan.body.environment}?") else None


def _consent(
    place: Desk, plan: Plan, approvals: tuple[str, ...], *, saved: bool, break_glass: str
) -> Consent:
    from reconciler.plan.consent import consent

    return consent(
        plan,
        approvals,
        effective=place.effective,
        head=place.chain.head(place.environment),
        actor=place.authorship.actor,
        now=place.clock.now(),
        saved=saved,
        break_glass=break_glass,
    )


def _make(place: Desk) -> Plan:
    with place.organisation() as organisation:
        return planned(place, organisation)


def caused(place: Desk, against: Path | None) -> CausedPlan:
    """Plan what is checked out, beside the base branch where there is a checkout of it."""
    from reconciler.plan.against import CausedPlan, plan_against
    from reconciler.plan.model.cause import Causes
    from reconciler.plan.names import with_people

    if against is None:
        return CausedPlan(_make(place), Causes())
    with place.organisation() as organisation:
        caused_plan = plan_against(
            place.effective,
            place.base(against),
            place.chain.head(place.environment),
            place.made_from,
            place.plan_ports(organisation),
        )
        return replace(caused_plan, plan=with_people(caused_plan.plan, organisation.people))


def planned(place: Desk, organisation: Organisation) -> Plan:
    """Plan what is checked out, with the names of everyone who changed something."""
    from reconciler.plan.make_plan import plan
    from reconciler.plan.names import with_people

    head = place.chain.head(place.environment)
    new_plan = plan(place.effective, head, place.made_from, place.plan_ports(organisation))
    return with_people(new_plan, organisation.people)


def _saved(file: Path) -> Plan:
    from reconciler.wiring.desk import decode_plan, read_file

    return decode_plan(read_file("the plan", file), str(file))


def _renderers(plan: Plan, *, full: bool, file: str | None) -> Mapping[str, Callable[[], str]]:
    from reconciler.plan.show.formats import plan_html, plan_json, plan_markdown
    from reconciler.plan.show.text import plan_text

    return {
        "text": lambda: plan_text(plan, full=full, file=file),
        "json": lambda: plan_json(plan),
        "markdown": lambda: plan_markdown(plan, full=full),
        "html": lambda: plan_html(plan, full=full),
    }
