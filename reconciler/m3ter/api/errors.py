"""Every error of m3ter as one typed exception: what was asked, of what, what did not change."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from reconciler.errors import InvalidError
from reconciler.m3ter.ports import (
    AccessError,
    NotFoundError,
    OutcomeUnknownError,
    RefusedError,
    UnreachableError,
    VersionConflictError,
)
from reconciler.transport.redaction import redact_text

_REASON_LENGTH_MAX = 500


@dataclass(frozen=True, slots=True)
class Call:
    """A request as messages speak of it.

    Attributes:
        path: Below the organisation.
        intent: A verb and its object: ``update integration Chargebee UK bills (UUID)``.
    """

    method: str
    path: str
    intent: str

    @property
    def writes(self) -> bool:
        """Say whether the request changes anything."""
        return self.method != "GET"

    @property
    def unchanged(self) -> str:
        """Say what a refusal left alone."""
        return "Nothing of it was changed." if self.writes else "Nothing was changed."

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class M3terRefusedError(RefusedError):
    """m3ter answered that it will not do it."""

    def __init__(self, call: Call, status: int, reason: str) -> None:
        super().__init__(
            f"m3ter refused to {call.intent}: {_short(reason)} ({call} -> HTTP {status})."
            f" {call.unchanged} Correct what it names, then plan again."
        )
        self.call = call
        self.status = status


class M3terVersionConflictError(VersionConflictError):
    """m3ter has another version than the one that was sent."""

    def __init__(self, call: Call, version: int, reason: str) -> None:
        super().__init__(
            f"m3ter refused to {call.intent}: it is no longer at version {version}, which the"
            f" change was made from ({call}: {_short(reason)}). Nothing of it was changed."
            " Plan again and review what was changed meanwhile."
        )
        self.call = call
        self.version = version


class M3terNotFoundError(NotFoundError):
    """m3ter knows no such object."""

    def __init__(self, call: Call, reason: str) -> None:
        super().__init__(
            f"m3ter cannot {call.intent}: it is not there ({call}: {_short(reason)})."
            f" {call.unchanged} Plan again."
        )
        self.call = call


class AuthenticationError(AccessError):
    """m3ter does not accept the key or the token."""

    def __init__(self, call: Call, status: int, reason: str) -> None:
        super().__init__(
            f"m3ter does not accept the key: could not {call.intent} ({call} -> HTTP {status}:"
            f" {_short(reason)}). {call.unchanged} Check m3ter.accessKey and m3ter.apiSecret of the"
            " environment, and that the key still exists."
        )
        self.call = call


class PermissionDeniedError(AccessError):
    """The key may not do this."""

    def __init__(self, call: Call, reason: str) -> None:
        super().__init__(
            f"the key may not {call.intent} ({call} -> HTTP 403: {_short(reason)})."
            f" {call.unchanged} Give its service user the permission, and check organizationId."
        )
        self.call = call


class WrongOrganisationError(AccessError):
    """The token belongs to another organisation than the environment names."""

    def __init__(self, configured: str, found: str | None) -> None:
        whose = f"belongs to organisation {found}" if found else "names no organisation"
        super().__init__(
            f"the environment names organisation {configured}, but the key's token {whose}."
            " Nothing was read or changed. Check m3ter.organizationId and the key."
        )


class RateLimitedError(UnreachableError):
    """m3ter answered 429 to the end of our patience."""

    def __init__(self, call: Call, reason: str) -> None:
        super().__init__(
            f"m3ter would not {call.intent} because of its rate limit ({call} -> HTTP 429:"
            f" {_short(reason)}). {call.unchanged} Lower m3ter.requestsPerSecond or try later."
        )
        self.call = call


class M3terUnreachableError(UnreachableError):
    """m3ter did not answer, or answered that it is out of order."""

    def __init__(self, call: Call, reason: str) -> None:
        super().__init__(
            f"m3ter could not be asked to {call.intent} ({call}: {_short(reason)})."
            f" {call.unchanged} Try again; if it lasts, look at m3ter's status page."
        )
        self.call = call


class AnswerTooLargeForPageError(UnreachableError):
    """One answer is too large, for m3ter or for us."""

    def __init__(self, call: Call, reason: str) -> None:
        super().__init__(
            f"the answer is too large to {call.intent} ({call}: {_short(reason)})."
            " Nothing was changed. Narrow what is asked for."
        )
        self.call = call


class UnreadableAnswerError(UnreachableError):
    """m3ter answered something that its published API does not allow."""

    def __init__(self, subject: str, reason: str) -> None:
        super().__init__(
            f"m3ter's answer for {subject} cannot be read: {_short(reason)}. Nothing was changed."
            " Run `reconciler doctor`; if m3ter's API moved, report it with this text."
        )


class PagingLoopError(UnreachableError):
    """A list gave the same page mark twice, so it would never end."""

    def __init__(self, call: Call) -> None:
        super().__init__(
            f"m3ter's pages repeat themselves: could not {call.intent} ({call}). Nothing was"
            " changed. Try again; a list that changes while it is read can do this."
        )
        self.call = call


class M3terOutcomeUnknownError(OutcomeUnknownError):
    """A write got no clear answer, and looking did not tell whether it was carried out."""

    def __init__(self, call: Call, reason: str) -> None:
        super().__init__(
            f"it is not known whether m3ter did {call.intent}: {_short(reason)} ({call})."
            " It was not sent again. Plan again: the new plan shows what is there."
        )
        self.call = call


class SeveralFoundError(OutcomeUnknownError):
    """After an unclear answer to a create, several objects bear the natural key."""

    def __init__(self, call: Call, ids: Iterable[str]) -> None:
        found = ", ".join(ids)
        super().__init__(
            f"m3ter gave no clear answer when asked to {call.intent} ({call}), and now several"
            f" such objects exist: {found}. None was connected or removed. Delete all but one in"
            " m3ter's Console, then plan again."
        )
        self.call = call


class UnknownM3terSwitchError(InvalidError):
    """``RECONCILER_M3TER`` names a switch or a value that does not exist."""

    def __init__(self, name: str, value: str, allowed: Iterable[str]) -> None:
        super().__init__(
            f"RECONCILER_M3TER has {name}={value}, which is not known. Nothing was sent."
            f" Known are: {', '.join(allowed)}."
        )


def _short(reason: str) -> str:
    text = " ".join(redact_text(reason).split()).rstrip(".")
    return text if len(text) <= _REASON_LENGTH_MAX else text[: _REASON_LENGTH_MAX - 1] + "…"
