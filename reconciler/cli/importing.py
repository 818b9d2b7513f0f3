"""Commands about what is live: import, discover, adopt, accept-live, keep-git."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.cli import options
from reconciler.cli.desk import desk
from reconciler.cli.options import App
from reconciler.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.definitions.model import Effective
    from reconciler.dialect.core.published import IllegalName
    from reconciler.importing.core.edits import Accepted
    from reconciler.importing.core.move_base import SignedBy
    from reconciler.importing.import_live import Import
    from reconciler.kernel.problem import Origin
    from reconciler.m3ter.ports import Organisation
    from reconciler.plan.compare import EnvironmentComparison
    from reconciler.plan.model.applied import AppliedRecord
    from reconciler.wiring.desk import Desk


@click.command()
@options.repository
@options.environment
@options.pass_app
def discover(app: App, environment: str) -> ExitCode:
    """Ask m3ter for its wire names and write the dialect.

    Nothing is written to m3ter. Exit 10 when it publishes nothing to write.
    """
    from reconciler.dialect.discover import dialect_edits, proposals
    from reconciler.dialect.show import discover_text

    place = desk(app, environment)
    with place.organisation() as organisation:
        found = proposals(place.effective, organisation.integrations, place.clock)
        illegal = _illegal(place.effective, organisation)
    definitions = place.source.load().definitions
    written, edits = dialect_edits(environment, found, definitions)
    place.edit(edits)
    known = illegal is not None
    app.show(discover_text(environment, written, illegal or (), tables_known=known))
    return (
        ExitCode.INVALID if any(dialect.outcome == "none" for dialect in written) else ExitCode.DONE
    )


@click.command("import")
@options.repository
@options.environment
@click.option(
    "--integration",
    "wanted",
    multiple=True,
    metavar="NAME|ID",
    help="Only this one. May be repeated; without it all are imported.",
)
@click.option(
    "--out",
    "folder",
    default="integrations.d",
    show_default=True,
    metavar="DIR",
    help="Where new files go; inside integrations.d.",
)
@options.pass_app
def import_(app: App, environment: str, wanted: tuple[str, ...], folder: str) -> None:
    """Write what is live in m3ter as definitions.

    What git has already is edited in place, comments and order kept. Nothing is sent to m3ter.
    """
    from reconciler.definitions.core.placement import environment_names
    from reconciler.dialect.discover import dialect_edits, with_dialects
    from reconciler.importing import import_live as workflow
    from reconciler.importing.import_valid import import_valid
    from reconciler.importing.show.imported import import_text

    folder = _inside(folder)
    place = desk(app, environment)
    definitions = place.source.load().definitions
    with place.organisation() as organisation:
        live = workflow.chosen(
            organisation.integrations.list(), wanted, _bound_ids(place, environment)
        )
        proposals = workflow.missing_dialects(place.effective, organisation, place.clock, live)
        dialects, edits = dialect_edits(environment, proposals, definitions)
        compared = _compared(place, organisation, with_dialects(place.effective, proposals))
        signature = _signature(place, "import")

        def make(refused: Mapping[str, str]) -> Import:
            wish = workflow.Wish(live, not wanted, folder, refused)
            return workflow.import_live(compared, definitions, organisation, wish, signature)

        done = import_valid(make, lambda imported: place.problems_after((*edits, *imported)))
        names = _names(compared, organisation)
    place.edit((*edits, *done.edits))
    _append(place, done.record)
    others = [name for name in environment_names(definitions) if name != environment]
    app.show(import_text(environment, done.report, dialects, names, others=others))


@click.command("accept-live")
@options.repository
@options.environment
@click.argument("subject", metavar="ADDRESS[#FIELD]")
@options.pass_app
def accept_live(app: App, environment: str, subject: str) -> None:
    """Write a live value into git; without a field, every one that m3ter moved.

    Only the environment changes: where others share the value, it goes into a patch. Comments
    stay. Nothing is sent to m3ter.
    """
    from reconciler.definitions.core.placement import environment_names
    from reconciler.importing import accept_live as workflow
    from reconciler.importing.core.edits import parse_field_address
    from reconciler.importing.show.decisions import accepted_text

    aim = parse_field_address(subject)
    place = desk(app, environment)
    definitions = place.source.load().definitions
    with place.organisation() as organisation:
        compared = _compared(place, organisation)
        signature = _signature(place, "accept-live")
        decision = workflow.accept_live(compared, definitions, organisation, aim, signature)
        names = _names(compared, organisation)
    after = place.edit(decision.edits)
    _append(place, decision.record)
    others = [name for name in environment_names(definitions) if name != environment]
    origins = [_origin(after, field) for field in decision.fields]
    app.show(accepted_text(environment, decision.fields, origins, names, others=others))


@click.command("keep-git")
@options.repository
@options.environment
@click.argument("subject", metavar="ADDRESS[#FIELD]")
@options.pass_app
def keep_git(app: App, environment: str, subject: str) -> None:
    """Decide a conflict or drift for the value in git.

    The decision is recorded; the next apply writes git's value. Nothing is sent to m3ter now.
    """
    from reconciler.importing.accept_live import keep
    from reconciler.importing.core.edits import parse_field_address
    from reconciler.importing.show.decisions import kept_text

    aim = parse_field_address(subject)
    place = desk(app, environment)
    with place.organisation() as organisation:
        compared = _compared(place, organisation)
        decision = keep(compared, aim, _signature(place, "keep-git"))
        names = _names(compared, organisation)
    _append(place, decision.record)
    app.show(kept_text(environment, decision.fields, names))


@click.command()
@options.repository
@options.environment
@click.argument("subject", metavar="ADDRESS")
@click.option("--id", "identity", default="", help="The live object, when it bears another name.")
@options.pass_app
def adopt(app: App, environment: str, subject: str, identity: str) -> None:
    """Take a live object over under a name from git.

    The binding is recorded; what differs is shown and waits for a decision. Nothing is sent to
    m3ter. `mapping/SET` stands for every row of a set.
    """
    from reconciler.importing.adopt import adopt as take_over
    from reconciler.importing.core.edits import parse_field_address
    from reconciler.importing.show.decisions import adopted_text
    from reconciler.plan.make_plan import fingerprint

    aim = parse_field_address(subject)
    place = desk(app, environment)
    with place.organisation() as organisation:
        compared = _compared(place, organisation)
        adoption = take_over(
            compared,
            aim.address,
            identity,
            fingerprint(place.effective),
            _signature(place, "adopt"),
        )
        names = _names(compared, organisation)
    _append(place, adoption.record)
    app.show(adopted_text(environment, adoption.objects, names))


def _compared(
    place: Desk, organisation: Organisation, effective: Effective | None = None
) -> EnvironmentComparison:
    from reconciler.plan.compare import compare

    head = place.chain.head(place.environment)
    view = effective or place.effective
    return compare(view, head, organisation, place.progress, adoption="by-name")


def _inside(folder: str) -> str:
    """Refuse a folder that is not read as definitions."""
    from pathlib import PurePosixPath

    parts = PurePosixPath(folder).parts
    if parts[:1] != ("integrations.d",) or ".." in parts:
        message = f"{folder!r} is not inside integrations.d, so nobody would read it."
        raise click.BadParameter(message, param_hint="--out")
    return "/".join(parts)


def _bound_ids(place: Desk, environment: str) -> dict[str, str]:
    """Give the live ids of integrations by their name in git."""
    head = place.chain.head(environment)
    bindings = head.bindings if head else ()
    return {
        binding.address.name: binding.id
        for binding in bindings
        if binding.address.kind == "integration"
    }


def _signature(place: Desk, action: str) -> SignedBy:
    from reconciler.importing.core.move_base import SignedBy
    from reconciler.kernel.times import written_time

    return SignedBy(place.authorship.actor, written_time(place.clock.now()), action)


def _append(place: Desk, record: AppliedRecord | None) -> None:
    if record is not None:
        with place.chain.hold(place.environment, f"reconciler {record.action}"):
            place.chain.append(record)


def _names(compared: EnvironmentComparison, organisation: Organisation) -> Mapping[str, str]:
    from reconciler.importing.naming import shown_names

    return shown_names(compared, organisation)


def _origin(effective: Effective, field: Accepted) -> Origin | None:
    from reconciler.importing.naming import origin_of

    return None if field.after is None else origin_of(effective, field.address, field.path)


def _illegal(effective: Effective, organisation: Organisation) -> tuple[IllegalName, ...] | None:
    """Check the names in mapping sets; ``None`` when the organisation does not publish any."""
    from reconciler.dialect.core.published import illegal_names
    from reconciler.m3ter.ports import NotFoundError

    if not effective.mapping_sets:
        return ()
    try:
        return illegal_names(organisation.mappings.configuration(), effective.mapping_sets)
    except NotFoundError:
        return None
