"""What doctor found, for a terminal and as JSON."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence

from reconciler.doctor.core import CheckResult
from reconciler.kernel import exact_json
from reconciler.kernel.text import counted, printable
from reconciler.kernel.value import JsonValue

SCHEMA = "m3ter-reconciler/doctor/v1"
WIDTH = 100
_MARKS = {"ok": "  ok", "problem": "! problem", "warning": "? look at", "not checked": "  -"}
_STATE_WIDTH = 11


def doctor_text(environment: str, found: Sequence[CheckResult]) -> str:
    """Render the findings, the sum first."""
    width = max(len(one.check) for one in found)
    lines = [_summary(environment, found), ""]
    for one in found:
        lines += _lines(one, width)
    return "\n".join(lines) + "\n"


def doctor_json(environment: str, found: Sequence[CheckResult]) -> str:
    """Render the findings as one JSON document."""
    checks: list[JsonValue] = [
        {
            "check": one.check,
            "state": one.state,
            "message": one.message,
            "todo": one.todo,
            "exitCode": int(one.code),
        }
        for one in found
    ]
    return exact_json.encode(
        {"schema": SCHEMA, "environment": environment, "checks": checks}, indent=2
    )


def _summary(environment: str, found: Sequence[CheckResult]) -> str:
    counts = Counter(one.state for one in found)
    parts = [f"{environment}: {counted(counts['ok'], 'check is well', 'checks are well')}"]
    if counts["problem"]:
        parts.append(counted(counts["problem"], "problem", "problems"))
    if counts["warning"]:
        parts.append(f"{counts['warning']:,} to look at")
    if counts["not checked"]:
        parts.append(f"{counts['not checked']:,} not checked")
    return " · ".join(parts) + ". Nothing was written to m3ter."


def _lines(one: CheckResult, width: int) -> Iterator[str]:
    start = f"{_MARKS[one.state].ljust(_STATE_WIDTH)}{one.check.ljust(width)}  "
    indent = " " * len(start)
    yield from textwrap.wrap(
        printable(one.message), WIDTH, initial_indent=start, subsequent_indent=indent
    )
    if one.todo:
        yield from textwrap.wrap(
            printable(one.todo), WIDTH, initial_indent=indent, subsequent_indent=indent
        )
