"""Everything that can go wrong, at random: in the end every bill is there exactly once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from decimal import Decimal

import pytest
from fakes.chargebee_world import START, UK, US, ChargebeeWorld, draft_of, pending_draft
from fakes.push_data import line

from reconciler.drafting.draft import InvoiceDraft
from reconciler.sync.core.when_to_act import AskPerson, Finished, Look, Send, WaitUntil
from reconciler.sync.model.push import Effect, Step
from reconciler.sync.ports.destination import Complete, Sending

Open = Callable[..., ChargebeeWorld]
FAULTS = (
    "cut_before_commit",
    "cut_after_commit",
    "http_500",
    "http_502",
    "http_503",
    "http_504",
    "html_502",
    "rate_limit",
    "lock_timeout",
    "third_party_rate_limit",
    "idempotency_expiry",
)
MATCH = {"vendor": "chargebee", "method": "POST"}


def finish(site: ChargebeeWorld, effect: Effect, draft: InvoiceDraft) -> None:
    """Send, wait and look as the core says, until the effect is done."""
    looked = False
    for _ in range(90):
        move = site.next_move(effect, looked=looked)
        looked = move == Look()
        match move:
            case Send():
                _, effect = site.send(effect)
            case Look():
                effect = site.found(effect, draft)
            case WaitUntil(at, _):
                site.advance(seconds=(at - site.clock.now()).total_seconds() + 1)
            case Finished():
                return
            case AskPerson(why):
                pytest.fail(f"{effect.key}: {why}")
    pytest.fail(f"{effect.key} never ends")


def push(site: ChargebeeWorld, draft: InvoiceDraft) -> None:
    site.effects = []
    while True:
        step = site.destination.next_step(draft, site.effects, Sending(waiting_since=START))
        if step == Complete():
            return
        assert isinstance(step, Step), step
        finish(site, site.intend(step, draft), draft)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_bill_becomes_one_invoice(world: Open, seed: int) -> None:
    site = world(seed=seed, auto_close_hours=0)
    for fault in FAULTS:
        site.http.fault(fault, match=MATCH, probability=Decimal("0.04"))
    bills = [f"bill-{number}" for number in range(8)]
    for bill in bills:
        push(site, draft_of(bill_id=bill))
    push(site, pending_draft(*[line("AD_HOC", "7")] * 6))
    site.http.control("DELETE", "/faults")
    counts = Counter(entry["cf_m3ter_bill_id"] for entry in site.invoices(UK))
    assert counts == dict.fromkeys(bills, 1)
    (invoice,) = site.invoices(US)
    assert [line["amount"] for line in invoice["line_items"]] == [2000] + [700] * 6


def test_running_out_of_patience_is_a_state_and_not_a_second_invoice(world: Open) -> None:
    site, draft = world(), draft_of()
    step = site.destination.next_step(draft, ())
    assert isinstance(step, Step)
    effect = site.intend(step, draft)
    site.fault("lost_response", times=None)
    _, effect = site.send(effect)
    site.http.control("DELETE", "/faults")
    site.advance(days=2)
    finish(site, effect, draft)
    assert len(site.invoices()) == 1
