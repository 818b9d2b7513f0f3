"""A small month that lives: runs and their deaths, faults, m3ter, persons and time, by a seed.

What happens in it is in ``month_events``, and whether it went well in ``month_verdict``.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from fakes.month_judge import Version, version_of
from fakes.sync_place import ENV, Killed, Life, SyncPlace

from reconciler.emulator.world import World
from reconciler.errors import ReconcilerError
from reconciler.kernel.address import BillId
from reconciler.sync.model.standing import BillStanding, Group
from reconciler.sync.ports.ledger import BillRow

LIVELY = 5
"""So many bills have all the adventures; the others are there."""
ROUTES = ("gbp", "usd", "eur", "jpy", "kwd", "gbp-pending", "usd-pending")
RECALCULATED = ("refuse", "replace", "credit-and-rebill", "void-and-recreate")
NEGATIVE = ("refuse", "discount", "credit-note", "promotional-credit")
SETTLING = (3700, 2200, 150, 90_000, 2200, 150, 260_000, 2200, 150)
IN_ORDER = (Group.UNCHANGED, Group.NOTHING, Group.SENT, Group.NATIVE)
WITHOUT_BILLS = ("acct-00007",)


@dataclass
class Month:
    """A month, and what it has ever billed.

    Attributes:
        versions: Of each bill, every version that was approved once.
        touched: Bills whose lines or invoices a person changed in Chargebee.
        skipped: Bills that a person said not to send.
        told: What happened, for people.
    """

    place: SyncPlace
    world: World
    versions: dict[str, list[Version]] = field(default_factory=dict)
    touched: dict[str, str] = field(default_factory=dict)
    skipped: set[str] = field(default_factory=set)
    told: list[str] = field(default_factory=list)
    amounts: Iterator[int] = field(default_factory=lambda: iter(range(1001, 10_000_000, 7)))
    removed: list[dict[str, Any]] = field(default_factory=list)
    lively: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, folder: Path, url: str, world: World, seed: int) -> Month:
        """Begin: policies by the seed, every bill of lines of our own."""
        month = cls(SyncPlace(folder, url), world)
        chance = random.Random(seed)
        for name in ROUTES:
            month.policy(name, chance)
        month.place.apply_frozen()
        for bill in month.bills():
            month.rebill(bill, chance, status="APPROVED")
        codes = [bill["accountCode"] for bill in month.bills()]
        month.lively = chance.sample(codes, LIVELY)
        return month

    # what is there

    def bills(self) -> list[dict[str, Any]]:
        """The bills that some integration takes."""
        found = self.world.store.all("m3ter/bills")
        mine = [bill for bill in found if bill["accountCode"] not in WITHOUT_BILLS]
        return sorted(mine, key=lambda bill: str(bill["accountCode"]))

    def invoices(self, bill: Mapping[str, Any]) -> list[dict[str, Any]]:
        """What holds of a bill: invoices with its stamp or with lines of ours."""
        customer = f"cust-{bill['accountCode']}"
        return [
            invoice
            for invoice in self.world.store.all("chargebee/invoices")
            if invoice["customer_id"] == customer
            and invoice["status"] != "voided"
            and not invoice["deleted"]
        ]

    def currency(self, bill: str) -> str:
        """What a bill is billed in."""
        found = self.world.store.get("m3ter/bills", bill)
        assert found is not None
        return str(found["currency"])

    def rows(self) -> dict[str, BillRow]:
        """The ledger."""
        with self.place.open(reading=True) as place:
            ids = [BillId(bill["id"]) for bill in self.bills()]
            found = [place.view.bill(place.scope.site, bill_id) for bill_id in ids]
        return {str(row.bill_id): row for row in found if row is not None}

    # m3ter

    def rebill(self, bill: Mapping[str, Any], chance: random.Random, **more: Any) -> None:
        """Let m3ter have calculated a bill anew."""
        old = [dict(line) for line in bill["lineItems"] if line.get("ours")]
        kind = chance.choice(("grow", "grow", "shrink", "new", "credit", "nothing", "negative"))
        lines = self._lines(bill, old, kind if old else "new", chance)
        if not old and chance.random() < 0.4:
            lines = self._lines(bill, lines, "credit", chance)
        self.edit(bill["id"], lineItems=lines, version=bill["version"] + 1, **more)
        self.note(bill["id"])

    def note(self, bill: str) -> None:
        """Remember what a bill comes to, if it is approved."""
        found = self.world.store.get("m3ter/bills", bill)
        assert found is not None
        if found["status"] == "APPROVED":
            known = self.versions.setdefault(bill, [])
            known.append(version_of(found))

    def _lines(
        self, bill: Mapping[str, Any], old: list[dict[str, Any]], kind: str, chance: random.Random
    ) -> list[dict[str, Any]]:
        match kind:
            case "grow":
                return [*old, self.line(bill, 1)]
            case "shrink":
                return old[1:] or [self.line(bill, 1)]
            case "credit":
                return [*old, self.line(bill, -1, small=True)]
            case "negative":
                return [self.line(bill, -1)]
            case "nothing":
                return []
            case _:
                return [self.line(bill, 1) for _ in range(chance.randint(1, 3))]

    def line(self, bill: Mapping[str, Any], sign: int, *, small: bool = False) -> dict[str, Any]:
        number = next(self.amounts)
        minor = sign * (number - 1000 if small else number * 10)
        amount = minor if bill["currency"] == "JPY" else self.hundredth(minor)
        return {
            "id": self.world.store.new_id(),
            "sequenceNumber": number,
            "lineItemType": "AD_HOC",
            "description": f"Fee {number}",
            "quantity": 1,
            "units": 1,
            "unit": "",
            "averageUnitPrice": amount,
            "subtotal": amount,
            "currency": bill["currency"],
            "conversionRate": 1,
            "convertedSubtotal": amount,
            "servicePeriodStartDate": "2026-11-01T00:00:00Z",
            "servicePeriodEndDate": "2026-12-01T00:00:00Z",
            "ours": True,
        }

    @staticmethod
    def hundredth(minor: int) -> Any:
        return Decimal(minor) / 100

    def edit(self, key: str, **patch: Any) -> None:
        """Edit an object as a person in a console."""
        self.place.person_edits(key, **patch)

    # definitions

    def policy(self, name: str, chance: random.Random) -> str:
        """Choose the policies of an integration; the files are not yet in force."""
        file = self.place.root / "integrations.d" / f"month-end-{name}" / "integration.yaml"
        text = file.read_text(encoding="utf-8")
        pending = name.endswith("pending")
        chosen = {
            "negativeLines": chance.choice(NEGATIVE),
            "recalculated": chance.choice(RECALCULATED[:2] if pending else RECALCULATED),
        }
        if not pending and name != "jpy":
            chosen["open"] = chance.choice(("true", "false"))
        for key, value in chosen.items():
            text = re.sub(rf"\n    {key}: .*", "", text)
            text = text.replace("    collection: off", f"    collection: off\n    {key}: {value}")
        file.write_text(text, encoding="utf-8")
        return f"{name} {chosen}"

    def run(self) -> str:
        """Run a sync that lives."""
        return self.run_with(None)

    def run_with(self, life: Life | None) -> str:
        try:
            result = self.place.run(life=life)
        except Killed as killed:
            return f"the run died at {killed}"
        except ReconcilerError as error:
            return f"refused: {str(error).splitlines()[0]}"
        listed = [standing for some in result.tally.listed.values() for standing in some]
        for standing in listed:
            assert standing.short != "an unexpected error", standing
        return "; ".join(
            f"{standing.who.bill_id[:4]} {standing.group}: {standing.why}" for standing in listed
        )

    def plan(self) -> dict[str, BillStanding]:
        """What `sync plan` says of every bill that it lists."""
        found = self.place.plan()
        return {
            str(standing.who.bill_id): standing
            for some in found.tally.listed.values()
            for standing in some
        }

    def pick(self, which: int) -> dict[str, Any]:
        """Give a bill by number."""
        mine = [bill for bill in self.bills() if bill["accountCode"] in self.lively]
        return mine[which % len(mine)]

    def pass_time(self, seconds: int) -> None:
        """Let time pass; what was cut off commits when it is due, and not at the end of a leap."""
        self.place.clock.advance(seconds)
        for step in (*[30] * min(20, seconds // 30), max(0, seconds - 600)):
            self.world.move_clock(seconds=step)
        self.world.move_clock(at=max(self.place.clock.now(), self.world.store.now()))

    def go_on(self) -> None:
        """Let a person resume the site, and enable what disabled itself."""
        with self.place.open(reading=True) as place:
            site, view = place.scope.site, place.view
            paused = view.paused(site)
            off = [route for route in ROUTES if view.disabled(site, f"month-end-{route}")]
        if paused:
            self.place.reconciler("sync", "resume", "--env", ENV)
        for name in off:
            self.place.reconciler("sync", "enable", f"month-end-{name}", "--env", ENV)

    # the end

    def settle(self) -> str:
        """End the faults, let time pass and run until nothing changes any more."""
        self.world.faults.clear()
        self.go_on()
        self.restore()
        told = ""
        for seconds in SETTLING:
            self.pass_time(seconds)
            told = self.run_with(None)
        before = self._picture()
        for seconds in (3700, 3700):
            self.pass_time(seconds)
            told = self.run_with(None)
        assert self._picture() == before, "the month does not settle"
        return told

    def _picture(self) -> object:
        kinds = ("invoices", "credit_notes", "promotional_credits")
        there = {
            kind: [
                (entry["id"], entry.get("status", ""), entry.get("total"))
                for entry in self.world.store.all(f"chargebee/{kind}")
            ]
            for kind in kinds
        }
        return there, {key: (row.status, row.message) for key, row in self.rows().items()}

    def restore(self) -> None:
        """Bring back the mappings that were removed."""
        for entry in self.removed:
            self.world.store.put("m3ter/externalmappings", entry)
        self.removed.clear()
