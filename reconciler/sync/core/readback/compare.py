"""m3ter bill x ledger x invoice -> differences, line by line and before tax.

Rounding is what was announced before sending: what the destination was to compute, less m3ter's
amount in minor units. What is knowingly held back is not sent. Unexplained is everything else, and
must be zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from reconciler.drafting.draft import InvoiceDraft
from reconciler.kernel.address import AccountId, BillId
from reconciler.kernel.money import Currency, Money
from reconciler.sync.core.readback.invoice_lines import LineFinding, Recorded, compare_lines
from reconciler.sync.model.invoice import Invoice
from reconciler.sync.model.reconciliation import Difference, DifferenceClass, Reconciliation, Totals


@dataclass(frozen=True, slots=True)
class ThreeSides:
    """One bill on all three sides.

    Attributes:
        due: What m3ter bills now, drafted now; ``None`` when nothing is due.
        sent: What was sent; ``None`` when nothing was.
        invoices: The invoices that carry the bill's stamp or hold its lines.
        why_not_sent: Why it was not sent, for a bill that is missing.
        held: Whether it is knowingly held back; then its money is not missing, but not sent.
    """

    bill_id: BillId
    account_id: AccountId
    due: InvoiceDraft | None
    sent: Recorded | None
    invoices: tuple[Invoice, ...]
    why_not_sent: str = ""
    held: bool = False


@dataclass(frozen=True, slots=True)
class BillComparison:
    """One bill's money and differences; the columns of ``Totals``."""

    currency: Currency
    billed: Money
    sent: Money
    not_sent: Money
    invoiced: Money
    rounding: Money
    catalogue: Money
    differences: tuple[Difference, ...]

    @property
    def unexplained(self) -> Money:
        """What neither the bill, nor what is not sent, nor announced rounding accounts for."""
        return self.invoiced - self.billed + self.not_sent - self.rounding


_Placed = tuple[Invoice | None, LineFinding]


def compare_all(cases: Iterable[ThreeSides]) -> Reconciliation:
    """Reconcile a period.

    Returns:
        One row per currency, by code, and every difference, in the order of the cases.
    """
    rows: dict[Currency, list[BillComparison]] = {}
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
        difference
        for difference in result.differences
        if difference.unexplained is None or abs(difference.unexplained.major) > tolerance
    )


def reconcile_bill(case: ThreeSides) -> BillComparison | None:
    """Reconcile one bill; ``None`` when it is on no side."""
    if case.sent is not None:
        return _sent(case, case.sent)
    if case.due is not None:
        return _not_sent(case, case.due)
    return _only_invoices(case)


def _sent(case: ThreeSides, sent: Recorded) -> BillComparison:
    draft = sent.draft
    zero = Money(0, draft.currency)
    billed = case.due.billed if case.due else zero
    found: list[_Placed] = []
    if billed != draft.billed:
        text = f"m3ter bills {billed} now; {draft.billed} was sent: it was recalculated"
        found.append((None, LineFinding(DifferenceClass.AMOUNT, draft.billed - billed, text)))
    elif case.due and case.due.input_hash != draft.input_hash:
        text = "m3ter recalculated the bill after it was sent; its total is the same"
        found.append((None, LineFinding(DifferenceClass.AMOUNT, None, text)))
    alive = [
        stamped for stamped in case.invoices if not stamped.deleted and stamped.status != "voided"
    ]
    spare = [(invoice, _extra(invoice)) for invoice in alive[1:]]
    found.extend(spare)
    invoiced, catalogue = _money(spare, zero), zero
    held = sent.held
    if alive and alive[0].currency == draft.currency.code:
        compared = compare_lines(sent, alive[0])
        invoiced, catalogue, held = invoiced + compared.invoiced, compared.catalogue, compared.held
        found.extend((alive[0], finding) for finding in compared.findings)
    elif not draft.lines:
        invoiced -= sent.credited or zero  # credits alone stand on no invoice
    not_sent, never = _held_part(sent, held)
    found.extend(_as_a_whole(case, sent, alive, draft.expected - never))
    return BillComparison(
        currency=draft.currency,
        billed=billed,
        sent=draft.expected - never,
        not_sent=not_sent,
        invoiced=invoiced,
        rounding=draft.expected - draft.billed - (never - not_sent),
        catalogue=catalogue,
        differences=_differences(case, found),
    )


def _held_part(sent: Recorded, held: Iterable[int]) -> tuple[Money, Money]:
    """Give what m3ter bills, and what the destination would compute, of what was never sent."""
    draft = sent.draft
    credit = (
        sum(held_credit.amount.minor for held_credit in draft.credits) if sent.credits_held else 0
    )
    billed = expected = -credit
    for line in (draft.lines[position] for position in held):
        billed += line.billed.minor if line.billed is not None else 0
        expected += line.expected.minor if line.expected is not None else 0
    return Money(billed, draft.currency), Money(expected, draft.currency)


def _as_a_whole(
    case: ThreeSides, sent: Recorded, alive: Sequence[Invoice], expected: Money
) -> Iterator[_Placed]:
    """Say what is wrong with the invoice as a whole, of which ``expected`` was sent."""
    draft = sent.draft
    if not alive:
        gone = [
            f"{stamped.id} {'deleted' if stamped.deleted else 'voided'}"
            for stamped in case.invoices
        ]
        if not expected.minor and len(sent.held) == len(draft.lines):
            return
        if not draft.lines:
            yield from _credits_alone(sent, expected)
            return
        text = f"no invoice stands for what was sent ({', '.join(gone) or 'none found'})"
        place = case.invoices[0] if case.invoices else None
        yield place, LineFinding(DifferenceClass.MISSING, -expected, text)
        return
    invoice, kind = alive[0], draft.target.kind
    if invoice.currency != draft.currency.code:
        text = f"invoice {invoice.id} is in {invoice.currency}; {draft.currency} was sent"
        yield invoice, LineFinding(DifferenceClass.CURRENCY, None, text)
    holder = invoice.subscription_id if kind == "subscription" else invoice.customer_id
    holders = {holder, *(line.subscription_id for line in invoice.lines if kind == "subscription")}
    if draft.target.external_id not in holders:
        text = (
            f"invoice {invoice.id} is for {kind} {holder or 'none'};"
            f" {draft.target.external_id} was sent"
        )
        yield invoice, LineFinding(DifferenceClass.CUSTOMER, None, text)


def _credits_alone(sent: Recorded, expected: Money) -> Iterator[_Placed]:
    """Compare the credits of a bill that has no lines; they were to come to ``-expected``."""
    amount = sent.credited or Money(0, expected.currency)
    if amount + expected != Money(0, expected.currency):
        text = f"the credits given for it come to {amount}; {-expected} was due"
        yield None, LineFinding(DifferenceClass.AMOUNT, -expected - amount, text)


def _not_sent(case: ThreeSides, due: InvoiceDraft) -> BillComparison:
    """A bill is due and was not sent; an invoice that carries its stamp all the same is extra."""
    zero = Money(0, due.currency)
    found: list[_Placed] = []
    if not case.held:
        text = f"{due.billed} is due and was not sent: {case.why_not_sent or 'no reason recorded'}"
        found.append((None, LineFinding(DifferenceClass.MISSING, -due.billed, text)))
    extra: list[_Placed] = [(stamped, _extra(stamped)) for stamped in case.invoices]
    return BillComparison(
        currency=due.currency,
        billed=due.billed,
        sent=zero,
        not_sent=due.billed if case.held else zero,
        invoiced=_money(extra, zero),
        rounding=zero,
        catalogue=zero,
        differences=_differences(case, [*found, *extra]),
    )


def _only_invoices(case: ThreeSides) -> BillComparison | None:
    """Nothing is due and nothing was sent, yet an invoice carries the bill's stamp."""
    extra: list[_Placed] = [(stamped, _extra(stamped)) for stamped in case.invoices]
    known = [finding.unexplained for _, finding in extra if finding.unexplained is not None]
    if not known:
        return None
    zero = Money(0, known[0].currency)
    differences = _differences(case, extra)
    invoiced = _money(extra, zero)
    return BillComparison(zero.currency, zero, zero, zero, invoiced, zero, zero, differences)


def _extra(invoice: Invoice) -> LineFinding:
    text = f"invoice {invoice.id} carries the stamp of the bill, and the ledger does not know it"
    amounts = [line.amount - line.discount for line in invoice.lines]
    if not amounts or invoice.deleted or invoice.status == "voided":
        return LineFinding(DifferenceClass.EXTRA, None, text)
    total = Money(sum(amount.minor for amount in amounts), amounts[0].currency)
    return LineFinding(DifferenceClass.EXTRA, total, text)


def _money(found: Iterable[_Placed], zero: Money) -> Money:
    """Add what is extra in one currency."""
    amounts = [finding.unexplained for _, finding in found if finding.unexplained is not None]
    same = [amount.minor for amount in amounts if amount.currency == zero.currency]
    return Money(sum(same), zero.currency)


def _differences(case: ThreeSides, found: Iterable[_Placed]) -> tuple[Difference, ...]:
    return tuple(
        Difference(
            finding.kind,
            case.bill_id,
            case.account_id,
            invoice.id if invoice else None,
            finding.unexplained,
            finding.text,
            finding.line_id,
        )
        for invoice, finding in found
    )


def _totals(currency: Currency, results: list[BillComparison]) -> Totals:
    def add(amounts: Iterable[Money]) -> Money:
        return Money(sum(amount.minor for amount in amounts), currency)

    return Totals(
        currency.code,
        len(results),
        add(result.billed for result in results),
        add(result.sent for result in results),
        add(result.not_sent for result in results),
        add(result.invoiced for result in results),
        add(result.rounding for result in results),
        add(result.unexplained for result in results),
        add(result.catalogue for result in results),
    )
