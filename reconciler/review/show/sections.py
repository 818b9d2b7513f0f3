"""The lists of a comment: rules that change, then changes by their cause, then what is folded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from reconciler.kernel.text import counted
from reconciler.plan.model.cause import Cause
from reconciler.plan.model.plan import Approval, GuardHit, Unplanned
from reconciler.plan.show.view import FieldRow, ObjectView, PlanView, value_text
from reconciler.review.core.consents import Uncounted
from reconciler.review.core.rules import who
from reconciler.review.show.markdown_words import VALUE_MAX, code, file_link, linked, prose
from reconciler.review.show.report import Report

FIELDS_MAX: Final = 6
NAMES_MAX: Final = 20
_ORDER: Final[tuple[Cause, ...]] = ("proposal", "waiting", "drift")


@dataclass(frozen=True, slots=True)
class Section:
    """A list under a title.

    Attributes:
        lines: Lazily made, one for each of ``count``.
        what: What a line is about, in the plural.
    """

    title: str
    count: int
    lines: Iterable[str]
    what: str
    is_folded: bool = False


def sections(report: Report, seen: PlanView) -> Iterator[Section]:
    """Give the lists in the order of reading."""
    body = report.plan.body
    wrong = body.unplanned
    yield Section("What is wrong", len(wrong), (_wrong(report, error) for error in wrong), "errors")
    rules = [hit for hit in body.hits if hit.guard == "policy"]
    yield Section("Rules that change", len(rules), (_rule(report, hit) for hit in rules), "rules")
    yield from _affected(report)
    by_cause = _by_cause(report, seen.objects)
    titles: tuple[tuple[Cause, str], ...] = (
        ("proposal", "This pull request"),
        ("waiting", "Waiting on the base branch: merged before, not applied yet"),
    )
    for cause, title in titles:
        objects = by_cause[cause]
        lines = (_object(report, planned) for planned in objects)
        yield Section(f"{title} ({len(objects):,})", len(objects), lines, "objects")
    drifted = by_cause["drift"]
    yield Section(
        "Edits in m3ter that applying would undo",
        len(drifted),
        (_drift(report, planned) for planned in drifted),
        "objects",
    )
    yield from _folded(report)


def _folded(report: Report) -> Iterator[Section]:
    hits = [hit for hit in report.judged.open if hit.needs != "confirmation"]
    title = f"What needs someone, item by item ({len(hits):,})"
    yield Section(title, len(hits), (_held(report, hit) for hit in hits), "items", is_folded=True)
    approvals = report.judged.approvals
    lines = (_approval(report, approval) for approval in approvals)
    yield Section(
        f"Approved ({len(approvals):,})", len(approvals), lines, "approvals", is_folded=True
    )
    odd = report.judged.uncounted
    lines = (_uncounted(report, uncounted) for uncounted in odd)
    yield Section(f"Counts for nothing ({len(odd):,})", len(odd), lines, "reviews", is_folded=True)


def _by_cause(report: Report, objects: Iterable[ObjectView]) -> dict[Cause, list[ObjectView]]:
    """Sort objects by the strongest cause of their changes; what is left alone is not shown."""
    causes: dict[str, Cause] = {}
    for change in report.plan.body.changes:
        if change.type not in {"keep", "ignore"}:
            cause = report.causes.of_change(change.id)
            address = str(change.address)
            causes[address] = min(causes.get(address, cause), cause, key=_ORDER.index)
    sorted_objects: dict[Cause, list[ObjectView]] = {cause: [] for cause in _ORDER}
    for planned in objects:
        if str(planned.address) in causes:
            sorted_objects[causes[str(planned.address)]].append(planned)
    return sorted_objects


def _affected(report: Report) -> Iterator[Section]:
    """Name the accounts that would be billed anew, and the integrations whose bills change."""
    lines = []
    for hit in report.plan.body.hits:
        if hit.guard == "widening" and hit.desired and isinstance(hit.desired.value, list):
            accounts = [
                report.names.get(str(account), str(account)) for account in hit.desired.value
            ]
            more = counted(len(accounts), "more account", "more accounts")
            name = _prose(report, str(hit.address))
            lines.append(f"- {name} would bill {more}: {_named(report, accounts)}")
    yield Section("Who is affected", len(lines), lines, "integrations")


def _named(report: Report, names: Sequence[str]) -> str:
    shown = ", ".join(_code(report, name) for name in sorted(names)[:NAMES_MAX])
    rest = len(names) - NAMES_MAX
    return f"{shown} and {rest:,} more" if rest > 0 else shown


def _object(report: Report, planned: ObjectView) -> str:
    label = f" {_prose(report, planned.label)}" if planned.label else ""
    fields = [_field(report, row) for row in planned.fields[:FIELDS_MAX]]
    rest = len(planned.fields) - FIELDS_MAX
    more = [f"and {rest:,} more fields"] if rest > 0 else []
    told = ": " + "; ".join([*fields, *more]) if fields else ""
    name = f"{_code(report, planned.mark)} {_prose(report, str(planned.address))}{label}"
    return f"- {name}, {', '.join(planned.steps)}{told}"


def _field(report: Report, row: FieldRow) -> str:
    place = f" ({file_link(row.place, report.files)})" if row.place else ""
    remark = f" [{_prose(report, row.remark)}]" if row.remark and report.shows_addresses else ""
    before, after = _code(report, row.before), _code(report, row.after)
    return f"{_code(report, row.path)} {before} → {after}{remark}{place}"


def _drift(report: Report, planned: ObjectView) -> str:
    """Say in one sentence what a person set in m3ter, and how to keep it."""
    keep = f"reconciler accept-live --env {report.plan.body.environment} '{planned.address}#FIELD'"
    told = [
        f"{_code(report, row.path)} is {_code(report, row.before)} in m3ter"
        + (f", {_prose(report, row.remark)}," if row.remark and report.shows_addresses else "")
        + f" and would be {_code(report, row.after)}"
        for row in planned.fields[:FIELDS_MAX]
    ]
    rest = len(planned.fields) - FIELDS_MAX
    more = [f"and {rest:,} more fields"] if rest > 0 else []
    what = "; ".join([*told, *more]) or ", ".join(planned.steps)
    return (
        f"- {_prose(report, str(planned.address))}: {what}. To keep it: {_code(report, keep, 300)}"
    )


def _rule(report: Report, hit: GuardHit) -> str:
    before = _code(report, value_text(hit.base, report.names))
    after = _code(report, value_text(hit.desired, report.names))
    people = _prose(report, who(report.rules, hit))
    return f"- {_code(report, hit.field)}: {before} → {after}, by {people}"


def _held(report: Report, hit: GuardHit) -> str:
    people = "no approval lifts it" if hit.needs == "remedy" else who(report.rules, hit)
    item = f" {_code(report, f'{hit.address}#{hit.field}', 300)}" if hit.address else ""
    return f"- **{hit.guard}**{item} {_prose(report, hit.message)} ({_prose(report, people)})"


def _wrong(report: Report, unplanned: Unplanned) -> str:
    place = f" ({file_link(unplanned.origin, report.files)})" if unplanned.origin else ""
    address, message = _prose(report, str(unplanned.address)), _prose(report, unplanned.message)
    return f"- nothing of {address} is planned{place}: {message}"


def _approval(report: Report, approval: Approval) -> str:
    reason = f": {_prose(report, approval.reason)}" if approval.reason else ""
    items = counted(len(approval.digests), "item", "items")
    return f"- **{approval.guard}**, {items}, by {linked(approval.by, approval.url)}{reason}"


def _uncounted(report: Report, uncounted: Uncounted) -> str:
    return f"- {linked(uncounted.by, uncounted.url)}: {_prose(report, uncounted.reason)}"


def _code(report: Report, text: str, width_max: int = VALUE_MAX) -> str:
    return code(report.public(text), width_max)


def _prose(report: Report, text: str) -> str:
    return prose(report.public(text))
