"""A cut-over for a terminal: the owner of every open bill, then the steps and what is left."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.cutover.core.facts import CutoverFacts, CutoverStep, OwnedBill, Owner
from reconciler.kernel.runbook import Page, page
from reconciler.kernel.text import counted, day, printable, sums, wrapped


def owned_text(bill: OwnedBill) -> str:
    """Render one open bill: owner first, then the whole id."""
    money = str(bill.money) if bill.money is not None else "unknown amount"
    head = (
        f"{bill.owner:<9} {bill.bill_id}  {bill.account}, period to {day(bill.period_end)}, {money}"
    )
    return printable("\n".join([*wrapped(head, "", "    "), *wrapped(bill.why, "    ")]))


def cutover_text(facts: CutoverFacts, steps: Sequence[CutoverStep]) -> str:
    """Render the stand of a cut-over."""
    lines = [
        f"Cut-over of {facts.name} to {facts.to} · {facts.environment} · from {day(facts.start)}",
        "",
        *_owners(facts),
        "",
        *_steps(steps),
    ]
    if facts.others:
        names = ", ".join(facts.others)
        text = f"Other connected Chargebee configurations: {names}. A bill that one of them takes"
        lines += ["", *wrapped(f"{text} is blocked, never sent twice.")]
    return printable("\n".join([*lines, "", *_ending(facts, steps)])) + "\n"


def _owners(facts: CutoverFacts) -> Iterator[str]:
    owners = facts.owners
    for owner in Owner:
        purse = owners.counts.get(owner)
        if purse is not None:
            money = f"  {sums(purse.money)}" if purse.money else ""
            yield f"  {owner.value:<9} {counted(purse.bills, 'open bill', 'open bills')}{money}"
    yield f"  finished  {counted(owners.finished, 'bill', 'bills')} sent already, by either route"


def _steps(steps: Sequence[CutoverStep]) -> Iterator[str]:
    now = next((step for step in steps if not step.done), None)
    for number, step in enumerate(steps, start=1):
        mark = "done" if step.done else "NOW " if step is now else "    "
        yield f"  {number}. [{mark}] {step.title}"
        if step is now:
            yield from (f"            {line}" for line in step.todo)


def _ending(facts: CutoverFacts, steps: Sequence[CutoverStep]) -> Iterator[str]:
    left = sum(not step.done for step in steps)
    if left:
        yield f"{counted(left, 'step is', 'steps are')} left. Nothing was sent or changed in m3ter."
        yield f"Run the same command again after each step. {page(Page.CUTOVER)}"
    elif facts.to == "push":
        yield "Nothing is left. Send one bill first, read it, then the rest:"
        where = f"--env {facts.environment} --integration {facts.name}"
        yield f"  reconciler sync plan {where}"
        yield f"  reconciler sync run {where} --canary 1"
        if people := facts.owners.bills(Owner.PERSON):
            bills = counted(people, "bill waits", "bills wait")
            yield f"{bills} for a person, and nothing of them is sent before: {page(Page.TIMEOUT)}"
    else:
        yield "Nothing is left: m3ter sends the bills of this integration itself."
