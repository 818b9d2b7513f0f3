"""What a cut-over is asked for, what it works with, and why it is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from reconciler.cutover.core.facts import CutoverFacts, CutoverStep, OwnedBill, Way
from reconciler.errors import InvalidError, StaleError
from reconciler.kernel.ports import Clock, Progress
from reconciler.kernel.runbook import Page, page
from reconciler.m3ter.ports import Organisation
from reconciler.sync.model.push import SiteName
from reconciler.sync.ports.ledger import Ledger, PushHistory

Hear = Callable[[OwnedBill], None]


class NotInForceError(InvalidError):
    """The applied record has no Chargebee integration of that name."""

    def __init__(self, name: str, environment: str) -> None:
        super().__init__(
            f"what was applied to `{environment}` has no Chargebee integration `{name}`.\n"
            "Nothing was changed. Check the name, or apply the definition first."
        )


class NoDateError(InvalidError):
    """A cut-over needs the date from which the new route sends."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"the cut-over of `{name}` has no date yet. Nothing was changed.\n"
            "Give --from YYYY-MM-DD: the new route sends bills whose period ends on or after it."
        )


class WrongConfirmationError(StaleError):
    """What was confirmed is not what stands there now."""

    def __init__(self, given: str, wanted: str, step: str) -> None:
        super().__init__(
            f"`--confirm {given}` is not what step `{step}` asks for now: that is {wanted}.\n"
            "Nothing was recorded. Read the list again; it may have changed since. "
            f"See {page(Page.CUTOVER)}."
        )


@dataclass(frozen=True, slots=True)
class CutoverPorts:
    """The world of a cut-over; only ``history`` is written."""

    environment: str
    site: SiteName
    organisation: Organisation
    ledger: Ledger
    history: PushHistory
    clock: Clock
    progress: Progress


@dataclass(frozen=True, slots=True)
class Order:
    """What was asked for.

    Attributes:
        start: ``None`` takes the date that was decided before.
        confirm: Confirms the step to do now: a date, or the digest of the list.
    """

    name: str
    to: Way
    start: date | None
    confirm: str
    actor: str


@dataclass(frozen=True, slots=True)
class CutoverStand:
    """How far a cut-over is."""

    facts: CutoverFacts
    steps: tuple[CutoverStep, ...]

    @property
    def now(self) -> CutoverStep | None:
        """The step to do now; ``None`` when nothing is left."""
        return next((step for step in self.steps if not step.done), None)
