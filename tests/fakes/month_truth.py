"""What a person who looks in Chargebee sees of a step whose outcome nobody knows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

from fakes.month_judge import STAMP
from fakes.month_of_life import Month

from reconciler.kernel.address import BillId
from reconciler.sync.model.push import Effect, InvoiceId, PushState, StepKind


def resolves(month: Month, bill: str, decider: Any) -> str:
    effects = month.place.effects(bill)
    row = month.rows().get(bill)
    open_ = [
        other
        for other in effects
        if row is not None
        and other.key.generation == row.generation
        and other.state is not PushState.DONE
    ]
    if not open_:
        return "nothing open"
    effect = open_[0]
    last = effect.last_attempt_at
    if last is not None and month.place.clock.now() - last < timedelta(minutes=6):
        return "a person looks later"
    sent = _truth(month, bill, effect, effects)
    if sent:
        return str(decider.sent_as(BillId(bill), InvoiceId(sent), "looked"))
    return str(decider.not_sent(BillId(bill), "looked"))


def _truth(month: Month, bill: str, effect: Effect, effects: tuple[Effect, ...]) -> str:
    """Give what a step made, as a person sees it in Chargebee; empty when it made nothing."""
    others = [other for other in effects if other.key != effect.key]
    made = {other.object_id for other in others}
    match effect.key.step.kind:
        case StepKind.CREATE_INVOICE:
            found = _created(month, bill, effect, made | {other.invoice_id for other in others})
        case StepKind.ADD_LINE:
            found = _added(month, bill, effect)
        case StepKind.CREDIT_NOTE:
            notes = _of(month, bill, "credit_notes")
            found = [note["id"] for note in notes if note["id"] not in made]
        case StepKind.PROMOTIONAL_CREDIT:
            given = month.world.store.all("chargebee/promotional_credits")
            mine = [entry["id"] for entry in given if entry["reference"] == bill]
            found = [entry for entry in mine if entry not in made]
        case _:
            found = _changed(month, bill, effect)
    return str(found[0]) if found else ""


def _of(month: Month, bill: str, kind: str) -> list[dict[str, Any]]:
    account = _account(month, bill)
    found = month.world.store.all(f"chargebee/{kind}")
    return [entry for entry in found if entry["customer_id"].endswith(account)]


def _created(month: Month, bill: str, effect: Effect, without: set[Any]) -> list[str]:
    amounts = set(_amounts(_form(effect), month.currency(bill)))
    return [
        entry["id"]
        for entry in _of(month, bill, "invoices")
        if entry.get(STAMP) == bill
        and entry["id"] not in without
        and entry["status"] != "voided"
        and not entry["deleted"]
        and {line["amount"] for line in entry["line_items"]} & amounts
    ]


def _added(month: Month, bill: str, effect: Effect) -> list[str]:
    amounts = set(_amounts(_form(effect), month.currency(bill)))
    before = set(effect.lines_before or ())
    return [
        entry["id"]
        for entry in _of(month, bill, "invoices")
        for line in entry["line_items"]
        if line["amount"] in amounts and line["id"] not in before
    ]


def _changed(month: Month, bill: str, effect: Effect) -> list[str]:
    """Give the invoice when it was voided, closed, or lost the lines that were to go."""
    held = set(effect.lines_before or ())
    wanted = {value for key, value in _form(effect).items() if key.startswith("line_items[id]")}
    found = []
    for entry in _of(month, bill, "invoices"):
        lines = {line["id"] for line in entry["line_items"]}
        done = {
            StepKind.VOID_INVOICE: entry["status"] == "voided",
            StepKind.CLOSE_INVOICE: entry["status"] != "pending",
            StepKind.DELETE_LINES: not lines & wanted,
        }
        if done[effect.key.step.kind] and (entry["id"] == effect.invoice_id or lines & held):
            found.append(entry["id"])
    return found


def _amounts(body: Mapping[str, str], currency: str) -> Iterator[int]:
    """Read the prices of a request in minor units; every quantity is 1."""
    for key, value in body.items():
        if "[unit_price]" in key:
            yield int(value)
        elif "[unit_price_in_decimal]" in key:
            yield int(Decimal(value) * (1 if currency == "JPY" else 100))


def _account(month: Month, bill: str) -> str:
    found = month.world.store.get("m3ter/bills", bill)
    assert found is not None
    return str(found["accountCode"])


def _form(effect: Effect) -> dict[str, str]:
    return dict(parse_qsl(effect.request.body.decode()))
