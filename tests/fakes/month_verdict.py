"""Whether every bill of a month stands once, or is listed with a reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fakes.month_judge import Stands, Version, doubled, fits, stands, version_of
from fakes.month_of_life import IN_ORDER, Month

from reconciler.sync.model.push import PushStatus
from reconciler.sync.model.standing import BillStanding, Group
from reconciler.sync.ports.ledger import BillRow

_PARTED = frozenset({PushStatus.PARTIAL, PushStatus.UNKNOWN, PushStatus.DISABLED})
_UNSENT = frozenset({PushStatus.BLOCKED, PushStatus.NOTHING_TO_SEND})


@dataclass(frozen=True)
class Told:
    """What is known of a bill in the end.

    Attributes:
        versions: Every version that was approved once.
        row: Of the ledger.
        listed: By `sync plan`, when it lists the bill.
        touched: A person changed its lines or invoices in Chargebee.
        skipped: A person said not to send it.
    """

    bill: Mapping[str, Any]
    there: Stands
    versions: list[Version]
    row: BillRow | None
    listed: BillStanding | None
    touched: bool
    skipped: bool

    @property
    def open(self) -> bool:
        """Whether a plan says that it is not in order."""
        return self.listed is not None and self.listed.group not in IN_ORDER

    @property
    def status(self) -> PushStatus | None:
        """Of the ledger."""
        return self.row.status if self.row is not None else None

    @property
    def waits(self) -> bool:
        """Whether it says that it waits until a person closes its invoice."""
        return self.row is not None and "once it is closed" in self.row.message

    @property
    def parted(self) -> bool:
        """Whether a person is told that its lines were replaced only in part, or said to stop."""
        decides = self.listed is not None and self.listed.group is Group.DECIDE
        return self.status in _PARTED and (decides or self.skipped)

    def __str__(self) -> str:
        listed = self.listed and (str(self.listed.group), self.listed.why)
        row = self.row and (str(self.row.status), self.row.generation, self.row.message)
        name = f"bill {self.bill['id']} ({self.bill['accountCode']})"
        return f"{name}: ledger {row}; plan {listed}; versions {self.versions}; {self.there}"


def verdict(month: Month) -> list[str]:
    """Judge every bill; nothing found is well."""
    rows, plan = month.rows(), month.plan()
    found: list[str] = []
    for bill in month.bills():
        key = bill["id"]
        there = stands(month.world.store, key, f"cust-{bill['accountCode']}")
        told = Told(
            bill,
            there,
            month.versions.get(key, []),
            rows.get(key),
            plan.get(key),
            touched=key in month.touched,
            skipped=key in month.skipped,
        )
        found += [f"{text}: {told}" for text in _always(told)]
        if not told.touched and not told.skipped:
            found += [f"{text}: {told}" for text in _to_the_unit(told)]
    return found


def _always(told: Told) -> Iterator[str]:
    """What holds whatever persons did."""
    if twice := doubled(told.there, told.versions, parted=told.parted):
        yield twice
    if told.listed is not None and told.open and not told.listed.why:
        yield "it is listed without a reason"
    if told.listed is not None and told.listed.group is Group.UNDER_WAY and not told.waits:
        yield "it is under way for ever"


def _to_the_unit(told: Told) -> Iterator[str]:
    """What holds when only we wrote, and nobody said not to send it."""
    standing = any(fits(told.there, version) for version in told.versions)
    if told.there.anything and (told.row is None or told.status in _UNSENT):
        yield "it stands, but the ledger says that nothing was sent"
    if told.there.anything and not standing and not told.open:
        yield "what stands is no version of it, and nobody is told"
    if told.status is PushStatus.COMPLETE and not standing and not told.open:
        yield "it counts as complete, and stands as no version of it"
    approved = told.bill["status"] == "APPROVED"
    if approved and not fits(told.there, version_of(told.bill)) and not told.open:
        yield "it is due, and nobody is told that it does not stand"
