"""What a person decided about pushes, and one request that was sent, as readers see them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from reconciler.sync.model.push import PushKey


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided.

    Attributes:
        subject: What it is about: an effect, a bill, an integration or a step of a cut-over.
        what: The decision, in a few words.
        why: The reason given, or empty.
    """

    subject: str
    what: str
    actor: str
    why: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Tried:
    """One request that was sent, and what became of it; ``outcome`` is empty while it runs."""

    key: PushKey
    number: int
    started_at: datetime
    outcome: str
    message: str
