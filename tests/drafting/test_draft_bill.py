"""One bill, one draft: what is sent, what stays behind, and every reason that blocks."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from fakes.push_data import (
    FILE,
    NOW,
    THIS,
    band,
    bill,
    blocked,
    drafted,
    line,
    mapping,
    nothing,
    route,
    spec,
)

from reconciler.definitions.model import Defined
from reconciler.drafting.draft import (
    BlockCode,
    BlockedBill,
    CataloguePricing,
    DecimalPricing,
    NothingToSend,
    PriceRule,
    UnsentReason,
    WholePricing,
)
from reconciler.drafting.draft_bill import draft_bill
from reconciler.drafting.input_hash import input_hash
from reconciler.drafting.route import DraftingRules, MappingIndex, NotAPushRouteError, Readings
from reconciler.kernel.line_item import LineItemType
from reconciler.kernel.money import chargebee_currencies
from reconciler.kernel.problem import Origin
from reconciler.m3ter.bill import LineId

MULTI = {
    "use_multidecimal": True,
    "multi_decimal_price_decimal_places": 3,
    "multi_decimal_units_decimal_places": 3,
}
MEMO = {"service_from": date(2026, 11, 5), "service_to": date(2026, 11, 6)}
LONG_AGO = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.mark.parametrize("kind", list(LineItemType))
def test_every_line_item_type_is_sent_at_its_amount(kind: LineItemType) -> None:
    draft = drafted(bill(line(kind, "12.34", units="1", **MEMO)), route())
    (row,) = draft.lines
    assert row.price_id == "other-GBP"
    assert str(row.expected) == "£12.34"
    assert row.trace.source.type == kind


@pytest.mark.parametrize("kind", list(LineItemType))
def test_an_excluded_type_is_never_sent_and_always_listed(kind: LineItemType) -> None:
    by = route(
        entity={"excluded_line_item_types": (kind,)},
        page={"price_id_mapping": {kind: "mapped"}},
        mappings=[mapping("Product", "prod-api", "p-1")],
    )
    stays = LineItemType.AD_HOC if kind is not LineItemType.AD_HOC else LineItemType.USAGE
    draft = drafted(bill(line(kind, "-5"), line(stays, "1")), by)
    assert [drafted.trace.source.type for drafted in draft.lines] == [stays]
    (unsent,) = draft.unsent
    assert unsent.reason is UnsentReason.EXCLUDED_TYPE
    assert unsent.source.number == 1
    assert unsent.origin == Origin(FILE, 20, 5)


def test_the_draft_says_who_is_billed_how_and_when() -> None:
    draft = drafted(bill(line(), purchase_order="PO 7"), route(site_zone="Europe/Paris"))
    assert (draft.target.kind, draft.target.external_id) == ("subscription", "acc-acme")
    assert draft.way == "create"
    assert draft.invoice_at == datetime(2026, 11, 30, 23, tzinfo=UTC)
    assert draft.purchase_order == "PO 7"
    assert draft.collection == "off"
    assert draft.stamp_field == "cf_m3ter_bill_id"
    assert draft.integration == "chargebee-uk"
    assert draft.bill_version == 3
    assert draft.notes == ()
    assert draft.input_hash == input_hash(bill(line()))


def test_the_account_mapping_decides_who_is_billed() -> None:
    maps = [
        mapping("Account", "acc-acme", "sub_acme", table="Subscription"),
        mapping("account", "acc-acme", "cust_acme", table="customer"),
    ]
    mapped = {"use_external_mapping_account_code": True}
    draft = drafted(bill(line()), route(entity=mapped, mappings=maps))
    assert draft.target.external_id == "sub_acme"
    assert draft.target.origin == Origin("prices.csv", 12)
    other = drafted(
        bill(line()), route(entity=mapped, mappings=maps, push={"account_is": "customer"})
    )
    assert (other.target.kind, other.target.external_id) == ("customer", "cust_acme")


def test_a_linked_account_mapping_wins_over_an_unlinked_one() -> None:
    maps = [
        mapping("Account", "acc-acme", "sub_any", table="Subscription"),
        mapping("Account", "acc-acme", "sub_uk", THIS, table="Subscription"),
    ]
    by = route(entity={"use_external_mapping_account_code": True}, mappings=maps)
    assert drafted(bill(line()), by).target.external_id == "sub_uk"


def test_a_missing_account_mapping_blocks_with_m3ters_own_event() -> None:
    by = route(entity={"use_external_mapping_account_code": True})
    (reason,) = blocked(bill(line()), by).reasons
    assert reason.code is BlockCode.ACCOUNT_MAPPING
    assert reason.event == "integration.missingaccountmapping.error"
    assert "acme-uk" in reason.text


def test_two_account_mappings_of_one_level_block() -> None:
    maps = [
        mapping("Account", "acc-acme", literal, table="Subscription") for literal in ("s1", "s2")
    ]
    by = route(entity={"use_external_mapping_account_code": True}, mappings=maps)
    (reason,) = blocked(bill(line(), account_code=""), by).reasons
    assert reason.code is BlockCode.AMBIGUOUS_MAPPING
    assert "s1" in reason.text
    assert "s2" in reason.text
    assert "acc-acme" in reason.text
    assert reason.event == "integration.validation.error"


@pytest.mark.parametrize("page", [{"create_invoice": False}, {"create_invoice": True}])
def test_an_open_invoice_needs_a_subscription(page: dict[str, bool]) -> None:
    push = {"account_is": "customer", "open": page["create_invoice"]}
    (reason,) = blocked(bill(line()), route(page=page, push=push)).reasons
    assert reason.code is BlockCode.ACCOUNT_MAPPING
    assert "subscription" in reason.hint


@pytest.mark.parametrize(
    ("page", "push", "way"),
    [
        ({"create_invoice": True}, {}, "create"),
        ({"create_invoice": True}, {"open": True}, "create-open"),
        ({"create_invoice": False}, {}, "pending"),
    ],
)
def test_the_settings_decide_the_way(
    page: dict[str, bool], push: dict[str, bool], way: str
) -> None:
    draft = drafted(bill(line()), route(page=page, push=push))
    assert draft.way == way
    assert (draft.invoice_at is None) == (way == "pending")


def test_a_credit_line_without_a_service_period_blocks_the_bill() -> None:
    outcome = blocked(bill(line("DEBIT_MEMO", "5"), line("USAGE", "1")), route())
    (reason,) = outcome.reasons
    assert reason.code is BlockCode.PERIOD
    assert "line 1 (DEBIT_MEMO)" in reason.text
    assert [part.reason for part in outcome.unsent] == [UnsentReason.BLOCKED] * 2


def test_a_line_with_a_reason_for_credit_needs_a_service_period_too() -> None:
    (reason,) = blocked(bill(line("AD_HOC", "5", reason_id="r")), route()).reasons
    assert reason.code is BlockCode.PERIOD


def test_a_period_that_ends_before_it_starts_blocks() -> None:
    turned = line("USAGE", "1", service_from=date(2026, 11, 6), service_to=date(2026, 11, 5))
    (reason,) = blocked(bill(turned), route()).reasons
    assert reason.code is BlockCode.PERIOD
    assert "ends before it starts" in reason.text


def test_every_reason_is_reported_at_once() -> None:
    outcome = blocked(
        bill(
            line("CREDIT_MEMO", "-1"),
            line("USAGE", "2"),
            line("NEW_TYPE", "3"),
            line("USAGE", None),
        ),
        route(page={"default_price_id": None}, entity={"use_external_mapping_account_code": True}),
    )
    codes = [reason.code for reason in outcome.reasons]
    assert codes.count(BlockCode.PRICE) == 3
    assert {BlockCode.ACCOUNT_MAPPING, BlockCode.LINE_TYPE, BlockCode.PERIOD} <= set(codes)


def test_an_unknown_currency_or_time_zone_blocks() -> None:
    codes = [reason.code for reason in blocked(bill(line(), currency="XXX"), route()).reasons]
    assert codes == [BlockCode.CURRENCY]
    outcome = blocked(bill(line(), time_zone="Mars/Olympus"), route())
    assert [reason.code for reason in outcome.reasons] == [BlockCode.TIME_ZONE]
    assert [part.source.number for part in outcome.unsent] == [1]


def test_missing_decimal_places_block() -> None:
    (reason,) = blocked(bill(line()), route(page={"use_multidecimal": True})).reasons
    assert reason.code is BlockCode.DECIMAL_PLACES


def test_a_bill_of_zero_has_nothing_to_send() -> None:
    outcome = nothing(bill(line("USAGE", "10"), line("COMMITMENT_CONSUMED", "-10")), route())
    assert outcome.why == "what would be sent adds up to £0.00"
    assert [part.reason for part in outcome.unsent] == [UnsentReason.NOTHING_TO_SEND] * 2


def test_an_empty_bill_has_nothing_to_send() -> None:
    assert nothing(bill(), route()).why == "the bill has no lines"


@pytest.mark.parametrize("unknown", [{"time_zone": "Mars/Olympus"}, {"currency": "???"}])
def test_what_is_unknown_of_a_bill_of_excluded_lines_does_not_matter(
    unknown: dict[str, str],
) -> None:
    by = route(entity={"excluded_line_item_types": (LineItemType.USAGE,)})
    outcome = draft_bill(replace(bill(line("USAGE", "10")), **unknown), by, NOW)  # type: ignore[arg-type]
    assert isinstance(outcome, NothingToSend)
    assert [part.reason for part in outcome.unsent] == [UnsentReason.EXCLUDED_TYPE]
    other = replace(bill(line("USAGE", "10"), line("AD_HOC", "1")), **unknown)  # type: ignore[arg-type]
    assert isinstance(draft_bill(other, by, NOW), BlockedBill)


def test_a_bill_of_excluded_lines_has_nothing_to_send() -> None:
    by = route(entity={"excluded_line_item_types": (LineItemType.USAGE,)})
    outcome = nothing(bill(line()), by)
    assert "no line of the bill is of a type that is sent" in outcome.why
    assert [part.reason for part in outcome.unsent] == [UnsentReason.EXCLUDED_TYPE]


def test_a_zero_line_is_sent_at_price_zero_beside_others() -> None:
    draft = drafted(bill(line("USAGE", "0", units="7"), line("USAGE", "0"), line()), route())
    first, second, _ = draft.lines
    assert first.pricing == WholePricing(7, first.billed or pytest.fail("no amount"))
    assert isinstance(second.pricing, WholePricing)
    assert second.pricing.quantity == 1
    assert (first.expected, second.expected) == (first.billed, second.billed)


def test_a_line_below_half_a_penny_is_sent_at_price_zero_with_its_figures() -> None:
    for page in ({}, MULTI):
        draft = drafted(bill(line("USAGE", "0.004", units="2"), line()), route(page=page))
        row = draft.lines[0]
        assert row.pricing == WholePricing(1, row.billed or pytest.fail("no amount"))
        assert str(row.expected) == "£0.00"
        assert row.details == "2 calls x GBP 0.002 = GBP 0.004"


def test_a_tiny_negative_line_that_rounds_to_zero_is_sent_at_price_zero() -> None:
    row = drafted(bill(line("USAGE", "-0.004", units="2"), line()), route()).lines[0]
    assert str(row.expected) == "£0.00"
    assert "below zero" in row.trace.notes[-1]


def test_many_units_at_a_tiny_price_are_sent_as_one_with_the_figures_in_the_text() -> None:
    draft = drafted(bill(line("USAGE", "400", units="1000000")), route(page=MULTI))
    (row,) = draft.lines
    assert isinstance(row.pricing, WholePricing)
    assert (row.pricing.quantity, str(row.pricing.unit_price)) == (1, "£400.00")
    assert row.details == "1000000 calls x GBP 0.0004 = GBP 400"
    note = "sent as quantity 1 at £400.00: 3 places would send 0.000 x 1000000 = £0.00"
    assert row.trace.notes[-1] == note
    steps = [(step.what, step.places, str(step.rounded)) for step in row.trace.rounding]
    assert steps == [
        ("units", 3, "1000000.000"),
        ("unit price", 3, "0.000"),
        ("amount", 2, "400.00"),
    ]


def test_as_m3ter_the_difference_is_sent_and_reported_as_rounding() -> None:
    by = route(page=MULTI, push={"rounding": "as-m3ter"})
    draft = drafted(bill(line("USAGE", "400", units="1000000"), line("USAGE", "1")), by)
    row = draft.lines[0]
    assert row.pricing == DecimalPricing(Decimal(1000000), Decimal("0.000"))
    assert str(row.expected) == "£0.00"
    assert str(row.rounding) == "-£400.00"
    assert str(draft.expected - draft.billed) == "-£400.00"


@pytest.mark.parametrize(
    ("amount", "price"), [("0.13333", "0.133"), ("0.16666", "0.167"), ("0.0005", "0.001")]
)
def test_prices_are_rounded_half_up_to_the_configured_places(amount: str, price: str) -> None:
    by = route(page=MULTI, push={"rounding": "as-m3ter"})
    row = drafted(bill(line("USAGE", amount, units="1"), line()), by).lines[0]
    assert row.pricing == DecimalPricing(Decimal(1), Decimal(price))


def test_without_decimals_whole_units_at_whole_prices_keep_their_quantity() -> None:
    row = drafted(bill(line("USAGE", "12.00", units="8")), route()).lines[0]
    assert isinstance(row.pricing, WholePricing)
    assert (row.pricing.quantity, str(row.pricing.unit_price)) == (8, "£1.50")
    assert row.details == ""


@pytest.mark.parametrize(
    ("units", "why"),
    [
        (None, "m3ter gives no units"),
        ("0", "m3ter gives no units"),
        ("2.5", "the units are not whole, and decimals are off"),
        ("7", "the unit price is not whole in minor units"),
        ("-1", "units or amount are below zero"),
    ],
)
def test_without_decimals_everything_else_is_sent_as_one(units: str | None, why: str) -> None:
    row = drafted(bill(line("USAGE", "12.00", units=units)), route()).lines[0]
    assert isinstance(row.pricing, WholePricing)
    assert row.pricing.quantity == 1
    assert row.trace.notes == (
        "falls to the default price other-GBP",
        f"sent as quantity 1 at £12.00: {why}",
    )


def test_as_m3ter_without_decimals_may_round_units_and_price() -> None:
    by = route(push={"rounding": "as-m3ter"}, readings=Readings(whole_units="rounded"))
    row = drafted(bill(line("USAGE", "12.00", units="2.5")), by).lines[0]
    assert isinstance(row.pricing, WholePricing)
    assert (row.pricing.quantity, str(row.pricing.unit_price)) == (3, "£4.80")
    assert str(row.rounding) == "£2.40"


@pytest.mark.parametrize(
    ("units", "why"),
    [
        ("0.0004", "the units round to 0 at 3 places"),
        ("2147483648", "the quantity is above 2147483647"),
    ],
)
def test_units_that_cannot_be_sent_make_quantity_one(units: str, why: str) -> None:
    by = route(page=MULTI, push={"rounding": "as-m3ter"})
    row = drafted(bill(line("USAGE", "12.00", units=units)), by).lines[0]
    assert row.trace.notes[-1].endswith(why)
    assert row.expected == row.billed


def test_more_digits_than_the_destination_takes_make_quantity_one() -> None:
    page = MULTI | {
        "multi_decimal_price_decimal_places": 20,
        "multi_decimal_units_decimal_places": 20,
    }
    by = route(page=page, push={"rounding": "as-m3ter"})
    tiny = "0.00000000000000000003"
    row = drafted(bill(line("USAGE", "90071992547409.91", units=tiny)), by).lines[0]
    assert "more digits" in row.trace.notes[-1]


def test_a_flat_fee_is_sent_as_one() -> None:
    by = route(flat_prices=frozenset({"other-GBP"}))
    row = drafted(bill(line("USAGE", "12.00", units="8")), by).lines[0]
    assert "flat fee" in row.trace.notes[-1]
    assert row.details == "8 calls x GBP 1.5 = GBP 12"


def test_a_repeating_unit_price_is_shown_as_about() -> None:
    row = drafted(bill(line("USAGE", "1", units="3", unit="")), route()).lines[0]
    assert row.details == "3 x about GBP 0.333333333333 = GBP 1"


def test_an_amount_beyond_the_destinations_largest_blocks() -> None:
    (reason,) = blocked(bill(line("USAGE", "90071992547409.92")), route()).reasons
    assert reason.code is BlockCode.AMOUNT
    assert "largest amount" in reason.text


@pytest.mark.parametrize("currency", ["KWD", "BHD", "CLP"])
def test_minor_units_follow_chargebee_and_not_iso(currency: str) -> None:
    draft = drafted(bill(line("USAGE", "1.234"), currency=currency), route())
    assert draft.expected.minor == 123
    assert "ISO 4217" in draft.notes[0]


def test_yen_have_no_minor_units() -> None:
    draft = drafted(bill(line("USAGE", "1234.5"), currency="JPY"), route())
    assert draft.expected.minor == 1235
    assert draft.notes == ()


def test_the_zero_decimal_list_is_a_setting() -> None:
    table = chargebee_currencies(frozenset({"CLP"}))
    by = route(readings=Readings(currencies=table))
    assert drafted(bill(line("USAGE", "1234.5"), currency="CLP"), by).expected.minor == 1235


@pytest.mark.parametrize("kind", ["MINIMUM_SPEND", "STANDING_CHARGE"])
def test_a_line_without_amount_takes_the_catalogues_price(kind: str) -> None:
    page = {"minimum_spend_item_price": "min", "standing_charge_item_price": "standing"}
    row = drafted(bill(line(kind, None)), route(page=page)).lines[0]
    assert row.pricing == CataloguePricing()
    assert (row.billed, row.expected, row.rounding) == (None, None, None)
    assert "catalogue" in row.trace.notes[-1]


def test_a_usage_line_without_amount_blocks() -> None:
    (reason,) = blocked(bill(line("USAGE", None)), route()).reasons
    assert reason.code is BlockCode.AMOUNT


@pytest.mark.parametrize(
    ("wanted", "note"),
    [
        (None, "gives no external invoice date"),
        (date(2026, 10, 31), "over a month old"),
        (date(2026, 12, 2), "still to come"),
    ],
)
def test_an_unusable_invoice_date_becomes_today_and_is_reported(
    wanted: date | None, note: str
) -> None:
    draft = drafted(bill(line(), external_invoice_date=wanted), route())
    assert draft.invoice_at is None
    assert note in draft.notes[0]


def test_an_unknown_site_zone_is_reported() -> None:
    draft = drafted(bill(line()), route(site_zone="Nowhere"))
    assert draft.invoice_at is None
    assert "Nowhere" in draft.notes[0]


def test_today_is_left_to_the_destination() -> None:
    draft = drafted(bill(line()), route(push={"invoice_date": "today"}))
    assert (draft.invoice_at, draft.notes) == (None, ())


def test_a_long_order_number_is_cut() -> None:
    draft = drafted(bill(line(), purchase_order="x" * 120), route())
    assert len(draft.purchase_order) == 100


def test_a_definition_without_push_or_page_cannot_draft() -> None:
    for missing in ({"push": None}, {"chargebee": None}):
        settings = spec().model_copy(update=missing)
        by = DraftingRules(Defined("uk", settings, Origin(FILE), {}), MappingIndex())
        with pytest.raises(NotAPushRouteError, match="integration uk cannot push"):
            draft_bill(bill(line()), by, NOW)


def test_lines_are_sorted_by_subtotal_with_bands_together() -> None:
    banded = line("USAGE", "5", bands=(band("2", "1", id="b"), band("3", "1", id="a")))
    some = bill(
        line("USAGE", "7"),
        banded,
        line("USAGE", None, converted_subtotal="6"),
        line("MINIMUM_SPEND", None),
    )
    by = route(page={"sort_line_items_by": "subtotal"})
    sources = [line.trace.source for line in drafted(some, by).lines]
    assert [(source.number, source.band) for source in sources] == [
        (2, 1),
        (2, 2),
        (3, None),
        (1, None),
        (4, None),
    ]


def test_lines_are_sorted_by_aggregation_id_stably_and_those_without_come_last() -> None:
    some = bill(
        line("USAGE", "1"),
        line("USAGE", "2", aggregation_id="b"),
        line("USAGE", "3", aggregation_id="a"),
        line("USAGE", "4", aggregation_id="b"),
    )
    by = route(page={"sort_line_items_by": "aggregationId"})
    assert [line.trace.source.number for line in drafted(some, by).lines] == [3, 2, 4, 1]
    assert [line.trace.source.number for line in drafted(some, route()).lines] == [1, 2, 3, 4]


def test_the_default_price_is_noted_only_where_the_environment_warns() -> None:
    for fallback, notes in (("warn", 1), ("allow", 0)):
        draft = drafted(bill(line("USAGE", "1", units="1")), route(fallback=fallback))
        assert len(draft.lines[0].trace.notes) == notes
        assert draft.fallbacks == draft.lines


def test_where_the_default_price_is_forbidden_it_blocks() -> None:
    (reason,) = blocked(bill(line()), route(fallback="forbid")).reasons
    assert reason.code is BlockCode.FALLBACK
    assert reason.origin == Origin(FILE, 30, 5)


def test_a_status_or_version_changes_no_hash_but_money_does() -> None:
    one = bill(line())
    same = replace(one, version=9, status="PENDING", approved_at=LONG_AGO)
    assert input_hash(one) == input_hash(same)
    assert input_hash(one) != input_hash(bill(line(amount="400.01")))
    assert input_hash(one) == input_hash(
        bill(replace(line(), id=LineId("new"), child_account_code="c"))
    )


def test_times_that_are_equal_hash_alike() -> None:
    def hashed(start: object) -> str:
        return input_hash(bill(line(service_from=start)))

    paris = datetime.fromisoformat("2026-11-01T01:00:00+01:00")
    assert hashed(paris) == hashed(datetime(2026, 11, 1, tzinfo=UTC))
    assert hashed(date(2026, 11, 1)) == hashed(datetime.fromisoformat("2026-11-01"))
    assert hashed(date(2026, 11, 1)) != hashed(date(2026, 11, 2))


def test_prices_of_mapped_lines_name_their_rule() -> None:
    by = route(
        mappings=[mapping("Product", "prod-api", "api-GBP", THIS)],
        page={"price_id_mapping": {LineItemType.USAGE: "usage-GBP"}},
    )
    choice = drafted(bill(line(product_code="api-calls")), by).lines[0].trace.price
    assert choice is not None
    assert choice.chosen.rule is PriceRule.LINKED_MAPPING
    assert choice.chosen.what == "mapping of product api-calls"
    assert [(source.what, str(source.origin)) for source in choice.not_used] == [
        ("priceIdMapping.USAGE", f"{FILE}:32:7"),
        ("defaultPriceId", f"{FILE}:30:5"),
    ]
