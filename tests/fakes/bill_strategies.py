"""Generated bills that are in order, and the settings that change money."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from drafting import oracle
from fakes.push_data import NOW, bill, route
from hypothesis import strategies as st

from reconciler.drafting.route import DraftingRules
from reconciler.kernel.line_item import LineItemType
from reconciler.m3ter.bill import Band, Bill, BillLine, LineId

numbers = st.decimals(
    min_value=0, max_value=10**9, allow_nan=False, allow_infinity=False, places=None
).map(lambda raw: raw.quantize(Decimal("1e-12")) if raw.as_tuple().exponent < -12 else raw)  # type: ignore[operator]
ties = st.builds(
    lambda whole, places: Decimal(whole) + Decimal(5).scaleb(-places),
    st.integers(0, 10_000),
    st.integers(1, 6),
)
amounts = st.one_of(
    numbers,
    ties,
    st.just(Decimal(0)),
    st.integers(0, 10**6).map(lambda number: Decimal(number) / 100),
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
kinds = st.sampled_from([item_type.value for item_type in LineItemType])


@st.composite
def bands(draw: st.DrawFn) -> Band:
    return Band(id=draw(st.text("abc", max_size=3)), units=draw(units), subtotal=draw(amounts))


@st.composite
def lines(draw: st.DrawFn) -> BillLine:
    """A line that is in order: its bands, if any, add up to it."""
    parts = tuple(draw(st.lists(bands(), max_size=4)))
    subtotal = sum((part.subtotal or Decimal(0) for part in parts), Decimal(0))
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


def route_of(one: oracle.Settings) -> DraftingRules:
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


def same_bills(currency: str) -> st.SearchStrategy[Bill]:
    return st.lists(lines(), max_size=6).map(lambda some: bill(*some, currency=currency))


any_bill = st.sampled_from(["GBP", "JPY", "KWD", "CLP"]).flatmap(
    lambda code: same_bills("GBP").map(
        lambda entry: replace(
            entry,
            currency=code,
            lines=tuple(replace(line, currency="", conversion_rate=None) for line in entry.lines)
            if code != "GBP"
            else entry.lines,
        )
    )
)
