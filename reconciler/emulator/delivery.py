"""How an answer travels, or does not."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.emulator.exchange import Answer


@dataclass(slots=True)
class Delivery:
    """What the server does after a request was taken in.

    Attributes:
        answer: The answer; ``None`` if none will be sent.
        delay_seconds: Wait before the first byte.
        drip_seconds: Spread the body over this time; 0 sends it at once.
        cut_after_bytes: Close the connection after so many bytes; ``None`` sends everything.
        silent_seconds: With ``cut_after_bytes`` 0: keep the connection open and silent this long.
        later_seconds: Ask the world to run what is due after this time; ``None`` if nothing is.
    """

    answer: Answer | None = None
    delay_seconds: float = 0.0
    drip_seconds: float = 0.0
    cut_after_bytes: int | None = None
    silent_seconds: float = 0.0
    later_seconds: float | None = None
