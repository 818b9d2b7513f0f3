"""What three clocks say at one moment: this machine's, the ledger's and the vendor's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Clocks:
    """None of them is trusted alone.

    Attributes:
        machine: For waits only.
        ledger: By which attempts are recorded; a shared database's own, else the machine's.
        vendor: By the answer to a look-up just now; ``None`` when it bore no time.
    """

    machine: datetime
    ledger: datetime
    vendor: datetime | None = None

    def apart(self, tolerance: timedelta) -> str:
        """Say which two differ by more than a tolerance; empty when all agree."""
        read = {"this machine": self.machine, "the ledger's database": self.ledger}
        if self.vendor is not None:
            read["Chargebee"] = self.vendor
        ahead = max(read, key=lambda name: read[name])
        behind = min(read, key=lambda name: read[name])
        between = read[ahead] - read[behind]
        if between <= tolerance:
            return ""
        seconds = int(between.total_seconds())
        return f"the clock of {ahead} is {seconds:,} s ahead of that of {behind}"
