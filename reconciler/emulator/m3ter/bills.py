"""Bills: ``/bills`` and ``/billjobs``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from reconciler.emulator.exchange import HttpAnswer
from reconciler.emulator.m3ter import bill_state
from reconciler.emulator.m3ter.http import entities, routing
from reconciler.emulator.m3ter.http.call import CallHandler, ReceivedCall, RefusedCall, ok, public
from reconciler.emulator.m3ter.http.entities import EntityKind
from reconciler.emulator.m3ter.http.paging import (
    Predicate,
    encoded_row,
    listed_rows,
    page,
    table_rows,
)
from reconciler.emulator.m3ter.http.search import search

JsonObject = dict[str, Any]
BILLS = bill_state.BILLS
_PAGE_MAX = 100
_JOBS = EntityKind("billjobs", (), filters={"status": "status"})
_BETWEEN = (("billDate", "billDate"), ("externalInvoiceDate", "externalInvoiceDate"))
# Source: m3ter OpenAPI 2026-08-03, SearchBills
_SEARCHABLE = (
    "accountId",
    "locked",
    "billDate",
    "startDate",
    "endDate",
    "dueDate",
    "billingFrequency",
    "id",
    "createdBy",
    "dtCreated",
    "lastModifiedBy",
)


def total(bill: Mapping[str, Any]) -> Decimal:
    """The sum of the lines in the bill's currency."""
    return sum((Decimal(line["convertedSubtotal"]) for line in bill["lineItems"]), Decimal(0))


def _view(*, lines: bool, with_total: bool) -> tuple[str, Callable[[JsonObject], JsonObject]]:
    """A name and a function for one way to show a bill."""

    def show(bill: JsonObject) -> JsonObject:
        shown = public(bill)
        if not lines:
            del shown["lineItems"]
        return shown | ({"billTotal": total(bill)} if with_total else {})

    return f"bill lines={lines} total={with_total}", show


def _list(call: ReceivedCall) -> HttpAnswer:
    rows = table_rows(call, BILLS)
    if "accountId" in call.query:
        found = call.store.table(BILLS).where("accountId", call.query["accountId"])
        rows = listed_rows(found)
    view, show = _view(
        lines=not call.flag("excludeLineItems"), with_total=bool(call.flag("includeBillTotal"))
    )
    return page(call, rows, maximum=_PAGE_MAX, keep=_filter(call), view=view, show=show)


def _filter(call: ReceivedCall) -> Predicate:
    """The filters of the list as one test."""
    if "billingFrequency" in call.query and "billDate" not in call.query:
        # Source: docs.m3ter.com, "List bills": billingFrequency only together with billDate
        raise RefusedCall(400, "billingFrequency can only be used together with billDate")
    names = ("status", "billDate", "billJobId", "billingFrequency")
    equal = {name: call.query[name] for name in names if name in call.query}
    if equal.get("status", "PENDING") not in ("PENDING", "APPROVED"):
        raise RefusedCall(400, "status must be PENDING or APPROVED")
    locked, ids = call.flag("locked"), call.values("ids")
    spans = [
        (field, call.query.get(f"{name}Start", ""), call.query.get(f"{name}End", "~"))
        for name, field in _BETWEEN
        if f"{name}Start" in call.query or f"{name}End" in call.query
    ]

    def keep(bill: JsonObject) -> bool:
        return (
            all(bill.get(name) == value for name, value in equal.items())
            and (locked is None or bill["locked"] == locked)
            and (ids is None or bill["id"] in ids)
            and all(start <= bill.get(field, "") < end for field, start, end in spans)
        )

    return keep


def _get(call: ReceivedCall) -> HttpAnswer:
    return _shown(call, call.params["id"])


def _shown(call: ReceivedCall, key: str) -> HttpAnswer:
    entities.find(call.store, BILLS, key)
    always = call.store.switches.text("bill_total_on_get") == "always"
    view, show = _view(lines=True, with_total=always or bool(call.flag("includeBillTotal")))
    return HttpAnswer(200, encoded_row(call.store.table(BILLS).rows[key], view, show))


def _delete(call: ReceivedCall) -> HttpAnswer:
    bill = entities.find(call.store, BILLS, call.params["id"])
    bill_state.refuse_locked(call.store, bill)
    call.store.delete(BILLS, bill["id"])
    entities.raise_event(call.store, "billing.bill.deleted", old=bill)
    return ok(public(bill))


def _latest(call: ReceivedCall) -> HttpAnswer:
    found = call.store.where(BILLS, "accountId", call.params["accountId"])
    if not found:
        raise RefusedCall(404, f"account {call.params['accountId']} has no bill")
    return _shown(call, max(found, key=lambda bill: str(bill["endDate"]))["id"])


def _of_account(call: ReceivedCall) -> HttpAnswer:
    view, show = _view(lines=True, with_total=False)
    rows = listed_rows(call.store.table(BILLS).where("accountId", call.params["accountId"]))
    return page(call, rows, maximum=_PAGE_MAX, view=view, show=show)


def _in_period(call: ReceivedCall) -> Predicate:
    date, frequency = call.params["lastDateInBillingPeriod"], call.params["billingFrequency"]
    return lambda bill: bill["endDate"] == date and bill["billingFrequency"] == frequency


def _of_period(call: ReceivedCall) -> HttpAnswer:
    view, show = _view(lines=True, with_total=False)
    rows = table_rows(call, BILLS)
    return page(call, rows, maximum=_PAGE_MAX, keep=_in_period(call), view=view, show=show)


def _search(call: ReceivedCall) -> HttpAnswer:
    view, show = _view(lines=True, with_total=False)
    return search(call, BILLS, _SEARCHABLE, view=view, show=show)


def _set_status(call: ReceivedCall) -> HttpAnswer:
    bill = entities.find(call.store, BILLS, call.params["id"])
    status = call.body().get("status")
    return ok(public(bill_state.set_status(call.store, bill, status, call.user)))


def _lock(call: ReceivedCall) -> HttpAnswer:
    bill = entities.find(call.store, BILLS, call.params["id"])
    return ok(public(bill_state.lock(call.store, bill, call.user)))


def _approve(call: ReceivedCall) -> HttpAnswer:
    """Approve the bills named, or all that the query filters leave."""
    ids = _texts(call.body(), "billIds")
    if ids:
        return _approve_all(call, [entities.find(call.store, BILLS, key) for key in ids])
    accounts = call.values("accountIds")
    start = call.query.get("externalInvoiceDateStart", "")
    end = call.query.get("externalInvoiceDateEnd", "~")
    return _approve_all(
        call,
        [
            bill
            for bill in call.store.all(BILLS)
            if (accounts is None or bill["accountId"] in accounts)
            and start <= bill.get("externalInvoiceDate", "") < end
        ],
    )


def _approve_period(call: ReceivedCall) -> HttpAnswer:
    keep = _in_period(call)
    return _approve_all(call, [bill for bill in call.store.all(BILLS) if keep(bill)])


def _approve_all(call: ReceivedCall, bills: list[JsonObject]) -> HttpAnswer:
    pending = [bill for bill in bills if bill["status"] == "PENDING"]
    for bill in pending:
        bill_state.refuse_locked(call.store, bill)
    for bill in pending:
        bill_state.set_status(call.store, bill, "APPROVED", call.user)
    return ok({"message": f"{len(pending)} bills approved"})


def _recalculate(call: ReceivedCall) -> HttpAnswer:
    ids = _texts(call.body(), "billIds")
    if not ids:
        raise RefusedCall(400, "billIds must not be null or empty")
    bills = [entities.find(call.store, BILLS, key) for key in ids]
    for bill in bills:
        bill_state.refuse_locked(call.store, bill)
    return ok(public(bill_state.recalculate(call.store, bills, call.user, "RECALCULATE")))


def _run_job(call: ReceivedCall) -> HttpAnswer:
    """A job over a period: recalculates its bills that are not locked; it makes no new ones."""
    body = call.body()
    date, frequency = body.get("lastDateInBillingPeriod"), body.get("billingFrequency")
    accounts = _texts(body, "accountIds")
    bills = [
        bill
        for bill in call.store.all(BILLS)
        if not bill["locked"]
        and (date is None or bill["endDate"] == date)
        and (frequency is None or bill["billingFrequency"] == frequency)
        and (not accounts or bill["accountId"] in accounts)
    ]
    return ok(public(bill_state.recalculate(call.store, bills, call.user, "CREATE")))


def _texts(body: Mapping[str, Any], name: str) -> list[str]:
    """A list of ids in a body; empty if it is absent.

    Raises:
        Refusal: With 400 if it is anything else.
    """
    value = body.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(element, str) for element in value):
        raise RefusedCall(400, f"{name} must be a list of ids")
    return value


def _cancel_job(call: ReceivedCall) -> HttpAnswer:
    job = entities.find(call.store, bill_state.JOBS, call.params["id"])
    raise RefusedCall(400, f"bill job {job['id']} is {job['status']} and cannot be cancelled")


_PERIOD = "/bills/billingperiod/{lastDateInBillingPeriod}/{billingFrequency}"
ROUTES: list[tuple[str, str, CallHandler]] = [
    ("GET", "/bills", _list),
    ("GET", "/bills/{id}", _get),
    ("DELETE", "/bills/{id}", _delete),
    ("GET", "/bills/search", _search),
    ("GET", "/bills/latest/{accountId}", _latest),
    ("GET", "/bills/accountid/{accountId}", _of_account),
    ("GET", _PERIOD, _of_period),
    ("POST", _PERIOD + "/approve", _approve_period),
    ("PUT", "/bills/{id}/status", _set_status),
    ("PUT", "/bills/{id}/lock", _lock),
    ("POST", "/bills/approve", _approve),
    ("POST", "/billjobs/recalculate", _recalculate),
    ("POST", "/billjobs", _run_job),
    ("POST", "/billjobs/{id}/cancel", _cancel_job),
    *routing.routes(_JOBS, methods="LR"),
]
