"""m3ter bill x ledger x invoice -> differences, line by line and before tax.

Rounding is what was announced before sending: what the destination was to compute, less m3ter's
amount in minor units. What is knowingly held back is not sent. Unexplained is everything else, and
must be zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from reconciler.drafting.draft import InvoiceDraft
from reconciler.kernel.money import Currency, Money
from reconciler.sync.core.readback.case import Case, CaseResult
from reconciler.sync.core.readback.invoice_lines import Finding, Sent, compare
from reconciler.sync.model.invoice import Invoice
from reconciler.sync.model.reconciliation import Difference, DifferenceClass, Reconciliation, Totals

_Placed = tuple[Invoice | None, Finding]


def reconcile(cases: Iterable[Case]) -> Reconciliation:
    """Reconcile a period.

    Returns:
        One row per currency, by code, and every difference, in the order of the cases.
    """
    rows: dict[Currency, list[CaseResult]] = {}
    differences: list[Difference] = []
    for case in cases:
        if (result := reconcile_bill(case)) is not None:
            rows.setdefault(result.currency, []).append(result)
            differences.extend(result.differences)
    return Reconciliation(
        tuple(_totals(currency, rows[currency]) for currency in sorted(rows)), tuple(differences)
    )


def outside(result: Reconciliation, tolerance: Decimal) -> tuple[Difference, ...]:
    """Give the differences that the tolerance does not let pass.

    Args:
        result: Of the period.
        tolerance: In major units, for each difference; one that has no amount never passes.
    """
    return tuple(
        one
        for one in result.differences
        if one.unexplained is None or abs(one.unexplained.major) > tolerance
    )


def reconcile_bill(case: Case) -> CaseResult | None:
    """Reconcile one bill; ``None`` when it is on no side."""
    if case.sent is not None:
        return _sent(case, case.sent)
    if case.due is not None:
        return _not_sent(case, case.due)
    return _only_invoices(case)


def _sent(case: Case, sent: Sent) -> CaseResult:
    draft = sent.draft
    zero = Money(0, draft.currency)
    billed = case.due.billed if case.due else zero
    found: list[_Placed] = []
    if billed != draft.billed:
        text = f"m3ter bills {billed} now; {draft.billed} was sent: it was recalculated"
        found.append((None, Finding(DifferenceClass.AMOUNT, draft.billed - billed, text)))
    elif case.due and case.due.input_hash != draft.input_hash:
        text = "m3ter recalculated the bill after it was sent; its total is the same"
        found.append((None, Finding(DifferenceClass.AMOUNT, None, text)))
    alive = [one for one in case.invoices if not one.deleted and one.status != "voided"]
    spare = [(one, _extra(one)) for one in alive[1:]]
    found.extend(spare)
    invoiced, catalogue = _money(spare, zero), zero
    held = sent.held
    if alive and alive[0].currency == draft.currency.code:
        compared = compare(sent, alive[0])
        invoiced, catalogue, held = invoiced + compared.invoiced, compared.catalogue, compared.held
        found.extend((alive[0], one) for one in compared.findings)
    elif not draft.lines:
        invoiced -= sent.credited or zero  # credits alone stand on no invoice
    not_sent, never = _held_part(sent, held)
    found.extend(_as_a_whole(case, sent, alive, draft.expected - never))
    return CaseResult(
        currency=draft.currency,
        billed=billed,
        sent=draft.expected - never,
        not_sent=not_sent,
        invoiced=invoiced,
        rounding=draft.expected - draft.billed - (never - not_sent),
        catalogue=catalogue,
        differences=_differences(case, found),
    )


def _held_part(sent: Sent, held: Iterable[int]) -> tuple[Money, Money]:
    """Give what m3ter bills, and what the destination would compute, of what was never sent."""
    draft = sent.draft
    credit = sum(one.amount.minor for one in draft.credits) if sent.credits_held else 0
    billed = expected = -credit
    for line in (draft.lines[position] for position in held):
        billed += line.billed.minor if line.billed is not None else 0
        expected += line.expected.minor if line.expected is not None else 0
    return Money(billed, draft.currency), Money(expected, draft.currency)


def _as_a_whole(
    case: Case, sent: Sent, alive: Sequence[Invoice], expected: Money
) -> Iterator[_Placed]:
    """Say what is wrong with the invoice as a whole, of which ``expected`` was sent."""
    draft = sent.draft
    if not alive:
        gone = [f"{one.id} {'deleted' if one.deleted else 'voided'}" for one in case.invoices]
        if not expected.minor and len(sent.held) == len(draft.lines):
            return
        if not draft.lines:
            yield from _credits_alone(sent, expected)
            return
        text = f"no invoice stands for what was sent ({', '.join(gone) or 'none found'})"
        place = case.invoices[0] if case.invoices else None
        yield place, Finding(DifferenceClass.MISSING, -expected, text)
        return
    invoice, kind = alive[0], draft.target.kind
    if invoice.currency != draft.currency.code:
        text = f"invoice {invoice.id} is in {invoice.currency}; {draft.currency} was sent"
        yield invoice, Finding(DifferenceClass.CURRENCY, None, text)
    holder = invoice.subscription_id if kind == "subscription" else invoice.customer_id
    holders = {holder, *(one.subscription_id for one in invoice.lines if kind == "subscription")}
    if draft.target.external_id not in holders:
        text = (
            f"invoice {invoice.id} is for {kind} {holder or 'none'};"
            f" {draft.target.external_id} was sent"
        )
        yield invoice, Finding(DifferenceClass.CUSTOMER, None, text)


def _credits_alone(sent: Sent, expected: Money) -> Iterator[_Placed]:
    """Compare the credits of a bill that has no lines; they were to come to ``-expected``."""
    given = sent.credited or Money(0, expected.currency)
    if given + expected != Money(0, expected.currency):
        text = f"the credits given for it come to {given}; {-expected} was due"
        yield None, Finding(DifferenceClass.AMOUNT, -expected - given, text)


def _not_sent(case: Case, due: InvoiceDraft) -> CaseResult:
    """A bill is due and was not sent; an invoice that carries its stamp all the same is extra."""
    zero = Money(0, due.currency)
    found: list[_Placed] = []
    if not case.held:
        text = f"{due.billed} is due and was not sent: {case.why_not_sent or 'no reason recorded'}"
        found.append((None, Finding(DifferenceClass.MISSING, -due.billed, text)))
    extra: list[_Placed] = [(one, _extra(one)) for one in case.invoices]
    return CaseResult(
        currency=due.currency,
        billed=due.billed,
        sent=zero,
        not_sent=due.billed if case.held else zero,
        invoiced=_money(extra, zero),
        rounding=zero,
        catalogue=zero,
        differences=_differences(case, [*found, *extra]),
    )


def _only_invoices(case: Case) -> CaseResult | None:
    """Nothing is due and nothing was sent, yet an invoice carries the bill's stamp."""
    extra: list[_Placed] = [(one, _extra(one)) for one in case.invoices]
    known = [one.unexplained for _, one in extra if one.unexplained is not None]
    if not known:
        return None
    zero = Money(0, known[0].currency)
    differences = _differences(case, extra)
    invoiced = _money(extra, zero)
    return CaseResult(zero.currency, zero, zero, zero, invoiced, zero, zero, differences)


def _extra(invoice: Invoice) -> Finding:
    text = f"invoice {invoice.id} carries the stamp of the bill, and the ledger does not know it"
    amounts = [one.amount - one.discount for one in invoice.lines]
    if not amounts or invoice.deleted or invoice.status == "voided":
        return Finding(DifferenceClass.EXTRA, None, text)
    total = Money(sum(one.minor for one in amounts), amounts[0].currency)
    return Finding(DifferenceClass.EXTRA, total, text)


def _money(found: Iterable[_Placed], zero: Money) -> Money:
    """Add what is extra in one currency."""
    amounts = [one.unexplained for _, one in found if one.unexplained is not None]
    same = [one.minor for one in amounts if one.currency == zero.currency]
    return Money(sum(same), zero.currency)


def _differences(case: Case, found: Iterable[_Placed]) -> tuple[Difference, ...]:
    return tuple(
        Difference(
            one.kind,
            case.bill_id,
            case.account_id,
            invoice.id if invoice else None,
            one.unexplained,
            one.text,
            one.line_id,
        )
        for invoice, one in found
    )


def _totals(currency: Currency, results: list[CaseResult]) -> Totals:
    def add(amounts: Iterable[Money]) -> Money:
        return Money(sum(one.minor for one in amounts), currency)

    return Totals(
        currency.code,
        len(results),
        add(one.billed for one in results),
        add(one.sent for one in results),
        add(one.not_sent for one in results),
        add(one.invoiced for one in results),
        add(one.rounding for one in results),
        add(one.unexplained for one in results),
        add(one.catalogue for one in results),
    )
