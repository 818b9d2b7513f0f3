"""What may be shown of a request, an answer or a payload: never a secret."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from reconciler.kernel.secret import Secret
from reconciler.kernel.value import JsonValue

BLANK = "[redacted]"
SECRET_HEADERS = frozenset(
    {
        "authorization",
        "proxy-authorization",
        "cookie",
        "set-cookie",
        "x-api-key",
        "x-auth-token",
        "www-authenticate",
    }
)
_SHORTEST_SECRET = 4
_KEY = (
    r"secret|password|passwd|passphrase|token|api[-_]?key|access[-_]?key|private[-_]?key"
    r"|authorization|cookie|signature|credential[s]?"
)
# Ids and page marks look like secrets by their name, and are none.
_HARMLESS = re.compile(r"(?i)(id|ids|nexttoken|token_?type|tokentype)$")
_SECRET_KEY = re.compile(rf"(?i)({_KEY})")
# Every repetition before the deciding character is bounded, so that no text takes long.
_PATTERNS = (
    # Authorization values, wherever they stand.
    (re.compile(r"(?i)\b(bearer|basic)\s{1,9}[A-Za-z0-9._~+/=-]{6,}"), rf"\1 {BLANK}"),
    # A JSON Web Token.
    (re.compile(r"\beyJ[A-Za-z0-9_-]{1,4000}\.[A-Za-z0-9_-]{1,4000}\.[A-Za-z0-9_-]*"), BLANK),
    # User and password of a URL.
    (re.compile(r"(?i)\b([a-z][a-z0-9+.-]{0,20}://)[^\s/@\"']{1,400}@"), rf"\1{BLANK}@"),
    # "apiKey": "value" and api_key=value.
    (
        re.compile(
            rf"(?i)((?<![\w-])[\w-]{{0,60}}(?:{_KEY})(?!\w{{0,60}}ids?\b)[\w-]{{0,60}}[\"']?"
            r"\s{0,9}[:=]\s{0,9})"
            r"(\"(?:[^\"\\]|\\.)*\"|'[^']*'|[^\s,;&}\"'\[{]+)"
        ),
        rf'\1"{BLANK}"',
    ),
)


def is_secret_key(name: str) -> bool:
    """Say whether a key's value must not be shown, by its name."""
    return bool(_SECRET_KEY.search(name)) and not _HARMLESS.search(name)


def redact_value(value: JsonValue) -> JsonValue:
    """Give plain data with the values of all secret keys blanked, at any depth."""
    if isinstance(value, Mapping):
        return {
            key: BLANK if is_secret_key(key) and member is not None else redact_value(member)
            for key, member in value.items()
        }
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, Sequence):
        return [redact_value(element) for element in value]
    return value


def redact_text(text: str, secrets: Iterable[Secret] = ()) -> str:
    """Blank known secrets and everything that looks like one.

    Args:
        text: Any text.
        secrets: Values that must not appear, whatever they look like.
    """
    for secret in secrets:
        value = secret.reveal()
        if len(value) >= _SHORTEST_SECRET:
            text = text.replace(value, BLANK)
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text
