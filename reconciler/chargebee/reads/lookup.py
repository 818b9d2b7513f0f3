"""Finds what an effect with an unknown outcome made: by stamp, or by the ids of lines."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from typing import assert_never

from reconciler.chargebee import form
from reconciler.chargebee.invoice_json import AnswerReading, number, objects, stamp_of, text
from reconciler.chargebee.reads.catalogue import Catalogue
from reconciler.chargebee.reads.invoices import CreditKind, Invoices, gone, owner_filter
from reconciler.chargebee.steps.progress import CREDIT, CREDIT_FORMER, holds
from reconciler.drafting.draft import InvoiceDraft
from reconciler.kernel.address import BillId
from reconciler.kernel.value import JsonObject
from reconciler.sync.core.readback.invoice_lines import alike, new_lines, stamped, told_apart, twice
from reconciler.sync.model.invoice import Invoice
from reconciler.sync.model.push import (
    Effect,
    Found,
    InvoiceId,
    InvoiceLineId,
    LookUp,
    NotFound,
    PushState,
    StepKind,
    Undecidable,
)


class Lookup:
    """Looks; never writes."""

    def __init__(self, invoices: Invoices, catalogue: Catalogue, reading: AnswerReading) -> None:
        self._invoices = invoices
        self._catalogue = catalogue
        self._reading = reading

    def find(self, effect: Effect, draft: InvoiceDraft, done: Sequence[Effect]) -> LookUp:
        """Look whether an effect arrived."""
        match effect.key.step.kind:
            case StepKind.CREATE_INVOICE:
                return self._created(effect, draft, done)
            case StepKind.ADD_LINE:
                return self._added(effect, draft)
            case StepKind.DELETE_LINES:
                return self._deleted(effect, draft)
            case StepKind.CREDIT_NOTE | StepKind.PROMOTIONAL_CREDIT:
                return find_credit(effect, draft, done, self._invoices)
            case StepKind.VOID_INVOICE:
                return self._voided(effect)
            case StepKind.CLOSE_INVOICE:
                return self._closed(effect, draft, done)
            case _:
                assert_never(effect.key.step.kind)

    def alike(
        self, effect: Effect, draft: InvoiceDraft, done: Sequence[Effect]
    ) -> tuple[InvoiceLineId, ...]:
        """Find lines just like those still to be added, on the invoice that a step adds to.

        One that is gone is told by Chargebee's refusal.
        """
        key, before = effect.invoice_id or InvoiceId(""), effect.lines_before or frozenset()
        invoice = self.current(key, before, draft)
        if invoice is None:
            return ()
        return alike(invoice, draft, done, effect.key.generation)

    def by_bill(
        self, bill: BillId, draft: InvoiceDraft, done: Sequence[Effect]
    ) -> tuple[Invoice, ...]:
        """Find every invoice that carries the bill's stamp, or holds lines of its effects."""
        lines = {line for effect in done for line in effect.line_ids}
        names = _invoices_made(done)
        found: dict[InvoiceId, Invoice] = {}
        for data in self._of(draft):
            stamp = stamp_of(data, self._reading.stamps)
            if stamp == bill or data.get("id") in names or _line_ids(data) & lines:
                invoice = self._invoices.whole(data)
                found[invoice.id] = invoice
        return tuple(found.values())

    def current(
        self, key: InvoiceId, lines: Collection[InvoiceLineId], draft: InvoiceDraft
    ) -> Invoice | None:
        """Read an invoice that may have another id since it was closed.

        Args:
            key: The id it had.
            lines: Lines that it held; the invoice that holds them all is the one.
            draft: Says whose it is.
        """
        found = self._invoices.read(key)
        if found is not None:
            return found
        wanted = tuple(lines)
        for data in self._of(draft):
            if wanted and set(wanted) <= _line_ids(data):
                invoice = self._invoices.whole(data)
                if holds(invoice, wanted):
                    return invoice
        return None

    def only_stamped(
        self, draft: InvoiceDraft, done: Sequence[Effect], generation: int
    ) -> Invoice | None:
        """Give the one invoice of a generation that still holds, by its stamp.

        Args:
            draft: Of the generation.
            done: Effects of the bill; what earlier generations made is another invoice.
            generation: Which one.
        """
        former = [effect for effect in done if effect.key.generation < generation]
        others = _invoices_made(former) | _undone(done)
        stamped = self._stamped_as(draft.bill_id, draft, others)
        invoices = [invoice for invoice in stamped if _holds_good(invoice)]
        return invoices[0] if len(invoices) == 1 else None

    def _stamped_as(
        self, bill: BillId, draft: InvoiceDraft, without: Collection[str]
    ) -> tuple[Invoice, ...]:
        """Find the invoices with the bill's stamp, those of other effects left out."""
        listed = (
            invoice
            for invoice in self._of(draft)
            if stamp_of(invoice, self._reading.stamps) == bill
        )
        return tuple(
            self._invoices.whole(invoice) for invoice in listed if invoice.get("id") not in without
        )

    def _of(self, draft: InvoiceDraft) -> Iterator[JsonObject]:
        owner = self._catalogue.owner(draft.target)
        filters = owner_filter(draft.target, owner.customer_id)
        return self._invoices.of(filters, _since(draft))

    def _created(self, effect: Effect, draft: InvoiceDraft, done: Sequence[Effect]) -> LookUp:
        """Find the stamped invoice.

        Invoices of earlier generations carry the same stamp, and so does one that was voided to
        make way for this; both are known by their effects.
        """
        others = [other for other in done if other.key != effect.key]
        known = _invoices_made(others) | _undone(others)
        invoices = self._stamped_as(effect.key.bill_id, draft, known)
        judged = stamped(invoices)
        if not isinstance(judged, Found):
            return judged
        if spare := twice(invoices[0].lines, draft):
            names = ", ".join(spare)
            return Undecidable(f"a line of invoice {invoices[0].id} stands twice: {names}")
        everything = range(len(draft.lines))
        ours = told_apart(invoices[0].lines, draft, everything)
        if len(ours) < len(draft.lines):
            return Found(judged.object_id)
        return Found(judged.object_id, tuple(ours[position] for position in everything))

    def _added(self, effect: Effect, draft: InvoiceDraft) -> LookUp:
        if effect.draft_line is None or effect.invoice_id is None:
            return Undecidable("the ledger does not say which line was added to which invoice")
        before = effect.lines_before or frozenset()
        invoice = self.current(effect.invoice_id, before, draft)
        if invoice is None:
            return _renamed(effect)
        return new_lines(invoice, before, draft.lines[effect.draft_line])

    def _deleted(self, effect: Effect, draft: InvoiceDraft) -> LookUp:
        sent = form.read_rows(form.form_pairs(effect.request.body), "line_items")
        wanted = {InvoiceLineId(row["id"]) for row in sent}
        kept = (effect.lines_before or frozenset()) - wanted
        key = effect.invoice_id or InvoiceId("")
        invoice = self.current(key, kept, draft)
        if invoice is None:
            return _renamed(effect)
        if invoice.deleted or invoice.status == "voided":
            return Undecidable(f"invoice {invoice.id} was deleted or voided")
        left = wanted & {line.id for line in invoice.lines}
        if not left:
            return Found(invoice.id)
        if left == wanted:
            return NotFound()
        return Undecidable(f"some, but not all, of the lines are gone from invoice {invoice.id}")

    def _voided(self, effect: Effect) -> LookUp:
        invoice = self._invoices.read(effect.invoice_id or InvoiceId(""))
        if invoice is None or invoice.deleted:
            return Undecidable(f"invoice {effect.invoice_id} is gone or deleted, and not voided")
        return Found(invoice.id) if invoice.status == "voided" else NotFound()

    def _closed(self, effect: Effect, draft: InvoiceDraft, done: Sequence[Effect]) -> LookUp:
        """Tell whether an invoice is not pending any more, also under another id.

        One that is not listed yet under its new id counts as not found: closing it again cannot
        close anything twice, and is refused when it is closed.
        """
        key = effect.invoice_id or InvoiceId("")
        invoice = self.current(key, effect.lines_before or (), draft)
        invoice = invoice or self.only_stamped(draft, done, effect.key.generation)
        if invoice is None or (invoice.status == "pending" and not invoice.deleted):
            return NotFound()
        if invoice.deleted or invoice.status == "voided":
            return Undecidable(f"invoice {invoice.id} was deleted or voided")
        return Found(invoice.id)


# An invoice for a period is never older than the period; the margin is for time zones and clocks.
_BEFORE_PERIOD = timedelta(days=2)
_CREDITS = frozenset({StepKind.CREDIT_NOTE, StepKind.PROMOTIONAL_CREDIT})


def _holds_good(invoice: Invoice) -> bool:
    return not invoice.deleted and invoice.status != "voided"


def _since(draft: InvoiceDraft) -> datetime:
    return draft.period.start - _BEFORE_PERIOD


def _invoices_made(effects: Sequence[Effect]) -> frozenset[str]:
    """Name the invoices that effects made, changed or closed."""
    done = (effect for effect in effects if effect.state is PushState.DONE)
    return frozenset(effect.object_id for effect in done if effect.key.step.kind not in _CREDITS)


def _undone(effects: Sequence[Effect]) -> frozenset[str]:
    """Name the invoices that made way for another: voided, or credited as a whole."""
    return frozenset(
        effect.invoice_id
        for effect in effects
        if effect.invoice_id is not None
        and (effect.key.step.kind is StepKind.VOID_INVOICE or effect.key.step == CREDIT_FORMER)
    )


def _renamed(effect: Effect) -> Undecidable:
    return Undecidable(
        f"invoice {effect.invoice_id} is not there under this id, and none of the customer's"
        " invoices holds its lines: it was closed with new ids, or removed"
    )


def _line_ids(data: JsonObject) -> set[str]:
    return {text(line, "id") for line in objects(data, "line_items")}


def find_credit(
    effect: Effect, draft: InvoiceDraft, done: Sequence[Effect], invoices: Invoices
) -> LookUp:
    """Look whether a credit note, or a promotional credit, arrived."""
    if effect.key.step.kind is StepKind.PROMOTIONAL_CREDIT:
        return _promoted(effect, draft, invoices)
    return _note(effect, draft, done, invoices)


def gives(effect: Effect) -> bool:
    """Whether an effect credits beside an invoice: a balance, or a note that stands alone."""
    if effect.key.step.kind is StepKind.PROMOTIONAL_CREDIT:
        return True
    return effect.key.step == CREDIT and effect.invoice_id is None


def amount_of(effect: Effect, invoices: Invoices) -> int:
    """Read what a credit comes to before tax, in minor units; 0 once it is gone."""
    promotional = effect.key.step.kind is StepKind.PROMOTIONAL_CREDIT
    kind: CreditKind = "promotional_credit" if promotional else "credit_note"
    found = invoices.credit(kind, effect.object_id)
    if found is None or gone(found):
        return 0
    return number(found, "amount" if promotional else "sub_total")


def _note(
    effect: Effect, draft: InvoiceDraft, done: Sequence[Effect], invoices: Invoices
) -> LookUp:
    sent = form.form_pairs(effect.request.body)
    names = ("reference_invoice_id", "customer_id")
    query = [(f"{name}[is]", value) for name in names if (value := form.value_of(sent, name))]
    others = {other.object_id for other in done if other.key != effect.key}
    amount = sum(
        int(row["unit_amount"]) * int(row["quantity"]) for row in form.read_rows(sent, "line_items")
    )
    found = [
        note
        for note in invoices.credit_notes(query)
        if stamp_of(note, (draft.stamp_field,)) == draft.bill_id and note.get("id") not in others
    ]
    if not found:
        return NotFound()
    only = found[0]
    if len(found) > 1 or gone(only) or number(only, "sub_total") != amount:
        shown = ", ".join(text(note, "id") for note in found)
        return Undecidable(f"credit notes of the bill do not fit what was sent: {shown}")
    return Found(text(only, "id"))


def _promoted(effect: Effect, draft: InvoiceDraft, invoices: Invoices) -> LookUp:
    """Find the credit by the bill id in its reference; custom fields it has none."""
    customer = form.value_of(form.form_pairs(effect.request.body), "customer_id")
    amount = sum(held_credit.amount.minor for held_credit in draft.credits)
    found = [
        credit
        for credit in invoices.promotional_credits(customer)
        if text(credit, "reference", "") == draft.bill_id
    ]
    if not found:
        return NotFound()
    only = found[0]
    same = text(only, "currency_code", "") == draft.currency.code
    if len(found) > 1 or number(only, "amount") != amount or not same:
        shown = ", ".join(text(credit, "id") for credit in found)
        return Undecidable(f"promotional credits of the bill do not fit what was sent: {shown}")
    return Found(text(only, "id"))
