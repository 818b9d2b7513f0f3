"""Plan and applied record to versioned JSON and back; the codec follows from their types."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from reconciler.errors import InvalidError, StaleError
from reconciler.kernel import exact_json
from reconciler.kernel.exact_json import as_json
from reconciler.kernel.value import JsonValue
from reconciler.plan.model.applied import RECORD_SCHEMA, AppliedRecord, Binding
from reconciler.plan.model.identity import plan_id, record_id
from reconciler.plan.model.plan import PLAN_SCHEMA, Plan

Document = TypeVar("Document", Plan, AppliedRecord)
_PORTION = 500
_WRITTEN = re.compile(rb'\{"id":"(?P<id>[0-9a-f]{64})",[^\n]*\n')


class UnreadableDocumentError(InvalidError):
    """A file is not the document that it should be."""

    def __init__(self, what: str, where: str, reason: str) -> None:
        super().__init__(
            f"{where} is not {what} of this version of reconciler: {reason}.\n"
            "Nothing was read from it and nothing was changed. Make it anew, or use the version "
            "that wrote it."
        )


class TamperedDocumentError(StaleError):
    """A document's content does not have the digest it bears."""

    def __init__(self, what: str, where: str, borne: str, found: str) -> None:
        super().__init__(
            f"{where} was changed after it was written: it bears the id {borne:.12}, but its "
            f"content has {found:.12}.\nNothing was written. Do not use this {what}; make it anew "
            "and review it."
        )


def encode_plan(plan: Plan) -> bytes:
    """Write a plan for people to keep and review: indented, one line end at the end."""
    return (exact_json.encode(as_json(plan), indent=1) + "\n").encode()


def decode_plan(data: bytes, where: str) -> Plan:
    """Read a plan and check that its body has the id it bears.

    Raises:
        UnreadableDocumentError: When it is no plan of this version.
        TamperedDocumentError: When the body was changed.
    """
    plan = _read(_plan_adapter(), "a saved plan", PLAN_SCHEMA, data, where)
    if (found := plan_id(plan.body)) != plan.id:
        raise TamperedDocumentError("plan", where, plan.id, found)
    return plan


def encode_record(record: AppliedRecord) -> bytes:
    """Write an applied record: its id, then its canonical form, so that reading can check fast."""
    content = as_json(record)
    assert isinstance(content, dict)
    identity = exact_json.canonical({"id": content.pop("id")})
    return identity[:-1] + b"," + exact_json.canonical(content)[1:] + b"\n"


def decode_record(data: bytes, where: str) -> AppliedRecord:
    """Read an applied record and check that it has the id it bears.

    Raises:
        UnreadableDocumentError: When it is no applied record of this version.
        TamperedDocumentError: When it was changed.
    """
    record = _read(_record_adapter(), "an applied record", RECORD_SCHEMA, data, where)
    if not _is_untouched(data) and (found := record_id(record)) != record.id:
        raise TamperedDocumentError("record", where, record.id or "none", found)
    return record


def _is_untouched(data: bytes) -> bool:
    """Tell whether a record is byte for byte as it was written; what is not may still be sound."""
    written = _WRITTEN.fullmatch(data)
    if written is None:
        return False
    digest = hashlib.sha256(b"{")
    digest.update(memoryview(data)[written.end("id") + 2 : -1])
    return digest.hexdigest() == written["id"].decode()


def document_schemas() -> dict[str, dict[str, Any]]:
    """Give the JSON Schema of both documents, by the name of their version."""
    return {
        PLAN_SCHEMA: _plan_adapter().json_schema(),
        RECORD_SCHEMA: _record_adapter().json_schema(),
    }


def _read(
    adapter: TypeAdapter[Document], what: str, schema: str, data: bytes, where: str
) -> Document:
    try:
        plain = exact_json.decode(data)
    except exact_json.NotJsonError as error:
        raise UnreadableDocumentError(what, where, str(error)) from None
    if (found := _schema(plain)) != schema:
        raise UnreadableDocumentError(what, where, f"it says `{found}`, not `{schema}`")
    try:
        return _validated(adapter, plain)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise UnreadableDocumentError(what, where, f"{place}: {first['msg']}") from None


def _validated(adapter: TypeAdapter[Document], plain: JsonValue) -> Document:
    """Build a document; bindings in portions, so that never all are held in both forms."""
    bindings = plain.get("bindings") if isinstance(plain, dict) and "body" not in plain else None
    if not isinstance(plain, dict) or not isinstance(bindings, list):
        return adapter.validate_python(plain)
    built: list[Binding] = []
    for start in range(0, len(bindings), _PORTION):
        built += _bindings_adapter().validate_python(bindings[start : start + _PORTION])
        bindings[start : start + _PORTION] = [None] * len(bindings[start : start + _PORTION])
    found: Any = adapter.validate_python({**plain, "bindings": ()})
    document: Document = replace(found, bindings=tuple(built))
    return document


def _schema(plain: JsonValue) -> object:
    if not isinstance(plain, dict):
        return "nothing"
    body = plain.get("body", plain)
    return body.get("schema", "nothing") if isinstance(body, dict) else "nothing"


@cache
def _plan_adapter() -> TypeAdapter[Plan]:
    return TypeAdapter(Plan)


@cache
def _bindings_adapter() -> TypeAdapter[list[Binding]]:
    return TypeAdapter(list[Binding])


@cache
def _record_adapter() -> TypeAdapter[AppliedRecord]:
    return TypeAdapter(AppliedRecord)
