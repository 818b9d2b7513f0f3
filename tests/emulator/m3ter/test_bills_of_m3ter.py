from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from fakes.m3ter_api import DirectApi


@pytest.fixture
def api() -> DirectApi:
    return DirectApi()


def bills(api: DirectApi, **query: str) -> list[Any]:
    return api.everything("/bills", **query)


def pending(api: DirectApi) -> Any:
    return bills(api, status="PENDING")[0]


def test_the_starter_has_pending_approved_and_locked_bills(api: DirectApi) -> None:
    assert len(bills(api, status="PENDING")) >= 8
    assert len(bills(api, status="APPROVED")) >= 6
    assert len(bills(api, locked="true")) == 1


def test_the_list_has_all_its_filters(api: DirectApi) -> None:
    acme = next(api.store.all("m3ter/accounts"))
    mine = bills(api, accountId=acme["id"])
    assert {bill["accountCode"] for bill in mine} == {"acme-uk"}
    assert len(mine) == 3
    assert bills(api, ids=f"{mine[0]['id']},{mine[1]['id']}") == mine[:2]
    assert {bill["billDate"] for bill in bills(api, billDate="2026-11-01")} == {"2026-11-01"}
    span = bills(api, billDateStart="2026-11-01", billDateEnd="2026-12-01")
    assert {entry["billDate"] for entry in span} == {"2026-11-01"}
    late = bills(api, externalInvoiceDateStart="2026-12-01")
    assert {entry["externalInvoiceDate"] for entry in late} == {"2026-12-01"}
    assert bills(api, billJobId="none") == []
    monthly = bills(api, billDate="2026-12-01", billingFrequency="MONTHLY")
    assert len(monthly) == len(late)


@pytest.mark.parametrize(
    "query", [{"billingFrequency": "MONTHLY"}, {"status": "SENT"}, {"locked": "perhaps"}]
)
def test_filters_that_make_no_sense_are_refused(api: DirectApi, query: dict[str, str]) -> None:
    assert api.refused("GET", "/bills", None, **query)[0] == 400


def test_lines_and_totals_are_shown_as_asked(api: DirectApi) -> None:
    plain = pending(api)
    assert "billTotal" not in plain
    lean = bills(api, status="PENDING", excludeLineItems="true", includeBillTotal="true")[0]
    assert "lineItems" not in lean
    lines = [Decimal(line["convertedSubtotal"]) for line in plain["lineItems"]]
    assert lean["billTotal"] == sum(lines)
    assert bills(api, status="PENDING")[0] == plain


@pytest.mark.parametrize(("switch", "shown"), [("asked", False), ("always", True)])
def test_the_total_of_one_bill_is_a_switch(switch: str, shown: bool) -> None:
    api = DirectApi(bill_total_on_get=switch)
    bill = pending(api)
    assert ("billTotal" in api.ok("GET", f"/bills/{bill['id']}")) == shown
    assert "billTotal" in api.ok("GET", f"/bills/{bill['id']}", None, includeBillTotal="true")


def test_line_item_endpoints_have_another_shape(api: DirectApi) -> None:
    bill = pending(api)
    in_bill = next(line for line in bill["lineItems"] if "usagePerPricingBand" in line)
    found = api.everything(f"/bills/{bill['id']}/lineitems", pageSize="2")
    assert [entry["id"] for entry in found] == [line["id"] for line in bill["lineItems"]]
    alone = next(candidate for candidate in found if candidate["id"] == in_bill["id"])
    assert alone["bandUsage"] == in_bill["usagePerPricingBand"]
    assert "usagePerPricingBand" not in alone
    assert alone["billId"] == bill["id"]
    assert api.ok("GET", f"/bills/{bill['id']}/lineitems/{alone['id']}") == alone
    assert api.refused("GET", f"/bills/{bill['id']}/lineitems/unknown")[0] == 404


def test_lines_of_the_organisation(api: DirectApi) -> None:
    bill = pending(api)
    everything = api.everything("/lineitems", pageSize="100")
    assert len(everything) == sum(len(entry["lineItems"]) for entry in bills(api))
    standing = api.everything("/lineitems", billId=bill["id"], lineItemType="STANDING_CHARGE")
    assert {note["lineItemType"] for note in standing} == {"STANDING_CHARGE"}
    assert api.everything("/lineitems", commitmentId="none") == []


def test_bands_add_up_to_their_line(api: DirectApi) -> None:
    for bill in bills(api):
        for line in bill["lineItems"]:
            bands = line.get("usagePerPricingBand")
            if bands is not None:
                assert sum(band["bandSubtotal"] for band in bands) == line["subtotal"]
                assert sum(band["bandUnits"] for band in bands) == line["units"]


def test_approving_raises_the_version_and_says_who_and_when(api: DirectApi) -> None:
    bill = pending(api)
    changed = api.ok("PUT", f"/bills/{bill['id']}/status", {"status": "APPROVED"})
    assert (changed["status"], changed["version"]) == ("APPROVED", bill["version"] + 1)
    assert changed["dtApproved"] == "2026-12-01T09:00:00.000Z"
    assert changed["lastCalculatedDate"] == bill["lastCalculatedDate"]
    again = api.ok("PUT", f"/bills/{bill['id']}/status", {"status": "APPROVED"})
    assert again["version"] == changed["version"] + 1
    back = api.ok("PUT", f"/bills/{bill['id']}/status", {"status": "PENDING"})
    assert back.keys().isdisjoint({"dtApproved", "approvedBy"})
    assert back["version"] == again["version"] + 1


def test_a_status_that_is_none_is_refused(api: DirectApi) -> None:
    path = f"/bills/{pending(api)['id']}/status"
    assert api.refused("PUT", path, {"status": "SENT"})[0] == 400
    assert api.refused("PUT", path, {})[0] == 400


def test_an_approval_may_be_final_by_switch() -> None:
    api = DirectApi(approved_to_pending="refuse")
    bill = next(candidate for candidate in bills(api, status="APPROVED") if not candidate["locked"])
    assert api.refused("PUT", f"/bills/{bill['id']}/status", {"status": "PENDING"})[0] == 400


def test_only_an_approved_bill_is_locked_and_only_once(api: DirectApi) -> None:
    bill = pending(api)
    path = f"/bills/{bill['id']}"
    assert api.refused("PUT", f"{path}/lock")[0] == 400
    api.ok("PUT", f"{path}/status", {"status": "APPROVED"})
    locked = api.ok("PUT", f"{path}/lock")
    assert (locked["locked"], locked["version"]) == (True, bill["version"] + 2)
    assert api.refused("PUT", f"{path}/lock")[0] == 400


def test_a_locked_bill_refuses_everything(api: DirectApi) -> None:
    bill = bills(api, locked="true")[0]
    path = f"/bills/{bill['id']}"
    assert api.refused("PUT", f"{path}/status", {"status": "PENDING"})[0] == 400
    assert api.refused("POST", "/billjobs/recalculate", {"billIds": [bill["id"]]})[0] == 400
    assert api.refused("DELETE", path)[0] == 400
    assert api.ok("GET", path) == bill


def test_the_lock_date_of_the_organisation_locks_bills(api: DirectApi) -> None:
    api.ok("PUT", "/billconfig", {"billLockDate": "2026-11-15", "version": 1})
    october = bills(api, billDate="2026-11-01")[0]
    assert api.refused("DELETE", f"/bills/{october['id']}")[0] == 400
    assert api.send("DELETE", f"/bills/{pending(api)['id']}")[0] == 200


def test_a_deleted_bill_is_returned_and_gone(api: DirectApi) -> None:
    bill = pending(api)
    assert api.ok("DELETE", f"/bills/{bill['id']}") == bill
    assert api.refused("GET", f"/bills/{bill['id']}")[0] == 404


@pytest.mark.parametrize(("switch", "same"), [("new", False), ("same", True)])
def test_recalculation_keeps_the_bill_and_takes_its_approval_back(switch: str, same: bool) -> None:
    api = DirectApi(line_item_ids=switch)
    bill = next(candidate for candidate in bills(api, status="APPROVED") if not candidate["locked"])
    api.store.clock.advance(3600)
    job = api.ok("POST", "/billjobs/recalculate", {"billIds": [bill["id"]]})
    assert (job["status"], job["type"], job["total"]) == ("COMPLETE", "RECALCULATE", 1)
    fresh = api.ok("GET", f"/bills/{bill['id']}")
    assert (fresh["status"], fresh["version"]) == ("PENDING", bill["version"] + 1)
    assert fresh.keys().isdisjoint({"dtApproved", "approvedBy"})
    assert fresh["lastCalculatedDate"] > bill["lastCalculatedDate"]
    ids = [[line["id"] for line in entry["lineItems"]] for entry in (fresh, bill)]
    assert (ids[0] == ids[1]) == same
    assert bills(api, billJobId=job["id"]) == [fresh]


@pytest.mark.parametrize("body", [{}, {"billIds": []}, {"billIds": "x"}])
def test_recalculation_needs_bills(api: DirectApi, body: dict[str, Any]) -> None:
    assert api.refused("POST", "/billjobs/recalculate", body)[0] == 400


def test_an_unknown_bill_is_not_recalculated(api: DirectApi) -> None:
    assert api.refused("POST", "/billjobs/recalculate", {"billIds": ["x"]})[0] == 404


def test_a_job_over_a_period_skips_locked_bills(api: DirectApi) -> None:
    body = {"lastDateInBillingPeriod": "2026-10-01", "billingFrequency": "MONTHLY"}
    assert api.ok("POST", "/billjobs", body)["total"] == 0
    job = api.ok("POST", "/billjobs", {**body, "lastDateInBillingPeriod": "2026-11-01"})
    assert (job["total"], job["type"]) == (6, "CREATE")
    assert api.ok("GET", f"/billjobs/{job['id']}") == job
    assert job in api.everything("/billjobs", status="COMPLETE")
    assert api.refused("POST", f"/billjobs/{job['id']}/cancel")[0] == 400
    acme = next(api.store.all("m3ter/accounts"))
    assert api.ok("POST", "/billjobs", {"accountIds": [acme["id"]]})["total"] == 2


def test_bills_are_approved_together(api: DirectApi) -> None:
    chosen = [bill["id"] for bill in bills(api, status="PENDING")[:2]]
    answer = api.ok("POST", "/bills/approve", {"billIds": chosen})
    assert answer == {"message": "2 bills approved"}
    assert api.ok("POST", "/bills/approve", {"billIds": chosen})["message"].startswith("0 ")
    assert api.refused("POST", "/bills/approve", {"billIds": ["x"]})[0] == 404


def test_bills_are_approved_by_account_and_date(api: DirectApi) -> None:
    bill = pending(api)
    api.ok(
        "POST",
        "/bills/approve",
        {"billIds": []},
        accountIds=bill["accountId"],
        externalInvoiceDateStart="2026-12-01",
    )
    assert api.ok("GET", f"/bills/{bill['id']}")["status"] == "APPROVED"
    assert len(bills(api, status="PENDING")) == 7


def test_a_locked_date_stops_an_approval_of_many_before_the_first(api: DirectApi) -> None:
    api.ok("PUT", "/billconfig", {"billLockDate": "2026-12-31", "version": 1})
    chosen = [bill["id"] for bill in bills(api, status="PENDING")]
    assert api.refused("POST", "/bills/approve", {"billIds": chosen})[0] == 400
    assert len(bills(api, status="PENDING")) == len(chosen)


def test_bills_of_a_period_an_account_and_the_latest(api: DirectApi) -> None:
    period = "/bills/billingperiod/2026-12-01/MONTHLY"
    assert len(api.everything(period)) == 10
    assert api.ok("POST", f"{period}/approve", {})["message"] == "8 bills approved"
    acme = next(api.store.all("m3ter/accounts"))
    assert len(api.everything(f"/bills/accountid/{acme['id']}", pageSize="1")) == 3
    assert api.ok("GET", f"/bills/latest/{acme['id']}")["endDate"] == "2026-12-01"
    assert api.refused("GET", "/bills/latest/unknown")[0] == 404


def test_bills_are_searched(api: DirectApi) -> None:
    page = api.ok("GET", "/bills/search", None, searchQuery="locked:true$endDate<2026-11-01")
    assert [bill["accountCode"] for bill in page["data"]] == ["acme-uk"]
    assert api.refused("GET", "/bills/search", None, searchQuery="status:PENDING")[0] == 400


def test_every_change_of_a_bill_is_an_event(api: DirectApi) -> None:
    bill = pending(api)
    api.ok("PUT", f"/bills/{bill['id']}/status", {"status": "APPROVED"})
    event = api.everything("/events", resourceId=bill["id"], eventName="billing.bill.updated")[0]
    data = event["m3terEvent"]["eventData"]
    assert (data["oldDto"]["status"], data["newDto"]["status"]) == ("PENDING", "APPROVED")
