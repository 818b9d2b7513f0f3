"""A reconciliation for a terminal and for Markdown: the answer first, then what differs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from reconciler.core.reconciled import Reconciled
from reconciler.core.runbook import Page, page
from reconciler.domain.reconciliation import Difference, Totals
from reconciler.render.figures import amount, signed, sums, wrapped
from reconciler.render.plain_text import counted, printable

_COLUMNS = ("m3ter", "sent", "Chargebee", "rounding", "unexplained")
_WIDTHS = (14, 14, 14, 12, 13)


def reconcile_text(found: Reconciled) -> str:
    """Render a reconciliation in 100 columns."""
    lines = [
        _title(found),
        "",
        f"{'':<20}{'bills':>9}" + "".join(map(_right, _COLUMNS, _WIDTHS)),
        *(_row(one) for one in found.totals),
    ]
    if not found.totals:
        lines.append("no bill of the month is due or sent")
    if found.shown:
        lines.append("")
        lines += [line for one, account in found.shown for line in _difference(one, account)]
    lines += ["", *_beside(found), *_ending(found)]
    return printable("\n".join(lines).rstrip()) + "\n"


def reconcile_markdown(found: Reconciled) -> str:
    """Render a reconciliation for a comment or a page."""
    lines = [
        f"### {_title(found)}",
        "",
        "| currency | bills | " + " | ".join(_COLUMNS) + " |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    lines += [
        f"| {one.currency} | {one.bills:,} | {' | '.join(_figures(one))} |" for one in found.totals
    ]
    if found.shown:
        lines += ["", "| difference | class | account | bill | invoice | what differs |"]
        lines += ["|--:|---|---|---|---|---|"]
        lines += [_markdown_row(one, account) for one, account in found.shown]
    lines += ["", *(line.strip() for line in (*_beside(found), *_ending(found)))]
    return printable("\n".join(lines)) + "\n"


def _title(found: Reconciled) -> str:
    force = found.in_force
    commit = f" (commit {force.commit[:7]})" if force.commit else ""
    who = found.question.integration or f"every push integration of {force.environment}"
    record = f"applied record {force.record}{commit}"
    return f"{found.question.month} · {who} · site {found.site} · {record}"


def _row(one: Totals) -> str:
    mark = "  !" if one.unexplained.minor else ""
    return f"{one.currency:<20}{one.bills:>9,}{''.join(map(_right, _figures(one), _WIDTHS))}{mark}"


def _right(text: str, width: int) -> str:
    return f"{text:>{width}}"


def _figures(one: Totals) -> tuple[str, ...]:
    plain = (amount(one.billed), amount(one.sent), amount(one.invoiced))
    return (*plain, signed(one.rounding), signed(one.unexplained))


def _difference(one: Difference, account: str) -> list[str]:
    money = _money(one)
    about = f"{account}, " if account else ""
    bill = f"bill {one.bill_id}" if one.bill_id else "no bill"
    head = f"{money:<16} {one.kind}: {about}{bill}"
    return [*wrapped(head, "", "  "), *wrapped(one.text, "    ")]


def _money(one: Difference) -> str:
    if one.unexplained is None:
        return "no amount"
    return f"{one.unexplained.currency} {signed(one.unexplained)}"


def _markdown_row(one: Difference, account: str) -> str:
    cells = (_money(one), one.kind, account, one.bill_id or "", one.invoice_id or "", one.text)
    return f"| {' | '.join(_cell(text) for text in cells)} |"


def _cell(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")


def _beside(found: Reconciled) -> Iterator[str]:
    """Say what is in no column, so that nothing vanishes."""
    for left, purse in found.left.items():
        bills = counted(purse.bills, "bill", "bills")
        yield f"Not in the table: {bills} {left}" + (
            f" ({sums(purse.money)})" if purse.money else ""
        )
    catalogue = [one.catalogue for one in found.totals if one.catalogue.minor]
    if catalogue:
        yield (
            f"In no column: {sums(catalogue)} of lines at Chargebee's catalogue price, for which"
            " m3ter gives no amount"
        )
    inside = found.differences - found.outside
    if inside:
        yield f"Inside the tolerance: {counted(inside, 'difference', 'differences')}"


def _ending(found: Reconciled) -> Iterable[str]:
    if not found.outside:
        return ["Unexplained: nothing. What m3ter bills was sent, and stands on the invoices."]
    more = found.outside - len(found.shown)
    count = counted(found.outside, "difference", "differences")
    name = f"reconcile-{found.question.month.key}.csv"
    hidden = f" {more:,} more are not shown." if more else ""
    return [
        f"Exit 17: {count} outside the tolerance ({_tolerance(found)}).{hidden}",
        f"Every bill and difference: add --format csv={name}",
        f"What to do: {page(Page.DIFFERENCE)}",
    ]


def _tolerance(found: Reconciled) -> str:
    own = found.question.tolerances
    told = [f"{currency} {limit}" for currency, limit in sorted(own.items())]
    return ", ".join([*told, "otherwise each integration's own"] if told else ["push.tolerance"])
