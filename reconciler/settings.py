"""Environment variables -> frozen settings; the one place that turns references into secrets.

variable               | meaning
-----------------------+----------------------------------------------------------------
RECONCILER_ALLOW       | further hosts, variables and files, see ``definitions.core.allowance``
M3TER_BASE_URL         | overrides ``m3ter.baseUrl`` of the environment
CHARGEBEE_BASE_URL     | overrides ``chargebee.baseUrl`` of the environment
RECONCILER_M3TER       | switches of the m3ter adapter: ``name=value, …``
RECONCILER_CHARGEBEE   | switches of the Chargebee adapter: ``name=value, …``
RECONCILER_LOOK_FIRST  | waits after an unknown outcome, see ``sync.core.when_to_act``
RECONCILER_CLOCK_AHEAD | rehearsals on loopback only: seconds our clock is ahead of the machine's
SSL_CERT_FILE          | trusted certificates instead of the bundled ones
NO_COLOR               | no colour, when set to anything but the empty text
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

from reconciler.definitions.core.allowance import Allowance, is_loopback, parse_allowance
from reconciler.definitions.kinds.environment import EnvReference, FileReference
from reconciler.errors import ExitCode, IdentityError
from reconciler.kernel.secret import Secret, SecretReference
from reconciler.sync.core.when_to_act import RetryTimes, parse_retry_times

SECRET_BYTES_MAX = 64 * 1024
Reference = EnvReference | FileReference | SecretReference


class SettingsError(IdentityError):
    """Something about keys or hosts is refused before anything is sent."""


class HostNotAllowedError(SettingsError):
    """A base URL would send a key to a host that the job does not allow."""

    def __init__(self, url: str, source: str) -> None:
        shown = re.sub(r"//[^/@]*@", "//", url)
        super().__init__(
            f"{source} is {shown}, and no key may be sent there: allowed are https to m3ter.com and"
            " chargebee.com with their subdomains, and loopback. Nothing was sent. If the host is"
            " right, add host:NAME to RECONCILER_ALLOW in the job's environment."
        )


class ReferenceNotAllowedError(SettingsError):
    """A reference names a variable or file that the job does not allow."""

    def __init__(self, reference: SecretReference) -> None:
        super().__init__(
            f"the reference {reference} is not on the list of allowed names, so it was not read"
            f" and nothing was sent. If it is right, add {reference.source}:{reference.name} to"
            " RECONCILER_ALLOW in the job's environment."
        )


class MissingSecretError(SettingsError):
    """A reference leads to nothing usable."""

    def __init__(self, reference: SecretReference, reason: str) -> None:
        super().__init__(
            f"the secret {reference} cannot be used: {reason}. Nothing was sent."
            f" Set the {'variable' if reference.source == 'env' else 'file'} for this job."
        )


class MissingCertificatesError(SettingsError):
    """``SSL_CERT_FILE`` names no file."""

    exit_code = ExitCode.INVALID

    def __init__(self, file: str) -> None:
        super().__init__(
            f"SSL_CERT_FILE is {file}, which is no file. Nothing was sent. Name a file of trusted"
            " certificates, or unset it."
        )


class SwitchSyntaxError(SettingsError):
    """A list of switches cannot be understood."""

    exit_code = ExitCode.INVALID

    def __init__(self, variable: str, entry: str) -> None:
        super().__init__(
            f"{variable} has the entry {entry!r}, which is not name=value. Nothing was sent."
        )


class ClockAheadError(SettingsError):
    """The clock of a rehearsal cannot be understood, or would be used outside one."""

    exit_code = ExitCode.INVALID

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"RECONCILER_CLOCK_AHEAD {reason}. Nothing was sent. It is for rehearsals against an"
            " emulator; unset it."
        )


@dataclass(frozen=True, slots=True)
class Settings:
    """What the job's environment says.

    Attributes:
        environ: All variables; references are resolved from it. Never shown.
        allowance: From ``RECONCILER_ALLOW``.
        m3ter_switches: From ``RECONCILER_M3TER``; the adapter knows the names.
        chargebee_switches: From ``RECONCILER_CHARGEBEE``; the adapter knows the names.
        look_first: From ``RECONCILER_LOOK_FIRST``.
        clock_ahead: From ``RECONCILER_CLOCK_AHEAD``; other than zero, only loopback is a host.
    """

    environ: Mapping[str, str] = field(repr=False)
    allowance: Allowance = field(default_factory=Allowance)
    m3ter_switches: Mapping[str, str] = field(default_factory=dict)
    chargebee_switches: Mapping[str, str] = field(default_factory=dict)
    look_first: RetryTimes = field(default_factory=RetryTimes)
    clock_ahead: timedelta = timedelta()

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Settings:
        """Read the settings from environment variables; they are copied.

        Raises:
            AllowanceSyntaxError: When ``RECONCILER_ALLOW`` cannot be understood.
            SwitchSyntaxError: When a list of switches cannot be understood.
            LookFirstSyntaxError: When ``RECONCILER_LOOK_FIRST`` cannot be understood.
            ClockAheadError: When ``RECONCILER_CLOCK_AHEAD`` is no number of seconds.
        """
        return cls(
            environ=MappingProxyType(dict(environ)),
            allowance=parse_allowance(environ.get("RECONCILER_ALLOW", "")),
            m3ter_switches=_switches(environ, "RECONCILER_M3TER"),
            chargebee_switches=_switches(environ, "RECONCILER_CHARGEBEE"),
            look_first=parse_retry_times(environ.get("RECONCILER_LOOK_FIRST", "")),
            clock_ahead=_seconds(environ.get("RECONCILER_CLOCK_AHEAD", "0")),
        )

    @property
    def no_color(self) -> bool:
        """Say whether ``NO_COLOR`` is set.

        Source: https://no-color.org, "when present and not an empty string".
        """
        return bool(self.environ.get("NO_COLOR"))

    @property
    def authorities(self) -> str:
        """Give the file of trusted certificates; empty for the bundled ones.

        Raises:
            MissingCertificatesError: When ``SSL_CERT_FILE`` names no readable file.
        """
        file = self.environ.get("SSL_CERT_FILE", "")
        if file and not Path(file).is_file():
            raise MissingCertificatesError(file)
        return file

    def m3ter_url(self, defined: str) -> str:
        """Give m3ter's base URL: ``M3TER_BASE_URL``, or what the environment defines.

        Raises:
            HostNotAllowedError: When no key may be sent there.
        """
        return self._url("M3TER_BASE_URL", defined, "m3ter.baseUrl")

    def chargebee_url(self, defined: str) -> str:
        """Give Chargebee's base URL: ``CHARGEBEE_BASE_URL``, or what the environment defines.

        Raises:
            HostNotAllowedError: When no key may be sent there.
        """
        return self._url("CHARGEBEE_BASE_URL", defined, "chargebee.baseUrl")

    def resolve(self, reference: Reference, folder: Path = Path()) -> Secret:
        """Read the secret behind a reference.

        Args:
            reference: A variable or a file.
            folder: Where a relative path starts: the repository.

        Raises:
            ReferenceNotAllowedError: When the job does not allow the name.
            MissingSecretError: When there is nothing usable behind it.
        """
        plain = _plain(reference)
        if plain.source == "env":
            return self._from_variable(plain)
        return self._from_file(plain, folder)

    def _url(self, variable: str, defined: str, path: str) -> str:
        override = self.environ.get(variable, "")
        url = override or defined
        if not self.allowance.allows_url(url):
            raise HostNotAllowedError(url, variable if override else path)
        if self.clock_ahead and not is_loopback(urlsplit(url).hostname or ""):
            raise ClockAheadError("is set, and the base URL is no address of this machine")
        return url.rstrip("/")

    def _from_variable(self, reference: SecretReference) -> Secret:
        if not self.allowance.allows_variable(reference.name):
            raise ReferenceNotAllowedError(reference)
        value = self.environ.get(reference.name)
        if value is None:
            raise MissingSecretError(reference, "the variable is not set")
        return _usable(reference, value)

    def _from_file(self, reference: SecretReference, folder: Path) -> Secret:
        if not self.allowance.allows_file(reference.name):
            raise ReferenceNotAllowedError(reference)
        try:
            data = _read_regular(folder / reference.name)
            text = data.decode()
        except UnicodeDecodeError:
            raise MissingSecretError(reference, "the file is not UTF-8 text") from None
        except OSError as error:
            reason = error.strerror or "the file cannot be read"
            raise MissingSecretError(reference, reason) from None
        if len(data) > SECRET_BYTES_MAX:
            raise MissingSecretError(reference, "the file is larger than 64 KiB")
        return _usable(reference, text)


def _plain(reference: Reference) -> SecretReference:
    match reference:
        case EnvReference(env=name):
            return SecretReference("env", name)
        case FileReference(file=path):
            return SecretReference("file", path)
        case SecretReference():
            return reference


def _usable(reference: SecretReference, value: str) -> Secret:
    value = value.removesuffix("\n").removesuffix("\r")
    if not value.strip():
        raise MissingSecretError(reference, "it is empty")
    if any(ord(element) < ord(" ") for element in value):
        raise MissingSecretError(reference, "it has a line end or another control character in it")
    return Secret(value)


def _read_regular(path: Path) -> bytes:
    """Read one byte more than allowed of a regular file; a pipe or device is never waited for."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as stream:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(0, "it is not a regular file")
        return stream.read(SECRET_BYTES_MAX + 1)


def _seconds(text: str) -> timedelta:
    if not re.fullmatch(r"-?[0-9]{1,9}", text, re.ASCII):
        raise ClockAheadError(f"is {text!r}, which is no whole number of seconds")
    return timedelta(seconds=int(text))


def _switches(environ: Mapping[str, str], variable: str) -> Mapping[str, str]:
    switches: dict[str, str] = {}
    for entry in re.split(r"[\s,]+", environ.get(variable, "")):
        name, equals, value = entry.partition("=")
        if entry and not (name and equals and value):
            raise SwitchSyntaxError(variable, entry)
        if entry:
            switches[name] = value
    return MappingProxyType(switches)
