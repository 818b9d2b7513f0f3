"""A reconciliation for a comment or a page."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.kernel.text.plain import printable
from reconciler.reconcile.core.month import Reconciled, Unsent
from reconciler.reconcile.show.sentences import answer, beside, ending, title
from reconciler.reconcile.show.text import COLUMNS, figures_of, money_of, told
from reconciler.sync.model.reconciliation import Difference


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
        lines += [_difference(one, account) for one, account in found.shown]
    if found.unsent:
        heads = ["not sent", "account", "bill", "why", "what to do"]
        lines += ["", _cells(heads), "|--:|---|---|---|---|"]
        lines += map(_unsent, found.unsent)
    lines += ["", *_sentences(found)]
    return printable("\n".join(lines).rstrip()) + "\n"


def _sentences(found: Reconciled) -> Iterator[str]:
    """Give each sentence a paragraph of its own; alone, line ends would be lost."""
    for one in (*beside(found), *ending(found)):
        yield one
        yield ""


def _difference(one: Difference, account: str) -> str:
    bill, invoice = one.bill_id or "", one.invoice_id or ""
    return _cells([money_of(one), one.kind, account, bill, invoice, told(one)])


def _unsent(one: Unsent) -> str:
    return _cells([str(one.money), one.account, one.bill_id, one.held.why, one.held.page])


def _cells(texts: list[str]) -> str:
    return f"| {' | '.join(_cell(one) for one in texts)} |"


def _cell(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")
