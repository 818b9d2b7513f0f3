"""Compares raw JSON with the response models of an official SDK, key by key."""

from __future__ import annotations

import types
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, TypeAdapter


def differences(annotation: Any, value: Any, at: str = "") -> list[str]:
    """Where a value is not what the annotation says.

    Returns:
        One line per difference: undeclared keys, missing required keys, wrong types. Empty if the
        value fits.
    """
    return list(_differences(annotation, value, at))


def _differences(annotation: Any, value: Any, at: str) -> Iterator[str]:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if annotation in (object, Any):
        return
    if origin in (Union, types.UnionType):
        found = [differences(argument, value, at) for argument in arguments]
        if all(found):
            yield from min(found, key=len)
    elif origin is Literal:
        if value not in arguments:
            yield f"{at}: {value!r} is none of {arguments}"
    elif origin is list:
        yield from _list(arguments[0], value, at)
    elif origin is dict:
        yield from _dict(arguments[1], value, at)
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield from _model(annotation, value, at)
    elif not _is_plain(annotation, value):
        yield f"{at}: {value!r} is no {annotation}"


def _list(inner: Any, value: Any, at: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{at}: {value!r} is no list"
        return
    for number, element in enumerate(value):
        yield from _differences(inner, element, f"{at}[{number}]")


def _dict(inner: Any, value: Any, at: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{at}: {value!r} is no object"
        return
    for key, member in value.items():
        yield from _differences(inner, member, f"{at}.{key}")


def _model(model: type[BaseModel], value: Any, at: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{at}: {value!r} is no {model.__name__}"
        return
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    for key, member in value.items():
        if key not in fields:
            yield f"{at}.{key}: undeclared in {model.__name__}"
        else:
            yield from _differences(fields[key].annotation, member, f"{at}.{key}")
    for key, field in fields.items():
        if field.is_required() and key not in value:
            yield f"{at}.{key}: required in {model.__name__} but absent"


def _is_plain(annotation: Any, value: Any) -> bool:
    if annotation is float:
        return isinstance(value, int | Decimal) and not isinstance(value, bool)
    if annotation in (datetime, date):
        return isinstance(value, str) and bool(TypeAdapter(annotation).validate_python(value))
    if annotation is type(None):
        return value is None
    return type(value) is annotation
