"""What became of a bill's lines: requests, what was heard, and what stands on the invoice."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.core.explanation import Explanation
from reconciler.domain.draft import DraftLine
from reconciler.domain.invoice import InvoiceLine
from reconciler.domain.push import Effect, PushState
from reconciler.render.figures import clock, wrapped

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


def sent_lines(told: Explanation, position: int, wanted: DraftLine) -> Iterator[str]:
    """Say what was sent for one line of the draft, and what Chargebee has of it."""
    effect = told.effect_of(position)
    there = (told.lines or {}).get(position)
    if effect is None and there is None:
        return
    text = "not sent yet" if effect is None else _requests(told, effect)
    if there is not None:
        text += f" · {_there(there, wanted)}"
    elif effect is not None and effect.state is PushState.DONE:
        text += " · Chargebee: the line is not on the invoice any more"
    yield from wrapped(text, "  sent    ", " " * 10)


def attempts_of_bill(told: Explanation) -> Iterator[str]:
    """List the steps that concern no single line, and every step that is not done."""
    shown = [
        one for one in told.effects if one.state is not PushState.DONE or one.draft_line is None
    ]
    for one in shown:
        made = f" as {one.object_id}" if one.object_id else ""
        said = f": {one.message}" if one.message and one.state is not PushState.DONE else ""
        again = f", sending {one.key.generation}" if one.key.generation > 1 else ""
        text = f"Step {one.key.step}{again}: {_STATES[one.state]}{made}{said}"
        yield from wrapped(text, "", "  ")
        for attempt in told.attempts_of(one):
            heard = f": {attempt.message}" if attempt.message else ""
            words = f"attempt {attempt.number}, {clock(attempt.started_at)} UTC, "
            yield from wrapped(f"{words}{attempt.outcome or 'no answer recorded'}{heard}", "  ")
    if shown:
        yield ""


def _requests(told: Explanation, effect: Effect) -> str:
    tries = told.attempts_of(effect)
    if not tries:
        return _STATES[effect.state]
    last = tries[-1]
    text = f"attempt {last.number} of {len(tries)}, {clock(last.started_at)} UTC"
    if len(tries) > 1:
        text += f" (the one before: {tries[-2].message or tries[-2].outcome or 'no answer'})"
    return text if effect.state is PushState.DONE else f"{text}; {_STATES[effect.state]}"


def _there(line: InvoiceLine, wanted: DraftLine) -> str:
    same = wanted.expected is None or line.amount == wanted.expected
    mark = "" if same else f", not {wanted.expected} as was sent"
    less = f" less a discount of {line.discount}" if line.discount.minor else ""
    return f"Chargebee {line.amount}{less} (line {line.id}){mark}"
