"""One line of a bill explained: its price, its amount, its period, and what was sent for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, tzinfo

from reconciler.drafting.draft import (
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
from reconciler.drafting.periods import zone_of
from reconciler.kernel.problem import Origin
from reconciler.kernel.rounding import plain
from reconciler.kernel.text import WIDTH, day, with_short_ids, wrapped
from reconciler.reconcile.core.explanation import Explanation
from reconciler.reconcile.show.explain_sent import sent_lines

_LABEL = 10


def line_lines(explanation: Explanation, position: int, line: DraftLine) -> Iterator[str]:
    """Explain a line that is sent as a line."""
    billed = f"m3ter {line.billed}" if line.billed is not None else "m3ter gives no amount"
    number = line.trace.source.number
    title = f"{number}. {line.description}   {_figures(line)}".rstrip()
    yield from _with_right(title, billed)
    if line.trace.price is not None:
        yield from _price(line.trace.price, explanation)
    yield from _labelled("amount", _amount(line))
    yield from _labelled("period", _period(line.period, explanation))
    yield from sent_lines(explanation, position, line)


def discount_lines(discount: DraftDiscount) -> Iterator[str]:
    """Explain negative lines that are sent as a discount."""
    numbers = ", ".join(str(trace.source) for trace in discount.traces)
    yield from _with_right(f"{discount.description}   from {numbers}", f"m3ter {-discount.amount}")
    yield from _labelled(
        "sent as", [f"a discount of {discount.amount} on price {discount.price_id}"]
    )
    for trace in discount.traces:
        yield from _labelled("amount", list(_traced(trace)))


def credit_text(explanation: Explanation, credit: DraftCredit) -> Iterator[str]:
    """Explain a negative line that is given as a credit."""
    source = credit.trace.source
    yield from _with_right(f"{source.number}. {credit.description}", f"m3ter {-credit.amount}")
    if credit.trace.price is not None:
        yield from _price(credit.trace.price, explanation)
    promotional = (
        explanation.draft is not None and explanation.draft.credits_as == "promotional-credit"
    )
    text = f"a credit note of {credit.amount} after the invoice, price {credit.price_id}"
    if promotional:
        text = (
            f"a part, {credit.amount}, of the promotional credit for the customer's next invoices"
        )
    yield from _labelled("sent as", [text])
    yield from _labelled("amount", list(_traced(credit.trace)))
    yield from _labelled("period", _period(credit.period, explanation))


def place_of(origin: Origin | None, commit: str) -> str:
    """Write where something stands, with the commit it was applied from."""
    if origin is None:
        return ""
    file = origin.file.removeprefix("integrations.d/")
    if not origin.line:
        return file
    return f"{file}:{origin.line}" + (f"@{commit[:7]}" if commit else "")


def _price(choice: PriceChoice, explanation: Explanation) -> Iterator[str]:
    chosen = choice.chosen
    place = place_of(chosen.origin, explanation.commit)
    left = f"  {'price':<{_LABEL - 2}}{chosen.price_id}   {with_short_ids(_rule(chosen))}"
    if place and len(left) + len(place) < WIDTH:
        yield f"{left:<{WIDTH - len(place)}}{place}"
    else:
        yield from wrapped(left.strip(), "  ", " " * _LABEL)
        if place:
            yield f"{'':<{_LABEL}}{place}"
    if choice.fallback:
        yield from _labelled("", ["no mapping and no rule for its type: it fell to the default"])
    if choice.not_used:
        others = ", ".join(f"{other.what} = {other.price_id}" for other in choice.not_used)
        yield from _labelled("", [f"not used: {with_short_ids(others)} ({_why_not(chosen.rule)})"])


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


def _amount(line: DraftLine) -> list[str]:
    texts = list(_traced(line.trace))
    if not _as_one(line):
        texts.append(f"sent as {_pricing(line.pricing)}")
    rounding = line.rounding
    if rounding is not None and rounding.minor:
        texts.append(f"Chargebee will make {line.expected} of it: rounding {rounding}")
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


def _period(period: Period, explanation: Explanation) -> list[str]:
    name = explanation.bill.time_zone if explanation.bill is not None else "UTC"
    zone = zone_of(name)
    place, shown = (UTC, "UTC") if zone is None else (zone, name)
    return [f"{_local(period.start, place)} - {_local(period.end, place)} {shown}"]


def _local(when: datetime, zone: tzinfo) -> str:
    local = when.astimezone(zone)
    return f"{day(local)} {local:%H:%M}"


def _figures(line: DraftLine) -> str:
    """Give units times price: m3ter's own where the line is sent as quantity 1."""
    if _as_one(line):
        return line.details.partition(";")[0]
    match line.pricing:
        case WholePricing(quantity, price):
            return f"{quantity:,} x {price}"
        case DecimalPricing(quantity, number):
            return f"{plain(quantity)} x {plain(number)}"
        case CataloguePricing():
            return ""


def _as_one(line: DraftLine) -> bool:
    return any(note.startswith("sent as quantity 1") for note in line.trace.notes)


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
