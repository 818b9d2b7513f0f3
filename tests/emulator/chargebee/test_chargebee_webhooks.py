from __future__ import annotations

from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Event, Thread
from typing import Any

import pytest
from fakes.chargebee_bench import Bench

from reconciler.emulator import wire
from reconciler.emulator.chargebee.protocol import ChargebeeHalf
from reconciler.emulator.chargebee.webhooks import RETRY_SECONDS, Done, post_in_thread

ENDPOINT = {"name": "mine", "url": "http://127.0.0.1:9/hook"}


class Recorder:
    """A receiver that takes events, or refuses the first few."""

    def __init__(self, refuses: int = 0) -> None:
        self.refuses = refuses
        self.seen: list[tuple[str, Mapping[str, str], Any]] = []

    def __call__(self, url: str, headers: Mapping[str, str], body: bytes, done: Done) -> None:
        self.seen.append((url, headers, wire.decode(body)))
        done(len(self.seen) > self.refuses)

    def types(self) -> list[str]:
        return [event["event_type"] for _, _, event in self.seen]


def listening(receiver: Recorder, **more: Any) -> Bench:
    way = more.pop("webhook_delivery", "once")
    bench = Bench(webhook_delivery=way)
    bench.half = ChargebeeHalf(bench.store, receiver)
    bench.ok("webhook_endpoints", {**ENDPOINT, **more})
    return bench


def status(bench: Bench, kind: str) -> str:
    event = bench.query("events", [("event_type[is]", kind)])["list"][-1]["event"]
    return str(event["webhook_status"])


def test_an_endpoint_is_told_what_happened() -> None:
    receiver = Recorder()
    bench = listening(receiver, basic_auth_username="u", basic_auth_password="p")
    invoice = bench.invoice()
    url, headers, event = receiver.seen[0]
    assert url == ENDPOINT["url"]
    assert headers["authorization"] == "Basic dTpw"
    assert event["event_type"] == "invoice_generated"
    assert event["content"]["invoice"] == invoice
    assert "webhooks" not in event
    bench.ok("invoices/1/void")
    assert status(bench, "invoice_generated") == "succeeded"
    assert receiver.types() == ["invoice_generated", "invoice_updated"]


def test_a_refused_event_comes_again_seven_times() -> None:
    receiver = Recorder(refuses=99)
    bench = listening(receiver, enabled_events=["invoice_generated"])
    bench.invoice()
    for wait in RETRY_SECONDS:
        bench.advance(wait)
    bench.advance(10 * 86_400)
    assert receiver.types().count("invoice_generated") == 1 + len(RETRY_SECONDS)
    bench.ok("customers", {"id": "c9"})
    bench.ok("customers/c9", {"company": "x"})
    assert status(bench, "invoice_generated") == "failed"


def test_an_event_that_is_taken_at_last_comes_no_more() -> None:
    receiver = Recorder(refuses=1)
    bench = listening(receiver)
    bench.invoice()
    bench.advance(120)
    bench.advance(86_400)
    assert receiver.types() == ["invoice_generated", "invoice_generated"]


@pytest.mark.parametrize(
    ("way", "expected"),
    [
        ("once", ["pending_invoice_created"]),
        ("twice", ["pending_invoice_created", "pending_invoice_created"]),
        ("dropped", []),
        ("late", []),
    ],
)
def test_deliveries_go_wrong_by_switch(way: str, expected: list[str]) -> None:
    receiver = Recorder()
    bench = listening(receiver, webhook_delivery=way)
    bench.pending()
    assert receiver.types() == expected
    bench.advance(600)
    assert bool(receiver.types()) == (way != "dropped")


def test_what_time_brings_is_told_too() -> None:
    receiver = Recorder()
    bench = listening(receiver)
    bench.pending()
    bench.advance(48 * 3600)
    assert receiver.types() == ["pending_invoice_created", "invoice_generated"]
    assert receiver.seen[-1][2]["source"] == "scheduled_job"


def test_events_of_one_call_may_come_in_reverse() -> None:
    receiver = Recorder()
    bench = listening(receiver, webhook_delivery="reversed")
    bench.ok("customers", {"id": "c2", "card": {"number": "4"}})
    form = {"customer_id": "c2", "currency_code": "USD", "charges": [{"amount": 5}]}
    bench.ok("invoices/create_for_charge_items_and_charges", form)
    assert receiver.types()[1:] == ["invoice_generated", "payment_succeeded"]


def test_an_endpoint_that_is_gone_or_disabled_is_told_nothing() -> None:
    receiver = Recorder()
    bench = listening(receiver, disabled=True)
    bench.invoice()
    made = bench.ok("webhook_endpoints", {**ENDPOINT, "name": "two"})["webhook_endpoint"]
    assert "_secret" not in made
    assert bench.get(f"webhook_endpoints/{made['id']}")["webhook_endpoint"]["name"] == "two"
    bench.ok(f"webhook_endpoints/{made['id']}/delete")
    bench.invoice()
    assert receiver.seen == []
    late = listening(receiver, webhook_delivery="late")
    late.invoice()
    key = late.get("webhook_endpoints")["list"][0]["webhook_endpoint"]["id"]
    late.ok(f"webhook_endpoints/{key}/delete")
    late.advance(600)
    assert receiver.seen == []


def test_nothing_is_sent_to_other_machines() -> None:
    refused = Bench().refused("webhook_endpoints", {"name": "x", "url": "https://example.com/"})
    assert refused == (400, "param_wrong_value", "url")


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(500 if self.path == "/bad" else 204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Say nothing."""


def test_events_travel_over_http_in_a_thread() -> None:
    outcomes: list[bool] = []
    with HTTPServer(("127.0.0.1", 0), Receiver) as server:
        serving = Thread(target=server.serve_forever)
        serving.start()
        url = f"http://127.0.0.1:{server.server_port}"
        for target in (f"{url}/hook", f"{url}/bad", "http://127.0.0.1:1/"):
            ended = Event()

            def done(ok: bool, ended: Event = ended) -> None:
                outcomes.append(ok)
                ended.set()

            post_in_thread(target, {}, b"{}", done)
            assert ended.wait(10)
        server.shutdown()
        serving.join()
    assert outcomes == [True, False, False]
