"""A worker that begins one job and never ends it, to be killed: URL, and a file to touch."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from reconciler.kernel.address import BillId
from reconciler.kernel.secret import Secret
from reconciler.sync.model.push import SiteName
from reconciler.sync.ports.workers import Job
from reconciler.transport.system_clock import SystemClock
from reconciler.workers.procrastinate import ProcrastinateWorkers


def hang(_: Job) -> None:
    Path(sys.argv[2]).touch()
    while True:
        time.sleep(0.1)


workers = ProcrastinateWorkers(Secret(sys.argv[1]), SystemClock(), 1, 1.0)
list(workers.run([Job(SiteName("acme-test"), BillId("bill-1"), "sub-1")], hang, lambda: False))
