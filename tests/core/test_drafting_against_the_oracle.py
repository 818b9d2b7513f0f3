"""Generated bills through the drafting core and through the oracle: the same rows, to the digit."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from core import oracle
from fakes.push_data import NOW, bill, drafted, route
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core import exact_json
from reconciler.core.draft_input import input_hash
from reconciler.core.invoicing import draft_bill
from reconciler.core.route import Route
from reconciler.domain.bill import Band, Bill, BillLine, LineId
from reconciler.domain.draft import (
    DecimalPricing,
    DraftLine,
    InvoiceDraft,
    NothingToSend,
    WholePricing,
)
from reconciler.domain.line_item import LineItemType

numbers = st.decimals(
    min_value=0, max_value=10**9, allow_nan=False, allow_infinity=False, places=None
).map(lambda one: one.quantize(Decimal("1e-12")) if one.as_tuple().exponent < -12 else one)  # type: ignore[operator]
ties = st.builds(
    lambda whole, places: Decimal(whole) + Decimal(5).scaleb(-places),
    st.integers(0, 10_000),
    st.integers(1, 6),
)
amounts = st.one_of(
    numbers, ties, st.just(Decimal(0)), st.integers(0, 10**6).map(lambda one: Decimal(one) / 100)
)
units = st.one_of(
    st.none(),
    st.just(Decimal(0)),
    numbers,
    st.integers(1, 5_000).map(Decimal),
    st.just(Decimal(2**31)),
    st.just(Decimal("0.0000004")),
)
rates = st.decimals(min_value="0.0001", max_value="200", places=6)
kinds = st.sampled_from([one.value for one in LineItemType])


@st.composite
def bands(draw: st.DrawFn) -> Band:
    return Band(id=draw(st.text("abc", max_size=3)), units=draw(units), subtotal=draw(amounts))


@st.composite
def lines(draw: st.DrawFn) -> BillLine:
    """A line that is in order: its bands, if any, add up to it."""
    parts = tuple(draw(st.lists(bands(), max_size=4)))
    subtotal = sum((one.subtotal or Decimal(0) for one in parts), Decimal(0))
    subtotal = subtotal if parts else draw(amounts)
    currency = draw(st.sampled_from(["", "GBP", "EUR"]))
    rate = None if currency in {"", "GBP"} else draw(rates)
    return BillLine(
        LineId(draw(st.text("xyz", max_size=4))),
        draw(kinds),
        description=draw(st.text(max_size=300)),
        units=draw(units),
        unit="calls",
        subtotal=subtotal,
        currency=currency,
        conversion_rate=rate,
        bands=parts,
        aggregation_id=draw(st.sampled_from(["", "agg-1", "agg-2"])),
        service_from=NOW.date().replace(day=1, month=11),
        service_to=NOW.date(),
    )


@st.composite
def settings(draw: st.DrawFn) -> oracle.Settings:
    return oracle.Settings(
        per_band=draw(st.booleans()),
        multidecimal=draw(st.booleans()),
        price_places=draw(st.integers(0, 8)),
        unit_places=draw(st.integers(0, 8)),
        exact=draw(st.booleans()),
        excluded=tuple(draw(st.sets(kinds, max_size=2))),
    )


def route_of(one: oracle.Settings) -> Route:
    page: dict[str, object] = {
        "use_multidecimal": one.multidecimal,
        "split_usage_line_items": "itemPerUsageBand" if one.per_band else "itemPerProduct",
    }
    if one.multidecimal:
        page["multi_decimal_price_decimal_places"] = one.price_places
        page["multi_decimal_units_decimal_places"] = one.unit_places
    return route(
        page=page,
        push={"rounding": "exact" if one.exact else "as-m3ter"},
        entity={"excluded_line_item_types": tuple(LineItemType(kind) for kind in one.excluded)},
    )


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


def same_bills(currency: str) -> st.SearchStrategy[Bill]:
    return st.lists(lines(), max_size=6).map(lambda some: bill(*some, currency=currency))


any_bill = st.sampled_from(["GBP", "JPY", "KWD", "CLP"]).flatmap(
    lambda code: same_bills("GBP").map(
        lambda one: replace(
            one,
            currency=code,
            lines=tuple(replace(each, currency="", conversion_rate=None) for each in one.lines)
            if code != "GBP"
            else one.lines,
        )
    )
)


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
    sources = [each.source for each in outcome.unsent]
    if isinstance(outcome, InvoiceDraft):
        sources += [each.trace.source for each in outcome.lines]
    found = sorted((each.number, each.band or 0) for each in sources)
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
    first, second = (draft_bill(each, route_of(chosen), NOW) for each in (one, other))
    assert type(first) is type(second)
    if isinstance(first, InvoiceDraft) and isinstance(second, InvoiceDraft):
        assert sorted(_content(first)) == sorted(_content(second))
        assert first.expected == second.expected


def _content(draft: InvoiceDraft) -> list[str]:
    return [repr((one.price_id, one.pricing, one.description, one.billed)) for one in draft.lines]


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
                each,
                subtotal=respelt(each.subtotal),
                units=respelt(each.units),
                bands=tuple(
                    replace(b, units=respelt(b.units), subtotal=respelt(b.subtotal))
                    for b in each.bands
                ),
            )
            for each in one.lines
        ),
    )
    assert input_hash(one) == input_hash(other)
    first, second = (draft_bill(each, route_of(chosen), NOW) for each in (one, other))
    assert type(first) is type(second)
    if isinstance(first, InvoiceDraft) and isinstance(second, InvoiceDraft):
        assert [as_row(each) for each in first.lines] == [as_row(each) for each in second.lines]
        assert [each.details for each in first.lines] == [each.details for each in second.lines]


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
