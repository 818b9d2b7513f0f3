from __future__ import annotations

from dataclasses import replace

from fakes.plans import create, delete, field, update

from reconciler.kernel.address import Address
from reconciler.plan.core.causes import causes
from reconciler.plan.core.guards.approval import hit
from reconciler.plan.model.change import Change, ChangeId, Keep


def cause_of(change: Change, *base: Change, gone: Address | None = None) -> str:
    hits = [hit("drift", "deleted in m3ter", address=gone)] if gone else []
    return causes([change], [], base, hits).of_change(change.id)


def test_a_change_that_the_base_lacks_is_the_proposals() -> None:
    assert cause_of(update(field("a", "1", "2"))) == "proposal"
    assert cause_of(update(field("a", "1", "2")), update(field("a", "1", "3"))) == "proposal"


def test_a_change_that_the_base_has_too_waits() -> None:
    change = update(field("a", "1", "2"))
    assert cause_of(change, update(field("a", "1", "2"), field("b", "1", "2"))) == "waiting"
    assert cause_of(delete(), delete()) == "waiting"


def test_what_was_made_or_taken_away_in_m3ter_is_drift() -> None:
    change = update(field("a", "1", "2", "theirs"))
    assert cause_of(change, change) == "drift"
    assert cause_of(create(), create(), gone=create().address) == "drift"


def test_what_is_kept_has_no_fields_and_waits() -> None:
    kept = Keep(id=ChangeId("keep:x"), address=delete().address, live=None, reason="prune is never")
    assert cause_of(kept, replace(kept)) == "waiting"


def test_an_item_is_the_proposals_unless_the_base_has_it() -> None:
    mine, waiting, drift = (hit(guard, guard) for guard in ("widening", "policy", "drift"))
    found = causes([], [mine, waiting, drift], [], [waiting, drift])
    assert [found.of_item(hit.digest) for hit in (mine, waiting, drift)] == [
        "proposal",
        "waiting",
        "drift",
    ]
