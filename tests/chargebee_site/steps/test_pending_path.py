"""Lines on the subscription's own pending invoice: begun in time, told apart, never twice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from fakes.chargebee_world import START, US, ChargebeeWorld, kinds, pending_draft
from fakes.push_data import line

from reconciler.chargebee import form
from reconciler.definitions.kinds.integration import PendingPolicy
from reconciler.drafting.draft import InvoiceDraft
from reconciler.sync.core.effect_states import status_of
from reconciler.sync.model.push import (
    Found,
    NotFound,
    Performed,
    PushState,
    PushStatus,
    Step,
    Undecidable,
    UnknownOutcome,
    WindowClosed,
)
from reconciler.sync.ports.destination import Complete, Sending, Stop, WaitForInvoice

Open = Callable[..., ChargebeeWorld]
WAITING = Sending(waiting_since=START)
THREE = (line(amount="400.05", units="3"), line("AD_HOC", "7"), line("AD_HOC", "9"))


def begun(site: ChargebeeWorld, draft: InvoiceDraft, steps: int) -> None:
    """Add so many lines."""
    there = site.destination
    for _ in range(steps):
        step = there.next_step(draft, site.effects, WAITING)
        assert isinstance(step, Step)
        outcome, _ = site.send(site.intend(step, draft), there)
        assert isinstance(outcome, Performed)


def intended(site: ChargebeeWorld, draft: InvoiceDraft, sending: Sending = WAITING) -> Step:
    step = site.destination.next_step(draft, site.effects, sending)
    assert isinstance(step, Step), step
    return step


def test_a_bill_becomes_lines_on_the_only_pending_invoice(world: Open) -> None:
    site, draft = world(), pending_draft(*THREE)
    assert site.destination.check(draft) == ()
    assert site.drive(draft, WAITING) == Complete()
    assert kinds(site.effects) == ["add-line/1", "add-line/2", "add-line/3"]
    (invoice,) = site.invoices(US)
    assert invoice["status"] == "pending"
    assert [line["amount"] for line in invoice["line_items"]] == [2000, 40005, 700, 900]
    ours = [line_id for effect in site.effects for line_id in effect.line_ids]
    assert [*ours] == [line["id"] for line in invoice["line_items"]][1:]
    assert status_of(site.effects, 3) is PushStatus.COMPLETE


def test_two_equal_lines_of_one_bill_are_both_there_and_told_apart(world: Open) -> None:
    site, draft = world(), pending_draft(line("AD_HOC", "7"), line("AD_HOC", "7"))
    assert site.drive(draft, WAITING) == Complete()
    first, second = site.effects
    assert first.line_ids != second.line_ids
    assert set(second.lines_before or ()) > set(first.line_ids)


def test_a_lost_answer_to_an_added_line_is_decided_by_new_ids(world: Open) -> None:
    site, draft = world(), pending_draft(*THREE)
    begun(site, draft, 1)
    effect = site.intend(intended(site, draft), draft)
    site.fault("cut_before_commit")
    _, effect = site.send(effect)
    assert site.look(effect, draft) == NotFound()
    site.fault("lost_response")
    outcome, effect = site.send(effect)
    assert isinstance(outcome, UnknownOutcome)
    site.advance(minutes=50)
    done = site.found(effect, draft)
    assert done.state is PushState.DONE
    assert len(done.line_ids) == 1
    assert site.drive(draft, WAITING) == Complete()
    (invoice,) = site.invoices(US)
    assert len(invoice["line_items"]) == 4


def test_a_person_who_adds_an_identical_line_makes_it_undecidable(world: Open) -> None:
    site, draft = world(), pending_draft(*THREE)
    effect = site.intend(intended(site, draft), draft)
    site.fault("foreign_line")
    site.fault("lost_response")
    _, effect = site.send(effect)
    looked = site.look(effect, draft)
    assert isinstance(looked, Undecidable)
    assert "2 new lines" in looked.reason


def test_an_answer_with_an_identical_foreign_line_is_for_a_person(world: Open) -> None:
    site, draft = world(), pending_draft(*THREE)
    effect = site.intend(intended(site, draft), draft)
    site.fault("foreign_line")
    outcome, effect = site.send(effect)
    assert isinstance(outcome, Undecidable)
    assert effect.state is PushState.PERSON
    assert status_of(site.effects, 3) is PushStatus.UNKNOWN


def test_lines_like_ours_that_no_step_accounts_for_are_said_with_the_step(world: Open) -> None:
    site, draft = world(), pending_draft(*THREE)
    begun(site, draft, 3)
    (invoice,) = site.invoices(US)
    ours = tuple(line["id"] for line in invoice["line_items"][1:])
    forgotten, site.effects = site.effects, []
    step = intended(site, draft)
    assert step.alike == ours
    assert [*(step.lines_before or ())] == [invoice["line_items"][0]["id"]]
    effect = site.intend(step, draft)
    assert site.destination.alike(effect, draft, site.effects) == ours
    site.effects = forgotten[:1]
    assert intended(site, draft).alike == ours[1:]


@pytest.mark.parametrize("stable", [True, False])
def test_lines_like_ours_are_also_seen_where_their_invoice_closed_meanwhile(
    world: Open, stable: bool
) -> None:
    site, draft = world(line_ids_stable=stable), pending_draft(*THREE)
    begun(site, draft, 3)
    closed = site.post(f"/invoices/{site.effects[0].object_id}/close")["invoice"]
    site.effects = []
    assert isinstance(site.destination.next_step(draft, (), WAITING), WaitForInvoice)
    other = pending_invoice(site)
    step = intended(site, draft)
    assert (step.invoice_id, step.alike_on) == (other, closed["id"])
    assert step.alike == tuple(line["id"] for line in closed["line_items"][1:])
    site.post(f"/invoices/{other}/delete")
    create = Sending(pending=PendingPolicy(then="create"), waiting_since=START - timedelta(days=6))
    made = intended(site, draft, create)
    assert (str(made.name), made.alike) == ("create-invoice", step.alike)


def test_only_lines_that_are_still_to_be_added_are_like_ours(world: Open) -> None:
    site, draft = world(), pending_draft(*THREE)
    begun(site, draft, 2)
    path = f"/invoices/{site.effects[0].object_id}/add_charge_item"
    body = dict(form.form_pairs(site.effects[0].request.body))
    site.post(path, **body)
    assert intended(site, draft).alike == ()
    third = intended(site, draft)
    site.post(path, **dict(form.form_pairs(third.request.body)))
    assert len(intended(site, draft).alike) == 1


@pytest.mark.parametrize("switches", [{}, {"draft_id_after_close": 200}])
def test_an_invoice_that_closes_in_the_middle_leaves_the_bill_partial(
    world: Open, switches: dict[str, object]
) -> None:
    site, draft = world(**switches), pending_draft(*THREE)
    begun(site, draft, 2)
    effect = site.intend(intended(site, draft), draft)
    site.fault("auto_close")
    outcome, effect = site.send(effect)
    assert isinstance(outcome, WindowClosed)
    assert effect.state is PushState.CLOSED
    assert status_of(site.effects, 3) is PushStatus.PARTIAL
    (invoice,) = site.invoices(US)
    assert len(invoice["line_items"]) == 3


def test_an_invoice_found_closed_is_left_to_its_refusal_and_not_to_another_invoice(
    world: Open,
) -> None:
    site, draft = world(), pending_draft(*THREE)
    begun(site, draft, 1)
    site.post(f"/invoices/{site.effects[0].object_id}/close")
    step = intended(site, draft)
    assert step.invoice_id == site.invoices(US)[0]["id"]
    outcome, _ = site.send(site.intend(step, draft))
    assert isinstance(outcome, WindowClosed)


@pytest.mark.parametrize("stable", [True, False])
def test_doubt_about_a_line_outlives_the_closing_of_its_invoice(world: Open, stable: bool) -> None:
    site, draft = world(line_ids_stable=stable), pending_draft(*THREE)
    effect = site.intend(intended(site, draft), draft)
    site.fault("lost_response")
    _, effect = site.send(effect)
    site.post(f"/invoices/{effect.invoice_id}/close")
    looked = site.look(effect, draft)
    assert isinstance(looked, Found if stable else Undecidable), looked


def test_a_line_that_closed_first_is_made_anew_for_the_next_pending_invoice(world: Open) -> None:
    site, draft = world(), pending_draft(*THREE)
    first = site.intend(intended(site, draft), draft)
    site.fault("auto_close")
    outcome, first = site.send(first)
    assert isinstance(outcome, WindowClosed)
    waiting = site.destination.next_step(draft, site.effects, WAITING)
    assert isinstance(waiting, WaitForInvoice)
    other = pending_invoice(site)
    step = intended(site, draft)
    assert step.invoice_id == other
    outcome, _ = site.send(site.redraft(first, step))
    assert isinstance(outcome, Performed)


def pending_invoice(site: ChargebeeWorld, **more: str) -> str:
    """A person makes another pending invoice for the subscription."""
    form = {
        "subscription_id": US,
        "currency_code": "USD",
        "create_pending_invoice": "true",
        "item_prices[item_price_id][0]": "adhoc-USD",
        **more,
    }
    made = site.post("/invoices/create_for_charge_items_and_charges", **form)
    return str(made["invoice"]["id"])


def test_two_pending_invoices_near_the_end_are_for_a_person(world: Open) -> None:
    site, draft = world(), pending_draft()
    pending_invoice(site)
    stopped = site.destination.next_step(draft, (), WAITING)
    assert isinstance(stopped, Stop)
    assert "several pending invoices" in stopped.reason.text


def test_a_pending_invoice_of_another_bill_is_not_ours_to_add_to(world: Open) -> None:
    site, draft = world(), pending_draft()
    pending_invoice(site, cf_m3ter_bill_id="bill-9")
    assert intended(site, draft).invoice_id != "bill-9"


def test_a_bill_waits_for_its_invoice_and_then_does_what_the_policy_says(world: Open) -> None:
    site, draft = world(), pending_draft()
    (invoice,) = site.invoices(US)
    site.post(f"/invoices/{invoice['id']}/delete")
    waiting = site.destination.next_step(draft, (), WAITING)
    assert waiting == WaitForInvoice(
        START + timedelta(hours=1), f"subscription {US} has no pending invoice yet"
    )
    site.advance(days=5)
    stopped = site.destination.next_step(draft, (), WAITING)
    assert isinstance(stopped, Stop)
    create = Sending(pending=PendingPolicy(then="create"), waiting_since=START)
    assert site.drive(draft, create) == Complete()
    assert kinds(site.effects) == ["create-invoice"]
    assert site.drive(draft, create) == Complete()
    made = [other for other in site.invoices(US) if other["status"] != "pending"]
    assert [entry["cf_m3ter_bill_id"] for entry in made] == ["bill-1"]


def test_adding_does_not_begin_when_half_of_the_time_would_not_do(world: Open) -> None:
    site, draft = world(), pending_draft()
    hasty = PendingPolicy(closes_after="3h")
    late = site.destination.next_step(draft, (), Sending(pending=hasty, waiting_since=START))
    assert isinstance(late, WaitForInvoice)
    assert "more than half of the time" in late.why
    over = Sending(pending=hasty, waiting_since=START - timedelta(days=6))
    stopped = site.destination.next_step(draft, (), over)
    assert isinstance(stopped, Stop)
    then = PendingPolicy(closes_after="3h", then="create")
    sending = Sending(pending=then, waiting_since=START - timedelta(days=6))
    step = site.destination.next_step(draft, (), sending)
    assert isinstance(step, Step)
    assert str(step.name) == "create-invoice"


def test_a_line_of_ours_that_a_person_deleted_stops_the_bill(world: Open) -> None:
    site, draft = world(), pending_draft(*THREE)
    begun(site, draft, 1)
    (gone,) = site.effects[0].line_ids
    path = f"/invoices/{site.effects[0].object_id}/delete_line_items"
    site.post(path, **{"line_items[id][0]": gone})
    stopped = site.destination.next_step(draft, site.effects, WAITING)
    assert isinstance(stopped, Stop)
    assert "no longer on invoice" in stopped.reason.text


def test_an_invoice_of_another_currency_or_too_long_is_refused(world: Open) -> None:
    site = world()
    site.edit(site.invoices(US)[0]["id"], currency_code="EUR")
    stopped = site.destination.next_step(pending_draft(), (), WAITING)
    assert isinstance(stopped, Stop)
    assert "is in EUR" in stopped.reason.text
    other = world()
    many = pending_draft(*[line("AD_HOC", str(position)) for position in range(1, 251)])
    stopped = other.destination.next_step(many, (), WAITING)
    assert isinstance(stopped, Stop)
    assert "251 lines" in stopped.reason.text


def test_consolidated_invoices_are_found_by_their_lines_and_told_the_subscription(
    world: Open,
) -> None:
    site, draft = world(), pending_draft()
    (invoice,) = site.invoices(US)
    site.edit(invoice["id"], subscription_id=None)
    step = intended(site, draft)
    assert step.invoice_id == invoice["id"]
    assert b"subscription_id=sub_test_acme_us" in step.request.body


def test_a_stored_step_comes_back_as_it_was_stored(world: Open) -> None:
    site, draft = world(), pending_draft(*THREE)
    step = intended(site, draft)
    site.intend(step, draft)
    changed = pending_draft(line("AD_HOC", "1"), line("AD_HOC", "2"), line("AD_HOC", "3"))
    assert intended(site, changed) == step
