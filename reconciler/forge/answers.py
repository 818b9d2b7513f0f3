"""What both forges answer alike: issues, and how a status stands."""

from __future__ import annotations

from reconciler.forge.fields import moment, number, text
from reconciler.kernel.value import JsonValue
from reconciler.review.model.forge import Issue, Status
from reconciler.review.model.pull_request import Commit


def issue_of(found: JsonValue) -> Issue:
    """Read an issue."""
    return Issue(
        number(found, "number"), text(found, "title"), text(found, "body"), text(found, "html_url")
    )


def status_of(commit: Commit, found: JsonValue, state: str) -> Status:
    """Read a status.

    Args:
        commit: What it stands on.
        found: The answer.
        state: The field's name; whatever it says that we do not know is a failure.
    """
    said = text(found, state)
    return Status(
        commit,
        text(found, "context"),
        "success" if said == "success" else "pending" if said == "pending" else "failure",
        text(found, "description"),
        moment(found, "created_at"),
    )
