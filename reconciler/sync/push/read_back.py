"""The end of a bill's way: what stands in Chargebee beside what was sent."""

from __future__ import annotations

from dataclasses import replace

from reconciler.kernel.runbook import Page, page
from reconciler.sync.judge.sent_bill import read_back
from reconciler.sync.judge.standings import stands
from reconciler.sync.model.push import Effect, PushStatus
from reconciler.sync.model.standing import Group, Standing
from reconciler.sync.push.bill_record import BillRecord


def verified(record: BillRecord, effects: tuple[Effect, ...]) -> Standing:
    """Read back what stands in Chargebee, and record the bill as complete."""
    generation = record.row.generation
    result, invoices = read_back(record.push.destination, record.draft, effects, generation)
    invoice = invoices[0].id if invoices else None
    if result is None or not result.differences:
        text = f"sent as invoice {invoice}, read back line by line: as sent"
    else:
        text = "sent, but what stands there differs: " + "; ".join(
            one.text for one in result.differences
        )
    record.put(PushStatus.COMPLETE, text, None)
    done = stands(record.who, Group.SENT, "sent", text, record.route.name)
    differs = result is not None and bool(result.differences)
    return replace(
        done,
        draft=record.draft,
        money=record.draft.billed,
        status=PushStatus.COMPLETE,
        invoice=invoice,
        rounding=result.rounding if result else None,
        unexplained=result.unexplained if result else None,
        short="sent, but it differs" if differs else "sent",
        page=page(Page.DIFFERENCE) if differs else "",
    )
