"""What became of a bill's lines: requests, what was heard, and what stands on the invoice."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.drafting.draft import DraftLine
from reconciler.kernel.text import clock, wrapped
from reconciler.reconcile.core.explanation import Explanation
from reconciler.sync.model.invoice import InvoiceLine
from reconciler.sync.model.push import (
    CredentialsRefused,
    Effect,
    KeyConflict,
    NotPerformed,
    Performed,
    PushState,
    Refused,
    StepKind,
    UnknownOutcome,
    WindowClosed,
)

_STATES = {
    PushState.INTENDED: "recorded, never sent yet",
    PushState.SENDING: "being sent",
    PushState.IN_DOUBT: "may have arrived: looked for before it is sent again",
    PushState.RETRY: "provably not done: will be sent again",
    PushState.DONE: "done",
    PushState.REFUSED: "provably not done: Chargebee refused it",
    PushState.CLOSED: "provably not done: the pending invoice closed first",
    PushState.PERSON: "stopped until a person decides",
}

_MADE = {
    StepKind.CREATE_INVOICE: "Made invoice",
    StepKind.ADD_LINE: "Added a line to invoice",
    StepKind.DELETE_LINES: "Took our lines off invoice",
    StepKind.CREDIT_NOTE: "Made credit note",
    StepKind.VOID_INVOICE: "Voided invoice",
    StepKind.CLOSE_INVOICE: "Closed invoice",
    StepKind.PROMOTIONAL_CREDIT: "Gave promotional credit",
}
_OUTCOMES = {
    Performed.__name__: "done",
    NotPerformed.__name__: "provably not done",
    Refused.__name__: "refused",
    KeyConflict.__name__: "an earlier attempt had arrived",
    WindowClosed.__name__: "the invoice takes no lines any more",
    CredentialsRefused.__name__: "the key was refused",
    UnknownOutcome.__name__: "no proof of either",
}


def sent_lines(explanation: Explanation, position: int, wanted: DraftLine) -> Iterator[str]:
    """Say what was sent for one line of the draft, and what Chargebee has of it."""
    effect = explanation.effect_of(position)
    line = (explanation.lines or {}).get(position)
    if effect is None and line is None:
        return
    text = "not sent yet" if effect is None else _of_line(explanation, effect)
    if line is not None:
        text += f" · {_there(line, wanted)}"
    elif effect is not None and effect.state is PushState.DONE:
        text += " · Chargebee: the line is not on the invoice any more"
    yield from wrapped(text, "  sent    ", " " * 10)


def attempts_of_bill(explanation: Explanation) -> Iterator[str]:
    """List the steps that concern no single line, and every step that is not done."""
    shown = [
        effect
        for effect in explanation.effects
        if effect.state is not PushState.DONE or effect.draft_line is None
    ]
    for effect in shown:
        yield from (
            _done(explanation, effect)
            if effect.state is PushState.DONE
            else _not_done(explanation, effect)
        )
    if shown:
        yield ""


def _done(explanation: Explanation, effect: Effect) -> Iterator[str]:
    """Tell of a step that is done: one line, and what was heard before where it took several."""
    tries = explanation.attempts_of(effect)
    again = f", sending {effect.key.generation}" if effect.key.generation > 1 else ""
    when = f", {_requests(explanation, effect)}" if tries else ""
    yield from wrapped(f"{_MADE[effect.key.step.kind]} {effect.object_id}{again}{when}", "", "  ")


def _not_done(explanation: Explanation, effect: Effect) -> Iterator[str]:
    said = f": {effect.message}" if effect.message else ""
    again = f", sending {effect.key.generation}" if effect.key.generation > 1 else ""
    text = f"Step {effect.key.step}{again}: {_STATES[effect.state]}{said}"
    yield from wrapped(text, "", "  ")
    for attempt in explanation.attempts_of(effect):
        heard = f": {attempt.message}" if attempt.message else ""
        words = f"attempt {attempt.number}, {clock(attempt.started_at)} UTC, "
        yield from wrapped(f"{words}{_outcome(attempt.outcome)}{heard}", "  ")


def _outcome(name: str) -> str:
    """Say what an attempt ended in; a name that is not known stays as it is."""
    return _OUTCOMES.get(name, name) or "no answer recorded"


def _of_line(explanation: Explanation, effect: Effect) -> str:
    """Say how a line was sent: with the whole invoice, or by requests of its own."""
    whole = effect.key.step.kind is StepKind.CREATE_INVOICE and effect.state is PushState.DONE
    return "with the invoice" if whole else _requests(explanation, effect)


def _requests(explanation: Explanation, effect: Effect) -> str:
    tries = explanation.attempts_of(effect)
    if not tries:
        return _STATES[effect.state]
    last = tries[-1]
    text = f"attempt {last.number} of {len(tries)}, {clock(last.started_at)} UTC"
    if len(tries) > 1:
        text += f" (the one before: {tries[-2].message or _outcome(tries[-2].outcome)})"
    return text if effect.state is PushState.DONE else f"{text}; {_STATES[effect.state]}"


def _there(line: InvoiceLine, wanted: DraftLine) -> str:
    same = wanted.expected is None or line.amount == wanted.expected
    mark = "" if same else f", not {wanted.expected} as was sent"
    less = f" less a discount of {line.discount}" if line.discount.minor else ""
    return f"Chargebee {line.amount}{less} (line {line.id}){mark}"
