"""One of many processes that share a pace: URL, rate, burst, seconds, threads; prints its grants."""

from __future__ import annotations

import sys
import threading
import time

from reconciler.kernel.secret import Secret
from reconciler.ledger.rate_limit import SharedBucket
from reconciler.ledger.sql.postgres import open_postgres
from reconciler.sync.model.push import SiteName
from reconciler.transport.system_clock import SystemClock

url, rate, burst, seconds, threads = sys.argv[1], *map(float, sys.argv[2:6])
database = open_postgres(Secret(url), SystemClock())
bucket = SharedBucket(database, SiteName("acme-test"), rate, burst=burst)
end = time.time() + seconds
grants: list[float] = []


def work() -> None:
    while time.time() < end:
        bucket.acquire()
        grants.append(time.time())


workers = [threading.Thread(target=work) for _ in range(int(threads))]
for worker in workers:
    worker.start()
for worker in workers:
    worker.join()
database.close()
sys.stdout.write("\n".join(f"{grant:.6f}" for grant in grants))
