"""The life of a bill: approve, take back, lock, recalculate. Each raises the version."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from reconciler.emulator.clock import iso
from reconciler.emulator.m3ter.http import entities
from reconciler.emulator.m3ter.http.call import RefusedCall
from reconciler.emulator.m3ter.integrations import native
from reconciler.emulator.store import Store

JsonObject = dict[str, Any]
BILLS = "m3ter/bills"
JOBS = "m3ter/billjobs"


def set_status(store: Store, bill: JsonObject, status: object, user: str) -> JsonObject:
    """Approve a bill or take the approval back.

    Raises:
        Refusal: With 400 if the bill is locked, the status is none, or (by switch) on taking back.
    """
    if status not in ("PENDING", "APPROVED"):
        raise RefusedCall(400, "status must be PENDING or APPROVED")
    refuse_locked(store, bill)
    if status == "PENDING" and bill["status"] == "APPROVED":
        if store.switches.text("approved_to_pending") == "refuse":
            raise RefusedCall(400, "an approved bill cannot be set to PENDING")
        return _changed(store, bill, without_approval(bill) | {"status": "PENDING"}, user)
    if status == "PENDING" or bill["status"] == "APPROVED":
        return _changed(store, bill, bill, user)
    approval = {"status": "APPROVED", "dtApproved": iso(store.now()), "approvedBy": user}
    changed = _changed(store, bill, bill | approval, user)
    native.send(store, changed)
    return changed


def lock(store: Store, bill: JsonObject, user: str) -> JsonObject:
    """Lock a bill for good.

    Raises:
        Refusal: With 400 if it is pending or locked already.
    """
    refuse_locked(store, bill)
    # Source: docs.m3ter.com, "Approving and locking bills": only approved bills can be locked
    if bill["status"] != "APPROVED":
        raise RefusedCall(400, "a pending bill cannot be locked")
    locked = {"locked": True, "dtLocked": iso(store.now()), "lockedBy": user}
    return _changed(store, bill, bill | locked, user)


def recalculate(store: Store, bills: Iterable[JsonObject], user: str, kind: str) -> JsonObject:
    """Recalculate bills in one job: they keep their ids and become pending.

    Returns:
        The job, complete.
    """
    found = list(bills)
    now = iso(store.now())
    job = {
        "id": store.new_id(),
        "version": 1,
        "billIds": [bill["id"] for bill in found],
        "status": "COMPLETE",
        "type": kind,
        "total": len(found),
        "pending": 0,
        "dtCreated": now,
        "dtLastModified": now,
        "createdBy": user,
        "lastModifiedBy": user,
    }
    store.put(JOBS, job)
    for bill in found:
        fresh = without_approval(bill) | {
            "status": "PENDING",
            "billJobId": job["id"],
            "lastCalculatedDate": now,
            "lineItems": _fresh_lines(store, bill),
        }
        native.send(store, _changed(store, bill, fresh, user))
    return job


def refuse_locked(store: Store, bill: Mapping[str, Any]) -> None:
    """Refuse whatever would change a locked bill.

    Raises:
        Refusal: With 400 if the bill is locked, by itself or by the organisation's lock date.
    """
    limits = [config.get("billLockDate") for config in store.all("m3ter/billconfig")]
    if bill["locked"] or any(limit is not None and bill["billDate"] <= limit for limit in limits):
        raise RefusedCall(400, f"bill {bill['id']} is locked")


def without_approval(bill: Mapping[str, Any]) -> JsonObject:
    """The bill without the marks of its approval."""
    return {key: value for key, value in bill.items() if key not in ("dtApproved", "approvedBy")}


def _fresh_lines(store: Store, bill: Mapping[str, Any]) -> list[JsonObject]:
    if store.switches.text("line_item_ids") == "same":
        return list(bill["lineItems"])
    return [line | {"id": store.new_id()} for line in bill["lineItems"]]


def _changed(store: Store, old: JsonObject, new: JsonObject, user: str) -> JsonObject:
    bill = entities.raised(store, new, user)
    store.put(BILLS, bill)
    entities.raise_event(store, "billing.bill.updated", new=bill, old=old)
    return bill
