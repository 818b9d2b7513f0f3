"""Webhooks: endpoints on this machine are told of events, at least once and in no sure order."""

from __future__ import annotations

import base64
import http.client
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from functools import partial
from threading import Thread
from typing import Final
from urllib.parse import urlsplit

from reconciler.emulator.chargebee.parameters.forms import Tree
from reconciler.emulator.chargebee.parameters.parameters import (
    ChoiceParameter,
    Flag,
    OperationFacts,
    Several,
    TextParameter,
)
from reconciler.emulator.chargebee.parameters.refusals import wrong_value
from reconciler.emulator.chargebee.site import EmulatedSite, JsonObject, public
from reconciler.emulator.wire import encode

Done = Callable[[bool], None]
Sender = Callable[[str, Mapping[str, str], bytes, Done], None]
# Source: Chargebee docs, webhooks: seven retries after a failure, the last about 3 days 7 hours on.
RETRY_SECONDS: Final = (120, 360, 1800, 3600, 18_000, 86_400, 172_800)
_LATE_SECONDS: Final = 600
_TIMEOUT_SECONDS: Final = 5
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_CREATE: Final = OperationFacts(
    {
        "name": TextParameter(50),
        "api_version": ChoiceParameter(("v1", "v2")),
        "url": TextParameter(512),
        "primary_url": Flag(),
        "disabled": Flag(),
        "basic_auth_username": TextParameter(250),
        "basic_auth_password": TextParameter(250),
        "send_card_resource": Flag(),
        "chargebee_response_schema_type": ChoiceParameter(("plans_addons", "items", "compat")),
        "enabled_events": Several(TextParameter(100)),
    },
    ("name", "url"),
)


def create(site: EmulatedSite, form: Tree, _: str) -> JsonObject:
    """Register an endpoint; the emulator only sends to this machine."""
    values = site.reading().read(_CREATE, form)
    if urlsplit(values["url"]).hostname not in _LOOPBACK:
        raise wrong_value("url", "must be on this machine: the emulator sends nowhere else")
    secret = {name: values.pop(f"basic_auth_{name}", "") for name in ("username", "password")}
    defaults = {"api_version": "v2", "disabled": False, "primary_url": False}
    endpoint = {"id": site.new_id("whe_"), **defaults, "enabled_events": [], **values}
    return {
        "webhook_endpoint": public(site.put("webhook_endpoint", endpoint | {"_secret": secret}))
    }


def delete(site: EmulatedSite, _: Tree, key: str) -> JsonObject:
    """Send no more to an endpoint."""
    endpoint = site.need("webhook_endpoint", key)
    site.remove("webhook_endpoint", key)
    return {"webhook_endpoint": public(endpoint)}


class Courier:
    """Delivers the events of one site; switch ``webhook_delivery`` says how well."""

    def __init__(self, site: EmulatedSite, send: Sender) -> None:
        """Begin with the next event; those that are there were delivered before."""
        self._site = site
        self._send = send
        self._outcomes: deque[tuple[str, str, bool, int]] = deque()
        self._delivered: set[tuple[str, str]] = set()
        newest = next(iter(site.table("event").newest()), None)
        self._seen = -1 if newest is None else newest.position

    def note(self) -> None:
        """Record what became of earlier attempts, and plan those for new events."""
        while self._outcomes:
            self._record(*self._outcomes.popleft())
        fresh = list(self._site.table("event").oldest(self._seen))
        if fresh:
            self._seen = fresh[-1].position
            self._plan([row.data for row in fresh])

    def _plan(self, events: list[JsonObject]) -> None:
        way = self._site.switches.text("webhook_delivery")
        if way == "dropped":
            return
        wait = _LATE_SECONDS if way == "late" else 0
        ordered: Iterable[JsonObject] = reversed(events) if way == "reversed" else events
        for event in ordered:
            for endpoint in list(self._site.all("webhook_endpoint")):
                wanted = endpoint["enabled_events"]
                if not endpoint["disabled"] and (not wanted or event["event_type"] in wanted):
                    for _ in range(2 if way == "twice" else 1):
                        attempt = partial(self._attempt, endpoint["id"], event["id"], 0)
                        self._site.store.later(wait, attempt)
        if not wait:
            self._site.store.run_due()

    def _attempt(self, endpoint_id: str, event_id: str, number: int) -> None:
        """Send once, and again later unless it was taken meanwhile."""
        endpoint = self._site.get("webhook_endpoint", endpoint_id)
        event = self._site.get("event", event_id)
        taken = number > 0 and (endpoint_id, event_id) in self._delivered
        if endpoint is None or event is None or taken:
            return
        if number < len(RETRY_SECONDS):
            again = partial(self._attempt, endpoint_id, event_id, number + 1)
            self._site.store.later(RETRY_SECONDS[number], again)
        done = partial(self._finished, endpoint_id, event_id, number)
        self._send(endpoint["url"], _headers(endpoint), encode(public(event)), done)

    def _finished(self, endpoint_id: str, event_id: str, number: int, ok: bool) -> None:
        """Keep an outcome; called from the sender's thread, so that the store is left alone."""
        if ok:
            self._delivered.add((endpoint_id, event_id))
        self._outcomes.append((endpoint_id, event_id, ok, number))

    def _record(self, endpoint_id: str, event_id: str, ok: bool, number: int) -> None:
        failed = "failed" if number >= len(RETRY_SECONDS) else "re_scheduled"
        status = "succeeded" if ok else failed
        event = self._site.need("event", event_id)
        others = [webhook for webhook in event.get("webhooks", ()) if webhook["id"] != endpoint_id]
        entry = {"id": endpoint_id, "webhook_status": status, "object": "webhook"}
        changes = {"webhook_status": status, "webhooks": [*others, entry]}
        self._site.keep("event", event | changes)


def post_in_thread(url: str, headers: Mapping[str, str], body: bytes, done: Done) -> None:
    """Send without waiting for the answer: the receiver may call the emulator back."""
    Thread(target=_post, args=(url, headers, body, done), name="webhook", daemon=True).start()


def _post(url: str, headers: Mapping[str, str], body: bytes, done: Done) -> None:
    parts = urlsplit(url)
    try:
        connection = http.client.HTTPConnection(
            parts.hostname or "", parts.port, timeout=_TIMEOUT_SECONDS
        )
        with closing(connection):
            connection.request("POST", parts.path or "/", body, dict(headers))
            status = connection.getresponse().status
    except (OSError, http.client.HTTPException):
        done(False)  # noqa: FBT003 - the receiver could not be reached
        return
    done(200 <= status < 300)  # noqa: PLR2004 - success is any 2XX


def _headers(endpoint: JsonObject) -> dict[str, str]:
    secret = endpoint["_secret"]
    headers = {"content-type": "application/json;charset=utf-8"}
    if secret["username"]:
        pair = f"{secret['username']}:{secret['password']}".encode()
        headers["authorization"] = "Basic " + base64.b64encode(pair).decode()
    return headers
