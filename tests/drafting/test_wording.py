"""Names of lines and the text under them: on one line, within the limits, endings kept."""

from __future__ import annotations

from fakes.push_data import band, bill, drafted, line, route
from hypothesis import given
from hypothesis import strategies as st

from reconciler.drafting.draft_line import fit
from reconciler.drafting.route import Readings


@given(st.text(), st.text(max_size=30), st.integers(1, 100))
def test_a_text_never_is_longer_than_its_limit(text: str, ending: str, limit: int) -> None:
    assert len(fit(text, limit, ending)) <= limit


def test_a_long_name_is_cut_and_its_band_and_child_stay() -> None:
    parts = {"bands": (band("5", "1"),), "child_account_code": "acme\nnorth"}
    row = drafted(bill(line("USAGE", "5", description="word " * 80, **parts)), route()).lines[0]
    assert len(row.description) == 250
    assert row.description.endswith("…, band 1 (acme north)")


def test_a_line_without_description_is_named_by_its_type() -> None:
    rows = drafted(bill(line("COUNTER_RUNNING_TOTAL_CHARGE", "5", description="")), route()).lines
    assert rows[0].description == "Counter running total charge"


def test_figures_product_and_segment_stand_under_the_line() -> None:
    more = {"product_name": "API", "segment": {"region": "eu", "class": "a"}, "units": "3"}
    row = drafted(bill(line("USAGE", "10", **more)), route()).lines[0]
    about = "3 calls x about GBP 3.333333333333 = GBP 10"
    assert row.details == f"{about}; product API; class a; region eu"


def test_the_figures_survive_the_cut() -> None:
    by = route(readings=Readings(details_limit=40))
    row = drafted(bill(line("USAGE", "10.5", units="4", product_name="x" * 90)), by).lines[0]
    assert row.details.startswith("4 calls x GBP 2.625 = GBP 10.5; ")
    assert len(row.details) == 40
