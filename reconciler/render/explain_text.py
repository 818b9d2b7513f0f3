"""A bill explained for people who do not know the source: where it stands, then line by line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta, tzinfo

from reconciler.core.explanation import Explanation
from reconciler.core.periods import zone_of
from reconciler.core.rounding import plain
from reconciler.domain.draft import (
    CataloguePricing,
    DecimalPricing,
    DraftCredit,
    DraftDiscount,
    DraftLine,
    Period,
    PriceChoice,
    PriceRule,
    PriceSource,
    Pricing,
    RoundingStep,
    Trace,
    WholePricing,
)
from reconciler.domain.problem import Origin
from reconciler.render.changed_by import by_text
from reconciler.render.explain_sent import attempts_of_bill, sent_lines
from reconciler.render.figures import WIDTH, clock, day, short, wrapped
from reconciler.render.plain_text import printable

_LABEL = 10


def explain_text(told: Explanation, line: int | None = None) -> str:
    """Render an explanation.

    Args:
        told: The bill.
        line: Only this line of the bill, from 1; what concerns the whole bill is always shown.
    """
    lines = [*_head(told), ""]
    for position, one in enumerate(told.draft.lines if told.draft else ()):
        if line in {None, one.trace.source.number}:
            lines += [*_line(told, position, one), ""]
    for entry in told.draft.discounts if told.draft else ():
        if line is None or any(each.source.number == line for each in entry.traces):
            lines += [*_discount(entry), ""]
    for credit in told.draft.credits if told.draft else ():
        if line in {None, credit.trace.source.number}:
            lines += [*_credit(told, credit), ""]
    rest = list(_unsent(told, line))
    lines += [*rest, ""] if rest else []
    lines += _blocked(told)
    lines += attempts_of_bill(told)
    lines += _ending(told)
    return printable("\n".join(lines).rstrip()) + "\n"


def _head(told: Explanation) -> Iterator[str]:
    parts = [f"Bill {short(told.bill_id)}", told.account]
    bill = told.bill
    if bill is not None:
        last = bill.end_date - timedelta(days=1)
        parts.append(f"{day(bill.start_date)} - {day(max(last, bill.start_date))}")
        when = f" {clock(bill.approved_at)} UTC" if bill.approved_at else ""
        parts.append("approved" + when if bill.status == "APPROVED" else bill.status)
    parts += [f"invoice {one.id} ({one.status})" for one in told.invoices]
    yield from wrapped(" · ".join(one for one in parts if one))
    money = f" m3ter bills {told.money}." if told.money is not None else ""
    yield from wrapped(f"{told.stands}{money}")
    if told.why:
        yield from wrapped(told.why, "  ")
    if told.draft is not None:
        yield from wrapped(_which_draft(told), "  ")
    for note in (*(told.draft.notes if told.draft else ()), *told.assumptions):
        yield from wrapped(f"note: {note}", "  ")


def _which_draft(told: Explanation) -> str:
    assert told.draft is not None
    draft = told.draft
    where = draft.integration
    target = f"for {draft.target.kind} {draft.target.external_id}"
    row = _place(draft.target.origin, told.commit)
    target += f" ({row})" if row else " (m3ter's own account id)"
    if told.recorded:
        return f"As {where} recorded it when it was sent, {target}."
    record = told.in_force.record
    return f"As {where} would draft it now from applied record {record}, {target}."


def _line(told: Explanation, position: int, one: DraftLine) -> Iterator[str]:
    billed = f"m3ter {one.billed}" if one.billed is not None else "m3ter gives no amount"
    number = one.trace.source.number
    title = f"{number}. {one.description}   {_figures(one)}".rstrip()
    yield from _with_right(title, billed)
    if one.trace.price is not None:
        yield from _price(one.trace.price, told)
    yield from _labelled("amount", _amount(one))
    yield from _labelled("period", _period(one.period, told))
    yield from sent_lines(told, position, one)


def _discount(one: DraftDiscount) -> Iterator[str]:
    numbers = ", ".join(str(each.source) for each in one.traces)
    yield from _with_right(f"{one.description}   from {numbers}", f"m3ter {-one.amount}")
    yield from _labelled("sent as", [f"a discount of {one.amount} on price {one.price_id}"])
    for trace in one.traces:
        yield from _labelled("amount", list(_traced(trace)))


def _credit(told: Explanation, one: DraftCredit) -> Iterator[str]:
    source = one.trace.source
    yield from _with_right(f"{source.number}. {one.description}", f"m3ter {-one.amount}")
    if one.trace.price is not None:
        yield from _price(one.trace.price, told)
    promotional = told.draft is not None and told.draft.credits_as == "promotional-credit"
    text = f"a credit note of {one.amount} after the invoice, price {one.price_id}"
    if promotional:
        text = f"a part, {one.amount}, of the promotional credit for the customer's next invoices"
    yield from _labelled("sent as", [text])
    yield from _labelled("amount", list(_traced(one.trace)))
    yield from _labelled("period", _period(one.period, told))


def _price(choice: PriceChoice, told: Explanation) -> Iterator[str]:
    chosen = choice.chosen
    place = _place(chosen.origin, told.commit)
    left = f"  {'price':<{_LABEL - 2}}{chosen.price_id}   {_rule(chosen)}"
    if place and len(left) + len(place) < WIDTH:
        yield f"{left:<{WIDTH - len(place)}}{place}"
    else:
        yield from wrapped(left.strip(), "  ", " " * _LABEL)
        if place:
            yield f"{'':<{_LABEL}}{place}"
    if choice.fallback:
        yield from _labelled("", ["no mapping and no rule for its type: it fell to the default"])
    for other in choice.not_used:
        where = _place(other.origin, told.commit)
        found = f" ({where})" if where else ""
        why = _why_not(chosen.rule)
        yield from _labelled("", [f"not used: {other.what} = {other.price_id}{found}: {why}"])


def _rule(source: PriceSource) -> str:
    match source.rule:
        case PriceRule.LINKED_MAPPING:
            return f"{source.what}, linked to this integration"
        case PriceRule.UNLINKED_MAPPING:
            return f"{source.what}, linked to no integration"
        case _:
            return source.what


def _why_not(chosen: PriceRule) -> str:
    mapped = chosen in {PriceRule.LINKED_MAPPING, PriceRule.UNLINKED_MAPPING}
    return "a mapping comes first" if mapped else f"{chosen} comes first"


def _amount(one: DraftLine) -> list[str]:
    texts = list(_traced(one.trace))
    if not _as_one(one):
        texts.append(f"sent as {_pricing(one.pricing)}")
    rounding = one.rounding
    if rounding is not None and rounding.minor:
        texts.append(f"Chargebee will make {one.expected} of it: rounding {rounding}")
    return texts


def _traced(trace: Trace) -> Iterator[str]:
    source = trace.source
    if source.amount is not None:
        yield f"{plain(source.amount)} in m3ter ({source.amount_from})"
    for step in trace.rounding:
        if step.exact != step.rounded:
            yield _rounding(step)
    yield from trace.notes


def _rounding(step: RoundingStep) -> str:
    places = "place" if step.places == 1 else "places"
    exact = plain(step.exact)
    return f"{step.what} {exact} to {step.places} {places}, half up: {step.rounded:.{step.places}f}"


def _pricing(pricing: Pricing) -> str:
    match pricing:
        case WholePricing(quantity, price):
            return f"quantity {quantity:,} at {price}"
        case DecimalPricing(quantity, price):
            return f"quantity {plain(quantity)} at {plain(price)}"
        case CataloguePricing(quantity):
            return f"quantity {quantity:,} at the catalogue's own price"


def _period(period: Period, told: Explanation) -> list[str]:
    name = told.bill.time_zone if told.bill is not None else "UTC"
    zone = zone_of(name)
    place, shown = (UTC, "UTC") if zone is None else (zone, name)
    return [f"{_local(period.start, place)} - {_local(period.end, place)} {shown}"]


def _local(when: datetime, zone: tzinfo) -> str:
    local = when.astimezone(zone)
    return f"{day(local)} {local:%H:%M}"


def _unsent(told: Explanation, line: int | None) -> Iterator[str]:
    for one in told.unsent:
        if line is not None and one.source.number != line:
            continue
        place = _place(one.origin, told.commit)
        amount = f", {plain(one.source.amount)}" if one.source.amount is not None else ""
        words = f'Not sent: {one.source} "{one.source.description}"{amount}: {one.reason.value}'
        yield from wrapped(words + (f" ({place})" if place else ""), "", "  ")


def _blocked(told: Explanation) -> Iterator[str]:
    for reason in told.reasons:
        place = _place(reason.origin, told.commit)
        yield from wrapped(f"Blocked: {reason.text}" + (f" ({place})" if place else ""), "", "  ")
        yield from wrapped(f"what to do: {reason.hint}", "  ", "    ")
    if told.reasons:
        yield ""


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


def _place(origin: Origin | None, commit: str) -> str:
    """Write where something stands, with the commit it was applied from."""
    if origin is None:
        return ""
    file = origin.file.removeprefix("integrations.d/")
    if not origin.line:
        return file
    return f"{file}:{origin.line}" + (f"@{commit[:7]}" if commit else "")


def _figures(one: DraftLine) -> str:
    """Give units times price: m3ter's own where the line is sent as quantity 1."""
    if _as_one(one):
        return one.details.partition(";")[0]
    match one.pricing:
        case WholePricing(quantity, price):
            return f"{quantity:,} x {price}"
        case DecimalPricing(quantity, number):
            return f"{plain(quantity)} x {plain(number)}"
        case CataloguePricing():
            return ""


def _as_one(one: DraftLine) -> bool:
    return any(note.startswith("sent as quantity 1") for note in one.trace.notes)


def _with_right(left: str, right: str) -> Iterator[str]:
    if len(left) + len(right) + 2 <= WIDTH:
        yield f"{left:<{WIDTH - len(right)}}{right}"
        return
    yield from wrapped(left, "", "   ")
    yield f"{right:>{WIDTH}}"


def _labelled(label: str, texts: Iterable[str]) -> Iterator[str]:
    head = f"  {label:<{_LABEL - 2}}"
    for text in texts:
        yield from wrapped(text, head, " " * _LABEL)
        head = " " * _LABEL
