"""Plain JSON data with exact numbers, and the value that is not there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import Enum
from typing import Final, TypeAlias

from typing_extensions import TypeAliasType

# A named alias, not a plain string: codecs derived from annotations must follow the recursion.
JsonValue = TypeAliasType(
    "JsonValue", "bool | int | Decimal | str | Sequence[JsonValue] | Mapping[str, JsonValue] | None"
)
JsonObject: TypeAlias = Mapping[str, JsonValue]


class Absence(Enum):
    """The type of ``ABSENT``: a field that is not set, as opposed to one that is null."""

    ABSENT = "absent"

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = Absence.ABSENT
Absent = Absence
"""For annotations: ``JsonValue | Absent``."""
