"""Generated bills through the drafting core and through the oracle: the same rows, to the digit."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from drafting import oracle
from fakes.bill_strategies import any_bill, route_of, settings
from fakes.push_data import NOW, bill, drafted, route
from hypothesis import given
from hypothesis import strategies as st

from reconciler.drafting.draft import (
    DecimalPricing,
    DraftLine,
    InvoiceDraft,
    NothingToSend,
    WholePricing,
)
from reconciler.drafting.draft_bill import draft_bill
from reconciler.drafting.input_hash import input_hash
from reconciler.kernel import exact_json
from reconciler.m3ter.bill import Bill, BillLine, LineId


def as_row(line: DraftLine) -> oracle.Row:
    source = line.trace.source
    match line.pricing:
        case WholePricing(quantity, price):
            figures = Fraction(quantity), Fraction(price.major)
        case DecimalPricing(units, unit_price):
            figures = Fraction(units), Fraction(unit_price)
        case _:
            figures = Fraction(0), Fraction(0)
    assert line.billed is not None
    assert line.expected is not None
    return oracle.Row(source.number, source.band, line.billed.minor, *figures, line.expected.minor)


@given(any_bill, settings())
def test_every_row_is_what_the_oracle_computes(one: Bill, chosen: oracle.Settings) -> None:
    outcome = draft_bill(one, route_of(chosen), NOW)
    wanted = oracle.rows(one, chosen)
    if isinstance(outcome, NothingToSend):
        assert sum(row.billed for row in wanted) == 0
        return
    assert isinstance(outcome, InvoiceDraft)
    assert [as_row(line) for line in outcome.lines] == wanted
    assert outcome.expected.minor == oracle.total(one, chosen)


@given(any_bill, settings())
def test_under_exact_every_line_is_m3ters_amount_to_the_minor_unit(
    one: Bill, chosen: oracle.Settings
) -> None:
    outcome = draft_bill(one, route_of(replace(chosen, exact=True)), NOW)
    if isinstance(outcome, InvoiceDraft):
        assert all(line.expected == line.billed for line in outcome.lines)
        assert all(line.rounding is not None and not line.rounding.minor for line in outcome.lines)
        assert outcome.billed == outcome.expected


@given(any_bill, settings())
def test_every_line_and_band_is_sent_or_listed(one: Bill, chosen: oracle.Settings) -> None:
    outcome = draft_bill(one, route_of(chosen), NOW)
    sources = [part.source for part in outcome.unsent]
    if isinstance(outcome, InvoiceDraft):
        sources += [line.trace.source for line in outcome.lines]
    found = sorted((source.number, source.band or 0) for source in sources)
    whole = {number for number, position in found if position == 0}
    assert len(found) == len(set(found))
    for number, line in enumerate(one.lines, start=1):
        if number not in whole:
            assert [p for n, p in found if n == number] == list(range(1, len(line.bands) + 1))


@given(any_bill, settings(), st.randoms())
def test_the_order_of_lines_changes_neither_rows_nor_hash(
    one: Bill, chosen: oracle.Settings, random: object
) -> None:
    shuffled = list(one.lines)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    other = replace(one, lines=tuple(shuffled))
    assert input_hash(one) == input_hash(other)
    first, second = (draft_bill(bill, route_of(chosen), NOW) for bill in (one, other))
    assert type(first) is type(second)
    if isinstance(first, InvoiceDraft) and isinstance(second, InvoiceDraft):
        assert sorted(_content(first)) == sorted(_content(second))
        assert first.expected == second.expected


def _content(draft: InvoiceDraft) -> list[str]:
    return [
        repr((drafted.price_id, drafted.pricing, drafted.description, drafted.billed))
        for drafted in draft.lines
    ]


def respelt(number: Decimal | None) -> Decimal | None:
    """The same number, written with more zeros and with an exponent."""
    if number is None:
        return None
    sign, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    return Decimal((sign, (*digits, 0, 0), exponent - 2))


@given(any_bill, settings())
def test_the_way_numbers_are_written_changes_nothing(one: Bill, chosen: oracle.Settings) -> None:
    other = replace(
        one,
        lines=tuple(
            replace(
                line,
                subtotal=respelt(line.subtotal),
                units=respelt(line.units),
                bands=tuple(
                    replace(b, units=respelt(b.units), subtotal=respelt(b.subtotal))
                    for b in line.bands
                ),
            )
            for line in one.lines
        ),
    )
    assert input_hash(one) == input_hash(other)
    first, second = (draft_bill(bill, route_of(chosen), NOW) for bill in (one, other))
    assert type(first) is type(second)
    if isinstance(first, InvoiceDraft) and isinstance(second, InvoiceDraft):
        assert [as_row(line) for line in first.lines] == [as_row(line) for line in second.lines]
        assert [line.details for line in first.lines] == [line.details for line in second.lines]


@given(st.text("0123456789", min_size=1, max_size=60), st.text("0123456789", max_size=60))
def test_no_digit_is_lost_from_wire_to_draft(whole: str, fraction: str) -> None:
    text = str(int(whole[:13])) + (f".{fraction}" if fraction else "")
    wire = exact_json.decode(f'{{"amount": {text}}}')
    assert isinstance(wire, dict)
    amount = Decimal(wire["amount"])
    usage = BillLine(LineId("l"), "USAGE", subtotal=amount, units=Decimal(1))
    outcome = draft_bill(bill(usage), route(), NOW)
    if isinstance(outcome, InvoiceDraft):
        assert Fraction(outcome.lines[0].trace.source.amount or 0) == Fraction(text)
    else:
        assert oracle.minor(Fraction(text), 2) == 0


def test_half_a_penny_is_rounded_up_and_not_to_even() -> None:
    for text, minor in (("0.005", 1), ("0.015", 2), ("0.025", 3), ("2.675", 268)):
        usage = BillLine(LineId("l"), "USAGE", subtotal=Decimal(text))
        assert drafted(bill(usage), route()).expected.minor == minor
