"""Closing an open invoice: as it was sent or not at all, and found again under any id."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from fakes.chargebee_world import ChargebeeWorld, draft_of, kinds
from fakes.push_data import line

from reconciler.chargebee.outcomes import outcome_of
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
)
from reconciler.sync.model.recalculation import CreditAndRebill
from reconciler.sync.ports.destination import AlreadyClosed, Closing, Complete, Sending, Stop
from reconciler.transport.retry import Answer

Open = Callable[..., ChargebeeWorld]
OPEN: dict[str, Any] = {"open": True}


def sent(site: ChargebeeWorld, **push: Any) -> InvoiceDraft:
    """A bill on an open invoice."""
    draft = draft_of(push={**OPEN, **push})
    assert site.drive(draft) == Complete()
    return draft


def asked(site: ChargebeeWorld, draft: InvoiceDraft, *, foreign: bool = False) -> Closing:
    return site.destination.closing(draft, site.effects, 1, with_foreign_lines=foreign)


def begun(site: ChargebeeWorld, draft: InvoiceDraft) -> Effect:
    step = asked(site, draft)
    assert isinstance(step, Step), step
    return site.intend(step, draft)


def test_a_closed_invoice_is_known_by_its_new_id(world: Open) -> None:
    site = world()
    draft = sent(site)
    outcome, effect = site.send(begun(site, draft))
    assert isinstance(outcome, Performed)
    (invoice,) = site.invoices()
    assert effect.object_id == invoice["id"] != effect.invoice_id
    assert kinds(site.effects) == ["create-invoice", "close-invoice"]
    assert site.drive(draft) == Complete()
    closed = asked(site, draft)
    assert isinstance(closed, AlreadyClosed)
    assert closed.invoice.id == invoice["id"]


def test_nothing_is_closed_that_was_never_sent(world: Open) -> None:
    site = world()
    stopped = asked(site, draft_of(push=OPEN))
    assert isinstance(stopped, Stop)
    assert "cannot be found" in stopped.reason.text


@pytest.mark.parametrize("way", ["void", "delete"])
def test_an_invoice_that_a_person_removed_is_not_closed(world: Open, way: str) -> None:
    site = world()
    draft = sent(site)
    effect = begun(site, draft)
    site.post(f"/invoices/{effect.invoice_id}/{way}")
    site.effects = site.effects[:1]
    stopped = asked(site, draft)
    assert isinstance(stopped, Stop)
    assert "voided" in stopped.reason.text or "deleted" in stopped.reason.text
    assert isinstance(site.look(effect, draft), Undecidable)


def test_an_invoice_in_another_currency_or_with_other_lines_is_not_closed(world: Open) -> None:
    site = world()
    draft = sent(site)
    (invoice,) = site.invoices()
    site.edit(invoice["id"], currency_code="EUR")
    stopped = asked(site, draft, foreign=True)
    assert isinstance(stopped, Stop)
    assert "is in EUR, not GBP" in stopped.reason.text
    site.edit(invoice["id"], currency_code="GBP", line_items=invoice["line_items"][:1])
    stopped = asked(site, draft, foreign=True)
    assert isinstance(stopped, Stop)
    assert "not as it was sent" in stopped.reason.text


def test_lines_of_others_are_closed_with_it_only_when_a_person_says_so(world: Open) -> None:
    site = world()
    draft = sent(site)
    (invoice,) = site.invoices()
    site.post(f"/invoices/{invoice['id']}/add_charge", amount="500", description="theirs")
    stopped = asked(site, draft)
    assert isinstance(stopped, Stop)
    assert '"theirs"' in stopped.reason.text
    step = asked(site, draft, foreign=True)
    assert isinstance(step, Step)
    assert len(step.lines_before or ()) == len(draft.lines) + 1


@pytest.mark.parametrize("stable", [True, False])
@pytest.mark.parametrize("fault", ["cut_before_commit", "lost_response"])
def test_doubt_about_closing_is_decided_by_the_invoices_state(
    world: Open, fault: str, stable: bool
) -> None:
    site = world(line_ids_stable=stable)
    draft = sent(site)
    effect = begun(site, draft)
    site.fault(fault, f"/api/v2/invoices/{effect.invoice_id}/close")
    outcome, effect = site.send(effect)
    assert isinstance(outcome, UnknownOutcome)
    found = site.look(effect, draft)
    if fault == "cut_before_commit":
        assert found == NotFound()
        return
    (invoice,) = site.invoices()
    assert found == Found(invoice["id"])


def test_what_is_not_listed_yet_under_its_new_id_counts_as_not_found(world: Open) -> None:
    site = world(chargebee_list_lag_seconds=300, line_ids_stable=False)
    draft = sent(site)
    site.advance(minutes=10)
    effect = begun(site, draft)
    site.send(effect)
    assert site.look(effect, draft) == NotFound()
    site.advance(minutes=10)
    assert isinstance(site.look(effect, draft), Found)


def test_an_answer_that_says_pending_is_no_proof(world: Open) -> None:
    site = world()
    draft = sent(site)
    effect = begun(site, draft)
    path = f"/invoices/{effect.invoice_id}/update_details"
    same = replace(effect.request, path=path, body=b"comment=x")
    answer = site.session.write(same, "k" * 64, "bill-1")
    assert isinstance(answer, Answer)
    outcome = outcome_of(answer, effect.request, None, site.session.switches, site.clock.now())
    assert isinstance(outcome, UnknownOutcome)
    assert "still pending" in outcome.reason


def test_a_refused_closing_is_made_anew_unless_it_is_closed_meanwhile(world: Open) -> None:
    site = world()
    draft = sent(site, collection="customer-default")
    effect = begun(site, draft)
    site.effects = [*site.effects[:1], replace(effect, state=PushState.REFUSED)]
    step = site.destination.next_step(draft, site.effects, Sending())
    assert isinstance(step, Step)
    assert (step.name, step.request) == (effect.key.step, effect.request)
    site.post(f"/invoices/{effect.invoice_id}/close")
    stopped = site.destination.next_step(draft, site.effects, Sending())
    assert isinstance(stopped, Stop)
    assert "`sync close` records that" in stopped.reason.hint
    outcome, _ = site.send(effect)
    assert isinstance(outcome, Refused)


def test_a_closing_that_would_collect_is_refused(world: Open) -> None:
    site = world()
    draft = sent(site)
    site.edit("cust_acme_uk", auto_collection="on")
    stopped = asked(site, draft)
    assert isinstance(stopped, Stop)
    assert "would collect by itself" in stopped.reason.text


def test_what_a_note_took_back_already_is_not_credited_again(world: Open) -> None:
    site = world()
    draft = draft_of(line(amount="400"), line("AD_HOC", "7"))
    assert site.drive(draft) == Complete()
    (invoice,) = site.invoices()

    def note(total: str) -> None:
        form = {"reference_invoice_id": invoice["id"], "type": "adjustment", "total": total}
        site.post("/credit_notes", **form)

    def sending() -> Sending:
        read = site.destination.read(InvoiceId(invoice["id"]))
        assert read is not None
        ours = site.effects[0].line_ids
        return Sending(generation=2, change=CreditAndRebill(read, ours))

    note("1000")
    step = site.destination.next_step(draft, site.effects, sending())
    assert isinstance(step, Step)
    assert step.request.body.count(b"unit_amount") == 1
    assert b"=39700" in step.request.body
    note("39700")
    stopped = site.destination.next_step(draft, site.effects, sending())
    assert isinstance(stopped, Stop)
    assert "in full already" in stopped.reason.text
