"""Which accounts the settings of a configuration select, as far as it can be told."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from reconciler.account_filter.evaluate import compiled
from reconciler.account_filter.fields import filter_account
from reconciler.account_filter.parser import parse
from reconciler.account_filter.tokens import FilterSyntaxError
from reconciler.definitions.core.settings import ACCOUNT_FILTER, ACCOUNT_IDS, RESTRICTED
from reconciler.definitions.core.spelling import Value
from reconciler.kernel.address import FieldPath
from reconciler.m3ter.live import Account
from reconciler.plan.core.comparable import Fields

SELECTING: frozenset[FieldPath] = frozenset(
    {ACCOUNT_IDS.path, RESTRICTED.path, ACCOUNT_FILTER.path}
)
"""Fields that decide which accounts a configuration sends."""


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
    return tuple(one.id for one in accounts if later(one) is not False and earlier(one) is not True)


def by_lists(before: Selecting, after: Selecting) -> bool:
    """Tell whether explicit lists decide what is added, without looking at any account."""
    lists = before.included is not None and after.included is not None
    return lists and before.filter == after.filter


def disjoint(one: Selecting, other: Selecting) -> bool:
    """Tell whether explicit lists prove that no account is selected by both."""
    mine, theirs = one.listed, other.listed
    return mine is not None and theirs is not None and not mine & theirs


def _predicate(one: Selecting) -> Callable[[Account], bool | None]:
    """Give a function that says yes, no, or ``None`` where the filter has no answer."""
    answer = _filter(one.filter)

    def selects(account: Account) -> bool | None:
        if account.id in one.restricted:
            return False
        if one.included is not None and account.id not in one.included:
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
