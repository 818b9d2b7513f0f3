"""Guards about who is billed: more accounts than before, or one account by two routes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from reconciler.kernel.address import Address
from reconciler.m3ter.live import Account
from reconciler.plan.core.diff.facts import MOVED
from reconciler.plan.core.guards.accounts_of import SELECTING, Selecting, added, by_lists, disjoint
from reconciler.plan.core.guards.hit import hit
from reconciler.plan.model.change import Change, Connect, Create, FieldValue, Update
from reconciler.plan.model.plan import GuardHit

_SHOWN: Final = 10


@dataclass(frozen=True, slots=True)
class Route:
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


def selection_moved(changes: Iterable[Change]) -> tuple[Address, ...]:
    """Give the existing configurations that would select other accounts."""
    return tuple(
        one.address
        for one in changes
        if isinstance(one, Update)
        and any(field.path in SELECTING and field.verdict in MOVED for field in one.fields)
    )


def needs_accounts(
    changes: Iterable[Change],
    before: Mapping[Address, Selecting],
    after: Mapping[Address, Selecting],
) -> bool:
    """Tell whether ``widening`` must look at every account."""
    return any(not by_lists(before[one], after[one]) for one in selection_moved(changes))


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


def double_route(changes: Iterable[Change], routes: Sequence[Route]) -> Iterator[GuardHit]:
    """Ask before two connected configurations may both send an account's bills to Chargebee."""
    held = tuple(changes)
    touched = set(selection_moved(held)) | {
        one.address for one in held if isinstance(one, Connect | Create)
    }
    for one, other in combinations(sorted(routes, key=_order), 2):
        if not {one.address, other.address} & touched:
            continue
        if one.selecting and other.selecting and disjoint(one.selecting, other.selecting):
            continue
        address = one.address if one.address in touched else other.address
        yield hit(
            "double-route",
            f"{_shown(one)} and {_shown(other)} would both be connected for Chargebee bills, and "
            "no explicit lists of account ids prove that no account is on both",
            address=address,
            field="route",
            desired=FieldValue(sorted(_key(route) for route in (one, other))),
        )


def _order(route: Route) -> tuple[bool, str]:
    return (route.address is None, _key(route))


def _key(route: Route) -> str:
    return str(route.address) if route.address else route.id


def _shown(route: Route) -> str:
    return str(route.address) if route.address else f'"{route.name}" ({route.id}, not managed here)'


def _count(ids: Sequence[str]) -> str:
    return "1 more account" if len(ids) == 1 else f"{len(ids)} more accounts"


def _listed(ids: Sequence[str], names: Mapping[str, str]) -> str:
    shown = sorted(names.get(one, one) for one in ids)
    rest = len(shown) - _SHOWN
    return ", ".join(shown[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "")
