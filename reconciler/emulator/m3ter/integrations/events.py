"""Events: ``/events``. They vanish after 28 days and cannot be asked for by time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from reconciler.emulator.clock import iso
from reconciler.emulator.exchange import Answer
from reconciler.emulator.m3ter.http.call import Call, CallHandler, Refusal, ok, public
from reconciler.emulator.m3ter.http.paging import page, table_rows
from reconciler.emulator.m3ter.integrations.event_names import EVENT_NAMES, fields_of

JsonObject = dict[str, Any]
EVENTS = "m3ter/events"
_CATEGORIES = {
    "IntegrationEvent": "integration.",
    "IngestValidationFailure": "ingest.",
    "DataExportJobFailure": "dataexport.",
    "Notification": "notification.",
}


def _list(call: Call) -> Answer:
    tests = list(_tests(call))
    return page(
        call,
        table_rows(call, EVENTS),
        maximum=100,
        keep=lambda event: all(test(event) for test in tests),
    )


def _tests(call: Call) -> list[Callable[[JsonObject], bool]]:
    ids = call.values("ids")
    if ids is not None and len({"accountId", "eventType", "eventName"} & call.query.keys()):
        # Source: m3ter OpenAPI 2026-08-03, ListEvents: ids cannot be combined
        raise Refusal(400, "ids cannot be used together with other filters")
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
            raise Refusal(400, f"unknown eventType {category}")
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


def _oldest(call: Call) -> str:
    # Source: docs.m3ter.com, key concepts of events: deleted 28 days after they were created
    return iso(call.store.now() - timedelta(days=call.store.switches.number("event_days")))


def _get(call: Call) -> Answer:
    event = call.store.get(EVENTS, call.params["id"])
    if event is None or event["eventTime"] < _oldest(call):
        raise Refusal(404, f"events with id {call.params['id']} not found")
    return ok(public(event))


def _types(_: Call) -> Answer:
    return ok({"events": list(EVENT_NAMES)})


def _fields(call: Call) -> Answer:
    name = call.query.get("eventName")
    if name is not None and name not in EVENT_NAMES:
        raise Refusal(400, f"unknown eventName {name}")
    return ok({"events": {one: fields_of(one) for one in EVENT_NAMES if name in (None, one)}})


ROUTES: list[tuple[str, str, CallHandler]] = [
    ("GET", "/events", _list),
    ("GET", "/events/types", _types),
    ("GET", "/events/fields", _fields),
    ("GET", "/events/{id}", _get),
]
