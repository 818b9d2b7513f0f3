"""The example definitions: inside the wheel, or beside the checkout."""

from __future__ import annotations

from pathlib import Path

import reconciler


def example_folder() -> Path:
    """Find the example's ``integrations.d``."""
    package = Path(reconciler.__file__).parent
    inside = package / "example"
    return inside if inside.is_dir() else package.parent / "integrations.d"
