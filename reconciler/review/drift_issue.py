"""Drift as an issue: who changed what in m3ter, and the two commands that end it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reconciler.kernel.address import Address
from reconciler.kernel.exact_json import as_json, digest
from reconciler.plan.model.change import FieldChange, Keep
from reconciler.plan.model.plan import Plan
from reconciler.plan.show.view import value_text
from reconciler.review.core.public_names import public_names, without_addresses
from reconciler.review.keyed_issue import KeyedIssue
from reconciler.review.proposal import Judging
from reconciler.review.show.markdown_words import code, cut, prose

_BYTES_MAX = 50_000


def report_drift(plan: Plan, judging: Judging) -> int:
    """Open, update or close the one issue about drift.

    Returns:
        How many fields and objects differ.
    """
    issue = KeyedIssue(judging.forge, "drift", plan.body.environment)
    fields = tuple(drifted(plan))
    gone = [hit for hit in plan.body.hits if hit.guard == "drift" and not hit.field]
    count = len(fields) + len(gone)
    if not count:
        issue.settle(f"{plan.body.environment} is as git says again.")
        return 0
    shows_names = judging.policy.project.public_reports == "names"
    names = public_names(plan, judging.policy.project.public_reports)
    lines = [
        *(_line(address, field, names, shows_names=shows_names) for address, field in fields),
        *(f"- {prose(without_addresses(hit.message))}" for hit in gone),
    ]
    state = digest(
        [
            *([str(address), field.path, as_json(field.live)] for address, field in fields),
            *(hit.digest for hit in gone),
        ]
    )
    title = f"{plan.body.environment} was changed outside git"
    issue.report(title, "\n".join(_text(plan, lines)), state)
    return count


def drifted(plan: Plan) -> Iterator[tuple[Address, FieldChange]]:
    """Give every field that m3ter moved, once each."""
    seen: set[tuple[Address, str]] = set()
    for change in plan.body.changes:
        for field in () if isinstance(change, Keep) else change.fields:
            known = (change.address, field.path) in seen
            if field.verdict in {"theirs", "conflict"} and not known:
                seen.add((change.address, field.path))
                yield change.address, field


def _text(plan: Plan, lines: list[str]) -> Iterator[str]:
    environment = plan.body.environment
    yield f"Somebody changed **{environment}** in m3ter, and git does not say so:"
    yield ""
    yield from cut(lines, len(lines), _BYTES_MAX, "differences")
    yield ""
    yield "To keep a value, write it into git; to undo it, apply again:"
    yield ""
    yield "```sh"
    yield f"reconciler accept-live --env {environment} 'ADDRESS#FIELD'"
    yield f"reconciler plan --env {environment} -o plan.json"
    yield "```"


def _line(
    address: Address, field: FieldChange, names: Mapping[str, str], *, shows_names: bool
) -> str:
    before, now = value_text(field.base, names), value_text(field.live, names)
    who = names.get(field.by, field.by) if shows_names else "someone"
    when = f", {field.at}" if field.at else ""
    item = code(without_addresses(f"{address}#{field.path}"), 300)
    values = f"{code(without_addresses(before))} → {code(without_addresses(now))}"
    return f"- {item}: {values}, by {prose(who or 'someone')}{when}"
