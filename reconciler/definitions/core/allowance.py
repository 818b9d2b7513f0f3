"""Which hosts may be sent a key, and which variables and files may hold one.

A pull request can change ``baseUrl``, ``{env: …}`` and ``{file: …}``, but not the environment of
the job. What stands here is allowed everywhere; ``RECONCILER_ALLOW`` of the job adds to it.

``RECONCILER_ALLOW`` is a list of entries separated by commas or white space:

- ``host:PATTERN``  a host beside those of m3ter and Chargebee: ``host:api.example.com``,
  ``host:*.example.com`` (subdomains, not ``example.com`` itself)
- ``env:PATTERN``   the name of an environment variable: ``env:ACME_KEY``, ``env:ACME_*``
- ``file:PATTERN``  a path as it is written in the definition: ``file:/vault/keys/*``

``*`` stands for any characters. Hosts are compared without regard to case.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from ipaddress import ip_address
from typing import Literal
from urllib.parse import urlsplit

from reconciler.errors import InvalidError

VENDOR_DOMAINS = ("m3ter.com", "chargebee.com")
DEFAULT_VARIABLES = ("M3TER_*", "CHARGEBEE_*", "LEDGER_*", "NOTICE_*")
# Where container platforms put secrets.
DEFAULT_FILES = ("/run/secrets/*", "/var/run/secrets/*")

AllowedKind = Literal["host", "env", "file"]
_ENTRY = re.compile(r"(?P<scope>host|env|file):(?P<pattern>\S+)")


class AllowanceSyntaxError(InvalidError):
    """An entry of ``RECONCILER_ALLOW`` cannot be understood."""

    def __init__(self, entry: str) -> None:
        super().__init__(
            f"RECONCILER_ALLOW has the entry {entry!r}, which is none of host:PATTERN,"
            " env:PATTERN and file:PATTERN. Nothing was sent. Correct it in the job's environment."
        )


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is allowed beside the defaults; patterns as in ``RECONCILER_ALLOW``."""

    hosts: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    files: tuple[str, ...] = ()

    def allows_url(self, url: str) -> bool:
        """Say whether a key may be sent to a URL: https to an allowed host, or loopback."""
        try:
            parts = urlsplit(url)
            host = (parts.hostname or "").rstrip(".").lower()
            parts.port  # noqa: B018  raises for a port that is none
        except ValueError:
            return False
        if parts.username is not None or parts.query or parts.fragment:
            return False
        if is_loopback(host):
            return parts.scheme in {"http", "https"}
        return parts.scheme == "https" and self.allows_host(host)

    def allows_host(self, host: str) -> bool:
        """Say whether a host is the vendors' or allowed by the job."""
        vendors = any(host == domain or host.endswith(f".{domain}") for domain in VENDOR_DOMAINS)
        return vendors or any(fnmatchcase(host, pattern.lower()) for pattern in self.hosts)

    def allows_variable(self, name: str) -> bool:
        """Say whether a reference may name an environment variable."""
        return any(fnmatchcase(name, pattern) for pattern in (*DEFAULT_VARIABLES, *self.variables))

    def allows_file(self, path: str) -> bool:
        """Say whether a reference may name a file; never one whose path goes up by ``..``."""
        if ".." in path.split("/"):
            return False
        return any(fnmatchcase(path, pattern) for pattern in (*DEFAULT_FILES, *self.files))


def parse_allowance(text: str) -> Allowance:
    """Read ``RECONCILER_ALLOW``; the syntax stands in the module docstring.

    Raises:
        AllowanceSyntaxError: For an entry that is none of the three forms.
    """
    entries = [_entry(word) for word in re.split(r"[\s,]+", text) if word]
    return Allowance(
        hosts=_of("host", entries), variables=_of("env", entries), files=_of("file", entries)
    )


def is_loopback(host: str) -> bool:
    """Say whether a host is this machine: ``localhost``, 127.0.0.0/8 or ``::1``."""
    if host == "localhost":
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return address.is_loopback if address.version == 4 else address.compressed == "::1"  # noqa: PLR2004  IP version


def _entry(text: str) -> tuple[str, str]:
    if (match := _ENTRY.fullmatch(text)) is None:
        raise AllowanceSyntaxError(text)
    return match["scope"], match["pattern"]


def _of(scope: AllowedKind, entries: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    return tuple(pattern for owner, pattern in entries if owner == scope)
