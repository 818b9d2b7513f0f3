"""Run a command and write what it took: ``python -m benchmarks.taken REPORT COMMAND...``.

Linux counts the memory of the process that starts another as the other's own peak, so a command
is started from this small one, never from a benchmark that holds thousands of bills.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path


def main(report: str, command: list[str]) -> int:
    """Run it to its end; write wall seconds, CPU seconds and its largest memory in MB."""
    began = time.monotonic()
    process = os.posix_spawnp(command[0], command, os.environ)
    _, status, used = os.wait4(process, 0)
    cpu, megabytes = used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
    figures = f"{time.monotonic() - began} {cpu} {megabytes}"
    Path(report).write_text(figures, encoding="ascii")
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
