"""What rules need to know beside the definitions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from reconciler.definitions.core.allowance import Allowance
from reconciler.kernel.problem import Origin

TextFrom = Callable[[Origin, int], str]


@dataclass(frozen=True, slots=True)
class Context:
    """Facts about the job, the machine and the files.

    Attributes:
        allowance: Hosts, variables and files that the job allows.
        knows_time_zone: Whether a name is an IANA time zone.
        text_from: Gives so many characters of source text from a place on, to find a character
            inside a value; empty when there are none.
    """

    allowance: Allowance
    knows_time_zone: Callable[[str], bool]
    text_from: TextFrom
