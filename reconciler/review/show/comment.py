"""The comment on a pull request: what a person from finance reads first stands first.

It is at most 60,000 bytes, whatever the plan: the head always stands, every list is cut between its
lines with a count of the rest, and no fence or fold is ever left open.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from reconciler.plan.show.view import view
from reconciler.review.core.verdict import Verdict, verdict
from reconciler.review.show.markdown_words import cut, prose
from reconciler.review.show.report import Report
from reconciler.review.show.sections import Section, sections

# Source: GitHub refuses a comment body above 65,536 characters; what is hidden counts too.
BYTES_MAX: Final = 60_000
# Source: GitHub Actions, "Adding a job summary": at most 1 MiB a step
SUMMARY_BYTES_MAX: Final = 1_000_000
NEEDS_MAX: Final = 30
SENTENCE_MAX: Final = 600
_LEAST: Final = 200
"""Bytes of a list that has no room: its count."""
_TITLES: Final = {
    "success": "nothing to do for reviewers",
    "pending": "needs approval",
    "failure": "cannot be applied",
}


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment, and the one line that stands in its place when there is nothing to say."""

    text: str
    is_quiet: bool


def marker(environment: str) -> str:
    """Give the hidden mark by which our own comment for an environment is found."""
    return f"<!-- reconciler-comment/1 {environment} -->"


def comment(report: Report, *, bytes_max: int = BYTES_MAX) -> Comment:
    """Write the comment for one environment.

    Args:
        report: The plan, judged.
        bytes_max: Without what is added to it, such as sealed blocks.
    """
    found = verdict(report.plan, report.judged, report.rules, report.causes)
    seen = view(report.plan, names=report.names)
    lists = tuple(sections(report, seen))
    environment = report.plan.body.environment
    if found.state == "success" and not any(section.count for section in lists):
        line = f"**{environment}**: {prose(found.sentence)}"
        return Comment(f"{marker(environment)}\n{line}\n", is_quiet=True)
    head = [*_head(report, found), ""]
    foot = ["", *_foot(report)]
    room = bytes_max - _size([*head, *foot])
    text = "\n".join([*head, *_fitted(lists, room), *foot]) + "\n"
    return Comment(text, is_quiet=False)


def _head(report: Report, found: Verdict) -> Iterator[str]:
    environment = report.plan.body.environment
    yield marker(environment)
    yield f"### {environment}: {_TITLES[found.state]}"
    yield ""
    yield f"**{prose(found.sentence, SENTENCE_MAX)}**"
    if report.money:
        yield from ("", *report.money)
    needs = [need for need in found.needs if need.who]
    if needs:
        yield from ("", "To approve, submit a review with the lines that are yours:", "", "```text")
        for guard in dict.fromkeys(need.guard for need in needs):
            yield f"/approve {guard}@{report.plan.id:.12} -- why"
        yield from ("```", "")
        yield from (f"- `{need.guard}`: {need}, by {prose(need.who)}" for need in needs[:NEEDS_MAX])
        if len(needs) > NEEDS_MAX:
            yield f"- … and {len(needs) - NEEDS_MAX:,} more; see what needs someone, below"


def _foot(report: Report) -> Iterator[str]:
    head = report.plan.head
    kept = f" · [the whole report]({report.run})" if report.run else ""
    yield f"Plan `{report.plan.id:.12}` of commit `{head.source_commit[:12] or 'none'}`{kept}"


def _fitted(lists: Sequence[Section], room: int) -> Iterator[str]:
    """Give every list its share: the first as much as it wants, the others at least a count."""
    shown = [section for section in lists if section.count]
    frames = [_size([*_before(section), *_after(section)]) for section in shown]
    left = room - sum(frames) - _LEAST * len(shown)
    for section in shown:
        given = max(0, left) + _LEAST
        lines = list(cut(section.lines, section.count, given, section.what))
        left = max(0, left) + _LEAST - _size(lines)
        yield from (*_before(section), *lines, *_after(section))


def _before(section: Section) -> tuple[str, ...]:
    if section.is_folded:
        return ("<details>", f"<summary>{section.title}</summary>", "")
    return (f"**{section.title}**", "")


def _after(section: Section) -> tuple[str, ...]:
    return ("", "</details>", "") if section.is_folded else ("",)


def _size(lines: Iterable[str]) -> int:
    return sum(len(line.encode()) + 1 for line in lines)
