"""Where a bill stands, from its effects: m3ter's words as far as it has one."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.sync.model.push import Effect, PushState, PushStatus

# Source: Chargebee API docs, create an invoice: a date more than a calendar month ago is refused.
# What it says of a period that was closed in its books is not documented; it is about the same
# field. A refusal's message begins with the field that it is about.
DATE_FIELD = "invoice_date"
_DOUBT = frozenset({PushState.SENDING, PushState.IN_DOUBT, PushState.PERSON})


def status_of(effects: Sequence[Effect], steps: int) -> PushStatus:
    """Say where a bill stands.

    A bill is complete only with all of its effects. Doubt comes before everything, then what is
    half done: ``PARTIAL`` when an invoice closed, or refused a step, after some were done.

    Args:
        effects: Of the newest generation.
        steps: How many the generation has in all.
    """
    states = [one.state for one in effects]
    some = PushState.DONE in states
    if _DOUBT.intersection(states):
        return PushStatus.UNKNOWN
    if PushState.CLOSED in states:
        return PushStatus.PARTIAL if some else PushStatus.WAITING
    if PushState.REFUSED in states:
        return PushStatus.PARTIAL if some else _refused(effects)
    if PushState.RETRY in states:
        return PushStatus.AWAITING_RETRY
    if states and len(states) >= steps and all(one is PushState.DONE for one in states):
        return PushStatus.COMPLETE
    return PushStatus.STARTED


def _refused(effects: Sequence[Effect]) -> PushStatus:
    refused = [one.message for one in effects if one.state is PushState.REFUSED]
    closed = any(DATE_FIELD in one for one in refused)
    return PushStatus.ACCOUNTING_PERIOD_CLOSED if closed else PushStatus.ERROR
