"""Every failed read of Chargebee as one typed exception; a read changes nothing."""

from __future__ import annotations

from reconciler.kernel.secret import Secret
from reconciler.sync.ports.destination import (
    DestinationAccessError,
    DestinationError,
    DestinationUnreachableError,
)
from reconciler.transport.redaction import redact_text

_REASON_LENGTH_MAX = 500


class ChargebeeKeyRefusedError(DestinationAccessError):
    """Chargebee does not accept the key."""

    def __init__(self, site: str, call: str, reason: str) -> None:
        super().__init__(
            f"Chargebee does not accept the key for site {site} ({call}: {quoted(reason)})."
            " Nothing was sent. Check chargebee.apiKey of the environment, that the key still"
            " exists, and that it may read and write invoices."
        )


class WrongSiteError(DestinationAccessError):
    """The address or the answers belong to another site than the environment names."""

    def __init__(self, site: str, reason: str) -> None:
        super().__init__(
            f"the environment names Chargebee site {site}, but {reason}. Nothing was sent."
            " Check chargebee.site, chargebee.baseUrl, chargebee.timezone and the key."
        )


class ChargebeeRefusedReadError(DestinationError):
    """Chargebee will not answer the question."""

    def __init__(self, call: str, status: int, reason: str) -> None:
        super().__init__(
            f"Chargebee refused {call} (HTTP {status}: {quoted(reason)}). Nothing was sent."
            " If Chargebee's API moved, report it with this text."
        )


class ChargebeeUnreachableError(DestinationUnreachableError):
    """Chargebee did not answer, or answered that it is out of order."""

    def __init__(self, call: str, reason: str) -> None:
        super().__init__(
            f"Chargebee could not be asked for {call} ({quoted(reason)}). Nothing was sent."
            " Try again; if it lasts, look at Chargebee's status page."
        )


class TooManyEventsError(DestinationError):
    """The site has more events than are read to name who changed an invoice."""

    def __init__(self, most: int) -> None:
        super().__init__(
            f"Chargebee has more than {most:,} events of invoices since then; the newer ones were"
            " not read. Nothing was sent. Look at the invoice's own history in Chargebee."
        )


class UnreadableChargebeeAnswerError(DestinationUnreachableError):
    """Chargebee answered something that its published API does not allow."""

    def __init__(self, subject: str, reason: str) -> None:
        super().__init__(
            f"Chargebee's answer for {subject} cannot be read: {quoted(reason)}. Nothing was sent."
            " Try again; if Chargebee's API moved, report it with this text."
        )


def quoted(reason: str, *secrets: Secret) -> str:
    """Cut and redact what a vendor said."""
    text = " ".join(redact_text(reason, secrets).split()).rstrip(".")
    return text if len(text) <= _REASON_LENGTH_MAX else text[: _REASON_LENGTH_MAX - 1] + "…"
