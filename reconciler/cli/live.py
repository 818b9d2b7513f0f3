"""Commands about what is live: import, discover, adopt, accept-live, keep-git."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.cli import options
from reconciler.cli.desk import desk
from reconciler.cli.options import App
from reconciler.errors import ExitCode

if TYPE_CHECKING:
    from reconciler.core.legal_mappings import IllegalName
    from reconciler.domain.definitions import Effective
    from reconciler.ports.organisation import Organisation


@click.command()
@options.repository
@options.environment
@options.pass_app
def discover(app: App, environment: str) -> ExitCode:
    """Ask m3ter for its wire names and write the dialect.

    Nothing is written to m3ter. Exit 10 when it publishes nothing to write.
    """
    from reconciler.render.discover_text import discover_text
    from reconciler.workflows.dialects import proposals, write_dialects

    place = desk(app, environment)
    with place.organisation() as organisation:
        found = proposals(place.effective, organisation.integrations, place.clock)
        illegal = _illegal(place.effective, organisation)
    definitions = place.source.load().definitions
    written = write_dialects(environment, found, definitions, place.editor)
    known = illegal is not None
    app.show(discover_text(environment, written, illegal or (), tables_known=known))
    return ExitCode.INVALID if any(one.outcome == "none" for one in written) else ExitCode.DONE


def _illegal(effective: Effective, organisation: Organisation) -> tuple[IllegalName, ...] | None:
    """Check the names in mapping sets; ``None`` when the organisation does not publish any."""
    from reconciler.core.legal_mappings import illegal_names
    from reconciler.ports.organisation import NotFoundError

    if not effective.mapping_sets:
        return ()
    try:
        return illegal_names(organisation.mappings.configuration(), effective.mapping_sets)
    except NotFoundError:
        return None
