"""The sentences of a reconciliation: the answer, what stands beside the table, and the end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from reconciler.errors import ExitCode
from reconciler.kernel.money import Money
from reconciler.kernel.runbook import Page, page
from reconciler.kernel.text.plain import counted
from reconciler.reconcile.core.month import Left, Reconciled

_BESIDE: Final[Mapping[Left, str]] = {
    Left.NOT_YET: "not due yet: not approved in m3ter, or m3ter still works on them",
}

_NOTHING: Final = "Unexplained: nothing."


def title(found: Reconciled) -> str:
    """Say what was reconciled, and by which record."""
    force = found.in_force
    commit = f" (commit {force.commit[:7]})" if force.commit else ""
    who = found.question.integration or f"every push integration of {force.environment}"
    last = ", the last that pushed" if force.past else ""
    record = f"applied record {force.record}{commit}{last}"
    return f"{found.question.month} · {who} · site {found.site} · {record}"


def answer(found: Reconciled) -> str:
    """Say what is unexplained, and what is not sent."""
    parts = [_unexplained(found)]
    if found.not_yet.bills:
        bills = counted(found.not_yet.bills, "bill", "bills")
        money = listed(found.not_yet.money)
        parts.append(f"Not sent yet: {money} in {bills}, listed below with their reasons.")
    if found.never.bills:
        bills = counted(found.never.bills, "bill", "bills")
        parts.append(f"Not to be sent, as people decided: {listed(found.never.money)} in {bills}.")
    if not found.totals:
        return f"No bill of {found.question.month} is due or sent, so there is nothing to compare."
    if parts == [_NOTHING]:
        parts.append("What m3ter bills was sent, and stands on the invoices.")
    return " ".join(parts)


def beside(found: Reconciled) -> Iterator[str]:
    """Say what is in no column, so that nothing vanishes, and what could not be found out."""
    for left, purse in found.left.items():
        bills = counted(purse.bills, "bill", "bills")
        money = f" ({listed(purse.money)})" if purse.money else ""
        yield f"Not in the table: {bills}{money} {_BESIDE.get(left, left.value)}"
    catalogue = [one.catalogue for one in found.totals if one.catalogue.minor]
    if catalogue:
        yield (
            f"In no column: {listed(catalogue)} of lines at Chargebee's catalogue price, for which"
            " m3ter gives no amount"
        )
    inside = found.differences - found.outside
    if inside:
        yield f"Inside the tolerance: {counted(inside, 'difference', 'differences')}"
    yield from found.notes


def ending(found: Reconciled) -> Iterator[str]:
    """Say where the whole list is, and how the command ends."""
    if found.outside or found.unsent:
        name = f"reconcile-{found.question.month.key}.csv"
        yield f"Every bill and difference: add --format csv={name}"
    if found.outside:
        count = counted(found.outside, "difference", "differences")
        more = found.outside - len(found.shown)
        hidden = f" {more:,} more are not shown." if more else ""
        yield f"Exit 17: {count} outside the tolerance ({_tolerance(found)}).{hidden}"
        yield f"What to do: {page(Page.DIFFERENCE)}"
    if not found.complete:
        yield _incomplete(found)


def listed(amounts: Iterable[Money]) -> str:
    """Write sums of several currencies as a person would say them."""
    told = [str(one) for one in amounts]
    return " and ".join([", ".join(told[:-1]), told[-1]]) if len(told) > 1 else "".join(told)


def _unexplained(found: Reconciled) -> str:
    money = [one.unexplained for one in found.totals if one.unexplained.minor]
    if not found.outside:
        return f"Unexplained: {listed(money)}, inside the tolerance." if money else _NOTHING
    count = counted(found.outside, "difference", "differences")
    return f"Unexplained: {listed(money) or 'no money'}, in {count} listed below."


def _incomplete(found: Reconciled) -> str:
    bills = counted(found.not_yet.bills, "bill is", "bills are")
    told = f"The month is not complete: {bills} not sent yet"
    if found.exit_code is not ExitCode.DONE:
        return f"{told}." if not found.question.complete else f"{told}. Exit 17, by --complete."
    return f"{told}. Exit 0; with --complete it is 17."


def _tolerance(found: Reconciled) -> str:
    own = found.question.tolerances
    told = [f"{currency} {limit}" for currency, limit in sorted(own.items())]
    return ", ".join([*told, "otherwise each integration's own"] if told else ["push.tolerance"])
