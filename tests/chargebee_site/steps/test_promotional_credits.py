"""Negative lines as a promotional credit: once, to the minor unit, found by the bill's id."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from fakes.chargebee_world import START, US, ChargebeeWorld, draft_of, kinds, pending_draft
from fakes.push_data import line

from reconciler.chargebee import form
from reconciler.chargebee.switches import ChargebeeSwitches
from reconciler.drafting.draft import InvoiceDraft
from reconciler.sync.model.push import (
    Found,
    NotFound,
    PushState,
    Refused,
    Step,
    Undecidable,
    UnknownOutcome,
)
from reconciler.sync.ports.destination import Complete, Sending, Stop

Open = Callable[..., ChargebeeWorld]
PROMOTED = {"negative_lines": "promotional-credit"}
NEGATIVE = (line(amount="40"), line("CREDIT_DEDUCTION", "-30.50", product_id=""))
ADD = "/api/v2/promotional_credits/add"


def credits_of(site: ChargebeeWorld) -> list[Any]:
    found: list[Any] = site.http.control("GET", "/state", None, vendor="chargebee")["chargebee"][
        "promotional_credits"
    ]
    return found


def promoted(*more: Any, **fields: Any) -> InvoiceDraft:
    return draft_of(*NEGATIVE, *more, push={**PROMOTED, **fields})


def body(site: ChargebeeWorld) -> dict[str, str]:
    return dict(form.form_pairs(site.effects[-1].request.body))


def test_a_credit_follows_the_invoice_and_reads_back_as_predicted(world: Open) -> None:
    site, draft = world(), promoted()
    assert site.destination.check(draft) == ()
    assert site.drive(draft) == Complete()
    assert kinds(site.effects) == ["create-invoice", "promotional-credit"]
    (credit,) = credits_of(site)
    assert (credit["amount"], credit["currency_code"]) == (3050, "GBP")
    assert (credit["customer_id"], credit["reference"]) == ("cust_acme_uk", draft.bill_id)
    assert site.effects[-1].object_id == credit["id"]
    given = site.destination.given(draft, site.effects)
    assert given is not None
    assert given.minor == 3050
    assert draft.billed.minor == 950
    assert site.destination.given(draft, site.effects[:1]) is None


def test_a_credit_needs_no_closed_invoice_and_comes_before_its_closing(world: Open) -> None:
    site, draft = world(), promoted(open=True)
    assert site.drive(draft) == Complete()
    assert kinds(site.effects) == ["create-invoice", "promotional-credit"]
    (invoice,) = site.invoices()
    assert invoice["status"] == "pending"
    step = site.destination.closing(draft, site.effects, 1, with_foreign_lines=False)
    assert isinstance(step, Step)
    site.send(site.intend(step, draft))
    assert site.drive(draft) == Complete()


def test_a_credit_may_be_more_than_what_is_billed_or_stand_alone(world: Open) -> None:
    site = world()
    more = draft_of(line(amount="10"), NEGATIVE[1], push=PROMOTED)
    assert more.billed.minor == -2050
    assert site.drive(more) == Complete()
    alone = draft_of(NEGATIVE[1], push=PROMOTED, bill_id="bill-2")
    site.effects = []
    assert site.drive(alone) == Complete()
    assert kinds(site.effects) == ["promotional-credit"]
    assert len(credits_of(site)) == 2


def test_a_credit_on_the_pending_path_follows_the_last_line(world: Open) -> None:
    site = world()
    draft = pending_draft(*NEGATIVE, push=PROMOTED)
    assert site.drive(draft, Sending(waiting_since=START)) == Complete()
    assert kinds(site.effects) == ["add-line/1", "promotional-credit"]
    assert site.invoices(US)[0]["status"] == "pending"


def test_all_negative_lines_are_one_credit_whose_text_fits(world: Open) -> None:
    site = world()
    long = line("CREDIT_DEDUCTION", "-1.25", description="goodwill " * 40, product_id="")
    site.drive(promoted(long))
    sent = body(site)
    assert sent["amount"] == "3175"
    assert len(sent["description"]) <= 250
    assert sent["description"].startswith("m3ter bill bill-1: ")


def test_a_site_that_wants_decimals_gets_them(world: Open) -> None:
    site, draft = world(), promoted()
    site.session.switches = ChargebeeSwitches(promotional_amount="decimal")
    assert site.drive(draft) == Complete()
    assert body(site)["amount_in_decimal"] == "30.5"
    assert "amount" not in body(site)
    assert isinstance(site.look(site.effects[-1], draft), Found)


@pytest.mark.parametrize("fault", ["cut_before_commit", "lost_response", "cut_after_commit"])
def test_doubt_about_a_credit_is_decided_by_its_reference(world: Open, fault: str) -> None:
    site, draft = world(), promoted()
    site.fault(fault, ADD)
    assert isinstance(site.drive(draft), UnknownOutcome)
    arrived = fault != "cut_before_commit"
    looked = site.look(site.effects[-1], draft)
    assert isinstance(looked, Found if arrived else NotFound)
    assert len(credits_of(site)) == arrived


def test_a_credit_that_a_person_doubled_or_changed_is_undecidable(world: Open) -> None:
    site, draft = world(), promoted()
    site.drive(draft)
    effect = site.effects[-1]
    site.edit(effect.object_id, amount=1)
    changed = site.look(effect, draft)
    assert isinstance(changed, Undecidable)
    assert effect.object_id in changed.reason
    site.edit(effect.object_id, amount=3050, currency_code="USD")
    assert isinstance(site.look(effect, draft), Undecidable)
    site.edit(effect.object_id, currency_code="GBP")
    site.post("/promotional_credits/add", **body(site))
    assert isinstance(site.look(effect, draft), Undecidable)


def test_what_a_person_took_away_no_longer_counts(world: Open) -> None:
    site, draft = world(), promoted()
    site.drive(draft)
    gone = replace(site.effects[-1], object_id="pc_none")
    given = site.destination.given(draft, [gone])
    assert given is not None
    assert given.minor == 0


def test_a_note_that_stands_alone_is_read_back_too(world: Open) -> None:
    site = world()
    draft = draft_of(NEGATIVE[1], push={"negative_lines": "credit-note-standalone"})
    assert site.drive(draft) == Complete()
    given = site.destination.given(draft, site.effects)
    assert given is not None
    assert given.minor == 3050
    site.post(f"/credit_notes/{site.effects[0].object_id}/void")
    given = site.destination.given(draft, site.effects)
    assert given is not None
    assert given.minor == 0


def test_a_credit_of_a_former_sending_is_never_given_again(world: Open) -> None:
    site, draft = world(), promoted()
    site.drive(draft)
    second = [effect for effect in site.effects if effect.key.step.kind == "create-invoice"]
    again = replace(second[0], key=replace(second[0].key, generation=2))
    stopped = site.destination.next_step(draft, [*site.effects, again], Sending(generation=2))
    assert isinstance(stopped, Stop)
    assert "was given before" in stopped.reason.text
    assert len(credits_of(site)) == 1


def test_a_refused_credit_leaves_the_bill_partly_sent(world: Open) -> None:
    site, draft = world(), promoted()
    step = site.destination.next_step(draft, (), Sending())
    assert isinstance(step, Step)
    site.send(site.intend(step, draft))
    step = site.destination.next_step(draft, site.effects, Sending())
    assert isinstance(step, Step)
    wrong = replace(step, request=replace(step.request, body=b"description=x&customer_id=nobody"))
    outcome, effect = site.send(site.intend(wrong, draft))
    assert isinstance(outcome, Refused)
    assert effect.state is PushState.REFUSED
    anew = site.destination.next_step(draft, site.effects, Sending())
    assert isinstance(anew, Step)
    assert anew.request == step.request
