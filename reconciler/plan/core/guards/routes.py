"""Who is billed by which route: accounts that configurations select, and how they move.

An account may be taken by one route only. Both configurations may be connected all the while:
taken first, m3ter could send a bill of the account by both. Two configurations that give each
other accounts cannot both come first: there one of them does, and the guard `double-route` asks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from graphlib import TopologicalSorter
from itertools import combinations
from typing import Final

from reconciler.account_filter.evaluate import compiled
from reconciler.account_filter.fields import filter_account
from reconciler.account_filter.parser import parse
from reconciler.account_filter.tokens import FilterSyntaxError
from reconciler.definitions.core.settings import ACCOUNT_FILTER, ACCOUNT_IDS, RESTRICTED
from reconciler.definitions.core.spelling import Value
from reconciler.kernel.address import Address, FieldPath
from reconciler.m3ter.live import Account
from reconciler.plan.core.comparable import Fields
from reconciler.plan.core.diff.order import MOVED
from reconciler.plan.core.guards.approval import hit
from reconciler.plan.model.change import (
    Change,
    ChangeId,
    Connect,
    Create,
    Enable,
    FieldValue,
    Update,
)
from reconciler.plan.model.plan import GuardHit


@dataclass(frozen=True, slots=True)
class Selecting:
    """The selecting settings.

    Attributes:
        included: ``None`` selects all accounts.
        filter: Empty when there is none.
    """

    included: frozenset[str] | None
    restricted: frozenset[str]
    filter: str

    @property
    def listed(self) -> frozenset[str] | None:
        """The accounts it can select at most; ``None`` when only m3ter knows."""
        return None if self.included is None else self.included - self.restricted


@dataclass(frozen=True, slots=True)
class ConnectedRoute:
    """A configuration that would be connected for Chargebee bills.

    Attributes:
        address: ``None`` when this repository does not manage it.
        name: How people know it.
        selecting: ``None`` when its settings cannot be read.
    """

    address: Address | None
    id: str
    name: str
    selecting: Selecting | None


Waits = dict[Address, list[Address]]
SELECTING: frozenset[FieldPath] = frozenset(
    {ACCOUNT_IDS.path, RESTRICTED.path, ACCOUNT_FILTER.path}
)
"""Fields that decide which accounts a configuration sends."""


def selecting(fields: Fields) -> Selecting:
    """Read the selecting settings from comparable fields."""
    included = fields.get(ACCOUNT_IDS.path)
    text = fields.get(ACCOUNT_FILTER.path)
    return Selecting(
        included=included if isinstance(included, frozenset) else None,
        restricted=_names(fields.get(RESTRICTED.path)),
        filter=text if isinstance(text, str) else "",
    )


def added(before: Selecting, after: Selecting, accounts: Iterable[Account]) -> tuple[str, ...]:
    """Give the ids of accounts that are selected after, or may be, and were not before.

    Args:
        before: As it is live.
        after: As git wants it.
        accounts: All accounts of the organisation; not needed where lists alone decide.
    """
    if by_lists(before, after):
        return tuple(sorted((after.listed or frozenset()) - (before.listed or frozenset())))
    earlier, later = _predicate(before), _predicate(after)
    return tuple(
        owner.id for owner in accounts if later(owner) is not False and earlier(owner) is not True
    )


def by_lists(before: Selecting, after: Selecting) -> bool:
    """Tell whether explicit lists decide what is added, without looking at any account."""
    lists = before.included is not None and after.included is not None
    return lists and before.filter == after.filter


def disjoint(selecting: Selecting, other: Selecting) -> bool:
    """Tell whether explicit lists prove that no account is selected by both."""
    mine, theirs = selecting.listed, other.listed
    return mine is not None and theirs is not None and not mine & theirs


def _predicate(selecting: Selecting) -> Callable[[Account], bool | None]:
    """Give a function that says yes, no, or ``None`` where the filter has no answer."""
    answer = _filter(selecting.filter)

    def selects(account: Account) -> bool | None:
        if account.id in selecting.restricted:
            return False
        if selecting.included is not None and account.id not in selecting.included:
            return False
        return answer(account)

    return selects


def _filter(text: str) -> Callable[[Account], bool | None]:
    if not text:
        return lambda _account: True
    try:
        predicate = compiled(parse(text))
    except FilterSyntaxError:
        return lambda _account: None

    def answer(account: Account) -> bool | None:
        result = predicate(filter_account(account)).result
        return result if isinstance(result, bool) else None

    return answer


def _names(value: Value | None) -> frozenset[str]:
    return value if isinstance(value, frozenset) else frozenset()


_SHOWN: Final = 10


def selection_moved(changes: Iterable[Change]) -> tuple[Address, ...]:
    """Give the existing configurations that would select other accounts."""
    return tuple(
        planned.address
        for planned in changes
        if isinstance(planned, Update)
        and any(field.path in SELECTING and field.verdict in MOVED for field in planned.fields)
    )


def needs_accounts(
    changes: Iterable[Change],
    before: Mapping[Address, Selecting],
    after: Mapping[Address, Selecting],
) -> bool:
    """Tell whether ``widening`` must look at every account."""
    return any(
        not by_lists(before[address], after[address]) for address in selection_moved(changes)
    )


def widening(
    changes: Iterable[Change],
    before: Mapping[Address, Selecting],
    after: Mapping[Address, Selecting],
    accounts: Iterable[Account],
    names: Mapping[str, str],
) -> Iterator[GuardHit]:
    """Ask before a configuration selects accounts that it did not select before."""
    known = tuple(accounts)
    for address in selection_moved(changes):
        more = added(before[address], after[address], known)
        if more:
            yield hit(
                "widening",
                f"{address} would take {_count(more)}: {_listed(more, names)}",
                address=address,
                field="accounts",
                desired=FieldValue(sorted(more)),
            )


def double_route(changes: Iterable[Change], routes: Sequence[ConnectedRoute]) -> Iterator[GuardHit]:
    """Ask before two connected configurations may both send an account's bills to Chargebee."""
    held = tuple(changes)
    touched = set(selection_moved(held)) | {
        change.address for change in held if isinstance(change, Connect | Create)
    }
    for first, other in combinations(sorted(routes, key=_order), 2):
        if not {first.address, other.address} & touched:
            continue
        if first.selecting and other.selecting and disjoint(first.selecting, other.selecting):
            continue
        address = first.address if first.address in touched else other.address
        yield hit(
            "double-route",
            f"{_shown(first)} and {_shown(other)} would both be connected for Chargebee bills, and "
            "no explicit lists of account ids prove that no account is on both",
            address=address,
            field="route",
            desired=FieldValue(sorted(_key(route) for route in (first, other))),
        )


def _order(route: ConnectedRoute) -> tuple[bool, str]:
    return (route.address is None, _key(route))


def _key(route: ConnectedRoute) -> str:
    return str(route.address) if route.address else route.id


def _shown(route: ConnectedRoute) -> str:
    return str(route.address) if route.address else f'"{route.name}" ({route.id}, not managed here)'


def _count(ids: Sequence[str]) -> str:
    return "1 more account" if len(ids) == 1 else f"{len(ids)} more accounts"


def _listed(ids: Sequence[str], names: Mapping[str, str]) -> str:
    shown = sorted(names.get(account_id, account_id) for account_id in ids)
    rest = len(shown) - _SHOWN
    return ", ".join(shown[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "")


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
    takes = {address: set(added(before[address], after[address], known)) for address in moved}
    gives = {address: set(added(after[address], before[address], known)) for address in moved}
    waits: Waits = {}
    for taker in sorted(moved):
        for giver in sorted(moved):
            if taker != giver and takes[taker] & gives[giver] and not _waits(giver, taker, waits):
                waits.setdefault(taker, []).append(giver)
    return _waiting(changes, waits, [address for address in sorted(moved) if gives[address]])


def _waits(address: Address, other: Address, waits: Waits) -> bool:
    """Tell whether one waits for the other, also by others between."""
    return any(wait == other or _waits(wait, other, waits) for wait in waits.get(address, ()))


def _waiting(
    changes: Sequence[Change], waits: Waits, givers: Sequence[Address]
) -> tuple[Change, ...]:
    updates = {planned.address: planned for planned in changes if _updates(planned)}
    in_order = iter(
        TopologicalSorter({address: waits.get(address, []) for address in updates}).static_order()
    )
    ordered: list[Change] = []
    for planned in changes:
        change = updates[next(in_order)] if _updates(planned) else planned
        first = waits.get(change.address, ()) if _updates(change) else ()
        if isinstance(change, Connect | Enable):
            first = [giver for giver in givers if giver != change.address]
        ids = tuple(updates[giver].id for giver in first)
        ordered.append(_after(change, ids))
    return tuple(ordered)


def _updates(change: Change) -> bool:
    return isinstance(change, Update) and change.address.kind == "integration"


def _after(change: Change, ids: tuple[ChangeId, ...]) -> Change:
    if not ids or not isinstance(change, Update | Connect | Enable):
        return change
    new = tuple(change_id for change_id in ids if change_id not in change.after)
    return replace(change, after=(*change.after, *new))
