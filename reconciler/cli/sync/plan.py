"""sync plan: what would be sent, and why everything else would not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli import options
from reconciler.cli.desk import push_desk
from reconciler.cli.options import App, Output
from reconciler.cli.sync.flags import narrow_of, narrowing
from reconciler.errors import ExitCode, InvalidError

if TYPE_CHECKING:
    from reconciler.sync.model.standing import BillStanding


class UnwritableListError(InvalidError):
    """The file that ``--list`` names cannot be opened."""

    def __init__(self, file: Path, reason: str) -> None:
        super().__init__(
            f"cannot write the list of bills to {file}: {reason}.\n"
            "No bill was looked at, and nothing was sent. Name a file in a folder that exists."
        )


@click.command()
@options.repository
@options.environment
@narrowing
@click.option(
    "--from-files", is_flag=True, help="Obey the files, not what was applied. Only prints."
)
@click.option(
    "--list",
    "listing",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    metavar="FILE",
    help="Write every bill with its reason into a CSV file, however many there are.",
)
@options.formats("text", "json")
@options.pass_app
def plan(
    app: App,
    /,
    environment: str,
    *,
    from_files: bool,
    listing: Path | None,
    formats: tuple[Output, ...],
    **flags: object,
) -> ExitCode:
    """Show what would be sent. Nothing is written, neither to m3ter nor to Chargebee nor here."""
    from reconciler.sync.run.plan import plan_sync
    from reconciler.sync.show.data import sync_plan_json
    from reconciler.sync.show.text import sync_plan_text

    with push_desk(app, environment, reading=True, from_files=from_files) as place:
        judge = place.judge(narrow_of(place, flags))
        with _listing(listing) as hear:
            plan = plan_sync(judge, place.organisation.bills, place.desk.progress, hear)
    app.publish(
        formats, {"text": lambda: sync_plan_text(plan), "json": lambda: sync_plan_json(plan)}
    )
    return ExitCode.DONE


@contextmanager
def _listing(file: Path | None) -> Iterator[Callable[[BillStanding], None]]:
    """Open the list of bills; without a file nobody hears of them."""
    from reconciler.sync.show.data import BillList

    if file is None:
        yield lambda _: None
        return
    try:
        stream = file.open("w", encoding="utf-8", newline="")
    except OSError as error:
        raise UnwritableListError(file, error.strerror or str(error)) from None
    with stream:
        yield BillList(stream).add
