"""Who changed an invoice, as Chargebee's own events tell it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from fakes.chargebee_world import ChargebeeWorld, draft_of, pending_draft
from fakes.push_data import NOW

from reconciler.chargebee.errors import TooManyEventsError
from reconciler.chargebee.invoice_json import AnswerReading
from reconciler.chargebee.reads.events import Events
from reconciler.reconcile.core.who_changed import with_authors
from reconciler.sync.core.readback.compare import ThreeSides, reconcile_bill
from reconciler.sync.core.readback.recorded import recorded_of
from reconciler.sync.model.invoice import InvoiceChange
from reconciler.sync.model.push import InvoiceId
from reconciler.sync.ports.destination import Complete, DestinationError

Open = Callable[..., ChargebeeWorld]
SINCE = NOW - timedelta(days=365)


def sent(site: ChargebeeWorld) -> InvoiceId:
    assert site.drive(draft_of()) == Complete()
    return InvoiceId(site.invoices()[0]["id"])


def asked(site: ChargebeeWorld, *ids: InvoiceId, since: datetime = SINCE) -> list[InvoiceChange]:
    return list(site.destination.changes(ids, since))


def test_a_line_that_a_person_added_is_told_with_name_and_time(world: Open) -> None:
    site = world()
    key = sent(site)
    site.advance(hours=2)
    lines = site.invoices()[0]["line_items"]
    fee = lines[0] | {"id": "li_fee", "description": "Set-up fee", "amount": 2500}
    site.edit(key, line_items=[*lines, fee])
    made, edited = asked(site, key)
    assert (made.source, made.user) == ("api", "full_access_key_v1")
    assert (edited.source, edited.user) == ("admin_console", "pat@example.com")
    assert edited.at - made.at == timedelta(hours=2)
    assert edited.invoice is not None
    assert [line.description for line in edited.invoice.lines][-1] == "Set-up fee"
    draft, invoice = draft_of(), site.destination.read(key)
    assert invoice is not None
    told = recorded_of(draft, site.effects, 1, [invoice])
    result = reconcile_bill(ThreeSides(draft.bill_id, draft.account_id, draft, told, (invoice,)))
    assert result is not None
    (difference,) = with_authors(result.differences, [made, edited])
    assert difference.by is not None
    assert (difference.by.did, difference.by.user) == ("added", "pat@example.com")


def test_a_deleted_and_a_voided_invoice_are_told_as_such(world: Open) -> None:
    site = world()
    key = sent(site)
    site.edit(key, status="voided")
    site.edit(key, deleted=True)
    *_, voided, deleted = (change.invoice for change in asked(site, key))
    assert voided is not None
    assert deleted is not None
    assert (voided.status, deleted.deleted) == ("voided", True)


def test_a_credit_note_is_told_of_its_invoice(world: Open) -> None:
    site = world()
    key = sent(site)
    note = {"reference_invoice_id": key, "total": "100", "type": "adjustment"}
    site.post("/credit_notes", **note, reason_code="other")
    changes = asked(site, key)
    assert [planned.invoice for planned in changes if planned.invoice is None] == [None]


def test_only_the_invoices_that_were_asked_for_are_told(world: Open) -> None:
    site = world()
    key = sent(site)
    assert asked(site, InvoiceId("other")) == []
    assert asked(site) == []
    assert asked(site, key, since=NOW + timedelta(days=400)) == []


def test_a_pending_invoice_is_told_by_the_id_that_it_had(world: Open) -> None:
    site, draft = world(), pending_draft()
    assert site.drive(draft) == Complete()
    had = site.effects[0].invoice_id
    assert had is not None
    site.post(f"/invoices/{had}/close")
    has = InvoiceId(site.effects[0].object_id)
    found = asked(site, had, has)
    assert found
    assert all(change.invoice is not None for change in found)


@pytest.mark.parametrize(
    ("named", "user"), [("people", ""), ("none", ""), ("people-and-keys", "full_access_key_v1")]
)
def test_a_site_that_names_no_keys_still_says_where_a_change_came_from(
    world: Open, named: str, user: str
) -> None:
    site = world(event_users=named)
    (made,) = asked(site, sent(site))
    assert (made.user, made.source) == (user, "api")


def test_a_site_that_must_not_be_asked_is_not(world: Open) -> None:
    site = world()
    key = sent(site)
    with ChargebeeWorld(site.url, events="never") as quiet:
        before = len(quiet.http.requests(vendor="chargebee"))
        assert list(Events(quiet.session, AnswerReading(())).changes([key], SINCE)) == []
        assert len(quiet.http.requests(vendor="chargebee")) == before


def test_more_events_than_are_read_are_an_error_after_the_first_of_them(world: Open) -> None:
    site = world()
    key = sent(site)
    for number in range(3):
        site.edit(key, po_number=str(number))
    events = Events(site.session, AnswerReading(("cf_m3ter_bill_id",)), most=2)
    found: list[InvoiceChange] = []
    with pytest.raises(TooManyEventsError, match="more than 2 events"):
        found.extend(events.changes([key], SINCE))
    assert found


def test_a_list_of_events_that_cannot_be_read_is_a_destination_error(world: Open) -> None:
    site = world()
    key = sent(site)
    there = site.destination
    match = {"vendor": "chargebee", "method": "GET", "path": "/api/v2/events"}
    site.http.fault("html_502", match=match, times=9)
    with pytest.raises(DestinationError):
        list(there.changes([key], SINCE))


def test_an_event_that_cannot_be_read_is_passed_over(world: Open) -> None:
    site = world()
    key = sent(site)
    site.edit(key, currency_code="???")
    site.edit(key, line_items="none")
    assert len(asked(site, key)) == 1
