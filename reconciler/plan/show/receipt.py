"""What became of a plan: how much was done, what was not and why, and what to do next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from reconciler.errors import ExitCode, winning
from reconciler.kernel.runbook import page
from reconciler.plan.model.applied import (
    Already,
    AppliedRecord,
    Blocked,
    ChangeOutcome,
    Done,
    Failed,
    NotAttempted,
    Outcome,
    OutcomeUnknown,
    Receipt,
)

WORDS = (
    "done",
    "taken over",
    "already as desired",
    "left alone",
    "failed",
    "blocked",
    "not attempted",
    "unknown",
)
"""What became of changes, in the order in which a receipt counts them."""


def receipt_text(record: AppliedRecord) -> str:
    """Render the receipt of an apply."""
    receipt = record.receipt
    assert receipt is not None
    lines = [_first(record, receipt)]
    for outcome in receipt.outcomes:
        lines += _open(outcome)
    lines += [f"  note: {note}" for note in receipt.notes]
    if any(_is_open(outcome.outcome) for outcome in receipt.outcomes):
        again = f"Run `reconciler plan --env {record.environment}` to see what is left."
        lines += ["", f"{again} {page(exit_code_of_receipt(receipt))}"]
    return "\n".join(lines) + "\n"


def exit_code_of_receipt(receipt: Receipt) -> ExitCode:
    """Choose the exit code that a receipt ends with."""
    return winning(_codes(receipt))


def _codes(receipt: Receipt) -> Iterator[ExitCode]:
    for outcome in receipt.outcomes:
        match outcome.outcome:
            case OutcomeUnknown():
                yield ExitCode.UNKNOWN_OUTCOME
            case NotAttempted(reason=reason) if "interrupted" in reason:
                yield ExitCode.INTERRUPTED
            case Failed() | Blocked() | NotAttempted():
                yield ExitCode.PARTLY_DONE
            case Done() | Already():
                pass


def _is_open(outcome: Outcome) -> bool:
    return not isinstance(outcome, Done | Already)


def _first(record: AppliedRecord, receipt: Receipt) -> str:
    counts = Counter(_word(outcome) for outcome in receipt.outcomes)
    if not counts:
        return f"{record.environment} is as git says; nothing was sent to m3ter."
    parts = [f"{counts[word]:,} {word}" for word in WORDS if counts[word]]
    changes = "change" if counts.total() == 1 else "changes"
    place = f"applied record {record.sequence}" if record.id else "nothing new to record"
    return f"{record.environment}: {', '.join(parts)} of {counts.total():,} {changes} ({place})."


def _word(result: ChangeOutcome) -> str:
    match result.outcome, result.change.partition(":")[0]:
        case Already(), "adopt":
            return "taken over"
        case Already(), "keep" | "ignore":
            return "left alone"
        case Already(), _:
            return "already as desired"
        case outcome, _:
            return outcome.type.replace("-", " ")


def _open(result: ChangeOutcome) -> list[str]:
    verb = result.change.partition(":")[0]
    match result.outcome:
        case Failed(reason=reason):
            return [f"  failed         {verb} {result.address}", *_indented(reason)]
        case OutcomeUnknown(reason=reason):
            return [f"  unknown        {verb} {result.address}", *_indented(reason)]
        case Blocked(by=by):
            return [f"  blocked        {verb} {result.address}: `{by}` was not done"]
        case NotAttempted(reason=reason):
            return [f"  not attempted  {verb} {result.address}: {reason.splitlines()[0]}"]
        case Done() | Already():
            return []


def _indented(text: str) -> list[str]:
    return [f"                 {line}" for line in text.splitlines()]
