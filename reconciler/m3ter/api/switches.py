"""What is open about m3ter's API, each as a switch with the reference's best guess as default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from reconciler.m3ter.api.errors import UnknownM3terSwitchError


@dataclass(frozen=True, slots=True)
class M3terSwitches:
    """How this organisation's m3ter is spoken to; set by ``RECONCILER_M3TER``.

    Attributes:
        disconnect: How a PUT takes the credential away: by leaving the key out, or by null.
        arrays: How query lists are written: ``ids=a,b`` as m3ter's SDKs do, or ``ids=a&ids=b``
            as its OpenAPI document says.
        token_body: The token request's content type; both are published.
        organisation_claim: Whether a token without ``orgId`` is refused. m3ter's example has it.
        unavailable: Whether a write answered 503 may have been carried out.
    """

    disconnect: Literal["omit", "null"] = "omit"
    arrays: Literal["comma", "repeat"] = "comma"
    token_body: Literal["json", "form"] = "json"  # noqa: S105  a content type
    organisation_claim: Literal["required", "if-present"] = "required"
    unavailable: Literal["unknown", "not-processed"] = "unknown"


ALLOWED: Mapping[str, tuple[str, ...]] = {
    "disconnect": ("omit", "null"),
    "arrays": ("comma", "repeat"),
    "token_body": ("json", "form"),
    "organisation_claim": ("required", "if-present"),
    "unavailable": ("unknown", "not-processed"),
}


def parse_m3ter_switches(settings: Mapping[str, str]) -> M3terSwitches:
    """Read the switches.

    Raises:
        UnknownM3terSwitchError: For a name or value that does not exist.
    """
    switches = M3terSwitches()
    for name, value in settings.items():
        if value not in ALLOWED.get(name, ()):
            known = [f"{key}={'|'.join(values)}" for key, values in ALLOWED.items()]
            raise UnknownM3terSwitchError(name, value, known)
        switches = replace(switches, **{name: value})  # type: ignore[arg-type]
    return switches
