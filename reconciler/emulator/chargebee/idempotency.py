"""Idempotency keys: what was answered before is answered again, for half an hour."""

from __future__ import annotations

import hashlib

from reconciler.emulator.chargebee.parameters.refusals import key_reused, wrong_value
from reconciler.emulator.chargebee.site import EmulatedSite
from reconciler.emulator.exchange import HttpAnswer, HttpRequest

HEADER = "chargebee-idempotency-key"
REPLAYED = ("chargebee-idempotency-replayed", "true")
_KIND = "idempotency_key"
_LONGEST_KEY = 100
_SERVER_ERROR = 500
_CLIENT_ERROR = 400


def key_of(request: HttpRequest) -> str:
    """The key of a request; empty without one.

    Source: Chargebee API docs, idempotency: at most 100 characters.
    """
    key = request.headers.get(HEADER, "")
    if len(key) > _LONGEST_KEY:
        raise wrong_value(HEADER, f"must be at most {_LONGEST_KEY} characters")
    return key


def replay(site: EmulatedSite, request: HttpRequest) -> HttpAnswer | None:
    """The answer that was stored for this key, if it is remembered.

    Raises:
        RefusalError: 422 if the key came with another request.
    """
    name = _name(site, request)
    known = site.get(_KIND, name) if name else None
    if known is None or site.now() >= known["expires_at"]:
        return None
    if known["fingerprint"] != fingerprint(site, request):
        raise key_reused()
    headers = tuple((pair[0], pair[1]) for pair in known["headers"])
    return HttpAnswer(known["status"], known["body"].encode(), (*headers, REPLAYED))


def remember(site: EmulatedSite, request: HttpRequest, answer: HttpAnswer) -> None:
    """Store an answer under the key of its request, if the site stores such answers."""
    name = _name(site, request)
    if not name or not _stored(site, answer.status):
        return
    _forget_old(site)
    site.keep(
        _KIND,
        {
            "id": name,
            "fingerprint": fingerprint(site, request),
            "status": answer.status,
            "body": answer.body.decode(),
            "headers": [list(pair) for pair in answer.headers],
            "expires_at": site.now() + 60 * site.switches.number("idempotency_minutes"),
        },
    )


def expire(site: EmulatedSite, request: HttpRequest) -> None:
    """Forget the key of a request as if its time were over."""
    name = _name(site, request)
    if name:
        site.remove(_KIND, name)


def fingerprint(site: EmulatedSite, request: HttpRequest) -> str:
    """What must be equal for a repeat to be the same request.

    Source: third-party quote of Chargebee's docs: URI path, request body and headers. Attempt
    counters of the official clients change on retries, so only Chargebee's own headers count.
    """
    own = [
        header for header in request.headers if header.startswith("chargebee-") and header != HEADER
    ]
    counted = site.switches.text("idempotency_headers") == "chargebee"
    headers = [f"{name}:{request.headers[name]}" for name in sorted(own)] if counted else []
    text = "\n".join([request.path, *headers]).encode() + b"\n" + request.body
    return hashlib.sha256(text).hexdigest()


def _name(site: EmulatedSite, request: HttpRequest) -> str:
    key = request.headers.get(HEADER, "")
    if key and site.switches.text("idempotency_scope") == "path":
        return f"{request.path} {key}"
    return key


def _stored(site: EmulatedSite, status: int) -> bool:
    match site.switches.text("idempotency_stores"):
        case "success":
            return status < _CLIENT_ERROR
        case "client-errors":
            return status < _SERVER_ERROR
        case _:
            return True


def _forget_old(site: EmulatedSite) -> None:
    now = site.now()
    old: list[str] = []
    for row in site.table(_KIND).rows.values():
        if row.data["expires_at"] > now:
            break
        old.append(row.data["id"])
    for name in old:
        site.remove(_KIND, name)
