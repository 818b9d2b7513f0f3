"""``python -m benchmarks``: every ratio in one run. Nothing passes or fails here."""

from __future__ import annotations

import sys

from benchmarks import apply_rate, noop_plan, start_up, sync_memory, sync_rate, validation

if __name__ == "__main__":
    for part in (start_up, validation, noop_plan, apply_rate, sync_rate, sync_memory):
        part.run()
        sys.stdout.flush()
