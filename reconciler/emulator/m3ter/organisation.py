"""Settings of the organisation: one object each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.emulator.exchange import HttpAnswer
from reconciler.emulator.m3ter.http import entities
from reconciler.emulator.m3ter.http.call import CallHandler, ReceivedCall, ok, public
from reconciler.emulator.m3ter.http.entities import EntityKind
from reconciler.emulator.store import Store

JsonObject = dict[str, Any]
# Source: m3ter OpenAPI 2026-08-03, OrganizationConfigRequest
CONFIG = EntityKind(
    "organizationconfig",
    (
        "timezone",
        "yearEpoch",
        "monthEpoch",
        "weekEpoch",
        "dayEpoch",
        "currency",
        "daysBeforeBillDue",
    ),
    (
        "currencyConversions",
        "scheduledBillInterval",
        "scheduledBillOffset",
        "standingChargeBillInAdvance",
        "commitmentFeeBillInAdvance",
        "minimumSpendBillInAdvance",
        "autoApproveBillsGracePeriod",
        "autoApproveBillsGracePeriodUnit",
        "externalInvoiceDate",
        "suppressedEmptyBills",
        "consolidateBills",
        "defaultStatementDefinitionId",
        "autoGenerateStatementMode",
        "creditApplicationOrder",
        "allowNegativeBalances",
        "allowOverlappingPlans",
        "billPrefix",
        "sequenceStartNumber",
    ),
    event="configuration.organizationconfig",
)
# Source: m3ter OpenAPI 2026-08-03, BillConfigRequest
BILL_CONFIG = EntityKind("billconfig", (), ("billLockDate",), event="billing.billconfig")
_FIRST: Mapping[str, JsonObject] = {
    "organizationconfig": {
        "timezone": "UTC",
        "yearEpoch": "2026-01-01",
        "monthEpoch": "2026-01-01",
        "weekEpoch": "2026-01-05",
        "dayEpoch": "2026-01-01",
        "currency": "USD",
        "daysBeforeBillDue": 30,
        "currencyConversions": [],
        "scheduledBillInterval": 0,
        "externalInvoiceDate": "FIRST_DAY_OF_NEXT_PERIOD",
        "suppressedEmptyBills": False,
        "consolidateBills": True,
        "allowNegativeBalances": False,
    },
    "billconfig": {},
}


def fill(store: Store) -> None:
    """Give an organisation its two settings objects, as every scenario has them."""
    for resource in (CONFIG, BILL_CONFIG):
        entities.create(store, resource, _FIRST[resource.name], quiet=True)


def _only(store: Store, resource: EntityKind) -> JsonObject:
    return next(store.all(resource.kind))


def _reader(resource: EntityKind) -> CallHandler:
    def read(call: ReceivedCall) -> HttpAnswer:
        return ok(public(_only(call.store, resource)))

    return read


def _writer(resource: EntityKind) -> CallHandler:
    def write(call: ReceivedCall) -> HttpAnswer:
        key = _only(call.store, resource)["id"]
        return ok(public(entities.update(call, resource, key, call.body())))

    return write


ROUTES: list[tuple[str, str, CallHandler]] = [
    (method, f"/{resource.name}", make(resource))
    for resource in (CONFIG, BILL_CONFIG)
    for method, make in (("GET", _reader), ("PUT", _writer))
]
