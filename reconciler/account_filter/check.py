"""What is wrong with a filter that can be read, found without any account.

A finding of severity ``error`` makes the whole filter invalid: no account is then in or out.
"""

from __future__ import annotations

from typing import Literal, assert_never

from reconciler.account_filter import findings
from reconciler.account_filter.fields import (
    ADDRESS,
    CONSTANTS,
    CUSTOM_FIELDS,
    kind_of,
    unknown_part,
)
from reconciler.account_filter.findings import FilterFinding, StaticKind
from reconciler.account_filter.functions import FUNCTIONS
from reconciler.account_filter.syntax import (
    Arithmetic,
    Boolean,
    Conditional,
    Expression,
    FunctionCall,
    Logic,
    Null,
    Number,
    Path,
    Relation,
    Signed,
    Text,
)
from reconciler.account_filter.words import bare_word


def check(expression: Expression) -> tuple[FilterFinding, ...]:
    """Find everything that is wrong or doubtful, in source order."""
    checker = _Checker()
    checker.require("boolean", expression, guarded=False)
    return tuple(sorted(checker.found, key=lambda finding: (finding.span, finding.code)))


class _Checker:
    """One walk over the tree; tells each node's kind and collects findings."""

    __slots__ = ("found",)

    def __init__(self) -> None:
        self.found: list[FilterFinding] = []

    def require(
        self, wanted: Literal["number", "boolean"], node: Expression, *, guarded: bool
    ) -> None:
        """Check a node that must be of one kind."""
        kind = self._kind(node, guarded=guarded)
        if kind is not None and kind != wanted:
            self.found.append(findings.wrong_kind(wanted, node, kind))

    def _kind(self, node: Expression, *, guarded: bool) -> StaticKind:
        """Check a node; ``guarded`` where ``customFields`` is known not to be null."""
        match node:
            case Null():
                return "null"
            case Boolean(value=value) | Number(value=value) | Text(value=value):
                return kind_of(value)
            case Path():
                return self._path(node, guarded=guarded)
            case FunctionCall():
                return self._call(node, guarded=guarded)
            case _:
                return self._operator(node, guarded=guarded)

    def _operator(
        self, node: Signed | Arithmetic | Relation | Logic | Conditional, *, guarded: bool
    ) -> StaticKind:
        match node:
            case Signed(operand=operand):
                self.require("number", operand, guarded=guarded)
                return "number"
            case Arithmetic(left=left, right=right):
                self.require("number", left, guarded=guarded)
                self.require("number", right, guarded=guarded)
                return "number"
            case Relation():
                return self._comparison(node, guarded=guarded)
            case Logic():
                return self._logic(node, guarded=guarded)
            case Conditional(condition=condition, yes=yes, no=no):
                self.require("boolean", condition, guarded=guarded)
                return _common([self._kind(branch, guarded=guarded) for branch in (yes, no)])
        assert_never(node)

    def _path(self, node: Path, *, guarded: bool) -> StaticKind:
        if node.parts in CONSTANTS:
            return kind_of(CONSTANTS[node.parts])
        unknown = unknown_part(node.parts)
        if unknown is not None:
            self.found.append(findings.unknown_field(node, unknown))
            return None
        if node.parts in {(ADDRESS,), (CUSTOM_FIELDS,)}:
            return "map"
        if node.parts[0] != CUSTOM_FIELDS:
            return "text"
        if not guarded:
            self.found.append(findings.unguarded(node))
        return None

    def _call(self, node: FunctionCall, *, guarded: bool) -> StaticKind:
        function = FUNCTIONS.get(node.name)
        if function is None:
            self.found.append(findings.unknown_function(node))
            return None
        if not function.accepts(len(node.arguments)):
            self.found.append(findings.argument_count(node, function))
        if node.name == "IN":
            self.found.append(findings.undocumented_function(node))
        if function.takes == "number":
            for argument in node.arguments:
                self.require("number", argument, guarded=guarded)
            return "number"
        kinds = [self._kind(argument, guarded=guarded) for argument in node.arguments]
        return function.gives or _common([kind for kind in kinds if kind != "null"])

    def _comparison(self, node: Relation, *, guarded: bool) -> StaticKind:
        if node.operator == "= =":
            self.found.append(findings.split_operator(node))
        word = bare_word(node)
        left, right = (
            self._word(side) if side is word else self._kind(side, guarded=guarded)
            for side in (node.left, node.right)
        )
        if left is None or right is None:
            return "boolean"
        if node.operator in {"==", "!=", "= ="}:
            if "null" not in {left, right} and (left != right or left == "map"):
                self.found.append(findings.never_equal(node, left, right))
        elif left != right or left not in {"number", "text"}:
            self.found.append(findings.never_ordered(node, left, right))
        return "boolean"

    def _word(self, word: Expression) -> StaticKind:
        assert isinstance(word, Path), "a bare word is a path of one part"
        self.found.append(findings.unquoted(word))
        return "text"

    def _logic(self, node: Logic, *, guarded: bool) -> StaticKind:
        for term in node.terms:
            self.require("boolean", term, guarded=guarded)
            guarded = guarded or (node.operator == "AND" and _guards(term))
        return "boolean"


def _guards(term: Expression) -> bool:
    """Tell whether a term is true only for accounts that have custom fields."""
    match term:
        case (
            Relation(operator="!=", left=Path(parts=parts), right=Null())
            | Relation(operator="!=", left=Null(), right=Path(parts=parts))
        ):
            return parts == (CUSTOM_FIELDS,)
        case Logic(operator="AND", terms=terms):
            return any(_guards(part) for part in terms)
        case _:
            return False


def _common(kinds: list[StaticKind]) -> StaticKind:
    """Give the one kind that all have, or none."""
    return kinds[0] if len(set(kinds)) == 1 else None
