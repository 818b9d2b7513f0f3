"""The judge itself: it passes what is right and fails what is doubled, missing or wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import pytest
from chaos.due import Due, NotDue, Organisation, half_up
from chaos.judge import Verdict, judge

START, END = "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"
FROM, TO = 1793491200, 1796083200


def bill_line(kind: str = "AD_HOC", amount: str = "49.005", **more: Any) -> dict[str, Any]:
    return {
        "lineItemType": kind,
        "conversionRate": 1,
        "convertedSubtotal": Decimal(amount),
        "units": Decimal(1),
        "servicePeriodStartDate": START,
        "servicePeriodEndDate": END,
        **more,
    }


def bill(*lines: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "id": "b1",
        "accountId": "a1",
        "accountCode": "acme",
        "currency": "GBP",
        "status": "APPROVED",
        "endDate": "2026-12-01",
        "startDateTimeUTC": START,
        "endDateTimeUTC": END,
        "lineItems": list(lines or (bill_line(), bill_line("USAGE", "7.10", productId="p1"))),
        **more,
    }


def integration(name: str = "one", **more: Any) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "displayName": name,
        "global": {"accountIds": [{"code": "acme"}]},
        "entity": {"onlySendBillOnApproval": True, "excludedLineItemTypes": ["BALANCE_FEE"]},
        "chargebee": {"createInvoice": True, "priceIdMapping": {"AD_HOC": "adhoc"}},
        "push": {"since": "2026-11-15", "accountIs": "subscription"},
    }
    for key, value in more.items():
        spec[key] = spec[key] | value
    return {"spec": spec}


def mapping(entity: str, key: str, external: str) -> dict[str, Any]:
    link = {"integrationConfigId": "config"}
    return {"m3terEntity": entity, "m3terId": key, "externalId": external, **link}


def charged(price: str = "adhoc", amount: int = 4901, number: int = 1) -> dict[str, Any]:
    return {
        "id": f"li{number}",
        "entity_type": "charge_item_price",
        "entity_id": price,
        "amount": amount,
        "date_from": FROM,
        "date_to": TO,
    }


def invoice(*lines: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "id": "inv",
        "status": "payment_due",
        "currency_code": "GBP",
        "subscription_id": "s1",
        "cf_m3ter_bill_id": "b1",
        "line_items": list(lines or (charged(), charged("usage", 710, 2))),
        "line_item_discounts": [],
        **more,
    }


def world(
    *integrations: Mapping[str, Any],
    bills: Sequence[Any] = (),
    invoices: Sequence[Any] = (),
    events: Sequence[Any] = (),
    notes: Sequence[Any] = (),
) -> Organisation:
    m3ter = {
        "bills": list(bills) or [bill()],
        "accounts": [{"id": "a1", "customFields": {"country": "UK"}}],
        "integrationconfigs": [{"id": "config", "name": "one"}],
        "externalmappings": [mapping("Account", "a1", "s1"), mapping("Product", "p1", "usage")],
    }
    chargebee = {
        "subscriptions": [{"id": "s1", "status": "active", "currency_code": "GBP"}],
        "customers": [],
        "invoices": invoices,
        "events": events,
        "credit_notes": notes,
    }
    return Organisation(m3ter, chargebee, integrations or [integration()])


def verdict(*invoices: Any, listed: Mapping[str, str] | None = None, **before: Any) -> Verdict:
    first = world(**before)
    after = world(*first.integrations, invoices=invoices, bills=first.m3ter["bills"])
    return judge(first, after, listed or {})


def test_one_right_invoice_is_sent() -> None:
    found = verdict(invoice())
    assert found == Verdict(sent=("b1",))
    assert found.done


def test_a_doubled_invoice_is_wrong() -> None:
    found = verdict(invoice(), invoice(id="inv2"))
    assert "2 invoices" in found.wrong[0]
    assert not found.safe


def test_a_voided_double_is_none() -> None:
    assert verdict(invoice(), invoice(id="inv2", status="voided")).done


@pytest.mark.parametrize(
    ("lines", "wrong", "missing"),
    [
        ([charged()], 0, 1),
        ([charged(), charged("usage", 710, 2), charged("usage", 710, 3)], 1, 0),
        ([charged(amount=4900), charged("usage", 710, 2)], 1, 1),
        ([charged("fees"), charged("usage", 710, 2)], 1, 1),
        ([{**charged(), "date_to": TO - 1}, charged("usage", 710, 2)], 1, 1),
    ],
    ids=["missing line", "line twice", "a minor unit less", "another price", "another period"],
)
def test_lines_are_compared_to_the_minor_unit(lines: Any, wrong: int, missing: int) -> None:
    found = verdict(invoice(*lines))
    assert (len(found.wrong), len(found.open)) == (wrong, missing)
    assert not found.done


def test_what_is_missing_must_be_listed() -> None:
    assert verdict().unlisted == ("b1",)
    listed = verdict(listed={"b1": "waits for a look-up"})
    assert not listed.unlisted
    assert listed.open == {"b1": "no invoice"}


def test_a_bill_that_must_not_be_sent_is_wrong_when_it_is() -> None:
    bills = [bill(status="PENDING")]
    assert verdict(bills=bills, listed={"b1": "not approved"}).done
    assert "must not be sent" in verdict(invoice(), bills=bills).wrong[0]


def test_lines_and_stamps_that_nobody_asked_for_are_wrong() -> None:
    stray = invoice(id="other", cf_m3ter_bill_id=None, subscription_id="s2")
    assert verdict(invoice(), stray).wrong
    unknown = invoice(id="other", cf_m3ter_bill_id="b9")
    assert verdict(invoice(), unknown).wrong


def test_discounts_and_credit_notes_count() -> None:
    lines = (bill_line(), bill_line(amount="-9"))
    for policy, made, notes in (
        ("discount", {"line_item_discounts": [{"discount_amount": 900}]}, []),
        ("credit-note", {}, [{"reference_invoice_id": "inv", "total": 900, "status": "adjusted"}]),
    ):
        rules = integration(push={"negativeLines": policy})
        first = world(rules, bills=[bill(*lines)])
        right = invoice(charged(), **made)
        sent = world(rules, bills=[bill(*lines)], invoices=[right], notes=notes)
        assert judge(first, sent, {}).done
        without = world(rules, bills=[bill(*lines)], invoices=[invoice(charged())])
        assert not judge(first, without, {"b1": "later"}).done
        twice = world(rules, bills=[bill(*lines)], invoices=[right], notes=[*notes, *notes])
        assert judge(first, twice, {}).safe == (policy == "discount")


def test_pending_invoices_hold_foreign_lines_and_lines_added_by_hand() -> None:
    rules = integration(chargebee={"createInvoice": False})
    plan = {**charged("plan", 9900, 8), "entity_type": "plan_item_price"}
    by_hand = charged("usage", 710, 9)
    open_one = invoice(plan, cf_m3ter_bill_id=None, status="pending")
    first = world(rules, invoices=[open_one])
    full = {**open_one, "line_items": [plan, charged(), charged("usage", 710, 2), by_hand]}
    event = {"source": "admin_console", "_number": 2, "content": {"invoice": full}}
    ours = {**open_one, "line_items": [plan, charged(), charged("usage", 710, 2)]}
    before = {"source": "api", "_number": 1, "content": {"invoice": ours}}
    assert judge(first, world(rules, invoices=[full], events=[event, before]), {}).done
    assert judge(first, world(rules, invoices=[full]), {}).wrong
    assert judge(world(rules), world(rules), {"b1": "waits"}).done


def reasons(**more: Any) -> str:
    (found,) = world(**more).due().values()
    assert isinstance(found, NotDue)
    return found.why


def test_reasons_why_nothing_is_due() -> None:
    assert reasons(bills=[bill(accountCode="other")]) == "0 integrations take its account"
    assert "period ends" in reasons(bills=[bill(endDate="2026-11-14")])
    assert "negative" in reasons(bills=[bill(bill_line(), bill_line(amount="-1"))])
    assert "no price" in reasons(bills=[bill(bill_line("COMMITMENT_FEE"))])
    undated = bill_line("DEBIT_MEMO", servicePeriodStartDate=None)
    assert "no service period" in reasons(bills=[bill(undated)])
    assert "nothing" in reasons(bills=[bill(bill_line("BALANCE_FEE"))])


def test_two_integrations_take_an_account() -> None:
    (found,) = world(integration(), integration()).due().values()
    assert found == NotDue("2 integrations take its account")


def test_rounding_as_m3ter_is_computed_as_chargebee_does() -> None:
    rules = integration(
        push={"rounding": "as-m3ter"},
        chargebee={
            "useMultidecimal": True,
            "multiDecimalUnitsDecimalPlaces": 3,
            "multiDecimalPriceDecimalPlaces": 3,
        },
    )
    line = bill_line(amount="400", units=Decimal(1_000_000))
    (found,) = world(rules, bills=[bill(bill_line(), line)]).due().values()
    assert isinstance(found, Due)
    assert ("adhoc", 0, FROM, TO) in found.lines


def test_ties_go_away_from_zero() -> None:
    from fractions import Fraction

    assert half_up(Fraction(5, 1000), 2) == Fraction(1, 100)
    assert half_up(Fraction(-5, 1000), 2) == Fraction(-1, 100)
