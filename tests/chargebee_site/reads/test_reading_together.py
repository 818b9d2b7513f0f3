"""What a batch of bills needs to know is read by lists, and means what single reads mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event
from typing import Literal

import pytest
from fakes.chargebee_world import UK, US, ChargebeeWorld, draft_of
from fakes.clock import FakeClock

from reconciler.chargebee.reads.batched_reads import EXPECTED_MAX, BatchedCache, Remembered
from reconciler.chargebee.reads.catalogue import Catalogue
from reconciler.drafting.draft import BilledParty

Open = Callable[..., ChargebeeWorld]
FRESH = 60


@dataclass
class Source:
    """Numbers by key; remembers how they were asked for."""

    clock: FakeClock = field(default_factory=FakeClock)
    unlisted: frozenset[str] = frozenset()
    lists: list[list[str]] = field(default_factory=list)
    singles: list[str] = field(default_factory=list)

    def one(self, key: str) -> int:
        self.singles.append(key)
        return 0

    def many(self, keys: Sequence[str]) -> Mapping[str, int]:
        self.lists.append(list(keys))
        return {key: 0 for key in keys if key not in self.unlisted}

    def together(self) -> BatchedCache[int]:
        return BatchedCache(Remembered[int](self.clock, FRESH), self.one, self.many)


def test_a_batch_is_read_by_one_list_when_the_first_of_it_is_asked_for() -> None:
    source = Source()
    values = source.together()
    values.expect(["a", "b", "c", "b"])
    assert source.lists == []
    assert [values.get(key) for key in "bac"] == [0, 0, 0]
    assert (source.lists, source.singles) == ([["a", "b", "c"]], [])


def test_what_is_left_of_a_slow_batch_is_read_again_together() -> None:
    """50 bills at 60 requests a minute take two minutes, and charges are fresh for one."""
    source = Source()
    values, keys = source.together(), [f"sub-{number:02}" for number in range(50)]
    values.expect(keys)
    for key in keys:
        values.get(key)
        source.clock.advance(2.1)
    assert [len(entry) for entry in source.lists] == [50, 21]
    assert source.singles == []


def test_a_value_is_never_older_than_it_may_be() -> None:
    source = Source()
    values = source.together()
    values.expect(["a", "b"])
    values.get("a")
    source.clock.advance(FRESH)
    values.get("a")
    values.get("b")
    assert source.lists == [["a", "b"]]
    assert source.singles == ["a", "b"]


def test_what_a_list_leaves_out_is_read_alone_to_know_why() -> None:
    source = Source(unlisted=frozenset({"gone", "lost"}))
    values = source.together()
    values.expect(["a", "gone", "b", "lost"])
    for key in ("gone", "a", "lost", "b", "gone"):
        values.get(key)
    assert len(source.lists) == 1
    assert source.singles == ["gone", "lost"]


def test_what_nobody_expected_is_read_alone() -> None:
    source = Source()
    values = source.together()
    values.expect(["a"])
    values.get("z")
    values.get("a")
    assert (source.lists, source.singles) == ([], ["z", "a"])


def test_a_failed_list_leaves_the_batch_expected() -> None:
    source, failing = Source(), [True]

    def many(keys: Sequence[str]) -> Mapping[str, int]:
        if failing.pop():
            failing.append(False)
            raise ConnectionError
        return source.many(keys)

    values = BatchedCache(Remembered[int](source.clock, FRESH), source.one, many)
    values.expect(["a", "b"])
    with pytest.raises(ConnectionError):
        values.get("a")
    values.get("b")
    values.get("a")
    assert source.lists == [["a", "b"]]


def test_many_threads_read_a_batch_once() -> None:
    source, begun = Source(), Event()

    def many(keys: Sequence[str]) -> Mapping[str, int]:
        assert begun.wait(5)
        return source.many(keys)

    values = BatchedCache(Remembered[int](source.clock, FRESH), source.one, many)
    keys = [f"sub-{number}" for number in range(8)]
    values.expect(keys)
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(values.get, key) for key in keys]
        begun.set()
        assert [entry.result(5) for entry in asked] == [0] * 8
    assert (source.lists, source.singles) == ([keys], [])


def test_only_the_values_that_were_asked_for_last_are_remembered() -> None:
    remembered = Remembered[int](FakeClock(), FRESH, most=2)
    remembered.put("a", 1)
    remembered.put("b", 2)
    assert remembered.find("a") == 1
    remembered.put("c", 3)
    assert [remembered.find(key) for key in "abc"] == [1, None, 3]


def test_keys_that_are_never_asked_for_are_forgotten_in_the_end() -> None:
    source = Source()
    values = source.together()
    values.expect(["a", "b"])
    values.expect(str(number) for number in range(EXPECTED_MAX))
    values.get("a")
    assert (source.lists, source.singles) == ([], ["a"])


# --- on a site -----------------------------------------------------------------------------------


def owners(
    *keys: str, kind: Literal["subscription", "customer"] = "subscription"
) -> list[BilledParty]:
    return [BilledParty(kind, key) for key in keys]


def paths(site: ChargebeeWorld) -> list[str]:
    found = site.http.requests(vendor="chargebee")
    return [request["path"] for request in found if request["method"] == "GET"]


def customer_of(site: ChargebeeWorld, subscription: str) -> str:
    return Catalogue(site.session).owner(BilledParty("subscription", subscription)).customer_id


@pytest.mark.parametrize("kind", ["subscription", "customer"])
def test_lists_say_what_single_reads_say(
    world: Open, kind: Literal["subscription", "customer"]
) -> None:
    site = world()
    keys = [UK, US] if kind == "subscription" else [customer_of(site, text) for text in (UK, US)]
    targets = owners(*keys, "nobody", kind=kind)
    charge = {"charges[amount][0]": "500", "charges[description][0]": "Set-up"}
    site.post("/unbilled_charges", subscription_id=UK, currency_code="GBP", **charge)
    alone, together = Catalogue(site.session), Catalogue(site.session)
    single = [(alone.owner(target), alone.waiting(target)) for target in targets]
    before = len(paths(site))
    together.expect(targets)
    assert [(together.owner(target), together.waiting(target)) for target in targets] == single
    assert [path.rsplit("v2/", 1)[1] for path in paths(site)[before:]] == [
        f"{kind}s",
        "unbilled_charges",
        f"{kind}s/nobody",
    ]
    assert [count for _, count in single] == [1, 0, 0]


def test_a_deleted_customer_is_still_told_from_one_that_never_was(world: Open) -> None:
    site = world()
    site.post("/customers", id="c-gone")
    site.post("/customers/c-gone/delete")
    targets = owners(customer_of(site, UK), "c-gone", kind="customer")
    alone, together = Catalogue(site.session), Catalogue(site.session)
    together.expect(targets)
    assert [together.owner(target) for target in targets] == [
        alone.owner(target) for target in targets
    ]


def test_charges_are_counted_again_after_a_minute(world: Open) -> None:
    site = world()
    targets = owners(UK, US)
    catalogue = Catalogue(site.session)
    catalogue.expect(targets)
    assert catalogue.waiting(targets[0]) == 0
    charge = {"charges[amount][0]": "500", "charges[description][0]": "Set-up"}
    site.post("/unbilled_charges", subscription_id=US, currency_code="USD", **charge)
    assert catalogue.waiting(targets[1]) == 0
    site.clock.advance(60)
    assert catalogue.waiting(targets[1]) == 1


def test_a_batch_of_bills_is_checked_with_a_few_requests(world: Open) -> None:
    site = world()
    there = site.destination
    drafts = [
        draft_of(),
        draft_of(subscription=US, currency="USD"),
        draft_of(subscription="nobody"),
    ]
    before = len(paths(site))
    there.expect([draft.target for draft in drafts])
    found = [[reason.text for reason in there.check(draft)] for draft in drafts]
    asked = [path.rsplit("v2/", 1)[1] for path in paths(site)[before:]]
    assert sorted(asked) == [
        "custom_field_configs",
        "item_prices",
        "item_prices",
        "subscriptions",
        "subscriptions/nobody",
        "unbilled_charges",
    ]
    assert found == [[], [], ["subscription nobody does not exist in Chargebee"]]
