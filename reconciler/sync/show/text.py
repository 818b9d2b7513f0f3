"""A sync for a terminal: the answer first, money with its currency, reasons, what to do next."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from datetime import timedelta

from reconciler.kernel.money import Money
from reconciler.kernel.runbook import Page, page
from reconciler.kernel.text import wrapped
from reconciler.sync.core.tally import IN_NONE, SyncTally
from reconciler.sync.model.standing import BillStanding, Group
from reconciler.sync.show.shown import ShownPlan, ShownRun, ShownScope

WIDTH = 100
_SHOWN_MAX = 20
_PLAN_GROUPS = (
    Group.READY,
    Group.UNDER_WAY,
    Group.WAITING,
    Group.BLOCKED,
    Group.DECIDE,
    Group.UNCHANGED,
    Group.NATIVE,
    Group.NOTHING,
    Group.NOT_OURS,
)
_RUN_GROUPS = (Group.SENT, Group.READY, *_PLAN_GROUPS[1:5], Group.FAILED, *_PLAN_GROUPS[5:])
_LISTED = (Group.FAILED, Group.DECIDE, Group.UNDER_WAY, Group.BLOCKED)


def sync_plan_text(plan: ShownPlan) -> str:
    """Print what a sync would do."""
    tally = plan.tally
    lines = [_head(plan.scope), ""]
    for group in _PLAN_GROUPS:
        note = ""
        if group is Group.READY and tally.bills(group):
            note = f"{_duration(plan.takes)} at {plan.per_minute:,} requests a minute"
        lines += _group(tally, group, note)
    lines += ["", *_drafting(tally)]
    if plan.paused:
        why = f"the site is paused by {plan.paused}. See {page(Page.PAUSED)}."
        lines.append(f"  Nothing is sent now: {why}")
    for name, why in sorted(plan.disabled.items()):
        lines.append(f"  {name} is disabled: {why}. See {page(Page.DISABLED)}.")
    lines += _bills(tally)
    lines += _next(plan.scope, tally)
    return _clean(lines)


def sync_run_text(done: ShownRun) -> str:
    """Print what a run did."""
    tally = done.tally
    lines = [_head(done.scope), ""]
    for group in _RUN_GROUPS:
        # a run that ended early has not looked at every bill: it cannot say that none is ready
        if tally.bills(group) or not (done.stopped or done.limit):
            lines += _group(tally, group, "")
    if tally.bills(Group.SENT):
        lines += [
            "",
            f"  Rounding that Chargebee made:   {_amounts(tally.rounding.money) or '0'}",
            f"  Unexplained after reading back: {_amounts(tally.unexplained.money) or '0'}",
        ]
    lines += ["", *_bills(tally)]
    if done.stopped:
        lines.append("Stopped: what was in flight is finished and recorded. Run it again to go on.")
    if done.limit:
        lines.append(f"Ended early: {done.limit}. What is left goes with the next run.")
    lines += done.notes
    if tally.unknown:
        lines.append(
            f"The outcome of {_bills_of(tally.unknown)} is not known yet. Nothing is sent for them"
            " before it is looked for; run `reconciler sync run` again in a few minutes. See"
            " docs/runbook.md#unknown-outcome."
        )
    if tally.differing:
        lines.append(
            f"{_bills_of(tally.differing)} do not stand in Chargebee as they were sent: "
            "`reconciler sync reconcile` lists every difference. See docs/runbook.md#difference."
        )
    if tally.due_first is not None:
        are = "1 bill is" if tally.due_again == 1 else f"{tally.due_again:,} bills are"
        lines.append(
            f"{are} tried again, the first at {tally.due_first:%H:%M} UTC: run it again then, or"
            " let the next run wait with `--wait DURATION`."
        )
    lines.append(f"Run {done.run}.")
    return _clean(lines)


def bill_line(standing: BillStanding) -> str:
    """Tell of one bill, in one line."""
    who = standing.who.account_code or standing.who.account_id or "account not read"
    money = f"  {standing.money}" if standing.money else ""
    reason = standing.why if standing.short in standing.why else f"{standing.short}: {standing.why}"
    return f"{who}  bill {standing.who.bill_id}{money}  {reason or standing.group}"


def _head(scope: ShownScope) -> str:
    names = [route.name for route in scope.routes]
    pushed = ", ".join(names[:2]) + (f" and {len(names) - 2} more" if len(names) > 2 else "")  # noqa: PLR2004  names that fit a line
    if scope.record == 0:
        return f"{scope.name} · push of {pushed} · from the files alone: only printed"
    commit = f" (commit {scope.commit[:7]})" if scope.commit else ""
    return f"{scope.name} · push of {pushed} · applied record {scope.record}{commit}"


def _group(tally: SyncTally, group: Group, note: str) -> Iterator[str]:
    """Print one group: its count and money, then its reasons."""
    count = tally.bills(group)
    if not count:
        if group is Group.READY:
            yield f"  {group:<16} no bill"
        return
    money = _amounts(tally.money(group)) if group is not Group.NOT_OURS else ""
    unit = "bill " if count == 1 else "bills"
    row = f"  {group:<16}{count:>6,} {unit}  {money}"
    yield from _beside(row, note, "      ", " " * 31)
    reasons = [(short, reason) for (of, short), reason in tally.reasons.items() if of is group]
    if group in {Group.SENT, Group.UNCHANGED} or (len(reasons) == 1 and reasons[0][0] == group):
        return
    for short, reason in sorted(reasons, key=lambda pair: (-pair[1].purse.bills, pair[0])):
        page = f"   {reason.page}" if reason.page and group is not Group.WAITING else ""
        yield f"    {reason.purse.bills:>6,}  {short}{page}"


def _drafting(tally: SyncTally) -> Iterator[str]:
    for price, purse in sorted(tally.fallbacks.items()):
        amount = _amounts(purse.money)
        many = "line" if purse.bills == 1 else "lines"
        yield (
            f"  Falls to the default price {price}:  {purse.bills:,} {many}, {amount}"
            "     `sync explain BILL` shows which"
        )
    if tally.bills(Group.READY):
        kept = f"({tally.kept_whole:,} lines are sent as quantity 1 to keep it so)"
        row = f"  Rounding that Chargebee will make:  {_amounts(tally.rounding.money)}"
        yield from _beside(row, kept if tally.kept_whole else "", "   ", "      ")


def _beside(row: str, note: str, gap: str, hang: str) -> Iterator[str]:
    """Put a note behind a row, or below it where both do not fit."""
    if not note:
        yield row
    elif len(row) + len(gap) + len(note) <= WIDTH:
        yield f"{row}{gap}{note}"
    else:
        yield row
        yield f"{hang}{note}"


def _bills(tally: SyncTally) -> Iterator[str]:
    """List bills that someone has to look at, with the reason in full."""
    for group in _LISTED:
        listed = tally.listed.get(group, [])
        if not listed:
            continue
        yield ""
        yield f"{group.capitalize()}:"
        for standing in sorted(listed, key=_order)[:_SHOWN_MAX]:
            yield from textwrap.wrap(
                bill_line(standing),
                WIDTH,
                initial_indent="  ",
                subsequent_indent="      ",
                break_long_words=False,
                break_on_hyphens=False,
            )
        rest = tally.bills(group) - min(len(listed), _SHOWN_MAX)
        if rest:
            yield f"  and {rest:,} more; `reconciler sync plan --list FILE` names every bill"


def _next(scope: ShownScope, tally: SyncTally) -> Iterator[str]:
    yield ""
    if tally.bills(Group.READY):
        yield f"To send what is ready:  reconciler sync run --env {scope.name}"
    if tally.bills(Group.BLOCKED) or tally.bills(Group.DECIDE):
        yield "What is blocked does not hold up the rest; each reason names its page."
    if any(short == IN_NONE for _, short in tally.reasons):
        yield f"Bills {IN_NONE} are not sent; `--list FILE` names them, and every other bill."
    yield "Nothing was written anywhere."


def _order(standing: BillStanding) -> tuple[str, str, str]:
    return (standing.short, standing.who.account_code, standing.who.bill_id)


def _amounts(money: Iterable[Money]) -> str:
    return "   ".join(map(str, money))


def _bills_of(count: int) -> str:
    return "1 bill" if count == 1 else f"{count:,} bills"


def _duration(span: timedelta) -> str:
    seconds = span.total_seconds()
    if seconds < 60:  # noqa: PLR2004  seconds of a minute
        return "less than a minute"
    minutes = round(seconds / 60)
    return f"about {minutes} minute{'' if minutes == 1 else 's'}"


def _clean(lines: Iterable[str]) -> str:
    """Join lines of at most 100 columns, without trailing spaces or two empty ones in a row."""
    kept: list[str] = []
    for line in lines:
        text = line.rstrip()
        if len(text) > WIDTH:
            kept += wrapped(text, "", "    ")
        elif text or (kept and kept[-1]):
            kept.append(text)
    return "\n".join(kept).rstrip() + "\n"
