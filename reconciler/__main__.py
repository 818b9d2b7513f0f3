"""The process: arguments, environment and streams go in, the exit code comes out."""

from __future__ import annotations

import os
import signal
import sys
from io import TextIOWrapper

from reconciler.cli import main as cli


def main() -> int:
    """Run the command line of this process."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # a terminal that cannot show a character must not end a run
            stream.reconfigure(errors="backslashreplace")
    return cli.main(sys.argv[1:], os.environ)


if __name__ == "__main__":
    sys.exit(main())
