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


def doctor_text(environment: str, results: Sequence[CheckResult]) -> str:
    """Render the findings, the sum first."""
    width = max(len(result.check) for result in results)
    lines = [_summary(environment, results), ""]
    for result in results:
        lines += _lines(result, width)
    return "\n".join(lines) + "\n"


def doctor_json(environment: str, results: Sequence[CheckResult]) -> str:
    """Render the findings as one JSON document."""
    checks: list[JsonValue] = [
        {
            "check": result.check,
            "state": result.state,
            "message": result.message,
            "todo": result.todo,
            "exitCode": int(result.code),
        }
        for result in results
    ]
    return exact_json.encode(
        {"schema": SCHEMA, "environment": environment, "checks": checks}, indent=2
    )


def _summary(environment: str, results: Sequence[CheckResult]) -> str:
    counts = Counter(result.state for result in results)
    parts = [f"{environment}: {counted(counts['ok'], 'check is well', 'checks are well')}"]
    if counts["problem"]:
        parts.append(counted(counts["problem"], "problem", "problems"))
    if counts["warning"]:
        parts.append(f"{counts['warning']:,} to look at")
    if counts["not checked"]:
        parts.append(f"{counts['not checked']:,} not checked")
    return " · ".join(parts) + ". Nothing was written to m3ter."


def _lines(result: CheckResult, width: int) -> Iterator[str]:
    start = f"{_MARKS[result.state].ljust(_STATE_WIDTH)}{result.check.ljust(width)}  "
    indent = " " * len(start)
    yield from textwrap.wrap(
        printable(result.message), WIDTH, initial_indent=start, subsequent_indent=indent
    )
    if result.todo:
        yield from textwrap.wrap(
            printable(result.todo), WIDTH, initial_indent=indent, subsequent_indent=indent
        )
