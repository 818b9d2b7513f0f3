"""What goes wrong between us and the site, and what the port says of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fakes.chargebee_world import ChargebeeWorld, draft_of

from reconciler.drafting.draft import InvoiceDraft
from reconciler.sync.core.when_to_act import Look, WaitUntil
from reconciler.sync.model.push import (
    CredentialsRefused,
    Effect,
    Found,
    KeyConflict,
    NotFound,
    NotPerformed,
    Performed,
    PushState,
    Refused,
    Step,
    StepOutcome,
    UnknownOutcome,
)

Open = Callable[..., ChargebeeWorld]
FAULTS: list[tuple[str, type[StepOutcome], bool]] = [
    ("cut_before_commit", UnknownOutcome, False),
    ("cut_after_commit", UnknownOutcome, True),
    ("lost_response", UnknownOutcome, True),
    ("http_500", UnknownOutcome, False),
    ("http_502", UnknownOutcome, False),
    ("http_503", UnknownOutcome, False),
    ("http_504", UnknownOutcome, False),
    ("html_502", UnknownOutcome, False),
    ("rate_limit", NotPerformed, False),
    ("rate_limit_retry_after", NotPerformed, False),
    ("lock_timeout", NotPerformed, False),
    ("third_party_rate_limit", NotPerformed, False),
]


def intended(site: ChargebeeWorld, draft: InvoiceDraft) -> Effect:
    step = site.destination.next_step(draft, ())
    assert isinstance(step, Step)
    return site.intend(step, draft)


@pytest.mark.parametrize(("fault", "outcome", "arrived"), FAULTS)
def test_a_fault_ends_as_the_port_says_and_the_bill_once(
    world: Open, fault: str, outcome: type[StepOutcome], arrived: bool
) -> None:
    site, draft = world(), draft_of()
    effect = intended(site, draft)
    site.fault(fault)
    first, effect = site.send(effect)
    assert isinstance(first, outcome), first
    assert len(site.invoices()) == int(arrived)
    looked = site.look(effect, draft)
    assert isinstance(looked, Found if arrived else NotFound), looked
    second, effect = site.send(effect)
    assert isinstance(second, Performed)
    assert second.replayed == arrived
    assert effect.state is PushState.DONE
    assert len(site.invoices()) == 1


def test_what_is_committed_after_the_cut_is_found_later(world: Open) -> None:
    site, draft = world(), draft_of()
    effect = intended(site, draft)
    site.fault("commit_after_cut", seconds=30)
    first, effect = site.send(effect)
    assert isinstance(first, UnknownOutcome)
    assert site.look(effect, draft) == NotFound()
    site.advance(seconds=31)
    assert isinstance(site.look(effect, draft), Found)


def test_days_later_the_look_up_finds_it_and_nothing_is_sent_again(world: Open) -> None:
    site, draft = world(), draft_of()
    effect = intended(site, draft)
    site.fault("lost_response")
    _, effect = site.send(effect)
    site.advance(days=3)
    assert isinstance(site.next_move(effect), Look)
    done = site.found(effect, draft)
    (invoice,) = site.invoices()
    assert done.state is PushState.DONE
    assert [*done.line_ids] == [line["id"] for line in invoice["line_items"]]


def test_a_look_at_a_list_that_lags_alone_does_not_prove_absence(world: Open) -> None:
    site, draft = world(chargebee_list_lag_seconds=3600), draft_of()
    effect = intended(site, draft)
    site.fault("lost_response")
    _, effect = site.send(effect)
    site.advance(minutes=36)
    effect = site.found(effect, draft)
    assert effect.state is PushState.IN_DOUBT
    assert isinstance(site.next_move(effect, looked=True), WaitUntil)
    site.advance(minutes=30)
    assert site.found(effect, draft).state is PushState.DONE


def test_other_bytes_under_our_key_are_a_key_conflict(world: Open) -> None:
    site, draft = world(), draft_of()
    effect = intended(site, draft)
    there = site.destination
    assert isinstance(there.perform(effect.key, effect.request, "k" * 64), Performed)
    other = intended(site, draft_of(bill_id="bill-2"))
    assert isinstance(there.perform(other.key, other.request, "k" * 64), KeyConflict)


def test_no_connection_is_provably_not_done(world: Open) -> None:
    site, draft = world(), draft_of()
    effect = intended(site, draft)
    there = site.destination
    with ChargebeeWorld("http://127.0.0.1:9") as nobody:
        nobody.session.check = lambda zone="": None  # type: ignore[method-assign]
        outcome = nobody.destination.perform(effect.key, effect.request, "k" * 64)
    assert isinstance(outcome, NotPerformed)
    assert there.site == "acme-test"


def test_the_rate_limit_slows_the_site_down_and_a_lock_does_not(world: Open) -> None:
    site, draft = world(chargebee_retry_after=True), draft_of()
    effect = intended(site, draft)
    site.fault("lock_timeout")
    site.send(effect)
    assert site.limit.slowed == []
    site.fault("rate_limit_retry_after")
    outcome, _ = site.send(effect)
    assert isinstance(outcome, NotPerformed)
    assert site.limit.slowed == [outcome.retry_after]


def test_a_refused_key_says_nothing_about_the_bill(world: Open) -> None:
    site, draft = world(), draft_of()
    effect = intended(site, draft)
    with ChargebeeWorld(site.url, key="test_wrong") as wrong:
        wrong.session.check = lambda zone="": None  # type: ignore[method-assign]
        outcome = wrong.destination.perform(effect.key, effect.request, "k" * 64)
        assert isinstance(outcome, CredentialsRefused)
        assert "test_wrong" not in outcome.message + "".join(wrong.log)


def test_a_definite_refusal_names_the_parameter(world: Open) -> None:
    site, draft = world(archived_price="refuse"), draft_of()
    effect = intended(site, draft_of(page={"default_price_id": "nowhere"}))
    outcome, effect = site.send(effect)
    assert outcome == Refused(
        "resource_not_found", "nowhere not found", "item_prices[item_price_id][0]"
    )
    assert effect.state is PushState.REFUSED
    step = site.destination.next_step(draft, site.effects)
    assert isinstance(step, Step)
    outcome, _ = site.send(site.redraft(effect, step))
    assert isinstance(outcome, Performed)


@pytest.mark.parametrize("leaves", ["invoice", "nothing"])
def test_a_failed_charge_is_looked_for_and_never_sent_again(world: Open, leaves: str) -> None:
    site = world(failed_collection=leaves, collection="fails")
    paying = {"auto_collection": "on", "net_term_days": 0, "primary_payment_source_id": "pm_1"}
    site.edit("cust_acme_uk", **paying)
    draft = draft_of(push={"collection": "customer-default"})
    effect = intended(site, draft)
    outcome, effect = site.send(effect)
    assert isinstance(outcome, KeyConflict), outcome
    assert isinstance(site.next_move(effect), Look)
    looked = site.look(effect, draft)
    assert isinstance(looked, Found if leaves == "invoice" else NotFound)
