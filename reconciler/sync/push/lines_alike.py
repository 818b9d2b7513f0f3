"""Lines just like ours that stand on a pending invoice before ours are sent: whose are they?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reconciler.kernel.address import BillId
from reconciler.kernel.runbook import Page, page
from reconciler.sync.model.push import InvoiceId, InvoiceLineId, SiteName, Step, Undecidable
from reconciler.sync.ports.ledger import Ledger


def beside_others(step: Step, ledger: Ledger, site: SiteName) -> Step:
    """Let go of lines just like ours that steps of other bills made; they were there before.

    The ledger is asked only where there are such lines.
    """
    if not step.alike:
        return step
    others = ledger.lines_known(site, step.alike)
    return replace(
        step,
        lines_before=step.lines_before and step.lines_before | others,
        alike=tuple(line_id for line_id in step.alike if line_id not in others),
    )


def whose(bill: BillId, invoice: InvoiceId, alike: Sequence[InvoiceLineId]) -> Undecidable:
    """Ask a person whose lines are: the bill's, sent by a ledger that was lost, or another's."""
    return Undecidable(
        f"invoice {invoice} has lines just like the bill's that the ledger does not know:"
        f" {', '.join(alike)}; nothing more was sent. They are the bill's:"
        f" `reconciler sync decide {bill} --sent {invoice}`; they are not, and it is to be added:"
        f" `reconciler sync decide {bill} --not-sent`. See {page(Page.LINES_ALIKE)}"
    )
