"""Who is who: bindings first, then natural keys, never a guess."""

from __future__ import annotations

import pytest

from reconciler.kernel.address import Address, FieldPath, LiveId, MappingId
from reconciler.kernel.problem import Origin
from reconciler.m3ter.live import LiveMapping
from reconciler.plan.core.comparable import mapping_key
from reconciler.plan.core.identity import Bound, Missing, Named, Wanted, identify, same_key
from reconciler.plan.core.unplannable import SeveralMatchesError, SharedObjectError
from reconciler.plan.model.applied import BaseField, Binding
from reconciler.plan.model.change import FieldValue

ORIGIN = Origin("rows.csv", 2, 1)


def row(identity: str, m3ter_id: str) -> LiveMapping:
    return LiveMapping(MappingId(identity), 1, "Account", m3ter_id, "Chargebee", "T", "x", None)


def address(key: str) -> Address:
    return Address("mapping", "set", key)


def wanted(key: str, m3ter_id: str) -> Wanted:
    return Wanted(address(key), ("Chargebee", "T", "Account", m3ter_id, ""), ORIGIN)


def binding(key: str, identity: str, m3ter_id: str | None = None) -> Binding:
    held = FieldValue(["Chargebee", "T", "Account", m3ter_id, ""]) if m3ter_id else None
    fields = (BaseField(FieldPath("key"), held, held),)
    return Binding(address(key), LiveId(identity), 1, "h", fields)


def bindings(*many: Binding) -> dict[Address, Binding]:
    return {binding.address: binding for binding in many}


def test_a_binding_decides_before_the_name() -> None:
    found = identify([wanted("a", "1")], [row("x", "9")], mapping_key, bindings(binding("a", "x")))
    assert isinstance(found.found[address("a")], Bound)


def test_without_a_binding_the_natural_key_decides() -> None:
    found = identify([wanted("a", "1")], [row("x", "1"), row("y", "2")], mapping_key, {})
    pair = found.found[address("a")]
    assert isinstance(pair, Named)
    assert pair.was is None
    assert [mapping.id for mapping in found.unmanaged] == ["y"]


def test_a_lost_object_is_missing_and_remembered() -> None:
    held = binding("a", "gone", "1")
    nothing: list[LiveMapping] = []
    found = identify([wanted("a", "1")], nothing, mapping_key, bindings(held))
    assert found.found[address("a")] == Missing(held)
    assert found.left == ()


def test_an_address_that_takes_over_an_object_is_told_who_had_it() -> None:
    held = binding("old", "x", "1")
    found = identify([wanted("new", "1")], [row("x", "1")], mapping_key, bindings(held))
    assert found.found[address("new")] == Named(row("x", "1"), held)
    assert found.left == ()


def test_an_object_that_another_address_holds_is_not_taken() -> None:
    held = binding("a", "x", "1")
    found = identify(
        [wanted("a", "0"), wanted("b", "1")], [row("x", "1")], mapping_key, bindings(held)
    )
    (error,) = found.errors
    assert isinstance(error, SharedObjectError)
    assert error.address == address("b")


def test_two_addresses_of_one_key_are_both_refused() -> None:
    found = identify([wanted("a", "1"), wanted("b", "1")], [row("x", "1")], mapping_key, {})
    assert [error.address.key for error in found.errors] == ["a", "b"]
    assert found.found == {}


def test_two_objects_of_one_key_are_refused_and_named() -> None:
    found = identify([wanted("a", "1")], [row("x", "1"), row("y", "1")], mapping_key, {})
    (error,) = found.errors
    assert isinstance(error, SeveralMatchesError)
    assert "x, y" in str(error)


def test_what_could_not_be_read_has_not_left() -> None:
    held = binding("a", "x", "1")
    found = identify([], [row("x", "1")], mapping_key, bindings(held), kept=[address("a")])
    assert found.left == ()
    assert found.unmanaged == ()
    gone = identify([], [row("x", "1")], mapping_key, bindings(held))
    assert [(git.address, git.live) for git in gone.left] == [(address("a"), row("x", "1"))]


@pytest.mark.parametrize(
    ("git", "live", "base", "stands"),
    [("1", "1", "1", True), ("1", "9", "1", True), ("2", "1", "1", False), ("2", "2", "1", True)],
    ids=["nobody moved", "m3ter moved", "git moved", "both moved alike"],
)
def test_a_mapping_whose_key_git_moved_becomes_a_new_one(
    git: str, live: str, base: str, stands: bool
) -> None:
    held = binding("a", "x", base)
    found = identify(
        [wanted("a", git)], [row("x", live)], mapping_key, bindings(held), stands=same_key
    )
    assert isinstance(found.found[address("a")], Bound) is stands
    assert [entry.address.key for entry in found.left] == ([] if stands else ["a@x"])


def test_a_mapping_of_a_configuration_that_is_made_again_becomes_a_new_one() -> None:
    wanted = Wanted(address("a"), None, ORIGIN)
    held = binding("a", "x", "1")
    found = identify([wanted], [row("x", "1")], mapping_key, bindings(held), stands=same_key)
    assert found.found[address("a")] == Missing(None)
    assert [left.replaced for left in found.left] == [True]


def test_a_base_without_a_key_is_no_reason_to_trust() -> None:
    held = binding("a", "x")
    found = identify(
        [wanted("a", "2")], [row("x", "1")], mapping_key, bindings(held), stands=same_key
    )
    assert isinstance(found.found[address("a")], Missing)
