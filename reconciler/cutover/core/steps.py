"""The steps of a cut-over: which are done, which one is next, and what to do for it.

The order keeps the two routes apart: one is surely off before the other can be on.
"""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.cutover.core.facts import CutoverFacts, CutoverStep, Owner
from reconciler.kernel.runbook import Page, page
from reconciler.sync.model.statuses import bill_page


def steps(facts: CutoverFacts, decided: Mapping[str, str]) -> tuple[CutoverStep, ...]:
    """Give every step in order; the first that is not done is the one to do now."""
    return _to_push(facts, decided) if facts.to == "push" else _to_native(facts, decided)


def _to_push(facts: CutoverFacts, decided: Mapping[str, str]) -> tuple[CutoverStep, ...]:
    confirmed = bool(decided.get("owners"))
    pushes = facts.applied is not None and facts.applied.delivery == "push"
    return (
        _date(facts, decided),
        _quiet(facts, safe=not pushes or confirmed),
        _disconnect(facts),
        _drain(facts),
        _owners(facts, confirmed=confirmed),
        _define_push(facts),
        _resume(facts),
    )


def _to_native(facts: CutoverFacts, decided: Mapping[str, str]) -> tuple[CutoverStep, ...]:
    native = facts.applied is not None and facts.applied.delivery == "native"
    return (
        _date(facts, decided),
        _settle(facts),
        _quiet(facts, safe=native),
        _owners(facts, confirmed=bool(decided.get("owners"))),
        _define_native(facts, done=native),
        _connect(facts),
        _resume(facts),
    )


def _date(facts: CutoverFacts, decided: Mapping[str, str]) -> CutoverStep:
    title = f"the new route sends bills whose period ends on or after {facts.start}"
    if facts.to == "native":
        title = f"everyone means the bills whose period ends on or after {facts.start}"
    return CutoverStep(
        "date",
        title,
        decided.get("date") == facts.start.isoformat(),
        (f"Confirm the date: add --confirm {facts.start}",),
    )


def _quiet(facts: CutoverFacts, *, safe: bool) -> CutoverStep:
    env = f"--env {facts.environment}"
    return CutoverStep(
        "quiet",
        "nothing is pushed while the routes change",
        safe or facts.paused is not None,
        (f'reconciler sync pause {env} --reason "cut-over of {facts.name}"',),
    )


def _disconnect(facts: CutoverFacts) -> CutoverStep:
    return CutoverStep(
        "disconnect",
        "m3ter sends nothing: its configuration is disconnected",
        facts.connected is not True,
        (
            f"In {facts.place}: set `connection: disconnected`, remove `enabled: true`.",
            f"Merge it, then: reconciler apply --env {facts.environment}",
        ),
    )


def _drain(facts: CutoverFacts) -> CutoverStep:
    return CutoverStep(
        "drain",
        "m3ter works on no open bill any more",
        facts.owners.running == 0,
        (
            f"Bills that m3ter works on: {facts.owners.running:,}. Wait, then run this again;",
            f"reconciler runs --env {facts.environment} shows them.",
        ),
    )


def _settle(facts: CutoverFacts) -> CutoverStep:
    count = sum(purse.bills for purse in facts.half_way.values())
    pages = ", ".join(sorted({bill_page(status) for status in facts.half_way}))
    return CutoverStep(
        "settle",
        "no push is half-way",
        count == 0,
        (
            f"Pushes that began and did not end: {count:,} ({', '.join(sorted(facts.half_way))}).",
            f"reconciler sync run --env {facts.environment} finishes what can be finished.",
            f"For the others see {pages}",
        ),
    )


def _owners(facts: CutoverFacts, *, confirmed: bool) -> CutoverStep:
    people = facts.owners.bills(Owner.PERSON)
    if people and facts.to == "native":
        return CutoverStep(
            "owners", "every open bill has one owner", done=False, todo=_reopened(people)
        )
    return CutoverStep(
        "owners",
        "every open bill has one owner, and a person has read the list",
        confirmed,
        (
            *(_in_part(people) if people else ()),
            *_alone(facts),
            f"Read the list above, then add --confirm {facts.owners.digest}",
        ),
    )


def _in_part(people: int) -> tuple[str, ...]:
    return (
        f"Bills that may be at Chargebee in part: {people:,}. The push sends nothing of them until",
        f"somebody has looked and said so, once it is in force: {page(Page.TIMEOUT)}",
    )


def _reopened(people: int) -> tuple[str, ...]:
    return (
        f"Bills at Chargebee already that m3ter would send once more: {people:,}.",
        "Sent by us and open again: approve them in m3ter now, while nothing is connected.",
        f"Sent in part by m3ter: {page(Page.TIMEOUT)}. Then run this again.",
    )


def _alone(facts: CutoverFacts) -> tuple[str, ...]:
    nobody = facts.owners.bills(Owner.NOBODY)
    if not nobody:
        return ()
    sentence = f"Bills without an owner, which nobody sends by itself: {nobody:,}."
    return (sentence, *(_send_first(facts) if facts.to == "native" else ()))


def _send_first(facts: CutoverFacts) -> tuple[str, ...]:
    env = f"--env {facts.environment}"
    return (
        "To push them first:",
        f"  reconciler sync resume {env}",
        f"  reconciler sync run {env} --integration {facts.name}",
        f'  reconciler sync pause {env} --reason "cut-over of {facts.name}"',
    )


def _define_push(facts: CutoverFacts) -> CutoverStep:
    spec = facts.applied
    since = spec.push.since if spec is not None and spec.push is not None else ""
    pushes = spec is not None and spec.delivery == "push"
    return CutoverStep(
        "define",
        f"the applied record pushes bills from {facts.start} on",
        pushes and since == facts.start.isoformat(),
        (
            f"In {facts.place}: set `delivery: push`, keep `connection: disconnected`, add",
            f"  push: {{since: {facts.start}, accountIs: subscription, collection: off}}",
            f"Merge it, then: reconciler apply --env {facts.environment}",
        ),
    )


def _define_native(facts: CutoverFacts, *, done: bool) -> CutoverStep:
    return CutoverStep(
        "define",
        "the applied record gives the bills to m3ter",
        done,
        (
            f"In {facts.place}: set `delivery: native`, `connection: {{credential: NAME}}`,",
            "remove `push`.",
            f"Merge it, then: reconciler apply --env {facts.environment}   (it connects last)",
        ),
    )


def _connect(facts: CutoverFacts) -> CutoverStep:
    env = f"--env {facts.environment}"
    return CutoverStep(
        "connect",
        "m3ter's configuration is connected and enabled",
        bool(facts.connected) and facts.enabled,
        (
            f"reconciler status {env} says what is missing;",
            f"reconciler plan {env} shows what an apply would do.",
        ),
    )


def _resume(facts: CutoverFacts) -> CutoverStep:
    env = f"--env {facts.environment}"
    todo: tuple[str, ...] = ()
    if facts.paused is not None:
        todo = (f"The site is paused by {facts.paused}.", f"reconciler sync resume {env}")
    elif facts.to == "push" and facts.disabled is not None:
        todo = (f"{facts.disabled}", f"reconciler sync enable {facts.name} {env}")
    return CutoverStep("resume", "the new route may work", not todo, todo)
