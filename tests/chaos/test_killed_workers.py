"""Three workers over PostgreSQL: killed and never restarted, and PostgreSQL restarted meanwhile."""

from __future__ import annotations

import signal
from pathlib import Path
from random import Random

import pytest
from chaos.conftest import Size
from chaos.ground import SECONDS_MAX, Ground, ground, kill_within
from chaos.month_end import ENVIRONMENT
from chaos.pushing import ALLOWED, DAY, assert_reconciled, init, listed, to_the_end
from chaos.weather import storm
from fakes.postgres import Postgres

from reconciler.kernel.secret import Secret

pytestmark = pytest.mark.chaos
WORKER = ("sync", "worker", "--env", ENVIRONMENT)
LEDGER = {"postgresql": {"env": "LEDGER_URL"}}


def test_killed_workers_over_postgresql_send_every_bill_once(
    tmp_path: Path, size: Size, own_postgres: Postgres
) -> None:
    random = Random(1)
    url = own_postgres.create("ledger").reveal()
    bills = f"month_end_bills={size.bills}"
    with ground(tmp_path, bills, ledger=LEDGER, LEDGER_URL=url) as place:
        init(place)
        place.control.fault(*storm())
        for round_of in range(size.kills // 40 + 1):
            _work(place, own_postgres, random, seconds=8.0 if size.full else 2.0)
            assert not place.verdict({}).wrong, round_of
            place.pass_time(600)
        place.control.calm()
        to_the_end(place)
        for days in (2, 4) if size.full else ():
            place.pass_time(days * DAY)
            to_the_end(place)
        verdict = place.verdict(listed(place))
        assert verdict.done, verdict
        assert_reconciled(place, verdict.sent)


def test_two_runs_at_once_over_postgresql_send_every_bill_once(
    tmp_path: Path, size: Size, postgres_url: Secret
) -> None:
    bills = f"month_end_bills={size.bills}"
    with ground(tmp_path, bills, ledger=LEDGER, LEDGER_URL=postgres_url.reveal()) as place:
        init(place)
        runs = [place.start("sync", "run", "--env", ENVIRONMENT) for _ in range(2)]
        assert {run.wait(SECONDS_MAX) for run in runs} <= ALLOWED
        to_the_end(place)
        verdict = place.verdict(listed(place))
        assert verdict.done, verdict


def _work(place: Ground, postgres: Postgres, random: Random, seconds: float) -> None:
    """Three workers begin; two are killed, the database restarts, and the third goes on."""
    first, second, third = [place.start(*WORKER) for _ in range(3)]
    for entry in (first, second, third):
        place.wait_for(entry, "working for")
    for entry in (first, second):
        kill_within(entry, random.uniform(1.0, seconds))
    postgres.restart()
    kill_within(third, random.uniform(1.0, seconds))
    # An expired token twice in a row is a refused key, which ends a worker at once.
    assert {entry.returncode for entry in (first, second, third)} <= {-signal.SIGKILL, 11}


def test_a_worker_that_starts_while_postgresql_restarts_waits_for_it(
    tmp_path: Path, own_postgres: Postgres
) -> None:
    url = own_postgres.create("ledger").reveal()
    with ground(tmp_path, "month_end_bills=40", ledger=LEDGER, LEDGER_URL=url) as place:
        init(place)
        own_postgres.stop()
        worker = place.start(*WORKER)
        place.wait_for(worker, "waiting for PostgreSQL, at most 60 s")
        own_postgres.start()
        place.wait_for(worker, "working for")
        worker.send_signal(signal.SIGINT)
        assert worker.wait(SECONDS_MAX) == 130
