"""A reconciliation for a terminal or a comment: the table, the answer, then what differs.

After that comes what is not sent. A difference names who made it where that is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC
from typing import Final

from reconciler.errors import ExitCode
from reconciler.kernel.money import Money
from reconciler.kernel.runbook import Page, page
from reconciler.kernel.text import WIDTH, amount, counted, day, printable, signed, wrapped
from reconciler.kernel.value import JsonObject
from reconciler.reconcile.core.month import NotSent, OutsideTable, Reconciled, UnsentBill
from reconciler.sync.model.invoice import ChangedBy
from reconciler.sync.model.reconciliation import Difference, Totals

COLUMNS = ("m3ter", "sent", "not sent", "Chargebee", "rounding", "unexplained")
_WIDTHS = (15, 15, 14, 15, 11, 13)
_MONEY = 14


def reconcile_text(found: Reconciled) -> str:
    """Render a reconciliation in 100 columns."""
    lines = [
        *wrapped(title(found), "", "  "),
        "",
    ]
    if found.totals:
        lines.append(f"{'':<6}{'bills':>7}" + "".join(map(_right, COLUMNS, _WIDTHS)))
        lines += [*(_row(one) for one in found.totals), ""]
    lines += [*wrapped(answer(found)), ""]
    lines += _section([line for one, account in found.shown for line in _difference(one, account)])
    lines += _section(list(_unsent(found)))
    lines += [line for one in (*beside(found), *ending(found)) for line in wrapped(one, "", "  ")]
    return printable("\n".join(lines).rstrip()) + "\n"


def figures_of(one: Totals) -> tuple[str, ...]:
    """Write the columns of a row."""
    plain = (amount(one.billed), amount(one.sent), amount(one.not_sent), amount(one.invoiced))
    return (*plain, signed(one.rounding), signed(one.unexplained))


def money_of(one: Difference) -> str:
    """Write what a difference comes to, with its sign."""
    if one.unexplained is None:
        return "no amount"
    return f"{one.unexplained.currency} {signed(one.unexplained)}"


def difference_text(one: Difference) -> str:
    """Tell what differs, and who made it differ where that is known."""
    return f"{one.text}; {by_text(one.by)}" if one.by else one.text


def _row(one: Totals) -> str:
    mark = "  !" if one.unexplained.minor else ""
    return f"{one.currency:<6}{one.bills:>7,}{''.join(map(_right, figures_of(one), _WIDTHS))}{mark}"


def _right(text: str, width: int) -> str:
    return f"{text:>{width}}"


def _section(lines: list[str]) -> list[str]:
    return [*lines, ""] if lines else []


def _difference(one: Difference, account: str) -> list[str]:
    about = f"{account}, " if account else ""
    bill = f"bill {one.bill_id}" if one.bill_id else "no bill"
    head = f"{money_of(one):<16} {one.kind}: {about}{bill}"
    return [*wrapped(head, "", "  "), *wrapped(difference_text(one), "    ")]


def _unsent(found: Reconciled) -> Iterator[str]:
    """List what is not sent under its reason, each reason with its page."""
    groups: dict[tuple[bool, str, str], list[UnsentBill]] = {}
    for one in found.unsent:
        groups.setdefault(_kind(one.held), []).append(one)
    for (settled, short, where), bills in sorted(groups.items()):
        head = f"{'Not to be sent' if settled else 'Not sent yet'}: {short}"
        fits = len(head) + len(where) + 2 <= WIDTH
        yield from [f"{head}  {where}"] if fits else [*wrapped(head), f"  {where}"]
        for one in bills:
            yield from _bill(one)
    more = found.not_yet.bills + found.never.bills - len(found.unsent)
    if more:
        yield f"and {more:,} more that are not sent"


def _bill(one: UnsentBill) -> Iterator[str]:
    head = f"  {one.money!s:>{_MONEY}}  {one.account}, bill {one.bill_id}"
    whole = f"{head}, {one.integration}"
    yield whole if one.integration and len(whole) <= WIDTH else head
    if one.held.why != one.held.short:
        yield from wrapped(one.held.why, " " * (_MONEY + 4))


def _kind(held: NotSent) -> tuple[bool, str, str]:
    return held.settled, held.short, held.page


_BESIDE: Final[Mapping[OutsideTable, str]] = {
    OutsideTable.NOT_YET: "not due yet: not approved in m3ter, or m3ter still works on them",
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
        money = sums_of(found.not_yet.money)
        parts.append(f"Not sent yet: {money} in {bills}, listed below with their reasons.")
    if found.never.bills:
        bills = counted(found.never.bills, "bill", "bills")
        parts.append(f"Not to be sent, as people decided: {sums_of(found.never.money)} in {bills}.")
    if not found.totals:
        return f"No bill of {found.question.month} is due or sent, so there is nothing to compare."
    if parts == [_NOTHING]:
        parts.append("What m3ter bills was sent, and stands on the invoices.")
    return " ".join(parts)


def beside(found: Reconciled) -> Iterator[str]:
    """Say what is in no column, so that nothing vanishes, and what could not be found out."""
    for left, purse in found.left.items():
        bills = counted(purse.bills, "bill", "bills")
        money = f" ({sums_of(purse.money)})" if purse.money else ""
        yield f"Not in the table: {bills}{money} {_BESIDE.get(left, left.value)}"
    catalogue = [one.catalogue for one in found.totals if one.catalogue.minor]
    if catalogue:
        yield (
            f"In no column: {sums_of(catalogue)} of lines at Chargebee's catalogue price, for which"
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


def sums_of(amounts: Iterable[Money]) -> str:
    """Write sums of several currencies as a person would say them."""
    told = [str(one) for one in amounts]
    return " and ".join([", ".join(told[:-1]), told[-1]]) if len(told) > 1 else "".join(told)


def _unexplained(found: Reconciled) -> str:
    money = [one.unexplained for one in found.totals if one.unexplained.minor]
    if not found.outside:
        return f"Unexplained: {sums_of(money)}, inside the tolerance." if money else _NOTHING
    count = counted(found.outside, "difference", "differences")
    return f"Unexplained: {sums_of(money) or 'no money'}, in {count} listed below."


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


# Source: Chargebee API docs, event.source
_NOBODY: Final[Mapping[str, str]] = {
    "admin_console": "somebody in Chargebee's own pages",
    "api": "a program, through the API",
    "scheduled_job": "Chargebee itself, at a set time",
    "hosted_page": "the customer, on a hosted page",
    "portal": "the customer, in the portal",
    "migration": "a migration",
    "bulk_operation": "a bulk operation",
}


def by_text(one: ChangedBy) -> str:
    """Tell it after a difference: ``added in Chargebee by k.smith, 3 Dec 2026, 10:11 UTC``."""
    when = one.at.astimezone(UTC)
    return f"{one.did} in Chargebee by {who(one)}, {day(when)}, {when:%H:%M} UTC"


def who(one: ChangedBy) -> str:
    """Name the person, else what is known of where it came from."""
    if not one.user:
        return _NOBODY.get(one.source, f"`{one.source}`" if one.source else "somebody unnamed")
    return f"{one.user}, through the API" if one.source == "api" else one.user


def by_cells(one: ChangedBy | None) -> JsonObject:
    """Give the cells of a row: what was done, by whom, and when."""
    if one is None:
        return {}
    return {"did": one.did, "by": one.user or one.source, "at": f"{one.at:%Y-%m-%dT%H:%M:%SZ}"}


def reconcile_markdown(found: Reconciled) -> str:
    """Render a reconciliation as Markdown; no text of a bill can break its tables."""
    lines = [f"### {title(found)}", ""]
    if found.totals:
        lines += [_cells(["currency", "bills", *COLUMNS]), "|---|" + "--:|" * (len(COLUMNS) + 1)]
    lines += [_cells([one.currency, f"{one.bills:,}", *figures_of(one)]) for one in found.totals]
    lines += ["", answer(found)]
    if found.shown:
        heads = ["difference", "class", "account", "bill", "invoice", "what differs"]
        lines += ["", _cells(heads), "|--:|---|---|---|---|---|"]
        lines += [_difference_cells(one, account) for one, account in found.shown]
    if found.unsent:
        heads = ["not sent", "account", "bill", "why", "what to do"]
        lines += ["", _cells(heads), "|--:|---|---|---|---|"]
        lines += map(_unsent_cells, found.unsent)
    lines += ["", *_sentences(found)]
    return printable("\n".join(lines).rstrip()) + "\n"


def _sentences(found: Reconciled) -> Iterator[str]:
    """Give each sentence a paragraph of its own; alone, line ends would be lost."""
    for one in (*beside(found), *ending(found)):
        yield one
        yield ""


def _difference_cells(one: Difference, account: str) -> str:
    bill, invoice = one.bill_id or "", one.invoice_id or ""
    return _cells([money_of(one), one.kind, account, bill, invoice, difference_text(one)])


def _unsent_cells(one: UnsentBill) -> str:
    return _cells([str(one.money), one.account, one.bill_id, one.held.why, one.held.page])


def _cells(texts: list[str]) -> str:
    return f"| {' | '.join(_cell(one) for one in texts)} |"


def _cell(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")
