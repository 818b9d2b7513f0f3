"""Bills that another worker holds: looked at again soon, then more rarely."""

from __future__ import annotations

import threading

from fakes.push_effects import job

from reconciler.sync.core.when_to_act import LONGEST_SECONDS, REMEMBERED_MAX, BusyBills
from reconciler.sync.ports.workers import BillBusyError, Job
from reconciler.transport.system_clock import SystemClock
from reconciler.workers.embedded import EmbeddedWorkers


def test_a_busy_bill_is_left_alone_twice_as_long_each_time_up_to_a_bound() -> None:
    busy = BusyBills()
    waits = [busy.again_in("a", 0.25) for _ in range(9)]
    assert waits == [0.25, 0.5, 1, 2, 4, 8, LONGEST_SECONDS, LONGEST_SECONDS, LONGEST_SECONDS]
    assert busy.again_in("b", 0.25) == 0.25


def test_a_bill_that_was_free_once_begins_with_a_moment_again() -> None:
    busy = BusyBills()
    busy.again_in("a", 1)
    busy.free("a")
    assert busy.again_in("a", 1) == 1


def test_a_longer_wait_that_is_asked_for_is_kept() -> None:
    assert BusyBills().again_in("a", 60) == 60


def test_a_busy_bill_blocks_no_thread_and_comes_behind_the_others() -> None:
    others = threading.Semaphore(0)
    order: list[str] = []

    def work(one: Job) -> str:
        if one.bill_id == "bill-0" and not others.acquire(blocking=False):
            raise BillBusyError(one.bill_id, 0.01)
        if one.bill_id != "bill-0":
            others.release()
        order.append(one.bill_id)
        return one.bill_id

    workers = EmbeddedWorkers(SystemClock(), threads=1)
    list(workers.run([job(0), job(1), job(2)], work, lambda: False))
    assert order[0] == "bill-1"
    assert sorted(order) == ["bill-0", "bill-1", "bill-2"]


def test_a_worker_that_runs_for_months_does_not_grow() -> None:
    busy = BusyBills()
    for number in range(REMEMBERED_MAX + 1):
        busy.again_in(str(number), 1)
    assert busy.again_in("0", 1) == 1
