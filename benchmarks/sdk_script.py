"""What people write instead: a sequential script over the two official SDKs, as their docs show.

It takes every approved bill, looks the account up in the external mappings and creates one invoice
of the bill's positive lines, each at quantity 1. It has no memory, a random idempotency key, and
m3ter's SDK gives it amounts as floats. Run as ``python -m benchmarks.sdk_script URL COUNT``; it
prints one JSON line of what it did.
"""

from __future__ import annotations

import os
import sys
import time
import uuid
from collections.abc import Iterator
from typing import Any

import m3ter
from chargebee import Chargebee
from chargebee.api_error import APIError

from reconciler.emulator import wire

PAUSE_SECONDS = 5.0
TABLES = ("Subscription", "Customer")


def main(url: str, count: int) -> None:
    """Send up to so many bills, and print the figures."""
    api = m3ter.M3ter(
        api_key=os.environ["M3TER_API_KEY"],
        api_secret=os.environ["M3TER_API_SECRET"],
        org_id=os.environ["M3TER_ORG_ID"],
        base_url=url,
    )
    Chargebee.verify_ca_certs = False
    client = Chargebee(
        api_key=os.environ["CHARGEBEE_API_KEY"], site=os.environ["CHARGEBEE_SITE"], protocol="http"
    )
    client.env.api_endpoint = f"{url}/api/v2"
    began, spent = time.monotonic(), time.process_time()
    figures = {"sent": 0, "refused": 0, "limited": 0}
    for bill, owner in _bills(api, count):
        _send(client, bill, owner, figures)
    seconds, cpu = time.monotonic() - began, time.process_time() - spent
    report = {**figures, "ms": int(seconds * 1000), "cpu_ms": int(cpu * 1000)}
    sys.stdout.write(wire.encode(report).decode() + "\n")


def _bills(api: Any, count: int) -> Iterator[tuple[Any, dict[str, str]]]:  # noqa: ANN401
    owners = {
        mapping.m3ter_id: {f"{mapping.external_table.lower()}_id": mapping.external_id}
        for mapping in api.external_mappings.list(page_size=200)
        if mapping.m3ter_entity == "Account" and mapping.external_table in TABLES
    }
    for bill in api.bills.list(page_size=100, additional=["lineItems"]):
        if not count:
            return
        if bill.status == "APPROVED" and bill.account_id in owners:
            count -= 1
            yield bill, owners[bill.account_id]


def _send(client: Any, bill: Any, owner: dict[str, str], figures: dict[str, int]) -> None:  # noqa: ANN401
    places = 0 if bill.currency == "JPY" else 2
    items = [
        {
            "item_price_id": f"other-{bill.currency}",
            "quantity": 1,
            "unit_price": round(line.converted_subtotal * 10**places),
            "description": line.description,
        }
        for line in bill.line_items
        if line.converted_subtotal > 0
    ]
    form = {**owner, "currency_code": bill.currency, "item_prices": items, "auto_collection": "off"}
    while True:
        try:
            headers = {"chargebee-idempotency-key": str(uuid.uuid4())}
            answer = client.Invoice.create_for_charge_items_and_charges(form, headers)
            client.Invoice.retrieve(answer.invoice.id)
        except APIError as error:
            if error.http_status_code == 429:
                figures["limited"] += 1
                time.sleep(PAUSE_SECONDS)
                continue
            figures["refused"] += 1
        else:
            figures["sent"] += 1
        return


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
