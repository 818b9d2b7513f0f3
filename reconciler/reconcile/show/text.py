"""A reconciliation for a terminal: the table, the answer, then what differs or is not sent."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.kernel.text.figures import WIDTH, amount, signed, wrapped
from reconciler.kernel.text.plain import printable
from reconciler.reconcile.core.month import Reconciled, Unsent
from reconciler.reconcile.core.unsent import Held
from reconciler.reconcile.show.changed_by import by_text
from reconciler.reconcile.show.sentences import answer, beside, ending, title
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


def told(one: Difference) -> str:
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
    return [*wrapped(head, "", "  "), *wrapped(told(one), "    ")]


def _unsent(found: Reconciled) -> Iterator[str]:
    """List what is not sent under its reason, each reason with its page."""
    groups: dict[tuple[bool, str, str], list[Unsent]] = {}
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


def _bill(one: Unsent) -> Iterator[str]:
    head = f"  {one.money!s:>{_MONEY}}  {one.account}, bill {one.bill_id}"
    whole = f"{head}, {one.integration}"
    yield whole if one.integration and len(whole) <= WIDTH else head
    if one.held.why != one.held.short:
        yield from wrapped(one.held.why, " " * (_MONEY + 4))


def _kind(held: Held) -> tuple[bool, str, str]:
    return held.settled, held.short, held.page
