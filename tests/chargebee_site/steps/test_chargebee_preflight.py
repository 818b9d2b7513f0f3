"""What is refused before anything is sent, with what to do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from fakes.chargebee_world import UK, ChargebeeWorld, draft_of, pending_draft
from fakes.push_data import line

from reconciler.chargebee.steps.preflight import (
    DecimalPlaces,
    DraftReads,
    OwnerFacts,
    PriceFacts,
    preflight,
)
from reconciler.chargebee.switches import ChargebeeSwitches
from reconciler.drafting.draft import BlockCode, CataloguePricing, DecimalPricing, InvoiceDraft
from reconciler.sync.model.push import Performed
from reconciler.sync.ports.destination import Stop

Open = Callable[..., ChargebeeWorld]
PRICE = PriceFacts("charge", "active", "GBP", "per_unit", inclusive=False, priced=True)
OWNER = OwnerFacts("cust", "active", "GBP")
FIELDS = {"cf_m3ter_bill_id": frozenset({"invoice", "credit_note"})}
FACTS = DraftReads(OWNER, {"usage-GBP": PRICE}, 0, FIELDS)
NEGATIVE = (line(amount="400"), line("CREDIT_DEDUCTION", "-30.50", product_id=""))


def texts(
    facts: DraftReads,
    draft: InvoiceDraft | None = None,
    places: DecimalPlaces | None = None,
    **switches: Any,
) -> list[str]:
    found = preflight(
        draft or draft_of(), facts, places or DecimalPlaces(), ChargebeeSwitches(**switches)
    )
    assert all(reason.hint for reason in found)
    return [reason.text for reason in found]


def priced(**more: Any) -> DraftReads:
    return replace(FACTS, prices={"usage-GBP": replace(PRICE, **more)})


def owned(**more: Any) -> DraftReads:
    return replace(FACTS, owner=replace(OWNER, **more))


def test_nothing_is_said_when_all_is_well() -> None:
    assert texts(FACTS) == []


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (owned(why="does not exist in Chargebee"), "does not exist in Chargebee"),
        (owned(status="cancelled"), "is cancelled in Chargebee"),
        (owned(status="paused"), "is paused in Chargebee"),
        (owned(status="transferred"), "is transferred in Chargebee"),
        (owned(currency="EUR"), "is billed in EUR, and the bill is in GBP"),
        (replace(FACTS, unbilled=2), "2 unbilled charges"),
        (replace(FACTS, fields={}), "no custom field cf_m3ter_bill_id on objects of kind invoice"),
        (replace(FACTS, prices={}), "item price usage-GBP does not exist"),
        (priced(item_type="addon"), "is of type addon, not charge"),
        (priced(status="archived"), "is archived"),
        (priced(currency="USD"), "is in USD, and the bill is in GBP"),
        (priced(model="tiered"), "is tiered; only flat fees and per-unit prices"),
        (priced(inclusive=True), "includes tax"),
        (priced(model="flat_fee"), "is a flat fee, and quantity 3 would be ignored"),
        (replace(FACTS, lost_stamp="cf_x"), "without its stamp cf_x"),
    ],
)
def test_each_fact_that_would_bill_wrongly_blocks(facts: DraftReads, said: str) -> None:
    assert any(said in text for text in texts(facts)), texts(facts)


def test_switches_allow_what_is_not_documented() -> None:
    assert texts(owned(status="paused"), paused_billing="allow") == []
    assert texts(owned(status="cancelled"), cancelled_billing="allow") == []
    assert texts(replace(FACTS, fields=None)) == []


def test_a_pending_invoice_is_the_subscriptions_own_and_takes_its_charges_up_anyway() -> None:
    dollars = replace(PRICE, currency="USD")
    facts = DraftReads(replace(OWNER, currency="USD"), {"usage-USD": dollars}, 3, FIELDS)
    assert texts(facts, pending_draft()) == []


def test_a_price_without_a_price_cannot_stand_for_m3ters_missing_amount() -> None:
    draft = draft_of()
    bare = replace(draft.lines[0], pricing=CataloguePricing(), expected=None)
    facts = priced(priced=False)
    assert any(
        "no price of its own" in text for text in texts(facts, replace(draft, lines=(bare,)))
    )


def test_credits_need_the_stamp_on_credit_notes_too() -> None:
    draft = draft_of(*NEGATIVE, push={"negative_lines": "credit-note"})
    only = {"cf_m3ter_bill_id": frozenset({"invoice"})}
    assert texts(replace(FACTS, fields=only), draft) == [
        "the site has no custom field cf_m3ter_bill_id on objects of kind credit_note"
    ]


def test_more_lines_than_an_invoice_is_trusted_with_block() -> None:
    assert any("makes 2 lines, more than the 1" in text for text in texts(FACTS, max_lines=1))


def test_a_discount_on_a_repeated_price_can_be_blocked() -> None:
    draft = draft_of(*NEGATIVE, line("AD_HOC", "7"), push={"negative_lines": "discount"})
    assert texts(FACTS, draft) == []
    assert any(
        "given several times" in text for text in texts(FACTS, draft, repeated_discount="block")
    )
    single = draft_of(*NEGATIVE, push={"negative_lines": "discount"})
    assert texts(FACTS, single, repeated_discount="block") == []


@pytest.mark.parametrize(
    ("price", "quantity", "places", "blocked"),
    [
        ("0.1333", "3000.5", DecimalPlaces(4, 1), 0),
        ("0.13330000", "3", DecimalPlaces(4, 0), 0),
        ("0.13333", "3000.5", DecimalPlaces(4, 1), 1),
        ("0.1333", "3000.55", DecimalPlaces(4, 1), 1),
        ("0.1", "1", DecimalPlaces(), 2),
        ("1E+5", "2E+3", DecimalPlaces(0, 0), 0),
        ("1" * 40, "1" * 34, DecimalPlaces(4, 4), 2),
    ],
)
def test_more_decimal_places_than_the_site_takes_block(
    price: str, quantity: str, places: DecimalPlaces, blocked: int
) -> None:
    draft = draft_of()
    pricing = DecimalPricing(Decimal(quantity), Decimal(price))
    draft = replace(draft, lines=(replace(draft.lines[0], pricing=pricing),))
    found = preflight(draft, FACTS, places, ChargebeeSwitches())
    assert [reason.code for reason in found] == [BlockCode.DECIMAL_PLACES] * blocked


# --- against the emulator ------------------------------------------------------------------------


def checked(site: ChargebeeWorld, draft: InvoiceDraft) -> str:
    return " / ".join(reason.text for reason in site.destination.check(draft))


def test_the_catalogue_is_read_once_and_remembered(world: Open) -> None:
    site = world()
    there = site.destination
    assert there.check(draft_of()) == ()
    asked = len(site.http.requests(vendor="chargebee"))
    assert there.check(draft_of(bill_id="bill-2")) == ()
    assert len(site.http.requests(vendor="chargebee")) == asked
    assert there.flat_prices(["usage-GBP", "nowhere"]) == frozenset()
    site.clock.advance(3600)
    site.edit(UK, status="cancelled")
    assert "is cancelled" in " ".join(reason.text for reason in there.check(draft_of()))


def test_trouble_in_chargebee_is_told_with_the_object(world: Open) -> None:
    site = world()
    assert "subscription nobody does not exist" in checked(site, draft_of(subscription="nobody"))
    elsewhere = draft_of(subscription="nobody", push={"account_is": "customer"})
    assert "customer nobody does not exist" in checked(site, elsewhere)
    site.edit("usage-GBP", pricing_model="tiered", status="archived")
    said = checked(site, draft_of())
    assert "item price usage-GBP is archived" in said
    assert "item price usage-GBP is tiered" in said


def test_a_customer_can_be_billed_directly(world: Open) -> None:
    site = world()
    draft = draft_of(subscription="cust_acme_uk", push={"account_is": "customer"})
    assert checked(site, draft) == ""
    site.drive(draft)
    assert isinstance(site.effects[0].object_id, str)
    site.edit("cust_acme_uk", deleted=True)
    assert "was deleted" in checked(site, draft)


def test_a_deleted_owner_is_told(world: Open) -> None:
    site = world()
    site.edit(UK, deleted=True)
    assert "was deleted in Chargebee" in checked(site, draft_of())
    other = world()
    other.edit("cust_acme_uk", deleted=True)
    assert "belongs to customer cust_acme_uk, who was deleted" in checked(other, draft_of())


def test_unbilled_charges_that_would_be_swept_in_block_until_they_are_gone(world: Open) -> None:
    site = world()
    charge = {"charges[amount][0]": "250", "charges[description][0]": "Support"}
    made = site.post("/unbilled_charges", subscription_id=UK, currency_code="GBP", **charge)
    assert "1 unbilled charge of" in checked(site, draft_of())
    site.post(f"/unbilled_charges/{made['unbilled_charges'][0]['id']}/delete")
    assert checked(site, draft_of()) == ""


def test_a_stamp_field_that_the_site_ignores_stops_all_sending(world: Open) -> None:
    site = world(unknown_custom_fields="ignore")
    draft = draft_of(push={"stamp": "cf_gone"})
    assert "no custom field cf_gone" in checked(site, draft)
    site.settings = replace(site.settings, stamps=("cf_gone",))
    there = site.destination
    step = there.next_step(draft, ())
    assert not isinstance(step, Stop)
    outcome, _ = site.send(site.intend(step, draft), there)  # type: ignore[arg-type]
    assert isinstance(outcome, Performed)
    stopped = there.next_step(draft_of(bill_id="bill-2"), ())
    assert isinstance(stopped, Stop)
    assert "cf_gone" in stopped.reason.text
    assert "without its stamp cf_gone" in " ".join(reason.text for reason in there.check(draft))


OPEN_OFF = {"open": True, "collection": "off"}


def test_an_open_invoice_that_would_collect_at_closing_is_blocked() -> None:
    collecting = owned(collects="customer cust")
    (said,) = texts(collecting, draft_of(push=OPEN_OFF))
    assert "closing an open invoice" in said
    assert "auto-collection of customer cust is on" in said
    (reason,) = preflight(draft_of(push=OPEN_OFF), collecting, DecimalPlaces(), ChargebeeSwitches())
    assert "push.collection: customer-default" in reason.hint
    assert texts(FACTS, draft_of(push=OPEN_OFF)) == []
    assert texts(collecting, draft_of(push={"open": True, "collection": "customer-default"})) == []
    assert texts(collecting, draft_of(push={"collection": "off"})) == []


@pytest.mark.parametrize(
    ("subscription", "customer", "blocks"),
    [
        ("on", "off", "subscription sub_test_acme_uk"),
        ("off", "on", ""),
        (None, "on", "customer cust_acme_uk"),
        (None, "off", ""),
        (None, None, "customer cust_acme_uk"),
    ],
)
def test_the_subscriptions_own_collection_comes_before_the_customers(
    world: Open, subscription: str | None, customer: str | None, blocks: str
) -> None:
    site = world()
    site.edit(UK, auto_collection=subscription)
    site.edit("cust_acme_uk", auto_collection=customer)
    found = site.destination.check(draft_of(push=OPEN_OFF))
    assert [f"auto-collection of {blocks} is on" in reason.text for reason in found] == [
        True
    ] * bool(blocks)


def test_what_nobody_set_may_be_trusted_to_collect_nothing(world: Open) -> None:
    site = world()
    site.edit("cust_acme_uk", auto_collection=None)
    site.session.switches = ChargebeeSwitches(unset_collection="off")
    assert site.destination.check(draft_of(push=OPEN_OFF)) == ()


def test_an_open_invoice_is_sent_without_auto_collection_and_stays_pending(world: Open) -> None:
    site, draft = world(), draft_of(push=OPEN_OFF)
    assert site.destination.check(draft) == ()
    site.drive(draft)
    assert b"auto_collection" not in site.effects[0].request.body
    assert site.invoices()[0]["status"] == "pending"
