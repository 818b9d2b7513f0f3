"""What an unexpected error may show: no secret of the environment, nothing like a key."""

from __future__ import annotations

from collections.abc import Mapping
from traceback import format_exception

from reconciler.definitions.core.secrets import blank_secrets

# A shorter value would blank half of every word.
_SECRET_LENGTH_MIN = 6


def one_line(error: Exception, environ: Mapping[str, str]) -> str:
    """Name an error in one line."""
    text = f"{type(error).__name__}: {error}".splitlines()[0]
    return _redacted(text, environ)


def traceback_text(error: Exception, environ: Mapping[str, str]) -> str:
    """Give the traceback, with every secret blanked."""
    return _redacted("".join(format_exception(error)), environ)


def _redacted(text: str, environ: Mapping[str, str]) -> str:
    for name, value in environ.items():
        if _names_a_secret(name) and len(value) >= _SECRET_LENGTH_MIN:
            text = text.replace(value, "…")
    return blank_secrets(text)


def _names_a_secret(name: str) -> bool:
    return any(word in name.upper() for word in ("KEY", "SECRET", "TOKEN", "PASSWORD", "URL"))
