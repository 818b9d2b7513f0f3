"""Memory and CPU of ``sync run`` by the number of bills: memory must not grow with them.

Run alone as ``python -m benchmarks.sync_memory [FEW MANY]``; 1000 and 100000 take long.
"""

from __future__ import annotations

import sys

from benchmarks.sync_ground import Measured, invoices, prepared, pushed

FEW, MANY = 500, 2_000
FAST = 100_000
SWITCHES = ("requests_per_second=0", "requests_per_minute=0", "concurrent_writes=0")


def run(few: int = FEW, many: int = MANY) -> None:
    """Push two sizes without any limit and print memory and CPU, and their ratios."""
    print(f"sync: memory for {few} and {many} bills, no limit")
    (small, first), (large, second) = _one(few), _one(many)
    grown = large.megabytes / small.megabytes
    each = large.cpu / second / (small.cpu / first)
    print(f"  memory {grown:.2f} x, CPU per invoice {each:.2f} x, for {many / few:.0f} x the bills")


def _one(bills: int) -> tuple[Measured, int]:
    with prepared(f"month_end_bills={bills}", *SWITCHES, pace=FAST) as place:
        before = invoices(place)
        used = pushed(place)
        made = invoices(place) - before
    print(
        f"  {bills} bills: exit {used.code}, {made} invoices in {used.seconds:.0f} s,"
        f" {used.megabytes:.0f} MB, {used.cpu * 1000 / max(made, 1):.1f} ms CPU an invoice"
    )
    return used, max(made, 1)


if __name__ == "__main__":
    run(*map(int, sys.argv[1:]))
