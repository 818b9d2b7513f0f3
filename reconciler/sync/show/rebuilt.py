"""What a rebuilt ledger learnt, and what a person must decide."""

from __future__ import annotations

from reconciler.kernel import exact_json
from reconciler.kernel.runbook import Page, page
from reconciler.sync.core.stamp_findings import Rebuilt

SCHEMA = "m3ter-reconciler/ledger-rebuild/v1"
MOST_LISTED = 50


def rebuilt_text(done: Rebuilt) -> str:
    """Give it for a terminal."""
    lines = [
        f"Read {done.read} stamped invoices since {done.since:%d %b %Y}; {done.new} were new.",
        "Their bills are not sent again.",
    ]
    if done.undecided:
        lines += ["", f"{len(done.undecided)} bills stop until you decide:"]
        lines += [
            f"  {bill.bill_id}  {', '.join(bill.invoices)}: {bill.why}"
            for bill in done.undecided[:MOST_LISTED]
        ]
        lines += [f"  and {rest} more"] if (rest := len(done.undecided) - MOST_LISTED) > 0 else []
        lines += ["Decide with `reconciler sync decide BILL --sent INVOICE | --not-sent`."]
    for name in done.unstamped:
        lines += [
            "",
            f"`{name}` adds lines to pending invoices, which carry no stamp:",
            "its bills from before stop, and `reconciler sync plan` lists each of them.",
        ]
    return "\n".join([*lines, "", f"See {page(Page.LEDGER_LOST)}."])


def rebuilt_json(done: Rebuilt) -> str:
    """Give it for a program."""
    return exact_json.encode(
        {
            "schema": SCHEMA,
            "since": done.since.isoformat(),
            "read": done.read,
            "new": done.new,
            "undecided": [
                {"bill": bill.bill_id, "invoices": list(bill.invoices), "why": bill.why}
                for bill in done.undecided
            ],
            "unstamped": list(done.unstamped),
        },
        indent=2,
    )
