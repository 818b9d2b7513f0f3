"""What stands on a forge beside reviews: comments, statuses and issues of our own account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from reconciler.review.model.pull_request import Commit

StatusState = Literal["success", "pending", "failure"]


@dataclass(frozen=True, slots=True)
class Note:
    """A comment that our own account wrote; its text may have been changed by others since."""

    id: int
    text: str


@dataclass(frozen=True, slots=True)
class Status:
    """A status that our own account set on a commit.

    Attributes:
        context: Which of them, for example ``reconciler/production``.
        at: By the forge's clock, ISO 8601.
    """

    commit: Commit
    context: str
    state: StatusState
    text: str
    at: str


@dataclass(frozen=True, slots=True)
class Issue:
    """An open issue that our own account wrote."""

    number: int
    title: str
    text: str
    url: str
