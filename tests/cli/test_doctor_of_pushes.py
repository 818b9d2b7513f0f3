"""`doctor` where bills are pushed: site, item prices, stamp and ledger."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fakes.emulated_http import EmulatedHttp
from fakes.sync_place import ENV, SyncPlace


@pytest.fixture
def place(month_end: Callable[..., SyncPlace]) -> SyncPlace:
    return month_end(15)


def doctor(place: SyncPlace) -> tuple[int, str]:
    code, out = place.reconciler("doctor", "--env", ENV)
    return code, " ".join(out.split())


def test_a_site_that_is_ready_is_well(place: SyncPlace) -> None:
    code, told = doctor(place)
    assert code == 0, told
    assert "the key is accepted, and belongs to acme-test" in told
    assert "that pushes name can bill a line" in told
    assert "cf_m3ter_bill_id is there" in told
    assert "in .reconciler/ledger.sqlite" in told


def test_prices_that_cannot_bill_are_named_with_their_setting(place: SyncPlace) -> None:
    place.person_edits("usage-GBP", status="archived")
    place.edit("month-end-usd/integration.yaml", "USAGE: usage-USD", "USAGE: no-such-price")
    code, told = doctor(place)
    assert code == 10
    assert "`no-such-price` (month-end-usd: priceIdMapping.USAGE) does not exist" in told
    assert "`usage-GBP` (month-end-gbp: priceIdMapping.USAGE) is archived" in told


def test_a_stamp_that_the_site_does_not_have_is_named(place: SyncPlace) -> None:
    place.edit("month-end-eur/integration.yaml", "push:", "push:\n    stamp: cf_other")
    code, told = doctor(place)
    assert code == 10
    assert "the site has no custom field cf_other on credit notes, cf_other on invoices" in told


def test_a_refused_key_and_a_missing_ledger_do_not_hide_each_other(place: SyncPlace) -> None:
    (place.root / ".reconciler/ledger.sqlite").unlink()
    with EmulatedHttp(place.url) as http:
        match = {"vendor": "chargebee", "path": "/api/v2/*"}
        http.fault("http_500", match=match, times=100)
    code, told = doctor(place)
    assert code != 0
    assert "! problem site" in told
    assert "there is none yet in .reconciler/ledger.sqlite" in told
    assert f"reconciler ledger init --env {ENV}" in told
