"""What the commands of a job share."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.cli.desk import system_clock
from reconciler.cli.options import App

if TYPE_CHECKING:
    from reconciler.review.ports import ReviewForge
    from reconciler.review.proposal import Judging
    from reconciler.wiring.desk import Desk


def judging(place: Desk, forge: ReviewForge, app: App) -> Judging:
    """Say how plans of this environment are judged on this forge."""
    from reconciler.review.proposal import Judging
    from reconciler.wiring.forge import check_state, run_url, seal_keys

    check_state(app.environ, place.effective.project.spec)
    return Judging(
        forge,
        seal_keys(app.environ),
        place.effective,
        place.chain.head(place.environment),
        run_url(app.environ),
    )


def now() -> str:
    """Give the time, ISO 8601 in UTC."""
    moment = system_clock().now().astimezone(UTC)
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def summarise(app: App, text: str) -> None:
    """Show a text here and, in a job, on the page of its run."""
    app.show(text)
    file = app.environ.get("GITHUB_STEP_SUMMARY", "")
    if file:
        with Path(file).open("a", encoding="utf-8") as summary:
            summary.write(text + "\n")
