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


def explain_text(told: Explanation, line: int | None = None) -> str:
    """Render an explanation.

    Args:
        told: The bill.
        line: Only this line of the bill, from 1; what concerns the whole bill is always shown.
    """
    lines = [*_head(told), ""]
    lines += _blocked(told)
    for position, one in enumerate(told.draft.lines if told.draft else ()):
        if line in {None, one.trace.source.number}:
            lines += [*line_lines(told, position, one), ""]
    for entry in told.draft.discounts if told.draft else ():
        if line is None or any(each.source.number == line for each in entry.traces):
            lines += [*discount_lines(entry), ""]
    for credit in told.draft.credits if told.draft else ():
        if line in {None, credit.trace.source.number}:
            lines += [*credit_text(told, credit), ""]
    lines += estimate_lines(told)
    rest = list(_unsent(told, line))
    lines += [*rest, ""] if rest else []
    lines += attempts_of_bill(told)
    lines += _ending(told)
    return printable("\n".join(lines).rstrip()) + "\n"


def _head(told: Explanation) -> Iterator[str]:
    yield f"Bill {told.bill_id}"
    parts = [told.account]
    if told.bill is not None:
        parts += _of_bill(told.bill)
    parts += [f"invoice {one.id} ({one.status})" for one in told.invoices]
    glued = " · ".join(one.replace(" ", _GLUE) for one in parts if one)
    yield from (line.replace(_GLUE, " ") for line in wrapped(glued))
    money = f" m3ter bills {told.money}." if told.money is not None else ""
    yield from wrapped(f"{told.stands}{money}")
    if told.why:
        yield from wrapped(told.why, "  ")
    if told.draft is not None:
        yield from wrapped(_which_draft(told), "  ")
    elif told.integration:
        record = f"applied record {told.in_force.record}"
        yield f"  Integration {told.integration} takes it, by {record}."
    for note in (*(told.draft.notes if told.draft else ()), *told.assumptions):
        yield from wrapped(f"note: {note}", "  ")


def _of_bill(bill: Bill) -> Iterator[str]:
    last = max(bill.end_date - timedelta(days=1), bill.start_date)
    yield span_of_days(bill.start_date, last)
    when = f" {_minute(bill.approved_at)} UTC" if bill.approved_at else ""
    yield "approved" + when if bill.status == "APPROVED" else bill.status


def _minute(when: datetime) -> str:
    told = when.astimezone(UTC)
    return f"{day(told)}, {told:%H:%M}"


def _which_draft(told: Explanation) -> str:
    assert told.draft is not None
    draft = told.draft
    where = draft.integration
    target = f"for {draft.target.kind} {draft.target.external_id}"
    row = place_of(draft.target.origin, told.commit)
    target += f" ({row})" if row else " (m3ter's own account id)"
    if told.recorded:
        return f"As {where} recorded it when it was sent, {target}."
    record = told.in_force.record
    return f"As {where} would draft it now from applied record {record}, {target}."


def _blocked(told: Explanation) -> Iterator[str]:
    for reason in told.reasons:
        place = place_of(reason.origin, told.commit)
        yield from wrapped(f"Blocked: {reason.text}" + (f" ({place})" if place else ""), "", "  ")
        yield from wrapped(f"what to do: {reason.hint}", "  ", "    ")
    if told.reasons:
        yield ""


def _unsent(told: Explanation, line: int | None) -> Iterator[str]:
    """List what is not sent; the lines of a blocked bill under one heading."""
    shown = [one for one in told.unsent if line in {None, one.source.number}]
    blocked = [one for one in shown if one.reason is UnsentReason.BLOCKED]
    if blocked:
        yield "Its lines, none of which is sent:"
    for one in blocked:
        yield from wrapped(f"{_what(told, one)}", "  ", "    ")
    for one in shown:
        if one.reason is not UnsentReason.BLOCKED:
            place = place_of(one.origin, told.commit)
            where = f" ({place})" if place else ""
            yield from wrapped(f"Not sent: {_what(told, one)}: {one.reason}{where}", "", "  ")


def _what(told: Explanation, one: UnsentPart) -> str:
    source = one.source
    currency = f"{told.bill.currency} " if told.bill is not None else ""
    amount = f", {currency}{plain(source.amount)}" if source.amount is not None else ""
    return f'{source} "{source.description}"{amount}'


def _ending(told: Explanation) -> Iterator[str]:
    for one in told.differences:
        by = f"; {by_text(one.by)}" if one.by else ""
        yield from wrapped(f"Difference, {one.kind}: {one.text}{by}", "", "  ")
    for note in told.notes:
        yield from wrapped(note, "", "  ")
    for decision in told.decisions:
        why = f": {decision.why}" if decision.why else ""
        text = f"{clock(decision.at)} UTC, {decision.actor} decided `{decision.what}`{why}"
        yield from wrapped(text, "", "  ")
    if told.page:
        yield f"What to do: {told.page}"


def estimate_lines(told: Explanation) -> Iterator[str]:
    """Show an estimate; nothing when none was asked for."""
    match told.estimate:
        case None:
            return
        case NotEstimated(why):
            yield from wrapped(f"No estimate: {why}.", "", "  ")
        case Estimated() as made:
            assert told.draft is not None, "an estimate is of a draft"
            yield from _estimated(told.draft, made)
        case _:
            assert_never(told.estimate)
    yield ""


def _estimated(draft: InvoiceDraft, made: Estimated) -> Iterator[str]:
    found = deviations(draft, made)
    verdict = "as predicted" if not found else f"and {predicted(draft)} is predicted"
    text = f"Chargebee would make of it: {made.sub_total} before tax, {verdict}."
    yield from wrapped(f"{text} Tax {made.tax}, in all {made.total}.", "", "  ")
    for one in found:
        yield from wrapped(one, "  ", "    ")
    for credit in draft.credits:
        yield from wrapped(f"A credit of {credit.amount} follows it, on its own.", "  ", "    ")
