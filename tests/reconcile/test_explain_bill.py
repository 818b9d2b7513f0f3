"""A bill explained, sent or not, and read as a finance user would read it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from fakes.push_data import THIS, bill, invoice_of, line, mapping, route
from fakes.push_reading import NAME, SITE, Month, month

from reconciler.drafting.draft import BlockCode, BlockReason
from reconciler.kernel.address import BillId
from reconciler.kernel.line_item import LineItemType
from reconciler.kernel.money import Currency, Money
from reconciler.kernel.problem import Origin
from reconciler.m3ter.bill import Bill
from reconciler.reconcile.explain import ExplainPorts, NoSuchLineError, UnknownBillError, explain
from reconciler.reconcile.routes import NotOurs, NotYet, SentByM3ter, UndecidedRoute
from reconciler.reconcile.show.explain_text import explain_text
from reconciler.sync.model.push import (
    InvoiceId,
    InvoiceLineId,
    Performed,
    PushStatus,
    Refused,
    StepKind,
    UnknownOutcome,
)

GBP = Currency("GBP", 2)
DATES = {"service_from": date(2026, 11, 1), "service_to": date(2026, 12, 1)}
MULTI = {
    "use_multidecimal": True,
    "multi_decimal_price_decimal_places": 3,
    "multi_decimal_units_decimal_places": 3,
    "price_id_mapping": {LineItemType.USAGE: "usage-GBP"},
}
RICH = bill(
    line("USAGE", "400", units="1000000", description="API calls"),
    line("AD_HOC", "0.004", description="Tiny"),
    line("CREDIT_MEMO", "-5", description="Goodwill", **DATES),
    line("STANDING_CHARGE", "10"),
    line("MINIMUM_SPEND", None, description="Minimum"),
    line("AD_HOC", "8", units="4", description="Seats"),
)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Month]:
    with month(tmp_path) as opened:
        yield opened


def rich_route(**push: Any) -> Any:
    return route(
        page=MULTI,
        push={"negative_lines": "credit-note"} | push,
        entity={"excluded_line_item_types": (LineItemType.STANDING_CHARGE,)},
        mappings=[mapping("Product", "prod-api", "usage-api-GBP", THIS)],
    )


def told(world: Month, identity: str = "bill-1", number: int | None = None) -> str:
    ports = ExplainPorts(
        SITE, world.bills, world.ledger, world.site, world.routes, world.history, world.site
    )
    return explain_text(explain(BillId(identity), ports, number), number)


def flat(text: str) -> str:
    """The text without its line breaks."""
    return " ".join(text.split())


def one(**more: Any) -> Bill:
    return bill(line("USAGE", "400", units="8"), **more)


def test_a_bill_that_is_ready_says_what_chose_each_price_and_what_did_not(world: Month) -> None:
    world.routes.by = rich_route()
    world.billed(RICH)
    text = told(world)
    assert "It is ready: the next run of chargebee-uk sends it." in text
    assert "usage-api-GBP" in text
    assert "prices.csv:12@3f2c9ab" in text
    assert "not used: priceIdMapping.USAGE = usage-GBP" in text
    assert "a mapping comes first" in flat(text)
    assert "3 places would send 0.000 x 1000000 = £0.00" in flat(text)
    assert "1 Nov 2026 00:00 - 1 Dec 2026 00:00 Europe/London" in text
    assert "excludedLineItemTypes names its type" in text
    assert "sent as a credit note of £5.00" in text
    assert "amount 0.004 to 2 places, half up: 0.00" in text
    assert "m3ter gives no amount" in text
    assert "it fell to the default" in text
    assert "4 x 2" in text
    assert all(len(row) <= 100 for row in text.splitlines())


def test_one_line_alone_can_be_shown(world: Month) -> None:
    world.routes.by = rich_route()
    world.billed(RICH)
    text = told(world, number=2)
    assert "2. Tiny" in text
    assert "API calls" not in text
    assert "Goodwill" not in text
    assert "3. Goodwill" in told(world, number=3)
    with pytest.raises(NoSuchLineError, match="it has 6"):
        told(world, number=7)


def test_a_discount_names_the_lines_it_comes_from(world: Month) -> None:
    world.routes.by = route(push={"negative_lines": "discount"})
    world.billed(
        bill(line("AD_HOC", "8", units="4"), line("CREDIT_MEMO", "-5", description="Off", **DATES))
    )
    assert "a discount of £5.00 on price other-GBP" in told(world)
    assert "a discount of £5.00" in told(world, number=2)
    assert "a discount" not in told(world, number=1)


def test_a_sent_bill_is_explained_from_what_was_recorded(world: Month) -> None:
    each = one()
    world.billed(each)
    world.recorded(each, PushStatus.COMPLETE, world.drafted(each), message="read back: as sent")
    invoice = invoice_of(world.drafted(each))
    world.site.put(invoice)
    world.attempted(
        each.id,
        UnknownOutcome("the connection was cut"),
        Performed("inv_1", tuple(line.id for line in invoice.lines)),
    )
    world.routes.by = route(page={"default_price_id": "another-GBP"})
    text = flat(told(world))
    assert "another-GBP" not in text, "what was merged since explains nothing"
    assert "It was sent, all of it." in text
    assert "attempt 2 of 2" in text
    assert "the connection was cut" in text
    assert "Chargebee £400.00 (line li_1)" in text
    assert "integration.yaml:30@3f2c9ab" in text
    assert "docs/runbook.md" not in text


def test_a_promotional_credit_is_told_from_a_credit_note(world: Month) -> None:
    world.routes.by = rich_route(negative_lines="promotional-credit")
    world.billed(RICH)
    text = flat(told(world))
    assert "a part, £5.00, of the promotional credit for the customer's next invoices" in text
    assert "credit note" not in text


def test_a_mapping_of_no_integration_without_a_line_is_named_by_its_file(world: Month) -> None:
    made = replace(mapping("Product", "prod-api", "usage-api-GBP"), origin=Origin("live"))
    world.routes.by = route(page=MULTI, mappings=[made])
    world.billed(one())
    text = flat(told(world))
    assert "linked to no integration live" in text


def test_a_rounding_that_chargebee_will_make_is_announced(world: Month) -> None:
    world.routes.by = route(page=MULTI, push={"rounding": "as-m3ter"})
    world.billed(bill(line("USAGE", "0.99", units="333"), line()))
    text = flat(told(world))
    assert "Chargebee will make £1.00 of it: rounding £0.01" in text


def test_a_long_description_leaves_the_amount_on_the_right(world: Month) -> None:
    long = "A description that " + "goes on and " * 9 + "on"
    world.billed(bill(line("USAGE", "400", units="8", description=long)))
    rows = told(world).splitlines()
    assert all(len(row) <= 100 for row in rows)
    assert any(row.endswith("m3ter £400.00") and row.startswith("  ") for row in rows)


def test_a_bill_sent_at_once_names_its_request_once(world: Month) -> None:
    each = bill(line("USAGE", "400", units="8"), line("AD_HOC", "7"))
    world.billed(each)
    world.sent(each)
    text = told(world)
    assert text.count("attempt 1 of 1") == 1
    assert "Made invoice inv_1, attempt 1 of 1, 1 Dec 2026" in flat(text)
    assert text.count("sent    with the invoice · Chargebee £") == 2
    assert "1 - 30 Nov 2026" in text.splitlines()[1]


def test_an_edited_line_shows_both_amounts(world: Month) -> None:
    each = one()
    world.billed(each)
    made = world.sent(each)
    cheaper = replace(made.lines[0], amount=Money(39000, GBP), discount=Money(100, GBP))
    world.site.put(replace(made, lines=(cheaper,)))
    text = flat(told(world))
    assert "Chargebee £390.00 less a discount of £1.00" in text
    assert "not £400.00" in text
    assert "Difference, " in text


def test_a_line_that_is_gone_from_the_invoice_is_said_to_be_gone(world: Month) -> None:
    each = one()
    world.billed(each)
    world.site.put(replace(world.sent(each), lines=()))
    assert "the line is not on the invoice any more" in flat(told(world))


def test_a_voided_invoice_explains_no_line(world: Month) -> None:
    each = one()
    world.billed(each)
    world.site.put(replace(world.sent(each), status="voided"))
    text = told(world)
    assert "invoice inv_1 (voided)" in text
    assert "no invoice stands for what was sent" in text


def test_lines_that_were_added_one_by_one_have_requests_of_their_own(world: Month) -> None:
    world.routes.by = route(page={"create_invoice": False})
    each = bill(line("USAGE", "400", units="8"), line("AD_HOC", "7"))
    world.billed(each)
    draft = world.drafted(each)
    world.recorded(each, PushStatus.PARTIAL, draft, message="the invoice closed")
    theirs = frozenset({InvoiceLineId("li_0")})
    world.attempted(
        each.id,
        Performed("inv_p", (InvoiceLineId("li_1"),)),
        kind=StepKind.ADD_LINE,
        before=theirs,
        draft_line=0,
    )
    world.attempted(
        each.id,
        Refused("invalid_state", "it is closed"),
        kind=StepKind.ADD_LINE,
        number=1,
        before=theirs,
        draft_line=1,
    )
    world.site.put(replace(invoice_of(draft, id=InvoiceId("inv_p")), stamp=None))
    text = told(world)
    assert "Some of its lines stand on an invoice, and some do not." in text
    assert "Step add-line/1: provably not done: Chargebee refused it" in text
    assert "it is closed" in text
    assert "docs/runbook.md#partial" in text


def test_a_step_that_was_recorded_and_never_sent_is_told_from_a_sent_one(world: Month) -> None:
    each = one()
    world.billed(each)
    world.recorded(each, PushStatus.STARTED, world.drafted(each))
    world.attempted(each.id)
    text = told(world)
    assert "It is being sent." in text
    assert "recorded, never sent yet" in text


def test_an_unknown_outcome_names_its_page_and_what_was_decided(world: Month) -> None:
    each = one()
    world.billed(each)
    world.recorded(each, PushStatus.UNKNOWN, world.drafted(each))
    world.attempted(each.id, UnknownOutcome("no answer"))
    world.history.decide(SITE, f"{SITE}/{each.id}/note", "looked", "k.smith", "not there")
    text = told(world)
    assert "may have arrived: looked for before it is sent again" in text
    assert "k.smith decided `looked`: not there" in text
    assert "docs/runbook.md#unknown-outcome" in text


def test_a_recalculated_bill_says_so(world: Month) -> None:
    world.sent(one())
    world.billed(bill(line("USAGE", "410", units="8")))
    assert "it was recalculated" in told(world)
    world.routes.by = route(page={"default_price_id": None})
    assert "Difference" in told(world)


def test_a_bill_that_m3ter_lost_is_explained_from_the_ledger(world: Month) -> None:
    world.sent(one())
    text = told(world)
    assert "invoice inv_1" in text
    assert "UTC" in text
    world.recorded(one(id=BillId("bill-2")), PushStatus.WAITING, message="no invoice yet")
    assert "It waits" in told(world, "bill-2")


def test_a_blocked_bill_lists_every_reason_with_its_place(world: Month) -> None:
    world.routes.by = route(page={"default_price_id": None})
    world.billed(one())
    text = told(world)
    assert "It is blocked: nothing of it is sent until this is put right." in text
    assert "what to do: " in text
    assert "docs/runbook.md#blocked-price" in text
    assert "Integration chargebee-uk takes it, by applied record 4." in text
    lines = text.splitlines()
    at = lines.index("Its lines, none of which is sent:")
    assert lines[at + 1].startswith("  line 1 (USAGE)")
    assert lines.index(next(line for line in lines if line.startswith("Blocked:"))) < at


def test_what_chargebee_is_not_ready_for_blocks_a_good_draft(world: Month) -> None:
    world.billed(one())
    reason = BlockReason(
        BlockCode.PREFLIGHT, "it is cancelled", "map another", origin=Origin("accounts.csv", 3)
    )
    world.site.reasons = (reason,)
    world.recorded(one(), PushStatus.BLOCKED, message="before")
    text = told(world)
    assert "Blocked: it is cancelled (accounts.csv:3@3f2c9ab)" in text
    assert "docs/runbook.md#blocked-preflight" in text


@pytest.mark.parametrize(
    ("standing", "words"),
    [
        (NotOurs("the account is not in accountIds"), "It is not ours"),
        (NotYet(NAME, "it is PENDING"), "not yet"),
        (UndecidedRoute(NAME, "another route"), "who may bill it is not certain"),
        (SentByM3ter(NAME, "run r1"), "m3ter sent it itself"),
    ],
)
def test_a_bill_that_is_not_sent_says_why(world: Month, standing: Any, words: str) -> None:
    world.billed(one(status="PENDING"))
    world.routes.standings[BillId("bill-1")] = standing
    text = told(world)
    assert words in text
    assert standing.why in text
    assert "PENDING" in text


def test_a_waiting_bill_says_what_for(world: Month) -> None:
    world.billed(one())
    world.recorded(one(), PushStatus.WAITING, message="no pending invoice yet")
    text = told(world)
    assert "It waits" in text
    assert "no pending invoice yet" in text


def test_a_bill_with_nothing_to_send_lists_its_lines(world: Month) -> None:
    world.billed(bill(line("USAGE", "0")))
    text = told(world)
    assert "It has nothing to send." in text
    assert "the bill adds up to zero" in text
    world.routes.standings[BillId("bill-1")] = NotYet(NAME, "it is PENDING")
    assert "not yet" in told(world)


def test_a_bill_in_a_time_zone_nobody_knows_is_shown_in_utc(world: Month) -> None:
    each = one()
    world.sent(each)
    world.billed(replace(each, time_zone="Mars/Olympus"))
    assert "UTC" in told(world)


def test_a_bill_that_nobody_has_is_an_error(world: Month) -> None:
    with pytest.raises(UnknownBillError, match="neither m3ter nor the ledger"):
        told(world, "nope")
