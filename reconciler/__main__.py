"""The process: arguments, environment and streams go in, the exit code comes out."""

from __future__ import annotations

import gc
import os
import signal
import sys
from io import TextIOWrapper

from reconciler.cli import main as cli


def main() -> int:
    """Run the command line of this process."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    collect_rarely()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # a terminal that cannot show a character must not end a run
            stream.reconfigure(errors="backslashreplace")
    return cli.main(sys.argv[1:], os.environ)


def collect_rarely() -> None:
    """Search for garbage less often.

    A large organisation is a million small objects that are all needed: searching them at the
    default pace takes a third of the time and finds none.
    """
    gc.set_threshold(100_000, 50, 100)


if __name__ == "__main__":
    sys.exit(main())
