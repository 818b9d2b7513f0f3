"""Accounts that move between configurations: never taken before they were given up."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reconciler.kernel.address import Address, LiveId
from reconciler.plan.core.diff.order import change_id
from reconciler.plan.core.guards.routes import SELECTING, Selecting, handed_over
from reconciler.plan.model.change import (
    Change,
    Connect,
    FieldChange,
    FieldValue,
    LiveReference,
    Update,
)

ACCOUNTS = ("acme", "globex", "initech", "umbrella")
NAMES = ("a", "b", "c", "d")
PATH = min(SELECTING)
MOVED = FieldChange(PATH, "ours", FieldValue("x"), FieldValue("y"), FieldValue("x"))
LIVE = LiveReference(LiveId("id"), 1, "h")
chosen = st.frozensets(st.sampled_from(ACCOUNTS))
moves = st.dictionaries(st.sampled_from(NAMES), st.tuples(chosen, chosen))


def integration(name: str) -> Address:
    return Address("integration", name)


def update(name: str) -> Update:
    address = integration(name)
    return Update(
        id=change_id("update", address),
        address=address,
        live=LIVE,
        content=None,
        fields=(MOVED,),
        reason="why",
    )


def after(change: Change) -> tuple[str, ...]:
    assert isinstance(change, Update | Connect)
    return change.after


def listed(*accounts: str) -> Selecting:
    return Selecting(frozenset(accounts), frozenset(), "")


def reordered(
    selected: dict[str, tuple[frozenset[str], frozenset[str]]], *more: Change
) -> tuple[Change, ...]:
    changes = (*(update(name) for name in sorted(selected)), *more)
    live = {integration(name): listed(*entry) for name, (entry, _) in selected.items()}
    wanted = {integration(name): listed(*entry) for name, (_, entry) in selected.items()}
    return handed_over(changes, live, wanted, ())


def test_who_gives_an_account_up_comes_before_who_takes_it() -> None:
    nobody, one = frozenset[str](), frozenset({"acme"})
    taker, giver = update("a"), update("b")
    first, second = reordered({"a": (nobody, one), "b": (one, nobody)})
    assert (first.address, second.address) == (giver.address, taker.address)
    assert (after(first), after(second)) == ((), (giver.id,))


def test_what_begins_to_send_waits_for_all_that_give_up_accounts() -> None:
    address = integration("new")
    connect = Connect(
        id=change_id("connect", address),
        address=address,
        live=None,
        content=None,
        fields=(),
        reason="why",
    )
    one, nobody = frozenset({"acme"}), frozenset[str]()
    changes = reordered({"a": (one, nobody), "b": (nobody, one)}, connect)
    assert after(changes[-1]) == (change_id("update", integration("a")),)


@given(moves)
def test_every_account_that_moves_is_given_up_first_unless_two_give_to_each_other(
    selected: dict[str, tuple[frozenset[str], frozenset[str]]],
) -> None:
    changes = reordered(selected)
    assert sorted(planned.address for planned in changes) == sorted(map(integration, selected))
    places = {change.address.name: place for place, change in enumerate(changes)}
    gave = {name: live - wanted for name, (live, wanted) in selected.items()}
    took = {name: wanted - live for name, (live, wanted) in selected.items()}
    hands = {(text, other) for text in selected for other in selected if gave[text] & took[other]}
    for planned in changes:
        assert all(
            places[text.rpartition("/")[2]] < places[planned.address.name]
            for text in after(planned)
        )
    for giver, taker in hands:
        if not _reaches(taker, giver, hands):
            assert places[giver] < places[taker]
    assert {(planned.address, len(set(after(planned)))) for planned in changes} == {
        (planned.address, len(after(planned))) for planned in changes
    }


def _reaches(start: str, end: str, hands: set[tuple[str, str]]) -> bool:
    """Whether accounts go from one to the other, also by others between."""
    seen, todo = set[str](), [start]
    while todo:
        one = todo.pop()
        following = {taker for giver, taker in hands if giver == one} - seen
        seen |= following
        todo += following
    return end in seen
