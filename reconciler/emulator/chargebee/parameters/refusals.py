"""Errors as Chargebee words them: a status, a type, a code and the parameter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class RefusalError(Exception):
    """The request ends with an error answer.

    Attributes:
        status: HTTP status.
        body: The JSON body as plain data.
        headers: Extra response headers.
    """

    def __init__(
        self,
        status: int,
        kind: str,
        code: str,
        message: str,
        *,
        param: str | None = None,
        headers: tuple[tuple[str, str], ...] = (),
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers
        self.body: dict[str, Any] = {
            "message": message,
            "type": kind,
            "api_error_code": code,
            **({"param": param} if param else {}),
            **(extra or {}),
            "error_code": code,
            "error_msg": message,
            "http_status_code": status,
        }


def wrong_value(param: str, reason: str) -> RefusalError:
    """A parameter that is missing, malformed or out of range.

    Source: third-party measurements: the message starts with "<param> : ".
    """
    return RefusalError(
        400, "invalid_request", "param_wrong_value", f"{param} : {reason}", param=param
    )


def invalid(message: str, param: str | None = None) -> RefusalError:
    """A request that makes no sense as a whole."""
    return RefusalError(400, "invalid_request", "invalid_request", message, param=param)


def duplicate(param: str, value: str) -> RefusalError:
    """An id that is already taken."""
    message = f"{param} : The value {value} is already present."
    return RefusalError(400, "invalid_request", "duplicate_entry", message, param=param)


def not_configured(message: str, param: str | None = None) -> RefusalError:
    """A feature that this site does not have."""
    return RefusalError(400, "invalid_request", "configuration_incompatible", message, param=param)


def too_many(message: str) -> RefusalError:
    """More of something than a site may have."""
    return RefusalError(400, "invalid_request", "resource_limit_exceeded", message)


def payment(code: str, message: str) -> RefusalError:
    """A charge that could not be collected."""
    return RefusalError(400, "payment", code, message, extra={"error_cause_id": "emulated"})


def not_found(kind: str, value: str, param: str | None = None) -> RefusalError:
    """A resource that does not exist, in the path or in a parameter."""
    message = f"{value or kind} not found"
    return RefusalError(404, "invalid_request", "resource_not_found", message, param=param)


def no_such_page() -> RefusalError:
    """A path that is no operation."""
    message = "Sorry, we couldn't find that resource"
    return RefusalError(404, "invalid_request", "resource_not_found", message)


def wrong_method() -> RefusalError:
    """A method other than GET or POST, or the other one."""
    message = "The HTTP method is not supported for this resource."
    return RefusalError(405, "invalid_request", "http_method_not_supported", message)


def wrong_state(message: str) -> RefusalError:
    """An operation that the object's state does not allow."""
    return RefusalError(409, "invalid_request", "invalid_state_for_request", message)


def bad_key() -> RefusalError:
    """An API key that no site knows."""
    message = "Sorry, authentication failed. Invalid api key"
    return RefusalError(401, "untyped", "api_authentication_failed", message)


def key_reused() -> RefusalError:
    """An idempotency key that came with another request before.

    Source: Chargebee API v1 specification, schema of 422.
    """
    message = "The idempotency key was already used with different request parameters."
    return RefusalError(422, "invalid_request", "unable_to_process_request", message)


def too_fast(code: str, *, retry_after: int | None = None) -> RefusalError:
    """A 429: ``api_request_limit_exceeded``, ``third_party_...`` or ``lock_timeout``."""
    messages = {
        "lock_timeout": "The resource is locked by another request. Please try again.",
        "third_party_api_request_limit_exceeded": "A third party refused the request for its rate.",
    }
    message = messages.get(
        code,
        "Sorry, access has been blocked temporarily due to request count exceeding "
        "acceptable limits.",
    )
    headers = (("retry-after", str(retry_after)),) if retry_after is not None else ()
    return RefusalError(429, "operation_failed", code, message, headers=headers)
