from __future__ import annotations

from typing import Any

import pytest
from fakes.m3ter_api import DirectApi
from hypothesis import given
from hypothesis import strategies as st

PRODUCTS = 45


@pytest.fixture(scope="module")
def api() -> DirectApi:
    api = DirectApi()
    for number in range(PRODUCTS - 2):
        api.ok("POST", "/products", {"name": f"P{number}", "code": f"p{number}"})
    return api


@given(size=st.integers(1, 200))
def test_pages_of_any_size_show_everything_once_and_the_newest_first(
    api: DirectApi, size: int
) -> None:
    found = api.everything("/products", pageSize=str(size))
    stored = [product["id"] for product in api.store.all("m3ter/products")]
    assert [entry["id"] for entry in found] == stored[::-1]


def test_the_default_page_size_is_a_switch() -> None:
    api = DirectApi(page_size_default=3)
    assert len(api.ok("GET", "/accounts")["data"]) == 3


def test_a_last_page_that_is_full_has_no_token(api: DirectApi) -> None:
    page = api.ok("GET", "/products", None, pageSize=str(PRODUCTS))
    assert len(page["data"]) == PRODUCTS
    assert "nextToken" not in page


@pytest.mark.parametrize("size", ["0", "-1", "201", "ten", "", "1.5", "\u0663"])
def test_a_page_size_out_of_bounds_is_refused(api: DirectApi, size: str) -> None:
    status, message = api.refused("GET", "/products", None, pageSize=size)
    assert status == 400
    assert "pageSize" in message


def test_a_page_size_above_the_maximum_may_be_clamped_by_switch() -> None:
    api = DirectApi(page_size_over_max="clamp")
    assert len(api.ok("GET", "/accounts", None, pageSize="5000")["data"]) == 10


@pytest.mark.parametrize("token", ["x", "AAAA", "\u00e9", "A" * 24])
def test_a_token_that_is_none_is_refused(api: DirectApi, token: str) -> None:
    assert api.refused("GET", "/products", None, nextToken=token) == (400, "Invalid nextToken")


def test_a_token_belongs_to_its_query(api: DirectApi) -> None:
    token = api.ok("GET", "/products", None, pageSize="5")["nextToken"]
    assert api.send("GET", "/products", None, pageSize="7", nextToken=token)[0] == 200
    assert api.refused("GET", "/products", None, nextToken=token, ids="x")[0] == 400
    assert api.refused("GET", "/accounts", None, nextToken=token)[0] == 400


def test_objects_made_while_paging_do_not_shift_the_pages() -> None:
    api = DirectApi()
    first = api.ok("GET", "/accounts", None, pageSize="4")
    api.ok("POST", "/accounts", {"name": "new", "code": "new", "emailAddress": "a@b.c"})
    second = api.ok("GET", "/accounts", None, pageSize="4", nextToken=first["nextToken"])
    ids = [entry["id"] for entry in (*first["data"], *second["data"])]
    assert len(set(ids)) == 8


def test_an_empty_page_has_a_token_that_leads_on(api: DirectApi) -> None:
    api.half.fault("empty_page", api.request("GET", "/products"))
    empty = api.ok("GET", "/products")
    assert empty["data"] == []
    rest = api.ok("GET", "/products", None, pageSize="200", nextToken=empty["nextToken"])
    assert len(rest["data"]) == PRODUCTS


def test_an_empty_page_in_the_middle_loses_nothing(api: DirectApi) -> None:
    first = api.ok("GET", "/products", None, pageSize="5")
    api.half.fault("empty_page", api.request("GET", "/products"))
    empty = api.ok("GET", "/products", None, pageSize="5", nextToken=first["nextToken"])
    rest = api.ok("GET", "/products", None, pageSize="200", nextToken=empty["nextToken"])
    assert len(first["data"]) + len(rest["data"]) == PRODUCTS


def test_lists_lag_behind_by_switch_and_by_fault() -> None:
    api = DirectApi(list_lag_seconds=30)
    body = {"name": "late", "code": "late"}
    made = api.ok("POST", "/products", body)

    def codes() -> set[str]:
        return {entry["code"] for entry in api.everything("/products")}

    assert "late" not in codes()
    assert api.ok("GET", f"/products/{made['id']}")["code"] == "late"
    api.store.clock.advance(30)
    assert "late" in codes()
    api.half.fault("list_lag", api.request("GET", "/products"))
    assert "late" not in {entry["code"] for entry in api.ok("GET", "/products")["data"]}
    assert "late" in codes()


@pytest.mark.parametrize("joined", [True, False])
def test_list_parameters_are_joined_or_repeated(api: DirectApi, joined: bool) -> None:
    ids = [product["id"] for product in api.store.all("m3ter/products")][:2]
    pairs: tuple[tuple[str, str], ...] = (("ids", ",".join(ids)),)
    if not joined:
        pairs = tuple(("ids", entry) for entry in ids)
    base = api.request("GET", "/products")
    request = type(base)(base.method, base.path, pairs, base.headers)
    body: Any = api.half.handle(request).body
    assert all(entry.encode() in body for entry in ids)
    assert body.count(b'"version"') == 2


def test_a_list_that_grew_shows_the_changed_object_not_the_kept_form(api: DirectApi) -> None:
    made = api.ok("POST", "/products", {"name": "before", "code": "changing"})
    api.everything("/products")
    api.ok("PUT", f"/products/{made['id']}", {"name": "after", "code": "changing", "version": 1})
    shown = next(
        candidate for candidate in api.everything("/products") if candidate["id"] == made["id"]
    )
    assert shown["name"] == "after"
    api.ok("DELETE", f"/products/{made['id']}")
