"""List filters: ``attr[op]=value``, with lists in JSON, in Python's notation or bare."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from reconciler.emulator.chargebee.parameters.forms import Tree
from reconciler.emulator.chargebee.parameters.refusals import wrong_value
from reconciler.emulator.chargebee.site import JsonObject

# Source: Chargebee API, filter operators by type of attribute.
_TEXT_OPERATORS: Final = ("is", "is_not", "starts_with", "in", "not_in", "is_present")
_NUMBER_OPERATORS: Final = ("is", "is_not", "lt", "lte", "gt", "gte", "between")
_TIME_OPERATORS: Final = ("after", "before", "on", "between")
OPERATORS: Final[Mapping[str, tuple[str, ...]]] = {
    "text": _TEXT_OPERATORS,
    "enum": _TEXT_OPERATORS,
    "number": _NUMBER_OPERATORS,
    "time": _TIME_OPERATORS,
    "flag": ("is",),
}
_LISTED = frozenset({"in", "not_in", "between"})
_INTEGER = re.compile(r"^-?\d+$", re.ASCII)
_SECONDS = re.compile(r"^\d{10}$", re.ASCII)
_ELEMENT = re.compile(r"""\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([^,\[\]"']*))\s*(?:,|$)""")
_PAIR = 2
_DAY_SECONDS = 86_400
_COMPARISONS: Final[Mapping[str, Callable[[int, int], bool]]] = {
    "is": operator.eq,
    "is_not": operator.ne,
    "lt": operator.lt,
    "before": operator.lt,
    "lte": operator.le,
    "gt": operator.gt,
    "after": operator.gt,
    "gte": operator.ge,
}


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute that a list can be filtered by.

    Attributes:
        kind: ``text``, ``enum``, ``number``, ``time`` or ``flag``.
        words: What an ``enum`` can be.
        field: Name in the object, if it is another one.
    """

    kind: str = "text"
    words: tuple[str, ...] = ()
    field: str | None = None


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition of a query.

    Attributes:
        field: Field of the object.
        operator: What is asked.
        operands: What it is compared with, as text.
        kind: Kind of the attribute.
    """

    field: str
    operator: str
    operands: tuple[str, ...]
    kind: str

    def accepts(self, data: JsonObject) -> bool:
        """Whether an object meets the condition; an absent field meets only negations."""
        value = data.get(self.field)
        if self.operator == "is_present":
            return (value is not None) == (self.operands[0] == "true")
        if value is None:
            return self.operator in {"is_not", "not_in"}
        return self._compare(value)

    def _compare(self, value: Any) -> bool:
        if self.kind in {"number", "time"}:
            return _ordered(self.operator, value, [int(operand) for operand in self.operands])
        text = str(value).lower() if isinstance(value, bool) else str(value)
        match self.operator:
            case "is" | "in":
                return text in self.operands
            case "starts_with":
                return text.startswith(self.operands[0])
            case _:
                return text not in self.operands


def read_filters(attributes: Mapping[str, Attribute], tree: Tree) -> list[Filter]:
    """The conditions of a query.

    Raises:
        RefusalError: An operator that the attribute has not, or an operand that is none.
    """
    filters: list[Filter] = []
    for name, attribute in attributes.items():
        conditions = tree.get(name, {})
        if isinstance(conditions, str):
            # Source: Chargebee comments API: entity_type and entity_id come without an operator.
            conditions = {"is": conditions}
        filters += [_filter(name, attribute, *item) for item in conditions.items()]
    return filters


def read_list(name: str, text: str) -> tuple[str, ...]:
    """The elements of a list operand.

    Raises:
        RefusalError: If it is not between brackets or an element is not closed.
    """
    text = text.strip()
    if not (text.startswith("[") and text.endswith("]")):
        raise wrong_value(name, "must be a list in brackets")
    inner = text[1:-1].strip()
    found: list[str] = []
    at = 0
    while at < len(inner):
        match = _ELEMENT.match(inner, at)
        if match is None:
            raise wrong_value(name, "must be a list of values")
        double, single, bare = match.groups()
        quoted = double if double is not None else single
        found.append(bare.strip() if quoted is None else re.sub(r"\\(.)", r"\1", quoted))
        at = match.end()
    return tuple(found)


def _filter(name: str, attribute: Attribute, asked: str, operand: str | Tree) -> Filter:
    wire = f"{name}[{asked}]"
    if asked not in OPERATORS[attribute.kind]:
        raise wrong_value(wire, "is not an operator of this attribute")
    if isinstance(operand, dict):
        raise wrong_value(wire, "must be a single value")
    operands = read_list(wire, operand) if asked in _LISTED else (operand,)
    _check(wire, attribute, asked, operands)
    return Filter(attribute.field or name, asked, operands, attribute.kind)


def _check(name: str, attribute: Attribute, asked: str, operands: Sequence[str]) -> None:
    if asked == "between" and len(operands) != _PAIR:
        raise wrong_value(name, "must be a list of two values")
    for operand in operands:
        if asked == "is_present" or attribute.kind == "flag":
            if operand not in {"true", "false"}:
                raise wrong_value(name, "must be true or false")
        elif attribute.kind == "number" and not _INTEGER.match(operand):
            raise wrong_value(name, "must be an integer")
        elif attribute.kind == "time" and not _SECONDS.match(operand):
            raise wrong_value(name, "must be a timestamp in seconds")
        elif attribute.words and operand not in attribute.words:
            raise wrong_value(name, f"must be one of {', '.join(attribute.words)}")
        elif not operand:
            raise wrong_value(name, "cannot be blank")


def _ordered(asked: str, value: int, operands: Sequence[int]) -> bool:
    first, last = operands[0], operands[-1]
    if asked == "on":
        return value // _DAY_SECONDS == first // _DAY_SECONDS
    if asked == "between":
        return first <= value <= last
    return _COMPARISONS[asked](value, first)
