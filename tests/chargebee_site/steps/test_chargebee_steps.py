"""Steps as pure decisions, where the emulator does not lead."""

from __future__ import annotations

from dataclasses import replace

from fakes.chargebee_world import START, draft_of, pending_draft
from fakes.push_data import invoice_of

from reconciler.chargebee.steps.next_step import decide_step
from reconciler.chargebee.steps.progress import BillProgress, add_step, progress_of
from reconciler.chargebee.steps.seen import (
    ReadInvoice,
    ReadNothing,
    ReadPending,
    StepReads,
    need_of,
)
from reconciler.drafting.draft import InvoiceDraft
from reconciler.sync.model.push import (
    Effect,
    InvoiceId,
    InvoiceLineId,
    PushKey,
    PushState,
    SiteName,
    StepKind,
    StepName,
    StoredRequest,
)
from reconciler.sync.model.recalculation import ReplaceLines
from reconciler.sync.ports.destination import Complete, Sending, Stop

OLD = (InvoiceLineId("li_1"), InvoiceLineId("li_2"))
NOTHING = StoredRequest("/nowhere", b"")


def done(draft: InvoiceDraft, generation: int, name: StepName, *lines: str) -> Effect:
    key = PushKey(SiteName("acme-test"), draft.bill_id, generation, name)
    made = Effect(key, PushState.DONE, NOTHING, InvoiceId("inv_1"), object_id="inv_1")
    return replace(made, line_ids=tuple(InvoiceLineId(line) for line in lines))


def replaced(*former: Effect) -> BillProgress:
    """A second generation that has added its lines and not yet deleted the old ones."""
    draft = pending_draft()
    change = ReplaceLines(invoice_of(draft), OLD)
    mine = [done(draft, 2, add_step(position), f"new_{position}") for position in range(2)]
    return progress_of(draft, [*former, *mine], Sending(generation=2, change=change))


def test_a_finished_generation_needs_no_look() -> None:
    draft = draft_of()
    progress = progress_of(draft, [done(draft, 1, StepName(StepKind.CREATE_INVOICE))], Sending())
    assert need_of(progress) == ReadNothing()
    assert decide_step(progress, StepReads(START)) == Complete()


def test_a_new_bill_needs_the_pending_invoices_only_on_the_pending_path() -> None:
    assert need_of(progress_of(draft_of(), (), Sending())) == ReadNothing()
    assert need_of(progress_of(pending_draft(), (), Sending())) == ReadPending()


def test_old_lines_are_deleted_only_when_all_of_them_are_known() -> None:
    draft = pending_draft()
    known = replaced(done(draft, 1, add_step(0), *OLD))
    assert isinstance(need_of(known), ReadInvoice)
    unknown = replaced(done(draft, 1, add_step(0)))
    stopped = decide_step(unknown, StepReads(START, invoice=invoice_of(draft)))
    assert isinstance(stopped, Stop)
    assert "not all known" in stopped.reason.text


def test_an_invoice_that_vanished_before_the_old_lines_were_deleted_is_for_a_person() -> None:
    progress = replaced(done(pending_draft(), 1, add_step(0), *OLD))
    stopped = decide_step(progress, StepReads(START))
    assert isinstance(stopped, Stop)
    assert "cannot be found" in stopped.reason.text
