"""Accounts that move from one configuration to another: given up before they are taken.

Both may be connected all the while. Taken first, m3ter could send a bill of the account by both.
Two configurations that give each other accounts cannot both come first: there one of them does, and
the guard `double-route` asks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from graphlib import TopologicalSorter

from reconciler.kernel.address import Address
from reconciler.m3ter.live import Account
from reconciler.plan.core.guards.accounts_of import Selecting, added
from reconciler.plan.core.guards.routes import selection_moved
from reconciler.plan.model.change import Change, ChangeId, Connect, Enable, Update

Waits = dict[Address, list[Address]]


def handed_over(
    changes: Sequence[Change],
    before: Mapping[Address, Selecting],
    after: Mapping[Address, Selecting],
    accounts: Iterable[Account],
) -> tuple[Change, ...]:
    """Let whatever takes accounts wait for the Updates that give them up.

    An Update waits for those that give up an account that it takes; a Connect or Enable, by which a
    configuration begins to send, for all that give up any.

    Args:
        changes: In order.
        before: What each configuration selects as it is live.
        after: What it selects as git wants it.
        accounts: All accounts of the organisation; not needed where lists alone decide.
    """
    moved, known = selection_moved(changes), tuple(accounts)
    takes = {one: set(added(before[one], after[one], known)) for one in moved}
    gives = {one: set(added(after[one], before[one], known)) for one in moved}
    waits: Waits = {}
    for taker in sorted(moved):
        for giver in sorted(moved):
            if taker != giver and takes[taker] & gives[giver] and not _waits(giver, taker, waits):
                waits.setdefault(taker, []).append(giver)
    return _waiting(changes, waits, [one for one in sorted(moved) if gives[one]])


def _waits(one: Address, other: Address, waits: Waits) -> bool:
    """Tell whether one waits for the other, also by others between."""
    return any(each == other or _waits(each, other, waits) for each in waits.get(one, ()))


def _waiting(
    changes: Sequence[Change], waits: Waits, givers: Sequence[Address]
) -> tuple[Change, ...]:
    updates = {one.address: one for one in changes if _updates(one)}
    in_order = iter(TopologicalSorter({one: waits.get(one, []) for one in updates}).static_order())
    made: list[Change] = []
    for one in changes:
        change = updates[next(in_order)] if _updates(one) else one
        first = waits.get(change.address, ()) if _updates(change) else ()
        if isinstance(change, Connect | Enable):
            first = [giver for giver in givers if giver != change.address]
        ids = tuple(updates[giver].id for giver in first)
        made.append(_after(change, ids))
    return tuple(made)


def _updates(change: Change) -> bool:
    return isinstance(change, Update) and change.address.kind == "integration"


def _after(change: Change, ids: tuple[ChangeId, ...]) -> Change:
    if not ids or not isinstance(change, Update | Connect | Enable):
        return change
    new = tuple(one for one in ids if one not in change.after)
    return replace(change, after=(*change.after, *new))
