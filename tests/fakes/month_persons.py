"""What persons do in Chargebee, and decide at the command line, in the life of a month."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from fakes.emulated_http import EmulatedHttp
from fakes.month_judge import OURS
from fakes.month_of_life import Month
from fakes.month_truth import resolves

from reconciler.emulator.chargebee.sites import API_KEY
from reconciler.errors import ReconcilerError
from reconciler.kernel.address import BillId
from reconciler.sync.model.push import PushStatus

_CALM = frozenset({PushStatus.COMPLETE, PushStatus.NOTHING_TO_SEND, PushStatus.BLOCKED})


def _chargebee(month: Month, path: str, **form: str) -> str:
    with EmulatedHttp(month.place.url) as http:
        answer = http.http.post(f"/api/v2{path}", data=form, auth=(API_KEY, ""))
    return f"a person: {path} {answer.status_code}"


def person(month: Month, which: int, chance: random.Random) -> str:
    """Let a person do something to an invoice of a bill in Chargebee."""
    bill = month.pick(which)
    found = [entry for entry in month.invoices(bill) if any(map(_ours, entry["line_items"]))]
    if not found:
        return "no invoice"
    invoice = chance.choice(found)
    faults, month.world.faults.rules = month.world.faults.rules, []
    try:
        return f"{bill['id'][:4]} " + _acts(month, bill["id"], invoice, chance)
    finally:
        month.world.faults.rules = faults


def _acts(month: Month, bill: str, invoice: Mapping[str, Any], chance: random.Random) -> str:
    path = f"/invoices/{invoice['id']}"
    what = chance.choice(("line", "take", "void", "delete", "close", "close", "pay"))
    match what:
        case "line":
            form = {"charge[amount]": "77", "charge[description]": "theirs"}
            return _chargebee(month, f"{path}/add_charge", **form)
        case "take":
            line = next(candidate for candidate in invoice["line_items"] if _ours(candidate))
            form = {"line_items[id][0]": line["id"]}
            return _touches(month, bill, f"{path}/delete_line_items", **form)
        case "void" | "delete":
            return _touches(month, bill, f"{path}/{what}")
        case "pay" if not _open(invoice):
            paid = {"status": "paid", "amount_paid": invoice["total"], "amount_due": 0}
            month.edit(invoice["id"], **paid)
            return f"{invoice['id']} is paid"
        case _:
            return _chargebee(month, f"{path}/close")


def _touches(month: Month, bill: str, path: str, **form: str) -> str:
    told = _chargebee(month, path, **form)
    if told.endswith("200"):
        month.touched[bill] = told
    return told


def _open(invoice: Mapping[str, Any]) -> bool:
    return bool(invoice["status"] == "pending")


def _ours(line: Mapping[str, Any]) -> bool:
    return bool(line["entity_type"] == OURS)


def decides(month: Month, which: int, chance: random.Random) -> str:
    """Let a person decide, truthfully, about a bill that waits for it, or any."""
    rows = month.rows()
    waiting = [key for key, row in rows.items() if row.status not in _CALM]
    bill = str(month.pick(which)["id"])
    if waiting and chance.random() < 0.8:
        bill = sorted(waiting)[which % len(waiting)]
    what = chance.choice(("retry", "retry", "skip", "resolve", "resolve", "close"))
    if what == "close":
        try:
            foreign = chance.random() < 0.5
            closed = month.place.close(*([bill] if chance.random() < 0.5 else []), foreign=foreign)
        except ReconcilerError as error:
            return f"close refused: {error}"
        return f"sync close {closed.tally}"
    try:
        with month.place.open() as place:
            decider = place.decider()
            match what:
                case "retry":
                    told = decider.retry(BillId(bill))
                    month.skipped.discard(bill)
                case "skip":
                    told = decider.skip(BillId(bill), "agreed")
                    month.skipped.add(bill)
                case _:
                    told = resolves(month, bill, decider)
    except ReconcilerError as error:
        return f"{what} {bill[:4]} refused: {str(error).splitlines()[0]}"
    return f"{what} {told}"
