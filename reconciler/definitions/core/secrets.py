"""Recognises literal secrets in text: keys, tokens, passwords in URLs, private keys."""

from __future__ import annotations

import math
import re
from collections import Counter

BLANK = "••••••"

# Source: Chargebee API docs "Authentication": keys start with `live_` or `test_`;
# RFC 7519 (JWT), RFC 6750 (bearer), RFC 7617 (basic), RFC 3986 userinfo, RFC 7468 (PEM).
# Each shape is only looked for where one of its cues stands in the text in small letters: most
# texts have none, and definitions have many texts.
_SHAPES = (
    (
        ("-----begin",),
        re.compile(
            r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----(?:[^-]{0,20000}-----END [A-Z ]+-----)?"
        ),
    ),
    (
        ("eyj",),
        re.compile(r"(?<![\w-])eyJ[\w-]{8,4000}\.[\w-]{8,4000}\.[\w-]{8,4000}"),
    ),
    (
        ("bearer", "basic"),
        re.compile(r"(?i)\b(?:bearer|basic)[ \t]{1,9}(?P<secret>[a-z0-9+/._~-]{16,4000}=*)"),
    ),
    (("://",), re.compile(r"://[^\s/:@?#]{0,200}:(?P<secret>[^\s/@?#]{1,400})@")),
    (("live_", "test_"), re.compile(r"(?<![A-Za-z0-9])(?:live|test)_[A-Za-z0-9]{16,400}")),
    (
        ("sk_", "sk-", "rk_", "rk-", "whsec", "xox", "gho_", "ghp_", "ghs_", "ghu_"),
        re.compile(r"(?<![A-Za-z0-9])(?:sk|rk|whsec|xox[abprs]|gh[opsu])[_-][A-Za-z0-9_-]{16,400}"),
    ),
    (("github_pat_",), re.compile(r"\bgithub_pat_\w{20,400}")),
    (("akia",), re.compile(r"\bAKIA[0-9A-Z]{16}\b")),
    (
        ("hooks.slack.com/",),
        re.compile(r"https://hooks\.slack\.com/services/(?P<secret>\S{1,400})"),
    ),
)
# Shorter texts hold none of the shapes; this alone decides for most of a large CSV file.
_LENGTH_MIN = 16
_TOKEN = re.compile(r"(?<![A-Za-z0-9+/_=-])[A-Za-z0-9+/_-]{28,}={0,2}(?![A-Za-z0-9+/_=-])")
_WORDS = re.compile(r"[A-Z]?[a-z]{3,}|[A-Z]{3,}|[0-9]{3,}")
_DIGIT = re.compile(r"[0-9]")
_LETTER = re.compile(r"[A-Za-z]")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_HEX = re.compile(r"[0-9a-f]+|[0-9A-F]+")

# Random letters and digits carry about 4.4 bits a character at 28 characters, random
# hexadecimal digits about 3.4; names built of words stay below.
_ENTROPY_MIN = 3.9
_HEX_ENTROPY_MIN = 3.0
_HEX_LENGTH_MIN = 32


def looks_like_secret(text: str) -> tuple[int, int] | None:
    """Find the first literal secret.

    UUIDs, names, codes and price ids are none.

    Returns:
        Start and end of the secret in ``text``, or ``None``.
    """
    if len(text) < _LENGTH_MIN and "://" not in text:
        return None
    lowered = text.lower()
    found = [
        _span(match)
        for cues, shape in _SHAPES
        if any(cue in lowered for cue in cues) and (match := shape.search(text))
    ]
    found += [match.span() for match in _TOKEN.finditer(text) if _is_random(match[0])]
    return min(found, default=None)


def blank_secrets(text: str) -> str:
    """Replace every literal secret."""
    parts: list[str] = []
    while span := looks_like_secret(text):
        parts += [text[: span[0]], BLANK]
        text = text[span[1] :]
    return "".join([*parts, text])


def _span(match: re.Match[str]) -> tuple[int, int]:
    return match.span("secret" if "secret" in match.re.groupindex else 0)


def _is_random(token: str) -> bool:
    if not _DIGIT.search(token) or _UUID.search(token):
        return False
    if _HEX.fullmatch(token):
        return len(token) >= _HEX_LENGTH_MIN and _entropy(token) >= _HEX_ENTROPY_MIN
    return _mixed(token) and _entropy(token) >= _ENTROPY_MIN


def _mixed(token: str) -> bool:
    """Tell letters and digits at random from joined words: less than two thirds are words."""
    if not _LETTER.search(token):
        return False
    in_words = sum(len(word) for word in _WORDS.findall(token))
    return in_words * 3 < len(token) * 2


def _entropy(token: str) -> float:
    """Give Shannon's entropy in bits a character."""
    return -sum(
        count / len(token) * math.log2(count / len(token)) for count in Counter(token).values()
    )
