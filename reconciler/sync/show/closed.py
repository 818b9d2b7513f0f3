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
    lines += [line for one in tally.of(Fate.UNKNOWN, Fate.OPEN) for line in _open(one)]
    lines += [line for one in tally.of(Fate.CLOSED, Fate.EARLIER) if one.why for line in _then(one)]
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
                "money": {one.currency.code: str(one.major) for one in purse.money},
            }
            for fate, purse in tally.money.items()
        },
        "bills": [_bill(one) for one in tally.of(*Fate)],
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
    rows = [_HEADS, *((one.account, one.bill_id, *_figures(one)) for one in closed)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADS))]
    for row in rows:
        cells = [f"{cell:<{width}}" for cell, width in zip(row[:-1], widths, strict=False)]
        yield f"  {'  '.join(cells)}  {row[-1]:>{widths[-1]}}".rstrip()
    yield ""


def _figures(one: Closed) -> tuple[str, str]:
    return one.invoice or "", str(one.money) if one.money is not None else ""


def _open(one: Closed) -> Iterator[str]:
    word = "It is not known whether it is closed" if one.fate is Fate.UNKNOWN else "Not closed"
    yield from _told(one, f"{word}: {_name(one)}: {one.why}")


def _then(one: Closed) -> Iterator[str]:
    yield from _told(one, f"Closed as {one.invoice}, but: {_name(one)}: {one.why}")


def _told(one: Closed, text: str) -> Iterator[str]:
    yield from wrapped(text, "", "  ")
    if one.hint:
        yield from wrapped(f"what to do: {one.hint}", "  ", "    ")
    if one.page:
        yield f"  see {one.page}"
    yield ""


def _name(one: Closed) -> str:
    money = f", {one.money}" if one.money is not None else ""
    return f"bill {one.bill_id}" + (f" ({one.account}{money})" if one.account else "")


def _bills(count: int) -> str:
    return f"{count:,} {'bill' if count == 1 else 'bills'}"


def _bill(one: Closed) -> JsonObject:
    return {
        "bill": one.bill_id,
        "account": one.account or None,
        "integration": one.integration or None,
        "fate": str(one.fate),
        "invoice": one.invoice,
        "currency": one.money.currency.code if one.money else None,
        "amount": str(one.money.major) if one.money else None,
        "why": one.why or None,
        "hint": one.hint or None,
        "page": one.page or None,
    }
