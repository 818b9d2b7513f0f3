"""What is seen of a cut-over, and what of it is remembered.

What can be seen is looked at anew each time; only what a person decided is remembered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from reconciler.cutover.core.owners import Owners, Way
from reconciler.definitions.kinds.integration import IntegrationSpec
from reconciler.sync.core.tally import Purse
from reconciler.sync.model.decision import Decision
from reconciler.sync.model.push import PushStatus

FINISHED = "finished"
HALF_WAY = frozenset(
    {
        PushStatus.STARTED,
        PushStatus.AWAITING_RETRY,
        PushStatus.RATE_LIMIT_RETRY,
        PushStatus.AUTH_FAILED,
        PushStatus.UNKNOWN,
        PushStatus.PARTIAL,
        PushStatus.ERROR,
        PushStatus.ACCOUNTING_PERIOD_CLOSED,
        PushStatus.TIMEOUT_LIMIT_EXCEEDED,
    }
)
"""Pushes that began and did not end: the other route must not start over them."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What can be seen of one integration.

    Attributes:
        applied: Its settings in the applied record; ``None`` when it is not there.
        connected: Whether its configuration in m3ter can send; ``None`` when it has none.
        enabled: Whether m3ter disabled it.
        others: Names of other connected Bill configurations for Chargebee.
        half_way: Pushes of it that began and did not end, by status.
        paused: Who paused the site; ``None`` when it is not.
        disabled: Why the push is disabled; ``None`` when it is not.
        place: ``file:line`` of the definition.
    """

    environment: str
    name: str
    to: Way
    start: date
    applied: IntegrationSpec | None
    connected: bool | None
    enabled: bool
    others: tuple[str, ...]
    half_way: Mapping[PushStatus, Purse]
    paused: str | None
    disabled: str | None
    place: str
    owners: Owners


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its name, what it makes sure of, whether it holds, and what to do when not."""

    name: str
    title: str
    done: bool
    todo: tuple[str, ...] = ()


def subject(name: str, to: Way, step: str = "") -> str:
    """Name a decision of a cut-over in the ledger."""
    return "/".join(one for one in ("cutover", name, to, step) if one)


def current(decisions: Sequence[Decision], name: str, to: Way) -> dict[str, str]:
    """Give what was decided in the cut-over that is under way, by step.

    Args:
        decisions: About all cut-overs of the integration, oldest first.
        name: The integration.
        to: The direction; deciding in one direction ends the other.
    """
    found: dict[str, str] = {}
    for one in decisions:
        if not one.subject.startswith(f"{subject(name, to)}/"):
            found = {}
            continue
        step = one.subject.rsplit("/", 1)[1]
        if step == "date" or (FINISHED in found and step != FINISHED):
            found = {}
        found[step] = one.what
    return found
