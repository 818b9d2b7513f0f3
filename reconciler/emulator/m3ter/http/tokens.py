"""Bearer tokens: issued for an access key, checked by signature and the emulated clock.

The token looks like m3ter's (a JWT with ``orgId``) but is signed with a key of the emulator's own.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs
from uuid import uuid4

from reconciler.emulator import wire
from reconciler.emulator.exchange import HttpRequest
from reconciler.emulator.m3ter.http.call import RefusedCall
from reconciler.emulator.m3ter.http.entities import SERVICE_USER
from reconciler.emulator.store import Store

JsonObject = dict[str, Any]
ORGANISATION = "11111111-1111-4111-8111-111111111111"
OTHER_ORGANISATION = "22222222-2222-4222-8222-222222222222"
ACCESS_KEY = "emulator-key"
API_SECRET = "emulator-secret"  # noqa: S105 - known to everyone on purpose
# Source: m3ter OpenAPI 2026-08-03, GenerateToken: "expires in 18000 seconds"
LIFE_SECONDS = 18_000
_SIGNING_KEY = b"not m3ter: the emulator's own signing key"


@dataclass(frozen=True, slots=True)
class Access:
    """What an access key may do."""

    secret: str
    organisation: str
    writes: bool = True


KEYS = {
    ACCESS_KEY: Access(API_SECRET, ORGANISATION),
    "reader-key": Access("reader-secret", ORGANISATION, writes=False),
    "other-key": Access("other-secret", OTHER_ORGANISATION),
}


@dataclass(frozen=True, slots=True)
class Bearer:
    """A token that was read and whose signature is good."""

    serial: str
    organisation: str
    expires: int
    writes: bool


def issue(store: Store, request: HttpRequest) -> JsonObject:
    """Answer a token request.

    Raises:
        Refusal: On a wrong key (status by switch) or another grant type (400).
    """
    key, secret = _basic(request.headers.get("authorization", ""))
    access = KEYS.get(key)
    if access is None or not _equal(access.secret, secret):
        raise RefusedCall(
            store.switches.number("unknown_key_status"), "Invalid access key or secret"
        )
    if _grant_type(request) != "client_credentials":
        raise RefusedCall(400, "grant_type must be client_credentials")
    issued = int(store.now().timestamp())
    claims = {
        "iss": "https://m3ter.com/oauth2",
        "sub": SERVICE_USER,
        "orgId": access.organisation,
        "permissions": "write" if access.writes else "read",
        "iat": issued,
        "exp": issued + LIFE_SECONDS,
        "jti": uuid4().hex,  # not from the seed: logging in must not shift the ids of objects
    }
    head = _text(wire.encode({"alg": "HS256", "typ": "JWT"})) + "." + _text(wire.encode(claims))
    # Source: m3ter OpenAPI 2026-08-03, BearerAccessTokenResponse
    return {
        "access_token": f"{head}.{_signature(head)}",
        "token_type": "Bearer",
        "expires_in": LIFE_SECONDS,
        "scope": None,
    }


def read(header: str) -> Bearer | None:
    """Read an ``Authorization`` header; ``None`` if it holds no token of ours."""
    scheme, _, token = header.partition(" ")
    head, _, signature = token.rpartition(".")
    if scheme.lower() != "bearer" or not _equal(signature, _signature(head)):
        return None
    claims = wire.decode(base64.urlsafe_b64decode(head.partition(".")[2] + "=="))
    return Bearer(claims["jti"], claims["orgId"], claims["exp"], claims["permissions"] == "write")


def _basic(header: str) -> tuple[str, str]:
    scheme, _, encoded = header.partition(" ")
    try:
        text = base64.b64decode(encoded, validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return "", ""
    key, _, secret = text.partition(":")
    return (key, secret) if scheme.lower() == "basic" else ("", "")


def _grant_type(request: HttpRequest) -> str | None:
    """The grant type of a form or of a JSON body; m3ter takes both."""
    if request.headers.get("content-type", "").startswith("application/json"):
        try:
            value = wire.decode(request.body)
        except wire.MalformedJsonError:
            return None
        grant = value.get("grant_type") if isinstance(value, dict) else None
        return grant if isinstance(grant, str) else None
    return parse_qs(request.body.decode("utf-8", "replace")).get("grant_type", [None])[0]


def _equal(left: str, right: str) -> bool:
    return hmac.compare_digest(left.encode("utf-8", "replace"), right.encode("utf-8", "replace"))


def _signature(head: str) -> str:
    return _text(hmac.digest(_SIGNING_KEY, head.encode("utf-8", "replace"), sha256))


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode("ascii").rstrip("=")
