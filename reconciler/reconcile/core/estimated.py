"""An estimate beside the draft that it was asked for: what Chargebee would make otherwise (pure).

Lines are found as on a real invoice, because their order is not documented.
"""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.drafting.draft import InvoiceDraft
from reconciler.kernel.money import Money
from reconciler.sync.core.readback.invoice_lines import Sent, match
from reconciler.sync.model.estimate import Estimated


def predicted(draft: InvoiceDraft) -> Money:
    """Say what the invoice is predicted to be before tax; credits come after it and on their own.

    Lines at catalogue prices are not predicted, and not in it.
    """
    lines = sum(one.expected.minor for one in draft.lines if one.expected is not None)
    return Money(lines - sum(one.amount.minor for one in draft.discounts), draft.currency)


def deviations(draft: InvoiceDraft, made: Estimated) -> tuple[str, ...]:
    """Tell in words where an estimate is not as predicted, line by line and tax aside."""
    if made.invoice.currency != draft.currency.code:
        return (f"it is in {made.invoice.currency}, and the bill in {draft.currency}",)
    return tuple(_deviations(draft, made))


def _deviations(draft: InvoiceDraft, made: Estimated) -> Iterator[str]:
    ours = match(Sent(draft, {}), made.invoice)
    for position, wanted in enumerate(draft.lines):
        name = f'line {position + 1}, "{wanted.description}"'
        line = ours.get(position)
        if line is None:
            yield f"{name}: not in it; {wanted.expected or 'the catalogue price'} is predicted"
        elif wanted.expected is not None and line.amount != wanted.expected:
            yield f"{name}: {line.amount}, and {wanted.expected} is predicted"
    taken = {one.id for one in ours.values()}
    for line in made.invoice.lines:
        if line.id not in taken:
            yield f'"{line.description}", {line.amount}: not of this bill'
    due = sum(one.amount.minor for one in draft.discounts)
    given = sum(one.discount.minor for one in made.invoice.lines)
    if due != given:
        told = (Money(one, draft.currency) for one in (given, due))
        yield "discounts: {}, and {} is predicted".format(*told)
