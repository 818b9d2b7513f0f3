"""Conceivable wire keys of a setting, made from its label: to propose a dialect, never to write."""

from __future__ import annotations

from reconciler.definitions.core.settings import Setting


# Source: m3ter's Console shows labels that look like keys in sentence case; no public text shows
# a key, but for the one constant CHARGEBEE_DEFAULT_PRICE_ID.
def candidates(setting: Setting) -> tuple[str, str]:
    """Give the label in camelCase and in SCREAMING_SNAKE."""
    first, *rest = setting.label.lower().split()
    camel = first + "".join(word.capitalize() for word in rest)
    return camel, "_".join((first, *rest)).upper()
