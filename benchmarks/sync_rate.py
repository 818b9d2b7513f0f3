"""The pace of ``sync run`` under an emulated limit, beside a plain script over the official SDKs.

Run alone as ``python -m benchmarks.sync_rate [BILLS]``.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from benchmarks.sync_ground import (
    MINUTE,
    ROOT,
    SYNC,
    invoices,
    measured,
    per_minute,
    prepared,
)

LIMIT = 600
BILLS = 500
TOO_SHORT = "over before the limit was reached"
LATENCY = {"fault": "latency", "match": {"vendor": "chargebee"}, "seconds": Decimal("0.02")}
SWITCHES = ("requests_per_second=0", f"requests_per_minute={LIMIT}")


def run(bills: int = BILLS) -> None:
    """Push a month under a limit of 600 requests a minute and 20 ms latency, both ways."""
    print(f"sync: {bills} bills, {LIMIT} requests a minute, 20 ms latency")
    ours = _one("reconciler sync run", SYNC, bills)
    script = (sys.executable, "-m", "benchmarks.sdk_script", "", str(bills))
    theirs = _one("script over both SDKs", script, bills)
    print(
        f"  CPU per invoice: {ours / theirs:.2f} x the script's,"
        " for a ledger, a look before every send and a comparison line by line after it"
    )


def _one(name: str, command: tuple[str, ...], bills: int) -> float:
    """Measure one way, print its figures, and give its CPU milliseconds per invoice."""
    with prepared(f"month_end_bills={bills}", *SWITCHES, pace=LIMIT) as place:
        before, seen = invoices(place), len(place.control.requests())
        place.control.fault(LATENCY)
        typed = [place.control.url if word == "" else word for word in command]
        folder = place.folder if command == SYNC else ROOT
        used = measured(typed, folder, place.environment())
        count = invoices(place) - before
        requests = place.control.requests()[seen:]
    limited = sum(request["status"] == 429 for request in requests)
    long = used.seconds > MINUTE
    pace = f"{per_minute(requests, skip=10.0) / LIMIT:.1%} of the limit" if long else TOO_SHORT
    print(
        f"  {name}: exit {used.code}, {count} invoices in {used.seconds:.0f} s, {pace},"
        f" {limited} refused with 429; {len(requests) / max(count, 1):.1f} requests and"
        f" {used.cpu * 1000 / max(count, 1):.0f} ms CPU an invoice, {used.megabytes:.0f} MB"
    )
    print(f"    {_kinds(requests, max(count, 1))}")
    return used.cpu * 1000 / max(count, 1)


def _kinds(requests: Sequence[Mapping[str, Any]], count: int) -> str:
    """Say what the requests were, by invoice made: a line on a pending invoice is a write too."""
    counted = Counter(_kind(request) for request in requests)
    return ", ".join(f"{number / count:.2f} {kind}" for kind, number in counted.most_common())


def _kind(request: Mapping[str, Any]) -> str:
    parts = request["path"].removeprefix("/api/v2/").split("/")
    if request["method"] == "POST":
        return f"{parts[-1]} (POST)"
    return f"{parts[0]} {'by list' if len(parts) == 1 else 'singly'}"


if __name__ == "__main__":
    run(*map(int, sys.argv[1:]))
