"""A bill explained for people who do not know the source: where it stands, then line by line."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import assert_never

from reconciler.drafting.draft import InvoiceDraft, UnsentPart, UnsentReason
from reconciler.kernel.rounding import plain
from reconciler.kernel.text import clock, day, printable, span_of_days, wrapped
from reconciler.m3ter.bill import Bill
from reconciler.reconcile.core.explanation import Explanation, deviations, predicted
from reconciler.reconcile.show.explain_line import credit_text, discount_lines, line_lines, place_of
from reconciler.reconcile.show.explain_sent import attempts_of_bill
from reconciler.reconcile.show.text import by_text
from reconciler.sync.model.invoice import Estimated, NotEstimated

# Keeps what belongs together on one line.
_GLUE = "\N{NO-BREAK SPACE}"


def explain_text(explanation: Explanation, line: int | None = None) -> str:
    """Render an explanation.

    Args:
        explanation: The bill.
        line: Only this line of the bill, from 1; what concerns the whole bill is always shown.
    """
    lines = [*_head(explanation), ""]
    lines += _blocked(explanation)
    for position, draft_line in enumerate(explanation.draft.lines if explanation.draft else ()):
        if line in {None, draft_line.trace.source.number}:
            lines += [*line_lines(explanation, position, draft_line), ""]
    for entry in explanation.draft.discounts if explanation.draft else ():
        if line is None or any(trace.source.number == line for trace in entry.traces):
            lines += [*discount_lines(entry), ""]
    for credit in explanation.draft.credits if explanation.draft else ():
        if line in {None, credit.trace.source.number}:
            lines += [*credit_text(explanation, credit), ""]
    lines += estimate_lines(explanation)
    rest = list(_unsent(explanation, line))
    lines += [*rest, ""] if rest else []
    lines += attempts_of_bill(explanation)
    lines += _ending(explanation)
    return printable("\n".join(lines).rstrip()) + "\n"


def _head(explanation: Explanation) -> Iterator[str]:
    yield f"Bill {explanation.bill_id}"
    parts = [explanation.account]
    if explanation.bill is not None:
        parts += _of_bill(explanation.bill)
    parts += [f"invoice {invoice.id} ({invoice.status})" for invoice in explanation.invoices]
    glued = " · ".join(part.replace(" ", _GLUE) for part in parts if part)
    yield from (line.replace(_GLUE, " ") for line in wrapped(glued))
    money = f" m3ter bills {explanation.money}." if explanation.money is not None else ""
    yield from wrapped(f"{explanation.stands}{money}")
    if explanation.why:
        yield from wrapped(explanation.why, "  ")
    if explanation.draft is not None:
        yield from wrapped(_which_draft(explanation), "  ")
    elif explanation.integration:
        record = f"applied record {explanation.in_force.record}"
        yield f"  Integration {explanation.integration} takes it, by {record}."
    for note in (*(explanation.draft.notes if explanation.draft else ()), *explanation.assumptions):
        yield from wrapped(f"note: {note}", "  ")


def _of_bill(bill: Bill) -> Iterator[str]:
    last = max(bill.end_date - timedelta(days=1), bill.start_date)
    yield span_of_days(bill.start_date, last)
    when = f" {_minute(bill.approved_at)} UTC" if bill.approved_at else ""
    yield "approved" + when if bill.status == "APPROVED" else bill.status


def _minute(when: datetime) -> str:
    moment = when.astimezone(UTC)
    return f"{day(moment)}, {moment:%H:%M}"


def _which_draft(explanation: Explanation) -> str:
    assert explanation.draft is not None
    draft = explanation.draft
    where = draft.integration
    target = f"for {draft.target.kind} {draft.target.external_id}"
    row = place_of(draft.target.origin, explanation.commit)
    target += f" ({row})" if row else " (m3ter's own account id)"
    if explanation.recorded:
        return f"As {where} recorded it when it was sent, {target}."
    record = explanation.in_force.record
    return f"As {where} would draft it now from applied record {record}, {target}."


def _blocked(explanation: Explanation) -> Iterator[str]:
    for reason in explanation.reasons:
        place = place_of(reason.origin, explanation.commit)
        yield from wrapped(f"Blocked: {reason.text}" + (f" ({place})" if place else ""), "", "  ")
        yield from wrapped(f"what to do: {reason.hint}", "  ", "    ")
    if explanation.reasons:
        yield ""


def _unsent(explanation: Explanation, line: int | None) -> Iterator[str]:
    """List what is not sent; the lines of a blocked bill under one heading."""
    shown = [part for part in explanation.unsent if line in {None, part.source.number}]
    blocked = [part for part in shown if part.reason is UnsentReason.BLOCKED]
    if blocked:
        yield "Its lines, none of which is sent:"
    for part in blocked:
        yield from wrapped(f"{_what(explanation, part)}", "  ", "    ")
    for part in shown:
        if part.reason is not UnsentReason.BLOCKED:
            place = place_of(part.origin, explanation.commit)
            where = f" ({place})" if place else ""
            yield from wrapped(
                f"Not sent: {_what(explanation, part)}: {part.reason}{where}", "", "  "
            )


def _what(explanation: Explanation, part: UnsentPart) -> str:
    source = part.source
    currency = f"{explanation.bill.currency} " if explanation.bill is not None else ""
    amount = f", {currency}{plain(source.amount)}" if source.amount is not None else ""
    return f'{source} "{source.description}"{amount}'


def _ending(explanation: Explanation) -> Iterator[str]:
    for difference in explanation.differences:
        by = f"; {by_text(difference.by)}" if difference.by else ""
        yield from wrapped(f"Difference, {difference.kind}: {difference.text}{by}", "", "  ")
    for note in explanation.notes:
        yield from wrapped(note, "", "  ")
    for decision in explanation.decisions:
        why = f": {decision.why}" if decision.why else ""
        text = f"{clock(decision.at)} UTC, {decision.actor} decided `{decision.what}`{why}"
        yield from wrapped(text, "", "  ")
    if explanation.page:
        yield f"What to do: {explanation.page}"


def estimate_lines(explanation: Explanation) -> Iterator[str]:
    """Show an estimate; nothing when none was asked for."""
    match explanation.estimate:
        case None:
            return
        case NotEstimated(why):
            yield from wrapped(f"No estimate: {why}.", "", "  ")
        case Estimated() as estimate:
            assert explanation.draft is not None, "an estimate is of a draft"
            yield from _estimated(explanation.draft, estimate)
        case _:
            assert_never(explanation.estimate)
    yield ""


def _estimated(draft: InvoiceDraft, estimate: Estimated) -> Iterator[str]:
    found = deviations(draft, estimate)
    verdict = "as predicted" if not found else f"and {predicted(draft)} is predicted"
    text = f"Chargebee would make of it: {estimate.sub_total} before tax, {verdict}."
    yield from wrapped(f"{text} Tax {estimate.tax}, in all {estimate.total}.", "", "  ")
    for sentence in found:
        yield from wrapped(sentence, "  ", "    ")
    for credit in draft.credits:
        yield from wrapped(f"A credit of {credit.amount} follows it, on its own.", "  ", "    ")
