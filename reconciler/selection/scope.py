"""Which accounts and bills a configuration takes, native or pushed.

A bill is taken if and only if (``accountIds`` is all or holds the account) and the account is not
restricted and the filter is true and (bills need no approval or the bill is approved).

Source: m3ter guide "Configuring Chargebee integrations"; that a restricted account stays out also
when it is in both lists is inferred.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from reconciler.account_filter.answer import NoAnswer
from reconciler.account_filter.evaluate import Predicate, compiled
from reconciler.account_filter.fields import filter_account
from reconciler.account_filter.parser import parse
from reconciler.account_filter.tokens import FilterSyntaxError
from reconciler.definitions.kinds.integration import (
    AccountReference,
    CodeReference,
    IntegrationSpec,
)
from reconciler.kernel.address import AccountId
from reconciler.m3ter.bill import Bill
from reconciler.m3ter.live import Account

Verdict = Literal["in", "out", "unknown"]


@dataclass(frozen=True, slots=True)
class AccountScope:
    """The accounts of a configuration.

    Attributes:
        account_ids: ``None`` stands for all.
        restricted: Never taken.
        predicate: The compiled filter, or ``None`` without one.
        approved_only: Whether only approved bills are taken.
        unreadable: Why the scope cannot be decided at all; empty when it can.
    """

    account_ids: frozenset[AccountId] | None
    restricted: frozenset[AccountId] = frozenset()
    predicate: Predicate | None = None
    approved_only: bool = True
    unreadable: str = ""


@dataclass(frozen=True, slots=True)
class Membership:
    """Whether an account is in a scope, why, and the undocumented rules that this rests on."""

    verdict: Verdict
    why: str
    assumptions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Taken:
    """The bill is sent by this route."""

    assumptions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NotTaken:
    """The bill is not sent now.

    Attributes:
        reason: ``unknown`` needs a person; ``unapproved`` waits; the others are not ours.
    """

    reason: Literal["before-since", "other-account", "unapproved", "unknown"]
    why: str


def scope_of(spec: IntegrationSpec, ids: Mapping[str, AccountId]) -> AccountScope:
    """Build the scope of a definition.

    Args:
        spec: The settings.
        ids: Account ids by code. A code that is missing makes the whole scope unreadable: leaving
            it out silently would widen or narrow who is billed.
    """
    panel = spec.global_
    named = () if panel.account_ids == "all" else panel.account_ids
    missing = sorted(
        reference.code
        for reference in (*named, *panel.restricted_account_ids)
        if isinstance(reference, CodeReference) and reference.code not in ids
    )
    problem = f"account codes {', '.join(missing)} do not exist" if missing else ""
    predicate = None
    if spec.entity.account_filter is not None:
        try:
            predicate = compiled(parse(spec.entity.account_filter))
        except FilterSyntaxError as error:
            problem = problem or f"the account filter cannot be read: {error}"
    return AccountScope(
        None if panel.account_ids == "all" else _resolved(named, ids),
        _resolved(panel.restricted_account_ids, ids),
        predicate,
        spec.entity.only_send_bill_on_approval,
        problem,
    )


def membership(scope: AccountScope, account: Account) -> Membership:
    """Say whether an account is in a scope; unknown means that nobody may bill it."""
    if scope.unreadable:
        return Membership("unknown", scope.unreadable)
    if account.id in scope.restricted:
        return Membership("out", "the account is in restrictedAccountIds")
    if scope.account_ids is not None and account.id not in scope.account_ids:
        return Membership("out", "the account is not in accountIds")
    if scope.predicate is None:
        return Membership("in", "the account is selected without a filter")
    return _filtered(scope.predicate, account)


def takes(scope: AccountScope, since: date, bill: Bill, account: Account) -> Taken | NotTaken:
    """Say whether a bill is sent now, by bill and never "by month".

    Args:
        scope: Of the route.
        since: ``push.since``: bills whose period ends on or after it.
        bill: Its lines do not matter.
        account: The bill's.
    """
    if bill.end_date < since:
        return NotTaken("before-since", f"its period ends on {bill.end_date}, before {since}")
    found = membership(scope, account)
    if found.verdict == "unknown":
        return NotTaken("unknown", found.why)
    if found.verdict == "out":
        return NotTaken("other-account", found.why)
    if scope.approved_only and bill.status != "APPROVED":
        return NotTaken("unapproved", f"it is {bill.status}, and only approved bills are sent")
    return Taken(found.assumptions)


def _filtered(predicate: Predicate, account: Account) -> Membership:
    answer = predicate(filter_account(account))
    assumptions = tuple(dict.fromkeys(assumption.reading for assumption in answer.assumptions))
    if isinstance(answer.result, NoAnswer):
        why = f"the account filter has no answer: {answer.result.message}"
        return Membership("unknown", why, assumptions)
    if answer.result:
        return Membership("in", "the account filter is true", assumptions)
    return Membership("out", "the account filter is false", assumptions)


def _resolved(
    references: tuple[AccountReference, ...], ids: Mapping[str, AccountId]
) -> frozenset[AccountId]:
    return frozenset(
        ids.get(reference.code, AccountId(""))
        if isinstance(reference, CodeReference)
        else AccountId(reference)
        for reference in references
    )
