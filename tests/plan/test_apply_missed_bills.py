"""Bills that were approved while nothing was connected are named, with money."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fakes.apply_run import Run, view
from fakes.killer import Killer, MortalChain, mortal_organisation
from fakes.place import Place

from reconciler.emulator.running import RunningEmulator

UK = "Chargebee UK bills"


@pytest.fixture
def place(emulate: Callable[..., RunningEmulator], tmp_path: Path) -> Place:
    made = Place(tmp_path, emulate(requests_per_second=0, clock="still"))
    made.patch_sandbox()
    made.discover()
    return made


def applied(place: Place, run: Run) -> tuple[str, ...]:
    """Apply what git says now, and give the notes of the receipt."""
    run.wanted = view(place)
    with mortal_organisation(place.emulator.url, Killer()) as organisation:
        record = run.apply(run.plan(organisation), organisation)
    assert record.receipt is not None
    return record.receipt.notes


def approve(place: Place, code: str) -> None:
    bills = place.emulator.world.store.all("m3ter/bills")
    pending = (bill for bill in bills if (bill["accountCode"], bill["status"]) == (code, "PENDING"))
    place.call("PUT", f"/bills/{next(pending)['id']}/status", {"status": "APPROVED"})


def pass_time(place: Place, run: Run) -> None:
    place.emulator.world.move_clock(seconds=3600)
    run.clock.advance(3600)


@pytest.mark.parametrize("by", ["git", "console"])
def test_after_a_gap_the_receipt_names_the_bills_and_their_money(place: Place, by: str) -> None:
    run = Run(place, MortalChain(), view(place))
    applied(place, run)
    if by == "git":
        place.edit("chargebee-uk/integration.yaml", "{credential: chargebee-uk}", "disconnected")
        applied(place, run)
        place.edit(
            "chargebee-uk/integration.yaml", "disconnected   #", "{credential: chargebee-uk}   #"
        )
    else:
        place.user_edit(place.config(UK)["id"], integrationCredentialsId=None)
    pass_time(place, run)
    approve(place, "acme-uk")
    approve(place, "acme-us")
    pass_time(place, run)
    (note,) = applied(place, run)
    assert note.startswith("1 bill approved since 01 Dec 2026, 09:00 UTC, while integration/")
    assert "was not connected, worth GBP " in note
    assert note.endswith("m3ter does not send them by itself: acme-uk")


def test_a_new_configuration_only_counts_what_was_approved_before(place: Place) -> None:
    notes = applied(place, Run(place, MortalChain(), view(place)))
    assert [note.partition(" bills")[0] for note in notes] == [
        "integration/chargebee-uk is connected for the first time: 3",
        "integration/chargebee-us is connected for the first time: 3",
    ]


def test_one_that_was_never_connected_is_as_good_as_new(place: Place) -> None:
    run = Run(place, MortalChain(), view(place))
    place.edit("chargebee-uk/integration.yaml", "{credential: chargebee-uk}", "disconnected")
    applied(place, run)
    place.edit(
        "chargebee-uk/integration.yaml", "disconnected   #", "{credential: chargebee-uk}   #"
    )
    (note,) = applied(place, run)
    assert "connected for the first time" in note


def test_bills_that_cannot_be_listed_do_not_spoil_the_apply(place: Place) -> None:
    place.fault("http_500", match={"method": "GET", "path": f"/organizations/{place.org}/bills"})
    (note,) = applied(place, Run(place, MortalChain(), view(place)))
    assert "could not be listed" in note


def test_without_bills_there_is_no_note(place: Place) -> None:
    store = place.emulator.world.store
    for bill in list(store.all("m3ter/bills")):
        store.delete("m3ter/bills", bill["id"])
    assert applied(place, Run(place, MortalChain(), view(place))) == ()
