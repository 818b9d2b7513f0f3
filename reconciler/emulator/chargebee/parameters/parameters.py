"""Parameters: what one may be, and reading a form's tree against a table of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from reconciler.emulator.chargebee.parameters.forms import Tree
from reconciler.emulator.chargebee.parameters.refusals import RefusalError, wrong_value
from reconciler.emulator.wire import MalformedJsonError, decode

_WHOLE = re.compile(r"^-?\d{1,16}$", re.ASCII)
_FIXED_POINT = re.compile(r"^-?\d+(\.\d+)?$", re.ASCII)
_FLAGS = {"true": True, "false": False}
# Source: Chargebee request schemas: integers stay within what a double holds exactly.
SAFE_INTEGER = 9007199254740991


@dataclass(frozen=True, slots=True)
class TextParameter:
    """Text of bounded length."""

    most: int = 65000
    least: int = 0

    def read(self, name: str, text: str) -> str:
        """The text itself."""
        if len(text) > self.most:
            raise wrong_value(name, f"must be at most {self.most} characters")
        if len(text) < self.least:
            raise wrong_value(name, f"must be at least {self.least} characters")
        return text


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number within bounds; fractions and exponents are refused."""

    least: int = -SAFE_INTEGER
    most: int = SAFE_INTEGER

    def read(self, name: str, text: str) -> int:
        """The number."""
        if not _WHOLE.match(text):
            raise wrong_value(name, "must be an integer")
        number = int(text)
        if number < self.least:
            raise wrong_value(name, f"must be at least {self.least}")
        if number > self.most:
            raise wrong_value(name, f"must be at most {self.most}")
        return number


@dataclass(frozen=True, slots=True)
class Digits:
    """A non-negative fixed-point decimal of bounded length; exponents and NaN are refused."""

    most: int

    def read(self, name: str, text: str) -> Decimal:
        """The exact number."""
        if len(text) > self.most:
            raise wrong_value(name, f"must be at most {self.most} characters")
        if not _FIXED_POINT.match(text):
            raise wrong_value(name, "must be a decimal number")
        if text.startswith("-"):
            raise wrong_value(name, "must not be negative")
        return Decimal(text)


@dataclass(frozen=True, slots=True)
class Ratio:
    """A percentage between two bounds."""

    least: str = "0.01"
    most: str = "100"

    def read(self, name: str, text: str) -> Decimal:
        """The exact number."""
        if not _FIXED_POINT.match(text):
            raise wrong_value(name, "must be a number")
        if not Decimal(self.least) <= Decimal(text) <= Decimal(self.most):
            raise wrong_value(name, f"must be between {self.least} and {self.most}")
        return Decimal(text)


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false."""

    def read(self, name: str, text: str) -> bool:
        """The truth value."""
        if text not in _FLAGS:
            raise wrong_value(name, "must be true or false")
        return _FLAGS[text]


@dataclass(frozen=True, slots=True)
class ChoiceParameter:
    """One of a few words."""

    words: tuple[str, ...]

    def read(self, name: str, text: str) -> str:
        """The word itself."""
        if text not in self.words:
            raise wrong_value(name, f"must be one of {', '.join(self.words)}")
        return text


@dataclass(frozen=True, slots=True)
class MetadataParameter:
    """A JSON object, sent as text."""

    def read(self, name: str, text: str) -> dict[str, Any]:
        """The object."""
        try:
            value = decode(text.encode())
        except MalformedJsonError as error:
            raise wrong_value(name, "must be a JSON object") from error
        if not isinstance(value, dict):
            raise wrong_value(name, "must be a JSON object")
        return value


@dataclass(frozen=True, slots=True)
class Anything:
    """A value or object that the emulator takes and does not look into."""


Leaf = TextParameter | Whole | Digits | Ratio | Flag | ChoiceParameter | MetadataParameter


@dataclass(frozen=True, slots=True)
class GroupParameter:
    """An object: ``name[field]``."""

    fields: Mapping[str, Leaf | Anything]
    required: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rows:
    """An array of objects: ``name[field][index]``, joined by index."""

    fields: Mapping[str, Leaf | Anything]
    required: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Several:
    """An array of values: ``name[index]``."""

    element: Leaf


Parameter = Leaf | GroupParameter | Rows | Several | Anything


@dataclass(frozen=True, slots=True)
class IndexedRow:
    """One element of an array of objects, with the index it had on the wire."""

    index: int
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class OperationFacts:
    """The parameters of one operation.

    Attributes:
        parameters: By name.
        required: Names that must be there.
        custom_fields: Whether ``cf_*`` are parameters too.
    """

    parameters: Mapping[str, Parameter]
    required: tuple[str, ...] = ()
    custom_fields: bool = False


@dataclass(frozen=True, slots=True)
class Strictness:
    """How strictly the site reads.

    Attributes:
        refuse_unknown: A parameter that no fact names is refused instead of ignored.
        refuse_blank: Empty text is refused instead of meaning absent.
        custom_fields: The ``cf_*`` that the site has.
        refuse_custom: A ``cf_*`` that the site has not is refused instead of ignored.
    """

    refuse_unknown: bool = False
    refuse_blank: bool = False
    custom_fields: frozenset[str] = frozenset()
    refuse_custom: bool = True

    def read(self, facts: OperationFacts, tree: Tree) -> dict[str, Any]:
        """Check a form against the facts of its operation.

        Raises:
            RefusalError: At the first parameter that is wrong.
        """
        values: dict[str, Any] = {}
        for name, node in tree.items():
            value = self._one(facts, name, node)
            if value is not None:
                values[name] = value
        _demand(facts.required, values)
        return values

    def _one(self, facts: OperationFacts, name: str, node: str | Tree) -> Any:
        if name.startswith("cf_") and facts.custom_fields:
            return self._custom(name, node)
        parameter = facts.parameters.get(name)
        if parameter is None:
            if self.refuse_unknown:
                raise wrong_value(name, "is not a parameter of this operation")
            return None
        return self._parameter(parameter, name, node)

    def _custom(self, name: str, node: str | Tree) -> Any:
        if name in self.custom_fields:
            return self._leaf(TextParameter(), name, node)
        if self.refuse_custom:
            raise wrong_value(name, "is not a custom field of this site")
        return None

    def _parameter(self, parameter: Parameter, name: str, node: str | Tree) -> Any:
        match parameter:
            case Anything():
                return node or None
            case GroupParameter():
                return self._group(parameter, name, node)
            case Rows():
                return self._rows(parameter, name, node)
            case Several(element=element):
                cells = _branches(name, node)
                found = [self._leaf(element, f"{name}[{i}]", n) for i, n in _indexed(name, cells)]
                return [value for value in found if value is not None]
            case _:
                return self._leaf(parameter, name, node)

    def _leaf(self, leaf: Leaf, name: str, node: str | Tree) -> Any:
        if isinstance(node, dict):
            raise wrong_value(name, "must be a single value")
        if not node:
            if self.refuse_blank:
                raise wrong_value(name, "cannot be blank")
            return None
        return leaf.read(name, node)

    def _group(self, group: GroupParameter, name: str, node: str | Tree) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for field, below in _branches(name, node).items():
            value = self._field(group.fields, f"{name}[{field}]", field, below)
            if value is not None:
                values[field] = value
        _demand(group.required, values, name)
        return values

    def _rows(self, rows: Rows, name: str, node: str | Tree) -> list[IndexedRow]:
        joined: dict[int, dict[str, Any]] = {}
        for field, column in _branches(name, node).items():
            for index, cell in _indexed(f"{name}[{field}]", _branches(f"{name}[{field}]", column)):
                value = self._field(rows.fields, f"{name}[{field}][{index}]", field, cell)
                row = joined.setdefault(index, {})
                if value is not None:
                    row[field] = value
        for index, row in sorted(joined.items()):
            _demand(rows.required, row, name, index)
        return [IndexedRow(index, row) for index, row in sorted(joined.items())]

    def _field(
        self, fields: Mapping[str, Leaf | Anything], name: str, field: str, node: str | Tree
    ) -> Any:
        known = fields.get(field)
        if known is None:
            if self.refuse_unknown:
                raise wrong_value(name, "is not a parameter of this operation")
            return None
        return self._parameter(known, name, node)


def _branches(name: str, node: str | Tree) -> Tree:
    if isinstance(node, str):
        if not node:
            return {}
        raise wrong_value(name, "must be an object or array")
    return node


def _indexed(name: str, cells: Tree) -> list[tuple[int, str | Tree]]:
    for index in cells:
        if not (index.isascii() and index.isdigit() and len(index) <= 6):  # noqa: PLR2004
            raise wrong_value(f"{name}[{index}]", "has no index")
    return [(int(index), node) for index, node in cells.items()]


def _demand(
    required: tuple[str, ...], values: Mapping[str, Any], name: str = "", index: int | None = None
) -> None:
    for field in required:
        if field not in values:
            raise missing(name, field, index)


def missing(name: str, field: str, index: int | None = None) -> RefusalError:
    """What is said about a required parameter that is not there."""
    place = f"{name}[{field}]" if name else field
    return wrong_value(place if index is None else f"{place}[{index}]", "cannot be blank")
