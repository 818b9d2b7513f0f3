"""What `sync close` did, for people and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from reconciler.kernel.exact_json import canonical
from reconciler.kernel.text import printable, sums, wrapped
from reconciler.kernel.value import JsonObject
from reconciler.sync.core.closed import Closed, ClosedTally, Fate

_HEADS = ("Account", "Bill", "Invoice", "Amount")


class Result(Protocol):
    """What is shown."""

    @property
    def environment(self) -> str:
        """The environment."""
        ...

    @property
    def site(self) -> str:
        """The site."""
        ...

    @property
    def run(self) -> str:
        """Id of the call."""
        ...

    @property
    def tally(self) -> ClosedTally:
        """What became of the bills."""
        ...

    @property
    def stopped(self) -> bool:
        """Whether a signal ended it."""
        ...


def close_text(result: Result) -> str:
    """Print what was closed, with its money, and what stays open and why."""
    tally = result.tally
    lines = [_answer(result), ""]
    lines += _table(tally.of(Fate.CLOSED))
    lines += [line for closing in tally.of(Fate.UNKNOWN, Fate.OPEN) for line in _open(closing)]
    lines += [
        line
        for closing in tally.of(Fate.CLOSED, Fate.EARLIER)
        if closing.why
        for line in _then(closing)
    ]
    if earlier := tally.bills(Fate.EARLIER):
        lines.append(f"Closed earlier, nothing was sent: {_bills(earlier)}.")
    if result.stopped:
        lines.append("Stopped: what was in flight is finished and recorded. Run it again to go on.")
    lines.append(f"Run {result.run}.")
    return printable("\n".join(lines)) + "\n"


def close_json(result: Result) -> str:
    """Write the same as versioned JSON."""
    tally = result.tally
    body: JsonObject = {
        "schema": "m3ter-reconciler/sync-close/v1",
        "environment": result.environment,
        "site": result.site,
        "run": result.run,
        "stopped": result.stopped,
        "fates": {
            str(fate): {
                "bills": purse.bills,
                "money": {amount.currency.code: str(amount.major) for amount in purse.money},
            }
            for fate, purse in tally.money.items()
        },
        "bills": [_bill(closing) for closing in tally.of(*Fate)],
    }
    return canonical(body).decode()


def _answer(result: Result) -> str:
    tally = result.tally
    closed, still = tally.bills(Fate.CLOSED), len(tally.of(Fate.OPEN, Fate.UNKNOWN))
    where = f"{result.environment} ({result.site})"
    if not closed and not still:
        return f"Nothing to close in {where}: none of these bills has an open invoice of its own."
    money = f", {sums(tally.money[Fate.CLOSED].money)}" if closed else ""
    left = f"; {still} not closed" if still else ""
    return f"{closed} {'invoice' if closed == 1 else 'invoices'} closed in {where}{money}{left}."


def _table(closed: Sequence[Closed]) -> Iterator[str]:
    if not closed:
        return
    rows = [_HEADS, *((closing.account, closing.bill_id, *_figures(closing)) for closing in closed)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADS))]
    for row in rows:
        cells = [f"{cell:<{width}}" for cell, width in zip(row[:-1], widths, strict=False)]
        yield f"  {'  '.join(cells)}  {row[-1]:>{widths[-1]}}".rstrip()
    yield ""


def _figures(closing: Closed) -> tuple[str, str]:
    return closing.invoice or "", str(closing.money) if closing.money is not None else ""


def _open(closing: Closed) -> Iterator[str]:
    word = "It is not known whether it is closed" if closing.fate is Fate.UNKNOWN else "Not closed"
    yield from _told(closing, f"{word}: {_name(closing)}: {closing.why}")


def _then(closing: Closed) -> Iterator[str]:
    yield from _told(closing, f"Closed as {closing.invoice}, but: {_name(closing)}: {closing.why}")


def _told(closing: Closed, text: str) -> Iterator[str]:
    yield from wrapped(text, "", "  ")
    if closing.hint:
        yield from wrapped(f"what to do: {closing.hint}", "  ", "    ")
    if closing.page:
        yield f"  see {closing.page}"
    yield ""


def _name(closing: Closed) -> str:
    money = f", {closing.money}" if closing.money is not None else ""
    return f"bill {closing.bill_id}" + (f" ({closing.account}{money})" if closing.account else "")


def _bills(count: int) -> str:
    return f"{count:,} {'bill' if count == 1 else 'bills'}"


def _bill(closing: Closed) -> JsonObject:
    return {
        "bill": closing.bill_id,
        "account": closing.account or None,
        "integration": closing.integration or None,
        "fate": str(closing.fate),
        "invoice": closing.invoice,
        "currency": closing.money.currency.code if closing.money else None,
        "amount": str(closing.money.major) if closing.money else None,
        "why": closing.why or None,
        "hint": closing.hint or None,
        "page": closing.page or None,
    }
