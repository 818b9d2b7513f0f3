"""One POST for the whole bill, against the emulator."""

from __future__ import annotations

from collections.abc import Callable

from fakes.chargebee_world import ChargebeeWorld, draft_of

from reconciler.sync.model.push import Performed
from reconciler.sync.ports.destination import Complete, PushDestination

Open = Callable[..., ChargebeeWorld]


def test_a_bill_becomes_one_stamped_invoice_with_our_lines_in_order(world: Open) -> None:
    site = world()
    draft = draft_of()
    assert site.destination.check(draft) == ()
    assert site.drive(draft) == Complete()
    (invoice,) = site.invoices()
    assert invoice["cf_m3ter_bill_id"] == "bill-1"
    (effect,) = site.effects
    assert effect.object_id == invoice["id"]
    assert [str(line_id) for line_id in effect.line_ids] == [
        line["id"] for line in invoice["line_items"]
    ]
    assert [line["amount"] for line in invoice["line_items"]] == [40005, 700]
    there: PushDestination = site.destination
    again = there.perform(effect.key, effect.request, "0" * 64)
    assert isinstance(again, Performed)
