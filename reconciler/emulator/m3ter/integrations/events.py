"""Events: ``/events``. They vanish after 28 days and cannot be asked for by time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from reconciler.emulator.clock import iso
from reconciler.emulator.exchange import HttpAnswer
from reconciler.emulator.m3ter.http.call import CallHandler, ReceivedCall, RefusedCall, ok, public
from reconciler.emulator.m3ter.http.paging import page, table_rows

JsonObject = dict[str, Any]
EVENTS = "m3ter/events"
_CATEGORIES = {
    "IntegrationEvent": "integration.",
    "IngestValidationFailure": "ingest.",
    "DataExportJobFailure": "dataexport.",
    "Notification": "notification.",
}


def _list(call: ReceivedCall) -> HttpAnswer:
    tests = list(_tests(call))
    return page(
        call,
        table_rows(call, EVENTS),
        maximum=100,
        keep=lambda event: all(test(event) for test in tests),
    )


def _tests(call: ReceivedCall) -> list[Callable[[JsonObject], bool]]:
    ids = call.values("ids")
    if ids is not None and len({"accountId", "eventType", "eventName"} & call.query.keys()):
        # Source: m3ter OpenAPI 2026-08-03, ListEvents: ids cannot be combined
        raise RefusedCall(400, "ids cannot be used together with other filters")
    oldest = _oldest(call)
    tests: list[Callable[[JsonObject], bool]] = [lambda event: event["eventTime"] >= oldest]
    if ids is not None:
        tests.append(lambda event: event["id"] in ids)
    if not call.flag("includeActioned"):
        tests.append(lambda event: "dtActioned" not in event)
    category = call.query.get("eventType")
    if category is not None:
        start = _CATEGORIES.get(category)
        if start is None:
            raise RefusedCall(400, f"unknown eventType {category}")
        tests.append(lambda event: event["eventName"].startswith(start))
    for parameter, field in (
        ("eventName", "eventName"),
        ("resourceId", "_subject"),
        ("accountId", "_account"),
        ("notificationId", "_notification"),
        ("notificationCode", "_notification_code"),
    ):
        if parameter in call.query:
            tests.append(_equals(field, call.query[parameter]))
    return tests


def _equals(field: str, wanted: str) -> Callable[[JsonObject], bool]:
    return lambda event: event.get(field) == wanted


def _oldest(call: ReceivedCall) -> str:
    # Source: docs.m3ter.com, key concepts of events: deleted 28 days after they were created
    return iso(call.store.now() - timedelta(days=call.store.switches.number("event_days")))


def _get(call: ReceivedCall) -> HttpAnswer:
    event = call.store.get(EVENTS, call.params["id"])
    if event is None or event["eventTime"] < _oldest(call):
        raise RefusedCall(404, f"events with id {call.params['id']} not found")
    return ok(public(event))


def _types(_: ReceivedCall) -> HttpAnswer:
    return ok({"events": list(EVENT_NAMES)})


def _fields(call: ReceivedCall) -> HttpAnswer:
    name = call.query.get("eventName")
    if name is not None and name not in EVENT_NAMES:
        raise RefusedCall(400, f"unknown eventName {name}")
    return ok(
        {
            "events": {
                event_name: fields_of(event_name)
                for event_name in EVENT_NAMES
                if name in (None, event_name)
            }
        }
    )


# Source: m3ter OpenAPI 2026-08-03, EventTypeResponse (example)
_BILLING = (
    "balance",
    "balanceamount",
    "bill",
    "billconfig",
    "billjob",
    "charge",
    "counteradjustment",
    "scheduledbalancecharge",
    "scheduledbalancetransaction",
    "statementjob",
)
_CONFIGURATION = (
    "account",
    "accountplan",
    "aggregation",
    "alert",
    "commitment",
    "compoundaggregation",
    "contract",
    "counter",
    "counterpricing",
    "creditreason",
    "customfield",
    "meter",
    "metergroup",
    "organization",
    "organizationconfig",
    "plan",
    "plangroup",
    "plangrouplink",
    "plantemplate",
    "pricing",
    "pricingband",
    "product",
    "transactiontype",
)
_ERRORS = (
    "dataexport.job.failure",
    "ingest.validation.failure",
    "integration.authentication.error",
    "integration.disabled.error",
    "integration.missingaccountmapping.error",
    "integration.perform.error",
    "integration.validation.error",
)
_VERBS = ("created", "deleted", "updated")
EVENT_NAMES: tuple[str, ...] = (
    *(f"billing.{noun}.{verb}" for noun in _BILLING for verb in _VERBS),
    *(f"configuration.{noun}.{verb}" for noun in _CONFIGURATION for verb in _VERBS),
    *_ERRORS,
)
# The published example shows the fields of a commitment; these follow its words and types.
_FIELDS: Mapping[str, Mapping[str, str]] = {
    "billing.bill": {
        "id": "string",
        "accountId": "string",
        "accountCode": "string",
        "billDate": "string",
        "status": "string",
        "locked": "boolean",
        "currency": "string",
        "lineItems": "array",
        "version": "int",
    },
    "configuration.account": {
        "id": "string",
        "name": "string",
        "code": "string",
        "currency": "string",
        "emailAddress": "string",
        "address": "map",
        "customFields": "map",
        "version": "int",
    },
}


def fields_of(name: str) -> dict[str, str]:
    """Field names with ``new.`` (and ``old.`` for an update) and their types."""
    noun, _, verb = name.rpartition(".")
    known = _FIELDS.get(noun, {"id": "string", "version": "int"})
    fields = {f"new.{field}": kind for field, kind in known.items()}
    if verb == "updated":
        fields |= {f"old.{field}": kind for field, kind in known.items()}
    return fields


ROUTES: list[tuple[str, str, CallHandler]] = [
    ("GET", "/events", _list),
    ("GET", "/events/types", _types),
    ("GET", "/events/fields", _fields),
    ("GET", "/events/{id}", _get),
]
