"""The bearer token: fetched once per five hours, by one thread for all of them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from datetime import timedelta
from threading import Lock

from reconciler.kernel.address import OrganizationId
from reconciler.kernel.exact_json import NotJsonError, decode, encode
from reconciler.kernel.ports import Clock
from reconciler.kernel.secret import Secret
from reconciler.kernel.value import JsonValue
from reconciler.m3ter.api.answers import data, is_success, lost, message, refusal
from reconciler.m3ter.api.errors import (
    AuthenticationError,
    Call,
    UnreadableAnswerError,
    WrongOrganisationError,
)
from reconciler.m3ter.api.switches import M3terSwitches
from reconciler.transport.client import Request
from reconciler.transport.retry import Answer
from reconciler.transport.sender import Sender

# Source: m3ter OpenAPI 2026-08-03, GenerateToken: `expires_in` 18000 seconds
LIFETIME_SECONDS = 18_000
MARGIN = timedelta(minutes=5)
CALL = Call("POST", "/oauth/token", "get a token")
_BODIES = {
    "json": ("application/json", encode({"grant_type": "client_credentials"}).encode()),
    "form": ("application/x-www-form-urlencoded", b"grant_type=client_credentials"),
}


class Tokens:
    """Gives the token, renews it in time, and checks whose it is each time it is fetched."""

    def __init__(
        self,
        sender: Sender,
        clock: Clock,
        *,
        organization: OrganizationId,
        access_key: Secret,
        api_secret: Secret,
        switches: M3terSwitches,
    ) -> None:
        self._sender = sender
        self._clock = clock
        self._organization = organization
        self._key = Secret(f"{access_key.reveal()}:{api_secret.reveal()}")
        self._switches = switches
        self._lock = Lock()
        self._token: Secret | None = None
        self._fetched = self._expires = clock.now()

    def current(self) -> Secret:
        """Give a token that is good for some minutes more."""
        with self._lock:
            if self._token is None or self._clock.now() >= self._expires - MARGIN:
                return self._fetch()
            return self._token

    def renewed(self, refused: Secret) -> Secret:
        """Give a token other than the refused one; many threads may ask, one fetches."""
        with self._lock:
            if self._token is None or self._token == refused:
                return self._fetch()
            return self._token

    def age(self) -> timedelta:
        """Give the time since the token was fetched, by the wall clock: laptops sleep."""
        return self._clock.now() - self._fetched

    def _fetch(self) -> Secret:
        self._token = None
        fetched = self._clock.now()
        token, lifetime = self._ask()
        self._refuse_stranger(token)
        self._token, self._fetched = token, fetched
        self._expires = fetched + timedelta(seconds=lifetime)
        return token

    def _ask(self) -> tuple[Secret, int]:
        kind, body = _BODIES[self._switches.token_body]
        basic = base64.b64encode(self._key.reveal().encode()).decode()
        headers = {"Authorization": f"Basic {basic}", "Content-Type": kind}
        outcome = self._sender.send(Request("POST", CALL.path, (), headers, body), writes=False)
        if not isinstance(outcome, Answer):
            raise lost(CALL, outcome)
        # m3ter's answer to a wrong key is not documented: 400, 401 and 403 all say so.
        if outcome.status in {400, 401, 403}:
            raise AuthenticationError(CALL, outcome.status, message(outcome))
        if not is_success(outcome):
            raise refusal(CALL, outcome)
        return _granted(outcome)

    def _refuse_stranger(self, token: Secret) -> None:
        found = claims(token.reveal()).get("orgId")
        if found is None and self._switches.organisation_claim == "if-present":
            return
        if found != self._organization:
            shown = found if isinstance(found, str) else None
            raise WrongOrganisationError(self._organization, shown)


def claims(token: str) -> Mapping[str, JsonValue]:
    """Read the claims of a JSON Web Token; nothing for any other token.

    The signature is m3ter's affair: the claims only protect against a mix-up of keys.
    """
    parts = token.split(".")
    if len(parts) != 3:  # noqa: PLR2004  header, claims, signature (RFC 7519)
        return {}
    padded = parts[1] + "=" * (-len(parts[1]) % 4)
    try:
        found = decode(base64.urlsafe_b64decode(padded))
    except (NotJsonError, binascii.Error, ValueError):
        return {}
    return found if isinstance(found, Mapping) else {}


def _granted(answer: Answer) -> tuple[Secret, int]:
    try:
        body = data(answer)
    except NotJsonError as error:
        raise UnreadableAnswerError("a token", str(error)) from None
    token = body.get("access_token") if isinstance(body, Mapping) else None
    if not isinstance(body, Mapping) or not isinstance(token, str) or not token:
        raise UnreadableAnswerError("a token", "it has no access_token")
    lifetime = body.get("expires_in")
    return Secret(token), lifetime if type(lifetime) is int else LIFETIME_SECONDS
