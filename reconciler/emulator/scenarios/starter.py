"""Scenario `starter`."""

from __future__ import annotations

from datetime import UTC, datetime

from reconciler.emulator.store import Store

START = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)


def fill(store: Store) -> None:
    """Fill."""
