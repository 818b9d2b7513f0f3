"""What is knowingly not sent: only what provably does not stand at the destination."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fakes.push_data import bill, drafted, invoice_of, line, route

from reconciler.drafting.draft import BlockCode, BlockReason, DraftCredit
from reconciler.kernel.address import AccountId, BillId
from reconciler.kernel.money import Currency, Money
from reconciler.reconcile.core.month import (
    lines_not_sent,
    not_sent_by_reasons,
    not_sent_by_row,
    not_sent_by_switch,
    part_not_sent,
)
from reconciler.sync.core.readback.compare import ThreeSides, reconcile_bill
from reconciler.sync.core.readback.invoice_lines import Recorded
from reconciler.sync.model.invoice import Invoice
from reconciler.sync.model.push import (
    Effect,
    InvoiceLineId,
    PushKey,
    PushState,
    PushStatus,
    SiteName,
    StepKind,
    StepName,
    StoredRequest,
)

GBP = Currency("GBP", 2)
DRAFT = drafted(
    bill(line("USAGE", "400", units="8"), line("AD_HOC", "7")),
    route(page={"create_invoice": False}),
)
CREATING = drafted(
    bill(line("USAGE", "400", units="8"), line("AD_HOC", "-7")),
    route(push={"negative_lines": "credit-note"}),
)
IDS = {0: InvoiceLineId("li_1"), 1: InvoiceLineId("li_2")}


def effect(
    kind: StepKind, state: PushState, at: int | None = None, number: int = 0, generation: int = 1
) -> Effect:
    key = PushKey(SiteName("s"), BillId("bill-1"), generation, StepName(kind, number))
    return Effect(key, state, StoredRequest("/invoices", b""), None, None, at)


@pytest.mark.parametrize("status", PushStatus)
def test_every_state_is_held_back_or_missing_but_never_both(status: PushStatus) -> None:
    held = not_sent_by_row(status, "as told")
    may_stand = {
        PushStatus.COMPLETE,
        PushStatus.UNKNOWN,
        PushStatus.PARTIAL,
        PushStatus.REOPENED,
        PushStatus.NOTHING_TO_SEND,
    }
    assert (held is None) == (status in may_stand)
    if held is not None:
        begun = "the next `sync run` goes on with it"
        assert held.why == (begun if status is PushStatus.STARTED else "as told")
        assert held.page
        assert held.settled == (status is PushStatus.DISABLED)


@pytest.mark.parametrize(
    ("state", "held"),
    [
        (PushState.INTENDED, True),
        (PushState.RETRY, True),
        (PushState.REFUSED, True),
        (PushState.CLOSED, True),
        (PushState.SENDING, False),
        (PushState.IN_DOUBT, False),
        (PushState.PERSON, False),
        (PushState.DONE, False),
    ],
)
def test_a_request_that_may_have_arrived_holds_nothing_back(state: PushState, held: bool) -> None:
    found = not_sent_by_row(PushStatus.ERROR, "", [effect(StepKind.CREATE_INVOICE, state)])
    assert (found is not None) == held


def test_reasons_and_switches_say_where_to_read_on() -> None:
    reason = BlockReason(BlockCode.PRICE, "line 1 has no price", "map it")
    held = not_sent_by_reasons([reason, reason])
    assert (held.short, held.why) == (
        "a line without a price",
        "line 1 has no price (map it); line 1 has no price (map it)",
    )
    paused, disabled = (
        not_sent_by_switch("k.smith: look", None),
        not_sent_by_switch(None, "ten failures"),
    )
    assert paused is not None
    assert disabled is not None
    assert paused.why == "the site is paused by k.smith: look"
    assert disabled.why == "the push is disabled: ten failures"
    assert not_sent_by_switch(None, None) is None
    assert part_not_sent(PushStatus.PARTIAL, "").why.startswith("some of its lines")
    assert part_not_sent(PushStatus.PARTIAL, "refused").why == "refused"


def test_lines_without_a_done_step_are_held_back_while_the_bill_is_unfinished() -> None:
    first = effect(StepKind.ADD_LINE, PushState.DONE, 0)
    second = effect(StepKind.ADD_LINE, PushState.REFUSED, 1, 1)
    assert lines_not_sent(DRAFT, [first, second], 1, PushStatus.PARTIAL) == (frozenset({1}), False)
    assert lines_not_sent(DRAFT, [first], 1, PushStatus.STARTED) == (frozenset({1}), False)
    assert lines_not_sent(DRAFT, [first, second], 1, PushStatus.COMPLETE) == (frozenset(), False)
    doubt = replace(second, state=PushState.IN_DOUBT)
    assert lines_not_sent(DRAFT, [first, doubt], 1, PushStatus.UNKNOWN) == (frozenset(), False)
    older = effect(StepKind.ADD_LINE, PushState.DONE, 0, generation=1)
    assert lines_not_sent(DRAFT, [older], 2, PushStatus.STARTED)[0] == {0, 1}


def test_a_credit_note_that_was_refused_is_held_back_with_its_money() -> None:
    created = effect(StepKind.CREATE_INVOICE, PushState.DONE)
    refused = effect(StepKind.CREDIT_NOTE, PushState.REFUSED)
    former = effect(StepKind.CREDIT_NOTE, PushState.DONE, number=1)
    held = lines_not_sent(CREATING, [created, former, refused], 1, PushStatus.PARTIAL)
    assert held == (frozenset(), True)
    done = effect(StepKind.CREDIT_NOTE, PushState.DONE)
    assert lines_not_sent(CREATING, [created, done], 1, PushStatus.PARTIAL) == (frozenset(), False)
    (credit,) = CREATING.credits
    assert isinstance(credit, DraftCredit)
    sent = Recorded(CREATING, {0: InvoiceLineId("li_1")}, credits_held=True)
    case = ThreeSides(BillId("bill-1"), AccountId("a"), CREATING, sent, (invoice_of(CREATING),))
    result = reconcile_bill(case)
    assert result is not None
    money = (result.billed, result.sent, result.not_sent, result.invoiced, result.unexplained)
    assert [amount.minor for amount in money] == [39300, 40000, -700, 40000, 0]
    assert result.differences == ()


@pytest.mark.parametrize(
    ("held", "there", "not_sent", "differences"),
    [
        (frozenset({1}), slice(0, 1), 700, []),
        (frozenset({1}), slice(0, 2), 0, []),
        (frozenset({0, 1}), slice(0, 0), 40700, []),
        (frozenset({1}), slice(0, 0), 700, [-40000]),
        (frozenset(), slice(0, 1), 0, [-700]),
    ],
)
def test_what_is_held_back_is_not_sent_only_where_it_is_not_there(
    held: frozenset[int], there: slice, not_sent: int, differences: list[int]
) -> None:
    own = invoice_of(DRAFT)
    invoice = replace(own, lines=own.lines[there])
    sent = Recorded(DRAFT, IDS, held=held)
    result = reconcile_bill(ThreeSides(BillId("bill-1"), AccountId("a"), DRAFT, sent, (invoice,)))
    assert result is not None
    assert result.not_sent.minor == not_sent
    assert [difference.unexplained for difference in result.differences] == [
        Money(minor, GBP) for minor in differences
    ]
    assert result.unexplained.minor == sum(differences)
    assert result.sent.minor + result.not_sent.minor == result.billed.minor


@pytest.mark.parametrize("invoices", [(), (replace(invoice_of(DRAFT), status="voided"),)])
def test_of_a_bill_held_back_whole_no_invoice_is_missing(invoices: tuple[Invoice, ...]) -> None:
    sent = Recorded(DRAFT, {}, held=frozenset({0, 1}))
    result = reconcile_bill(ThreeSides(BillId("bill-1"), AccountId("a"), DRAFT, sent, invoices))
    assert result is not None
    assert (result.not_sent.minor, result.differences) == (40700, ())
    half = replace(sent, held=frozenset({1}))
    result = reconcile_bill(ThreeSides(BillId("bill-1"), AccountId("a"), DRAFT, half, invoices))
    assert result is not None
    assert [difference.unexplained for difference in result.differences] == [Money(-40000, GBP)]


ALONE = drafted(bill(line("AD_HOC", "-7")), route(push={"negative_lines": "promotional-credit"}))


@pytest.mark.parametrize(
    ("given", "held", "invoiced", "not_sent", "differences"),
    [
        (Money(700, GBP), False, -700, 0, []),
        (Money(500, GBP), False, -500, 0, [Money(200, GBP)]),
        (None, False, 0, 0, [Money(700, GBP)]),
        (None, True, 0, -700, []),
    ],
)
def test_credits_without_a_line_are_compared_as_a_sum(
    given: Money | None, held: bool, invoiced: int, not_sent: int, differences: list[Money]
) -> None:
    sent = Recorded(ALONE, {}, credited=given, credits_held=held)
    result = reconcile_bill(ThreeSides(BillId("bill-1"), AccountId("a"), ALONE, sent, ()))
    assert result is not None
    assert (result.invoiced.minor, result.not_sent.minor) == (invoiced, not_sent)
    assert [difference.unexplained for difference in result.differences] == differences
    assert result.unexplained.minor == sum(difference.minor for difference in differences)


def test_a_bill_held_back_whole_has_its_money_in_a_column_of_its_own() -> None:
    result = reconcile_bill(ThreeSides(BillId("b"), AccountId("a"), DRAFT, None, (), held=True))
    assert result is not None
    assert (result.billed, result.not_sent) == (DRAFT.billed, DRAFT.billed)
    assert (result.differences, result.unexplained.minor) == ((), 0)
