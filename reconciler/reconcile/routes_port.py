"""What readers of pushes ask about a bill: who takes it, and how it would be drafted now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from reconciler.drafting.draft import DraftOutcome
from reconciler.drafting.route import Readings
from reconciler.kernel.runbook import Page, page
from reconciler.m3ter.bill import Bill
from reconciler.reconcile.core.month import InForce


@dataclass(frozen=True, slots=True)
class Ours:
    """A push integration takes the bill; what that rests on beside documented rules."""

    integration: str
    assumptions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NotYet:
    """The bill will be ours, for example once it is approved."""

    integration: str
    why: str


@dataclass(frozen=True, slots=True)
class Undecided:
    """Whether the bill may be sent is not known, or another route may send it too.

    Attributes:
        short: The kind of doubt, in a few words.
        page: Of the runbook.
    """

    integration: str
    why: str
    short: str = "who may bill it is not certain"
    page: str = page(Page.INTERLOCK)


@dataclass(frozen=True, slots=True)
class SentByM3ter:
    """m3ter's own integration sent the bill; nothing is sent for it again."""

    integration: str
    why: str


@dataclass(frozen=True, slots=True)
class NotOurs:
    """No push integration takes the bill."""

    why: str
    integration: str = ""


Standing = Ours | NotYet | Undecided | SentByM3ter | NotOurs


class PushRoutes(Protocol):
    """The push integrations of the applied record."""

    @property
    def in_force(self) -> InForce:
        """Which record they are from."""
        ...

    @property
    def integrations(self) -> tuple[str, ...]:
        """Their names."""
        ...

    @property
    def readings(self) -> Readings:
        """How undocumented rules are read."""
        ...

    def tolerance(self, integration: str) -> Decimal:
        """Give ``push.tolerance``, in major units."""
        ...

    def expect(self, bills: Sequence[Bill]) -> None:
        """Hear which bills will be asked about, so that m3ter is asked for all of them at once."""
        ...

    def standing(self, bill: Bill) -> Standing:
        """Say who takes a bill, and why not if nobody does; nothing is written."""
        ...

    def draft(self, bill: Bill, integration: str) -> DraftOutcome:
        """Draft a bill as one integration would now."""
        ...
