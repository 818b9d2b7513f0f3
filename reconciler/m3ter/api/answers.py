"""What an answer of m3ter means: data, a refusal, or nothing certain (pure)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from http import HTTPStatus

from reconciler.kernel.exact_json import NotJsonError, decode
from reconciler.kernel.value import JsonValue
from reconciler.m3ter.api.errors import (
    AnswerTooLargeForPageError,
    AuthenticationError,
    Call,
    M3terNotFoundError,
    M3terRefusedError,
    M3terUnreachableError,
    M3terVersionConflictError,
    PermissionDeniedError,
    RateLimitedError,
)
from reconciler.m3ter.ports import OrganisationError
from reconciler.transport.retry import Answer, AnswerTooLargeError, TransportError

# Source: none. m3ter documents the check of `version` but not the status of its refusal.
VERSION_STATUSES = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.CONFLICT, 412})
# Source: m3ter docs "HTTP error codes": an expired token is shown under "403 - Unauthorized".
_EXPIRED = re.compile(r"(?i)expir|unauthori[sz]ed|token|jwt")
_EXCERPT = 200
_VERSION = re.compile(r"(?i)(?<![a-z])version")
_BY_STATUS: Mapping[int, Callable[[Call, str], OrganisationError]] = {
    HTTPStatus.FORBIDDEN: PermissionDeniedError,
    HTTPStatus.NOT_FOUND: M3terNotFoundError,
    # Source: m3ter docs "HTTP error codes": 413 is "Response too large"
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: AnswerTooLargeForPageError,
    HTTPStatus.TOO_MANY_REQUESTS: RateLimitedError,
}


def is_success(answer: Answer) -> bool:
    """Say whether m3ter did what was asked."""
    return HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES


def message(answer: Answer) -> str:
    """Give m3ter's own words, or the beginning of whatever came instead."""
    try:
        body = decode(answer.body)
    except NotJsonError:
        text = answer.body[:_EXCERPT].decode(errors="replace")
        return re.sub(r"<[^>]*>?", " ", text).strip() or "no message"
    if isinstance(body, Mapping):
        for key in ("message", "Message", "error_description", "error"):
            if isinstance(said := body.get(key), str) and said:
                return said
    return "no message"


def says_expired(answer: Answer) -> bool:
    """Say whether the answer means that the token has to be renewed."""
    if answer.status == HTTPStatus.UNAUTHORIZED:
        return True
    return answer.status == HTTPStatus.FORBIDDEN and bool(_EXPIRED.search(message(answer)))


def is_version_conflict(call: Call, answer: Answer) -> bool:
    """Say whether an update was refused because of its version."""
    return (
        call.method == "PUT"
        and answer.status in VERSION_STATUSES
        and bool(_VERSION.search(message(answer)))
    )


def refusal(call: Call, answer: Answer, version: int | None = None) -> OrganisationError:
    """Give the error for an answer that is no success and leaves nothing open."""
    status, said = answer.status, message(answer)
    if is_version_conflict(call, answer):
        return M3terVersionConflictError(call, version or 0, said)
    if status == HTTPStatus.UNAUTHORIZED or (
        status == HTTPStatus.FORBIDDEN and "expired" in said.lower()
    ):
        return AuthenticationError(call, status, said)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return M3terUnreachableError(call, f"HTTP {status}: {said}")
    if (known := _BY_STATUS.get(status)) is not None:
        return known(call, said)
    return M3terRefusedError(call, status, said)


def lost(call: Call, error: TransportError) -> OrganisationError:
    """Give the error for a request that got no whole answer and changed nothing."""
    if isinstance(error, AnswerTooLargeError):
        return AnswerTooLargeForPageError(call, str(error))
    return M3terUnreachableError(call, str(error))


def data(answer: Answer) -> JsonValue:
    """Read the body of a success.

    Raises:
        NotJsonError: When it is not JSON, for example a proxy's page.
    """
    return decode(answer.body)
