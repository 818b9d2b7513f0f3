from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from fakes.scripted_m3ter import ScriptedM3ter, json, session
from hypothesis import given
from hypothesis import strategies as st

from reconciler.emulator.running import RunningEmulator
from reconciler.kernel.address import AccountId, BillId
from reconciler.kernel.exact_json import decode, encode
from reconciler.kernel.line_item import LineItemType
from reconciler.kernel.value import JsonObject, JsonValue
from reconciler.m3ter.api.bills import M3terBills
from reconciler.m3ter.api.errors import UnreadableAnswerError
from reconciler.m3ter.api.wire.bills import decode_bill, decode_line
from reconciler.m3ter.bill import BillLine
from reconciler.m3ter.ports import BillQuery, NotFoundError, Organisation
from reconciler.transport.client import Request
from reconciler.transport.retry import Outcome

AMOUNTS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12)
BILL: JsonObject = {
    "id": "b1",
    "version": 2,
    "accountId": "a1",
    "status": "APPROVED",
    "currency": "GBP",
    "startDate": "2026-11-01",
    "endDate": "2026-12-01",
}


def _without_children(line: BillLine) -> BillLine:
    return replace(line, child_account_id="", child_account_code="")


def test_both_wire_shapes_of_a_line_are_the_same_line(organisation: Organisation) -> None:
    bills = list(organisation.bills.list(BillQuery()))
    assert any(line.bands for bill in bills for line in bill.lines)
    for bill in bills:
        by_resource = sorted(organisation.bills.lines(bill.id), key=lambda line: line.id)
        inside = sorted(map(_without_children, bill.lines), key=lambda line: line.id)
        assert by_resource == inside


def test_bills_are_filtered_by_window_status_account_and_id(organisation: Organisation) -> None:
    bills = organisation.bills
    every = list(bills.list(BillQuery()))
    approved = list(bills.list(BillQuery(status="APPROVED")))
    assert approved == [bill for bill in every if bill.status == "APPROVED"]
    assert 0 < len(approved) < len(every)
    account = every[0].account_id
    mine = list(bills.list(BillQuery(account=account)))
    assert mine == [bill for bill in every if bill.account_id == account]
    ids = (every[0].id, every[-1].id)
    assert {bill.id for bill in bills.list(BillQuery(ids=ids))} == set(ids)
    assert list(bills.list(BillQuery(ids=()))) == []
    dates = sorted({bill.bill_date for bill in every if bill.bill_date})
    first, last = dates[0], dates[-1]
    window = BillQuery(since=last, until=date(2100, 1, 1))
    assert {bill.bill_date for bill in bills.list(window)} == {last}
    assert list(bills.list(BillQuery(until=first))) == []
    narrowed = BillQuery(ids=ids, account=AccountId("nobody"))
    assert list(bills.list(narrowed)) == []


def test_lines_and_totals_come_only_when_they_are_wanted(organisation: Organisation) -> None:
    bills = organisation.bills
    bare = list(bills.list(BillQuery(lines=False, total=True)))
    assert all(bill.lines == () and bill.total is not None for bill in bare)
    full = bills.get(bare[0].id)
    assert full.lines
    assert full.total == bare[0].total


def test_a_bill_that_is_not_there_is_not_found(organisation: Organisation) -> None:
    with pytest.raises(NotFoundError, match="read bill nothing"):
        organisation.bills.get(BillId("nothing"))
    with pytest.raises(UnreadableAnswerError, match="bill b1"):
        M3terBills(session(ScriptedM3ter(lambda _: json([])))).get(BillId("b1"))


def test_bills_are_a_stream_that_asks_for_a_page_when_it_is_needed() -> None:
    def behave(request: Request) -> Outcome:
        number = int(dict(request.query).get("nextToken", "0"))
        return json({"data": [{**BILL, "id": f"b{number}"}], "nextToken": str(number + 1)})

    m3ter = ScriptedM3ter(behave)
    stream = M3terBills(session(m3ter)).list(BillQuery())
    assert [next(stream).id for _ in range(3)] == ["b0", "b1", "b2"]
    assert len(m3ter.requests) == 3


def test_a_filter_that_m3ter_ignores_is_applied_here() -> None:
    bills: JsonValue = {"data": [BILL, {**BILL, "id": "b2", "status": "PENDING"}]}
    m3ter = ScriptedM3ter(lambda _: json(bills))
    found = M3terBills(session(m3ter)).list(BillQuery(status="PENDING"))
    assert [bill.id for bill in found] == ["b2"]


def test_a_locked_bill_is_read_as_locked(
    emulator: RunningEmulator, organisation: Organisation
) -> None:
    bill = next(iter(organisation.bills.list(BillQuery(status="APPROVED"))))
    store = emulator.world.store
    kind = next(
        candidate for candidate in store.kinds() if store.get(candidate, bill.id) is not None
    )
    stored = store.get(kind, bill.id)
    assert stored is not None
    store.put(kind, {**stored, "locked": True})
    assert organisation.bills.get(bill.id).locked
    assert not bill.locked


@given(amount=AMOUNTS, units=AMOUNTS, price=AMOUNTS)
def test_no_digit_is_lost_from_the_wire_to_the_line(
    amount: Decimal, units: Decimal, price: Decimal
) -> None:
    band: JsonObject = {
        "pricingBandId": "p1",
        "bandUnits": units,
        "unitPrice": price,
        "bandSubtotal": amount,
    }
    for key in ("usagePerPricingBand", "bandUsage"):
        wire: JsonObject = {"id": "l1", "lineItemType": "USAGE", "subtotal": amount, key: [band]}
        received = decode(encode(wire))
        assert isinstance(received, dict)
        line = decode_line(received)
        assert line.type is LineItemType.USAGE
        assert line.subtotal == amount
        assert [(entry.units, entry.unit_price, entry.subtotal) for entry in line.bands] == [
            (units, price, amount)
        ]


def test_an_unknown_line_type_stays_m3ters_word() -> None:
    assert decode_line({"id": "l1", "lineItemType": "NEW_KIND"}).type == "NEW_KIND"


def test_what_m3ter_leaves_out_is_left_out() -> None:
    bill = decode_bill(BILL)
    assert (bill.lines, bill.total, bill.bill_date, bill.time_zone) == ((), None, None, "UTC")
    line = decode_line({"lineItemType": "AD_HOC"})
    assert (line.subtotal, line.bands, line.service_from, line.id) == (None, (), None, "")


@pytest.mark.parametrize("key", ["id", "version", "accountId", "currency", "status", "endDate"])
def test_a_bill_without_what_every_bill_has_is_not_guessed_at(key: str) -> None:
    with pytest.raises(UnreadableAnswerError, match=key):
        decode_bill({name: value for name, value in BILL.items() if name != key})


def test_conversions_need_their_multiplier() -> None:
    conversion: dict[str, JsonValue] = {"from": "USD", "to": "GBP", "multiplier": Decimal("0.79")}
    bill = decode_bill({**BILL, "currencyConversions": [conversion]})
    assert bill.conversions[0].multiplier == Decimal("0.79")
    del conversion["multiplier"]
    with pytest.raises(UnreadableAnswerError, match="multiplier"):
        decode_bill({**BILL, "currencyConversions": [conversion]})
