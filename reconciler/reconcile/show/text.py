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


def reconcile_text(reconciled: Reconciled) -> str:
    """Render a reconciliation in 100 columns."""
    lines = [
        *wrapped(title(reconciled), "", "  "),
        "",
    ]
    if reconciled.totals:
        lines.append(f"{'':<6}{'bills':>7}" + "".join(map(_right, COLUMNS, _WIDTHS)))
        lines += [*(_row(total) for total in reconciled.totals), ""]
    lines += [*wrapped(answer(reconciled)), ""]
    lines += _section(
        [
            line
            for difference, account in reconciled.shown
            for line in _difference(difference, account)
        ]
    )
    lines += _section(list(_unsent(reconciled)))
    lines += [
        line
        for sentence in (*beside(reconciled), *ending(reconciled))
        for line in wrapped(sentence, "", "  ")
    ]
    return printable("\n".join(lines).rstrip()) + "\n"


def figures_of(totals: Totals) -> tuple[str, ...]:
    """Write the columns of a row."""
    plain = (
        amount(totals.billed),
        amount(totals.sent),
        amount(totals.not_sent),
        amount(totals.invoiced),
    )
    return (*plain, signed(totals.rounding), signed(totals.unexplained))


def money_of(difference: Difference) -> str:
    """Write what a difference comes to, with its sign."""
    if difference.unexplained is None:
        return "no amount"
    return f"{difference.unexplained.currency} {signed(difference.unexplained)}"


def difference_text(difference: Difference) -> str:
    """Tell what differs, and who made it differ where that is known."""
    return f"{difference.text}; {by_text(difference.by)}" if difference.by else difference.text


def _row(totals: Totals) -> str:
    mark = "  !" if totals.unexplained.minor else ""
    return (
        f"{totals.currency:<6}{totals.bills:>7,}{''.join(map(_right, figures_of(totals), _WIDTHS))}"
        f"{mark}"
    )


def _right(text: str, width: int) -> str:
    return f"{text:>{width}}"


def _section(lines: list[str]) -> list[str]:
    return [*lines, ""] if lines else []


def _difference(difference: Difference, account: str) -> list[str]:
    about = f"{account}, " if account else ""
    bill = f"bill {difference.bill_id}" if difference.bill_id else "no bill"
    head = f"{money_of(difference):<16} {difference.kind}: {about}{bill}"
    return [*wrapped(head, "", "  "), *wrapped(difference_text(difference), "    ")]


def _unsent(reconciled: Reconciled) -> Iterator[str]:
    """List what is not sent under its reason, each reason with its page."""
    groups: dict[tuple[bool, str, str], list[UnsentBill]] = {}
    for bill in reconciled.unsent:
        groups.setdefault(_kind(bill.held), []).append(bill)
    for (settled, short, where), bills in sorted(groups.items()):
        head = f"{'Not to be sent' if settled else 'Not sent yet'}: {short}"
        fits = len(head) + len(where) + 2 <= WIDTH
        yield from [f"{head}  {where}"] if fits else [*wrapped(head), f"  {where}"]
        for bill in bills:
            yield from _bill(bill)
    more = reconciled.not_yet.bills + reconciled.never.bills - len(reconciled.unsent)
    if more:
        yield f"and {more:,} more that are not sent"


def _bill(bill: UnsentBill) -> Iterator[str]:
    head = f"  {bill.money!s:>{_MONEY}}  {bill.account}, bill {bill.bill_id}"
    whole = f"{head}, {bill.integration}"
    yield whole if bill.integration and len(whole) <= WIDTH else head
    if bill.held.why != bill.held.short:
        yield from wrapped(bill.held.why, " " * (_MONEY + 4))


def _kind(unsent: NotSent) -> tuple[bool, str, str]:
    return unsent.settled, unsent.short, unsent.page


_BESIDE: Final[Mapping[OutsideTable, str]] = {
    OutsideTable.NOT_YET: "not due yet: not approved in m3ter, or m3ter still works on them",
}
_NOTHING: Final = "Unexplained: nothing."


def title(reconciled: Reconciled) -> str:
    """Say what was reconciled, and by which record."""
    force = reconciled.in_force
    commit = f" (commit {force.commit[:7]})" if force.commit else ""
    who = reconciled.question.integration or f"every push integration of {force.environment}"
    last = ", the last that pushed" if force.past else ""
    record = f"applied record {force.record}{commit}{last}"
    return f"{reconciled.question.month} · {who} · site {reconciled.site} · {record}"


def answer(reconciled: Reconciled) -> str:
    """Say what is unexplained, and what is not sent."""
    parts = [_unexplained(reconciled)]
    if reconciled.not_yet.bills:
        bills = counted(reconciled.not_yet.bills, "bill", "bills")
        money = sums_of(reconciled.not_yet.money)
        parts.append(f"Not sent yet: {money} in {bills}, listed below with their reasons.")
    if reconciled.never.bills:
        bills = counted(reconciled.never.bills, "bill", "bills")
        parts.append(
            f"Not to be sent, as people decided: {sums_of(reconciled.never.money)} in {bills}."
        )
    if not reconciled.totals:
        return (
            f"No bill of {reconciled.question.month} is due or sent, so there is nothing to "
            "compare."
        )
    if parts == [_NOTHING]:
        parts.append("What m3ter bills was sent, and stands on the invoices.")
    return " ".join(parts)


def beside(reconciled: Reconciled) -> Iterator[str]:
    """Say what is in no column, so that nothing vanishes, and what could not be found out."""
    for left, purse in reconciled.left.items():
        bills = counted(purse.bills, "bill", "bills")
        money = f" ({sums_of(purse.money)})" if purse.money else ""
        yield f"Not in the table: {bills}{money} {_BESIDE.get(left, left.value)}"
    catalogue = [total.catalogue for total in reconciled.totals if total.catalogue.minor]
    if catalogue:
        yield (
            f"In no column: {sums_of(catalogue)} of lines at Chargebee's catalogue price, for which"
            " m3ter gives no amount"
        )
    inside = reconciled.differences - reconciled.outside
    if inside:
        yield f"Inside the tolerance: {counted(inside, 'difference', 'differences')}"
    yield from reconciled.notes


def ending(reconciled: Reconciled) -> Iterator[str]:
    """Say where the whole list is, and how the command ends."""
    if reconciled.outside or reconciled.unsent:
        name = f"reconcile-{reconciled.question.month.key}.csv"
        yield f"Every bill and difference: add --format csv={name}"
    if reconciled.outside:
        count = counted(reconciled.outside, "difference", "differences")
        more = reconciled.outside - len(reconciled.shown)
        hidden = f" {more:,} more are not shown." if more else ""
        yield f"Exit 17: {count} outside the tolerance ({_tolerance(reconciled)}).{hidden}"
        yield f"What to do: {page(Page.DIFFERENCE)}"
    if not reconciled.complete:
        yield _incomplete(reconciled)


def sums_of(amounts: Iterable[Money]) -> str:
    """Write sums of several currencies as a person would say them."""
    texts = [str(amount) for amount in amounts]
    return " and ".join([", ".join(texts[:-1]), texts[-1]]) if len(texts) > 1 else "".join(texts)


def _unexplained(reconciled: Reconciled) -> str:
    money = [total.unexplained for total in reconciled.totals if total.unexplained.minor]
    if not reconciled.outside:
        return f"Unexplained: {sums_of(money)}, inside the tolerance." if money else _NOTHING
    count = counted(reconciled.outside, "difference", "differences")
    return f"Unexplained: {sums_of(money) or 'no money'}, in {count} listed below."


def _incomplete(reconciled: Reconciled) -> str:
    bills = counted(reconciled.not_yet.bills, "bill is", "bills are")
    sentence = f"The month is not complete: {bills} not sent yet"
    if reconciled.exit_code is not ExitCode.DONE:
        return (
            f"{sentence}."
            if not reconciled.question.complete
            else f"{sentence}. Exit 17, by --complete."
        )
    return f"{sentence}. Exit 0; with --complete it is 17."


def _tolerance(reconciled: Reconciled) -> str:
    own = reconciled.question.tolerances
    texts = [f"{currency} {limit}" for currency, limit in sorted(own.items())]
    return ", ".join([*texts, "otherwise each integration's own"] if texts else ["push.tolerance"])


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


def by_text(by: ChangedBy) -> str:
    """Tell it after a difference: ``added in Chargebee by k.smith, 3 Dec 2026, 10:11 UTC``."""
    when = by.at.astimezone(UTC)
    return f"{by.did} in Chargebee by {who(by)}, {day(when)}, {when:%H:%M} UTC"


def who(by: ChangedBy) -> str:
    """Name the person, else what is known of where it came from."""
    if not by.user:
        return _NOBODY.get(by.source, f"`{by.source}`" if by.source else "somebody unnamed")
    return f"{by.user}, through the API" if by.source == "api" else by.user


def by_cells(by: ChangedBy | None) -> JsonObject:
    """Give the cells of a row: what was done, by whom, and when."""
    if by is None:
        return {}
    return {"did": by.did, "by": by.user or by.source, "at": f"{by.at:%Y-%m-%dT%H:%M:%SZ}"}


def reconcile_markdown(reconciled: Reconciled) -> str:
    """Render a reconciliation as Markdown; no text of a bill can break its tables."""
    lines = [f"### {title(reconciled)}", ""]
    if reconciled.totals:
        lines += [_cells(["currency", "bills", *COLUMNS]), "|---|" + "--:|" * (len(COLUMNS) + 1)]
    lines += [
        _cells([total.currency, f"{total.bills:,}", *figures_of(total)])
        for total in reconciled.totals
    ]
    lines += ["", answer(reconciled)]
    if reconciled.shown:
        heads = ["difference", "class", "account", "bill", "invoice", "what differs"]
        lines += ["", _cells(heads), "|--:|---|---|---|---|---|"]
        lines += [
            _difference_cells(difference, account) for difference, account in reconciled.shown
        ]
    if reconciled.unsent:
        heads = ["not sent", "account", "bill", "why", "what to do"]
        lines += ["", _cells(heads), "|--:|---|---|---|---|"]
        lines += map(_unsent_cells, reconciled.unsent)
    lines += ["", *_sentences(reconciled)]
    return printable("\n".join(lines).rstrip()) + "\n"


def _sentences(reconciled: Reconciled) -> Iterator[str]:
    """Give each sentence a paragraph of its own; alone, line ends would be lost."""
    for sentence in (*beside(reconciled), *ending(reconciled)):
        yield sentence
        yield ""


def _difference_cells(difference: Difference, account: str) -> str:
    bill, invoice = difference.bill_id or "", difference.invoice_id or ""
    return _cells(
        [money_of(difference), difference.kind, account, bill, invoice, difference_text(difference)]
    )


def _unsent_cells(bill: UnsentBill) -> str:
    return _cells([str(bill.money), bill.account, bill.bill_id, bill.held.why, bill.held.page])


def _cells(texts: list[str]) -> str:
    return f"| {' | '.join(_cell(text) for text in texts)} |"


def _cell(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")
