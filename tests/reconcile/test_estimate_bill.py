"""When an estimate is asked for, and how it is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from fakes.push_data import bill, invoice_of, line, route
from fakes.push_reading import SITE, Month, month

from reconciler.kernel.address import BillId
from reconciler.kernel.money import Currency, Money
from reconciler.m3ter.bill import Bill
from reconciler.reconcile.core.explanation import Explanation, predicted
from reconciler.reconcile.explain import ExplainPorts, estimate_bill, explain
from reconciler.reconcile.routes import NotOurs
from reconciler.reconcile.show.explain_text import explain_text
from reconciler.sync.model.invoice import Estimated, NotEstimated
from reconciler.sync.model.push import PushStatus, UnknownOutcome

GBP = Currency("GBP", 2)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Month]:
    with month(tmp_path) as opened:
        yield opened


def one() -> Bill:
    return bill(line("USAGE", "400", units="8"))


def told(world: Month) -> Explanation:
    ports = ExplainPorts(
        SITE, world.bills, world.ledger, world.site, world.routes, world.history, world.site
    )
    found = explain(BillId("bill-1"), ports)
    return replace(found, estimate=estimate_bill(found, world.site))


def why(world: Month) -> str:
    found = told(world).estimate
    assert isinstance(found, NotEstimated)
    return found.why


def test_a_bill_that_was_sent_or_begun_is_not_estimated(world: Month) -> None:
    each = one()
    world.billed(each)
    world.recorded(each, PushStatus.UNKNOWN, world.drafted(each), message="cut")
    world.attempted(each.id, UnknownOutcome("the connection was cut"))
    assert "has begun" in why(world)
    world.site.put(replace(invoice_of(world.drafted(each)), stamp=each.id))
    assert "it is sent" in why(world)


def test_a_bill_without_a_draft_is_not_estimated(world: Month) -> None:
    world.routes.standings[BillId("bill-1")] = NotOurs("nobody takes it")
    world.billed(one())
    assert "nothing of it would be sent" in why(world)


def test_the_words_of_a_refusal_are_told(world: Month) -> None:
    world.billed(one())
    world.site.estimated = NotEstimated("Chargebee refuses it: no such price")
    assert "No estimate: Chargebee refuses it: no such price." in explain_text(told(world))


def test_tax_is_named_apart_and_a_difference_by_line(world: Month) -> None:
    each = one()
    world.billed(each)
    draft = world.drafted(each)
    invoice = invoice_of(draft)
    made = Estimated(invoice, predicted(draft), Money(8000, GBP), Money(48000, GBP))
    world.site.estimated = made
    text = " ".join(explain_text(told(world)).split())
    said = "Chargebee would make of it: £400.00 before tax, as predicted."
    assert f"{said} Tax £80.00, in all £480.00." in text
    dearer = replace(invoice.lines[0], amount=Money(40001, GBP))
    world.site.estimated = replace(made, invoice=replace(invoice, lines=(dearer,)))
    text = " ".join(explain_text(told(world)).split())
    assert "before tax, and £400.00 is predicted." in text
    assert "£400.01, and £400.00 is predicted" in text


def test_credits_that_follow_the_invoice_are_told_apart(world: Month) -> None:
    world.routes.by = route(push={"negative_lines": "credit-note"})
    dates = {"service_from": date(2026, 11, 1), "service_to": date(2026, 12, 1)}
    each = bill(line("USAGE", "400", units="8"), line("CREDIT_MEMO", "-5", **dates))
    world.billed(each)
    draft = world.drafted(each)
    made = invoice_of(draft)
    world.site.estimated = Estimated(made, predicted(draft), Money(0, GBP), predicted(draft))
    text = " ".join(explain_text(told(world)).split())
    assert "£400.00 before tax, as predicted." in text
    assert "A credit of £5.00 follows it, on its own." in text
