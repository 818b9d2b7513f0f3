"""Memory and CPU of ``sync run`` by the number of bills: bills are a stream, so it must not grow.

Definitions and mappings are held, and scenario `month-end` has an account per bill up to 5,000, so
what a run takes before its first bill is measured apart. The ledger is in memory where the system
has such a folder: what is measured is not the disk. Run alone as
``python -m benchmarks.sync_memory [FEW MANY]``; 1000 and 100000 take about half an hour.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.sync_ground import ROOT, SYNC, invoices, measured, prepared, pushed

if TYPE_CHECKING:
    from chaos.ground import Ground

FEW, MANY = 250, 1_000
FAST = 100_000
SCRIPT_MAX = 1_000
SWITCHES = ("requests_per_second=0", "requests_per_minute=0", "concurrent_writes=0")
IN_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
NO_BILL = ("--bill", "00000000-0000-4000-8000-000000000000")


@dataclass(frozen=True)
class Took:
    """What one size took: MB before the first bill and above that, CPU ms per invoice.

    Starting up is not counted; that is measured apart.
    """

    before: float
    above: float
    cpu: float


def run(few: int = FEW, many: int = MANY) -> None:
    """Push two sizes without any limit and print memory and CPU, and their ratios."""
    print(f"sync: memory for {few} and {many} bills, no limit")
    small, large = _one(few), _one(many)
    print(
        f"  for {many / few:.0f} x the bills: {large.above / small.above:.2f} x the memory above"
        f" the start, {large.cpu / small.cpu:.2f} x the CPU per invoice"
        f" (and {large.before / small.before:.2f} x at the start, for as many more accounts)"
    )


def _one(bills: int) -> Took:
    switches = (f"month_end_bills={bills}", *SWITCHES)
    with prepared(*switches, pace=FAST, within=IN_MEMORY) as place:
        idle = measured((*SYNC, *NO_BILL), place.folder, place.environment())
        before = invoices(place)
        used = pushed(place)
        count = max(invoices(place) - before, 1)
        script = _script(place, min(bills, SCRIPT_MAX))
    cpu = (used.cpu - idle.cpu) * 1000 / count
    took = Took(idle.megabytes, used.megabytes - idle.megabytes, cpu)
    print(
        f"  {bills} bills: exit {used.code}, {count} invoices in {used.seconds:.0f} s;"
        f" {took.before:.0f} MB before the first bill, {took.above:.0f} MB above that;"
        f" {took.cpu:.1f} ms CPU an invoice (a script over both SDKs: {script:.1f} ms)"
    )
    return took


def _script(place: Ground, bills: int) -> float:
    """Let the script send some of the bills too: its CPU ms an invoice, its start not counted."""
    command = (sys.executable, "-m", "benchmarks.sdk_script", place.control.url)
    idle = measured((*command, "0"), ROOT, place.environment())
    before = invoices(place)
    used = measured((*command, str(bills)), ROOT, place.environment())
    return (used.cpu - idle.cpu) * 1000 / max(invoices(place) - before, 1)


if __name__ == "__main__":
    run(*map(int, sys.argv[1:]))
