"""Drafts as JSON, for the ledger: what was sent is read back as it was, whatever changed since."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, NewType, get_args, get_origin, get_type_hints

from reconciler.drafting.draft import CataloguePricing, DecimalPricing, InvoiceDraft, WholePricing
from reconciler.errors import IdentityError, ReconcilerError
from reconciler.kernel.exact_json import canonical, decode
from reconciler.kernel.runbook import Page, page
from reconciler.kernel.value import JsonValue

_FORM = "invoice-draft/1"
_TAGGED = (WholePricing, DecimalPricing, CataloguePricing)


class DamagedDraftError(IdentityError):
    """A stored draft cannot be read back."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"a draft in the ledger cannot be read back: {reason}.\n"
            "Nothing more was sent. The ledger is damaged: go on with "
            f"{page(Page.LEDGER_LOST)}."
        )


def draft_to_json(draft: InvoiceDraft) -> bytes:
    """Write a draft in canonical JSON."""
    return canonical({"form": _FORM, "draft": _written(draft)})


def draft_from_json(data: bytes) -> InvoiceDraft:
    """Read a draft back, equal to the one that was written.

    Raises:
        DamagedDraftError: When it is not a draft, or of a form this version does not know.
    """
    try:
        draft = _read(InvoiceDraft, _body(data))
    except DamagedDraftError:
        raise
    except (ReconcilerError, LookupError, TypeError, ValueError, ArithmeticError) as error:
        raise DamagedDraftError(f"{type(error).__name__} at {error}") from None
    assert isinstance(draft, InvoiceDraft)
    return draft


def _body(data: bytes) -> JsonValue:
    value = decode(data)
    if not isinstance(value, Mapping) or value.get("form") != _FORM:
        raise DamagedDraftError(f"it is not of the form {_FORM}")
    return value["draft"]


def _written(value: Any) -> JsonValue:  # noqa: ANN401  any field of a draft
    if is_dataclass(value) and not isinstance(value, type):
        body = {field.name: _written(getattr(value, field.name)) for field in fields(value)}
        return body | {"is": type(value).__name__} if isinstance(value, _TAGGED) else body
    if isinstance(value, tuple):
        return [_written(element) for element in value]
    if isinstance(value, datetime):
        return value.isoformat()
    plain: JsonValue = value.value if isinstance(value, Enum) else value
    return plain


def _read(kind: Any, value: Any) -> Any:  # noqa: ANN401  any field of a draft
    """Read one value as the type that a field is declared with."""
    if isinstance(kind, NewType):
        return _read(kind.__supertype__, value)
    if isinstance(kind, UnionType):
        return _read(_member(get_args(kind), value), value)
    if get_origin(kind) is tuple:
        return tuple(_read(get_args(kind)[0], element) for element in value)
    if is_dataclass(kind) and isinstance(kind, type):
        hints = _hints(kind)
        # a field with a default may be younger than the draft
        return kind(**{name: _read(hints[name], value[name]) for name in hints if name in value})
    return _scalar(kind, value)


def _scalar(kind: Any, value: Any) -> Any:  # noqa: ANN401  any field of a draft
    if kind is Decimal and isinstance(value, int | Decimal) and not isinstance(value, bool):
        return Decimal(value)
    if kind is datetime:
        return datetime.fromisoformat(value)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(value)
    wanted = get_args(kind) if get_origin(kind) is Literal else ()
    if value in wanted or (isinstance(kind, type) and type(value) is kind):
        return value
    message = f"{value!r:.40} is no {kind}"
    raise TypeError(message)


def _member(kinds: tuple[Any, ...], value: Any) -> Any:  # noqa: ANN401  any field of a draft
    """Choose the member of a union that a value was written from."""
    if value is None and NoneType in kinds:
        return NoneType
    rest = [kind for kind in kinds if kind is not NoneType]
    if len(rest) == 1:
        return rest[0]
    return {member.__name__: member for member in rest}[value["is"]]


@cache
def _hints(kind: type) -> Mapping[str, Any]:
    return get_type_hints(kind)
