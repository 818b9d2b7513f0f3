"""Bills that are sent again: lines replaced, invoices voided or credited, credits given."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fakes.chargebee_world import START, US, ChargebeeWorld, draft_of, kinds, pending_draft
from fakes.push_data import line

from reconciler.drafting.draft import InvoiceDraft
from reconciler.sync.model.push import (
    Effect,
    Found,
    InvoiceId,
    NotFound,
    Performed,
    PushState,
    Refused,
    Step,
    Undecidable,
    UnknownOutcome,
    WindowClosed,
)
from reconciler.sync.model.recalculation import (
    CreditAndRebill,
    Recalculated,
    RecalculatedPolicy,
    ReplaceLines,
    SentBill,
    VoidAndRecreate,
    recalculated,
)
from reconciler.sync.ports.destination import Complete, Sending, Stop, WaitForInvoice

Open = Callable[..., ChargebeeWorld]
OPEN = {"open": True}
NEGATIVE = (line(amount="400"), line("CREDIT_DEDUCTION", "-30.50", product_id=""))
CREDITED = {"negative_lines": "credit-note"}


def decided(site: ChargebeeWorld, policy: RecalculatedPolicy) -> Recalculated:
    """What the core says about the bill as it stands."""
    invoice = site.destination.read(InvoiceId(site.effects[-1].object_id))
    lines = frozenset(line_id for effect in site.effects for line_id in effect.line_ids)
    return recalculated(SentBill("old", invoice, lines), "new", policy, approved=True)


def again(change: Recalculated) -> Sending:
    assert isinstance(change, (ReplaceLines, CreditAndRebill, VoidAndRecreate)), change
    return Sending(generation=2, change=change, waiting_since=START)


def sent(site: ChargebeeWorld, draft: InvoiceDraft) -> None:
    assert site.drive(draft, Sending(waiting_since=START)) == Complete()


def first_of(site: ChargebeeWorld, draft: InvoiceDraft, sending: Sending) -> Effect:
    step = site.destination.next_step(draft, site.effects, sending)
    assert isinstance(step, Step), step
    return site.intend(step, draft, 2)


@pytest.mark.parametrize("pending", [True, False])
def test_replacing_adds_the_new_lines_before_it_deletes_the_old(world: Open, pending: bool) -> None:
    site = world()
    make = pending_draft if pending else draft_of
    push = {} if pending else OPEN
    sent(site, make(line(amount="400"), line("AD_HOC", "7"), push=push))
    new = make(line(amount="350"), line("AD_HOC", "8"), push=push)
    sending = again(decided(site, "replace"))
    assert site.drive(new, sending) == Complete()
    assert kinds(site.effects)[-3:] == ["add-line/1", "add-line/2", "delete-lines"]
    invoice = site.invoices(US if pending else new.target.external_id)[0]
    foreign = [2000] if pending else []
    assert [line["amount"] for line in invoice["line_items"]] == [*foreign, 35000, 800]
    assert site.drive(new, sending) == Complete()


def test_replacing_goes_on_after_a_crash_without_being_told_what_it_was(world: Open) -> None:
    site = world()
    sent(site, pending_draft(line(amount="400"), line("AD_HOC", "7")))
    new = pending_draft(line(amount="350"), line("AD_HOC", "8"))
    there, sending = site.destination, again(decided(site, "replace"))
    step = there.next_step(new, site.effects, sending)
    assert isinstance(step, Step)
    site.send(site.intend(step, new, 2))
    assert site.drive(new, Sending(generation=2, waiting_since=START)) == Complete()
    (invoice,) = site.invoices(US)
    assert [line["amount"] for line in invoice["line_items"]] == [2000, 35000, 800]


def test_lines_that_are_not_all_known_are_not_replaced(world: Open) -> None:
    site = world()
    sent(site, pending_draft(line(amount="400")))
    change = decided(site, "replace")
    assert isinstance(change, ReplaceLines)
    new = pending_draft(line(amount="350"))
    nothing = Sending(generation=2, change=ReplaceLines(change.invoice, ()))
    stopped = site.destination.next_step(new, site.effects, nothing)
    assert isinstance(stopped, Stop)
    assert "former lines" in stopped.reason.text


def test_an_invoice_with_discounts_or_closed_meanwhile_is_not_replaced(world: Open) -> None:
    site = world()
    push = {"negative_lines": "discount", **OPEN}
    sent(site, draft_of(*NEGATIVE, push=push))
    sending = again(decided(site, "replace"))
    stopped = site.destination.next_step(draft_of(push=OPEN), site.effects, sending)
    assert isinstance(stopped, Stop)
    assert "discounts" in stopped.reason.text
    site.post(f"/invoices/{site.effects[0].object_id}/close")
    stopped = site.destination.next_step(draft_of(push=OPEN), site.effects, sending)
    assert isinstance(stopped, Stop)
    assert "no longer pending" in stopped.reason.text


def test_replacing_does_not_begin_shortly_before_the_invoice_closes(world: Open) -> None:
    site = world()
    sent(site, pending_draft(line(amount="400")))
    sending = again(decided(site, "replace"))
    site.clock.advance(2 * 86_400)
    stopped = site.destination.next_step(pending_draft(), site.effects, sending)
    assert isinstance(stopped, Stop)
    assert "more than half" in stopped.reason.text


@pytest.mark.parametrize("fault", ["cut_before_commit", "lost_response"])
def test_doubt_about_deleting_is_decided_by_the_lines_that_are_left(
    world: Open, fault: str
) -> None:
    site = world()
    sent(site, pending_draft(line(amount="400"), line("AD_HOC", "7")))
    new = pending_draft(line(amount="350"))
    sending = again(decided(site, "replace"))
    site.fault(fault, f"/api/v2/invoices/{site.effects[0].object_id}/delete_line_items")
    assert isinstance(site.drive(new, sending), UnknownOutcome)
    effect = site.effects[-1]
    looked = site.look(effect, new)
    assert isinstance(looked, NotFound if fault == "cut_before_commit" else Found)
    if looked == NotFound():
        sent_ids = sorted(effect.lines_before or ())
        ours = [line_id for line_id in sent_ids if line_id.encode() in effect.request.body]
        path = f"/invoices/{effect.invoice_id}/delete_line_items"
        site.post(path, **{"line_items[id][0]": ours[0]})
        assert isinstance(site.look(effect, new), Undecidable)


def test_lines_that_could_not_be_deleted_before_the_closing_are_told(world: Open) -> None:
    site = world()
    sent(site, pending_draft(line(amount="400")))
    new = pending_draft(line(amount="350"))
    sending = again(decided(site, "replace"))
    site.fault("auto_close", f"/api/v2/invoices/{site.effects[0].object_id}/delete_line_items")
    assert isinstance(site.drive(new, sending), WindowClosed)
    effect = site.effects[-1]
    assert str(effect.key.step) == "delete-lines"
    assert site.look(effect, new) == NotFound()
    site.post(f"/invoices/{site.invoices(US)[0]['id']}/void")
    assert isinstance(site.look(effect, new), Undecidable)


def test_voiding_and_making_anew_leaves_one_invoice_that_holds(world: Open) -> None:
    site = world()
    sent(site, draft_of())
    new = draft_of(line(amount="350"))
    assert site.drive(new, again(decided(site, "void-and-recreate"))) == Complete()
    assert kinds(site.effects)[1:] == ["void-invoice", "create-invoice"]
    old, made = site.invoices()
    assert (old["status"], made["status"]) == ("voided", "posted")
    assert made["total"] == 35000


@pytest.mark.parametrize("fault", ["cut_before_commit", "lost_response"])
def test_doubt_about_the_second_invoice_is_not_decided_by_the_voided_first(
    world: Open, fault: str
) -> None:
    site = world()
    sent(site, draft_of())
    new = draft_of(line(amount="350"))
    sending = again(decided(site, "void-and-recreate"))
    voided = first_of(site, new, sending)
    site.fault(fault)
    _, voided = site.send(voided)
    looked = site.look(voided, new)
    assert isinstance(looked, NotFound if fault == "cut_before_commit" else Found)
    outcome, _ = site.send(voided)
    assert isinstance(outcome, Performed)
    site.fault(fault)
    assert isinstance(site.drive(new, Sending(generation=2)), UnknownOutcome)
    looked = site.look(site.effects[-1], new)
    assert isinstance(looked, NotFound if fault == "cut_before_commit" else Found)
    assert isinstance(site.destination.look_up(site.effects[-1], new), Undecidable)


def test_a_refused_voiding_is_made_anew_from_its_effect(world: Open) -> None:
    site = world(void_reason_required=True)
    sent(site, draft_of())
    new = draft_of(line(amount="350"))
    effect = first_of(site, new, again(decided(site, "void-and-recreate")))
    outcome, effect = site.send(effect)
    assert isinstance(outcome, Refused)
    step = site.destination.next_step(new, site.effects, Sending(generation=2))
    assert isinstance(step, Step)
    assert step.invoice_id == effect.invoice_id
    lone = [entry for entry in site.effects if entry.key.generation == 2]
    site.effects = [Effect(lone[0].key, PushState.REFUSED, lone[0].request)]
    stopped = site.destination.next_step(new, site.effects, Sending(generation=2))
    assert isinstance(stopped, Stop)


@pytest.mark.parametrize("fault", ["", "lost_response", "cut_before_commit"])
def test_crediting_takes_back_our_lines_and_bills_anew(world: Open, fault: str) -> None:
    site = world()
    sent(site, draft_of())
    new = draft_of(line(amount="350"))
    sending = again(decided(site, "credit-and-rebill"))
    if fault:
        site.fault(fault, "/api/v2/credit_notes")
        assert isinstance(site.drive(new, sending), UnknownOutcome)
        effect = site.effects[-1]
        looked = site.look(effect, new)
        assert isinstance(looked, Found if fault == "lost_response" else NotFound)
        outcome, _ = site.send(effect)
        assert isinstance(outcome, Performed)
    assert site.drive(new, sending) == Complete()
    assert kinds(site.effects)[1:] == ["credit-note/1", "create-invoice"]
    old, made = site.invoices()
    assert (old["status"], old["amount_due"]) == ("paid", 0)
    assert made["total"] == 35000
    read = site.destination.read(InvoiceId(old["id"]))
    assert read is not None
    assert read.credited is not None
    assert read.credited.minor == 40705


def test_a_refused_credit_of_the_former_invoice_needs_to_be_told_again(world: Open) -> None:
    site = world()
    sent(site, draft_of())
    new = draft_of(line(amount="350"))
    sending = again(decided(site, "credit-and-rebill"))
    site.post(f"/invoices/{site.effects[0].object_id}/void")
    assert isinstance(site.drive(new, sending), Refused)
    stopped = site.destination.next_step(new, site.effects, Sending(generation=2))
    assert isinstance(stopped, Stop)


def test_negative_lines_become_a_credit_note_after_the_invoice(world: Open) -> None:
    site, draft = world(), draft_of(*NEGATIVE, push=CREDITED)
    assert site.destination.check(draft) == ()
    sent(site, draft)
    assert kinds(site.effects) == ["create-invoice", "credit-note"]
    (invoice,) = site.invoices()
    assert (invoice["total"], invoice["amount_due"]) == (40000, 36950)
    assert draft.expected.minor == 36950


def test_a_paid_invoice_is_refunded_rather_than_adjusted(world: Open) -> None:
    site, draft = world(), draft_of(*NEGATIVE, push=CREDITED)
    paying = {"auto_collection": "on", "net_term_days": 0, "primary_payment_source_id": "pm_1"}
    site.edit("cust_acme_uk", **paying)
    collecting = draft_of(*NEGATIVE, push={**CREDITED, "collection": "customer-default"})
    assert collecting.collection != draft.collection
    sent(site, collecting)
    assert b"type=refundable" in site.effects[-1].request.body


def test_a_bill_of_credits_alone_is_a_credit_note_of_its_own_where_that_is_wanted(
    world: Open,
) -> None:
    site, push = world(), {"negative_lines": "credit-note-standalone"}
    draft = draft_of(line("CREDIT_DEDUCTION", "-30.50", product_id=""), push=push)
    assert draft.lines == ()
    sent(site, draft)
    assert kinds(site.effects) == ["credit-note"]
    effect = site.effects[0]
    assert isinstance(site.look(effect, draft), Found)


@pytest.mark.parametrize("stable", [True, False])
def test_credits_wait_until_an_open_invoice_is_closed_under_another_id(
    world: Open, stable: bool
) -> None:
    site = world(line_ids_stable=stable)
    draft = draft_of(*NEGATIVE, push={**CREDITED, **OPEN})
    waiting = site.drive(draft)
    assert isinstance(waiting, WaitForInvoice)
    assert "once it is closed" in waiting.why
    site.post(f"/invoices/{site.effects[0].object_id}/close")
    assert site.drive(draft) == Complete()
    (invoice,) = site.invoices()
    assert site.effects[-1].invoice_id == invoice["id"]


def test_credits_of_a_pending_path_follow_its_invoice_by_our_lines(world: Open) -> None:
    site, draft = world(), pending_draft(*NEGATIVE, push=CREDITED)
    assert isinstance(site.drive(draft, Sending(waiting_since=START)), WaitForInvoice)
    site.post(f"/invoices/{site.effects[0].object_id}/close")
    sent(site, draft)
    assert kinds(site.effects) == ["add-line/1", "credit-note"]


def test_a_voided_or_vanished_invoice_is_not_credited(world: Open) -> None:
    site, draft = world(), draft_of(*NEGATIVE, push={**CREDITED, **OPEN})
    site.drive(draft)
    (effect,) = site.effects
    site.post(f"/invoices/{effect.object_id}/void")
    stopped = site.destination.next_step(draft, site.effects)
    assert isinstance(stopped, Stop)
    assert "voided" in stopped.reason.text
    other = world(line_ids_stable=False)
    draft = pending_draft(*NEGATIVE, push=CREDITED)
    other.drive(draft, Sending(waiting_since=START))
    other.post(f"/invoices/{other.effects[0].object_id}/close")
    stopped = other.destination.next_step(draft, other.effects)
    assert isinstance(stopped, Stop)
    assert "cannot be found" in stopped.reason.text


def test_a_credit_note_that_a_person_changed_or_doubled_is_undecidable(world: Open) -> None:
    site, draft = world(), draft_of(*NEGATIVE, push=CREDITED)
    site.fault("lost_response", "/api/v2/credit_notes")
    assert isinstance(site.drive(draft), UnknownOutcome)
    effect = site.effects[-1]
    found = site.look(effect, draft)
    assert isinstance(found, Found)
    site.edit(found.object_id, sub_total=1)
    looked = site.look(effect, draft)
    assert isinstance(looked, Undecidable)
    assert found.object_id in looked.reason


def test_old_lines_that_a_person_took_off_need_no_deleting(world: Open) -> None:
    site = world()
    sent(site, pending_draft(line(amount="400")))
    (old,) = site.effects[0].line_ids
    new = pending_draft(line(amount="350"), push={})
    sending = again(decided(site, "replace"))
    there = site.destination
    step = there.next_step(new, site.effects, sending)
    assert isinstance(step, Step)
    site.send(site.intend(step, new, 2))
    site.post(f"/invoices/{step.invoice_id}/delete_line_items", **{"line_items[id][0]": old})
    assert site.drive(new, sending) == Complete()
