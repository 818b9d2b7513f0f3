"""A ledger in PostgreSQL: its clock, its durability, its restarts, and no word of its address."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.clock import FakeClock
from fakes.postgres import Postgres, query
from fakes.push_effects import BILL, SITE, WHY, expected, key, step
from sqlalchemy import text

from reconciler.errors import ExitCode
from reconciler.kernel.address import BillId
from reconciler.kernel.secret import Secret
from reconciler.ledger.ledger import SqlLedger
from reconciler.ledger.opening import create_ledger
from reconciler.ledger.sql.database import Database, LedgerGoneError, LedgerUnreachableError
from reconciler.ledger.sql.postgres import LedgerAwayError, is_refused, open_postgres, why_away
from reconciler.sync.core.when_to_act import RetryTimes
from reconciler.sync.model.push import Performed, PushState
from reconciler.sync.ports.ledger import Lease
from reconciler.transport.system_clock import SystemClock

SETTINGS = RetryTimes()


@pytest.fixture
def shared(postgres_url: Secret) -> Iterator[Database]:
    database = open_postgres(postgres_url, SystemClock())
    yield database
    database.close()


def test_the_databases_clock_counts(shared: Database) -> None:
    ledger = create_ledger(shared, expected(), SETTINGS)
    lease = ledger.claim(SITE, BILL, "one", 60)
    assert lease is not None
    left = shared.read(lambda connection: lease.until - shared.now(connection)).total_seconds()
    assert 50 < left <= 60


@pytest.mark.parametrize(
    ("configured", "used"), [("off", "on"), ("local", "on"), ("remote_apply", "remote_apply")]
)
def test_a_commit_waits_for_the_disk_whatever_the_server_says(
    postgres_url: Secret, configured: str, used: str
) -> None:
    (name,) = query(postgres_url, "select current_database()")[0]
    query(
        postgres_url,
        f"""alter database "{name}" set synchronous_commit = {configured}""",
    )
    database = open_postgres(postgres_url, SystemClock())
    for _ in range(2):
        found = database.write(
            lambda connection: connection.execute(text("show synchronous_commit")).scalar()
        )
        assert found == used
    database.close()


def claims(ledger: SqlLedger, count: int) -> list[Lease | None]:
    taken: list[Lease | None] = []
    start = threading.Barrier(count)

    def claim(number: int) -> None:
        start.wait(5)
        taken.append(ledger.claim(SITE, BILL, f"w{number}", 60))

    threads = [threading.Thread(target=claim, args=[number]) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    return taken


def test_of_many_workers_at_once_one_gets_the_bill(shared: Database) -> None:
    ledger = create_ledger(shared, expected(), SETTINGS)
    for fence in (1, 2):
        won = [claim for claim in claims(ledger, 8) if claim is not None]
        assert [lease.fence for lease in won] == [fence]
        ledger.release(won[0])


def test_many_workers_migrate_and_count_at_once(postgres_url: Secret) -> None:
    failed: list[BaseException] = []

    def work(number: int) -> None:
        database = open_postgres(postgres_url, SystemClock())
        try:
            ledger = create_ledger(database, expected(), SETTINGS)
            bill = BillId(f"bill-{number}")
            lease = ledger.claim(SITE, bill, "w", 60)
            assert lease is not None
            for turn in range(5):
                one = key(turn, bill=bill, kind="add-line")
                ledger.intend(lease, one, step(one), WHY)
            ledger.disable(SITE, "chargebee-uk", "x")
        except BaseException as error:
            failed.append(error)
            raise
        finally:
            database.close()

    threads = [threading.Thread(target=work, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failed == []
    assert query(postgres_url, "select sequence from ledger") == [(24,)]


def test_a_restart_in_the_middle_is_outlived(own_postgres: Postgres) -> None:
    database = open_postgres(own_postgres.create("ledger"), SystemClock())
    ledger = create_ledger(database, expected(), SETTINGS)
    lease = ledger.claim(SITE, BILL, "one", 60)
    assert lease is not None
    ledger.intend(lease, key(), step(key()), WHY)
    ledger.sending(lease, key())
    own_postgres.stop()
    back = threading.Timer(0.5, own_postgres.start)
    back.start()
    done = ledger.ended(lease, key(), Performed("inv_1"), "success")
    back.join()
    assert done.state is PushState.DONE
    assert ledger.effects(SITE, BILL) == (done,)
    database.close()


def test_work_that_broke_in_its_middle_is_done_again_whole(own_postgres: Postgres) -> None:
    url = own_postgres.create("ledger")
    database = open_postgres(url, SystemClock())
    create_ledger(database, expected(), SETTINGS)
    turns: list[int] = []

    def work(connection: object) -> None:
        connection.execute(text("update ledger set sequence = sequence + 1"))  # type: ignore[attr-defined]
        turns.append(1)
        if len(turns) == 1:
            own_postgres.restart()

    database.write(work)
    assert len(turns) == 2
    assert query(url, "select sequence from ledger") == [(1,)]
    database.close()


def test_a_database_that_stays_away_ends_the_work(own_postgres: Postgres) -> None:
    clock = FakeClock()
    database = open_postgres(own_postgres.create("ledger"), clock)
    ledger = create_ledger(database, expected(), SETTINGS)
    own_postgres.stop()
    with pytest.raises(LedgerGoneError) as raised:
        ledger.pause(SITE, "ann", "x")
    assert raised.value.exit_code is ExitCode.UNKNOWN_OUTCOME
    assert clock.seconds >= 60
    database.close()
    own_postgres.start()


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://ann:s3cr3t@host:not-a-port/none",
        "mysql://ann:s3cr3t@127.0.0.1/none",
        "s3cr3t",
        "postgresql+psycopg://ann:s3cr3t@127.0.0.1:1/none?nonsense=s3cr3t",
    ],
)
def test_an_address_that_leads_nowhere_is_never_repeated(address: str) -> None:
    with pytest.raises(LedgerUnreachableError) as raised:
        open_postgres(Secret(address), SystemClock())
    assert raised.value.exit_code is ExitCode.REFUSED_IDENTITY
    assert "s3cr3t" not in str(raised.value)
    assert raised.value.__cause__ is None
    assert "PostgreSQL" in str(raised.value)


def test_a_server_that_starts_late_is_waited_for_and_said_so(own_postgres: Postgres) -> None:
    url, told = own_postgres.create("ledger"), list[str]()
    own_postgres.stop()
    back = threading.Timer(0.5, own_postgres.start)
    back.start()
    database = open_postgres(url, SystemClock(), tell=told.append)
    back.join()
    assert database.shared
    assert told[0] == "waiting for PostgreSQL, at most 60 s: nobody listens at its socket"
    database.close()


@pytest.mark.parametrize(
    ("host", "why"),
    [("127.0.0.1:1", "nobody listens at its address"), ("[half", "its host is not known")],
)
def test_a_server_that_stays_away_is_no_refused_identity(host: str, why: str) -> None:
    clock, told = FakeClock(), list[str]()
    with pytest.raises(LedgerAwayError) as raised:
        open_postgres(Secret(f"postgresql://ann:s3cr3t@{host}/none"), clock, tell=told.append)
    assert raised.value.exit_code is not ExitCode.REFUSED_IDENTITY
    assert f"did not let us in for 60 s: {why}" in str(raised.value)
    assert "s3cr3t" not in str(raised.value) + "".join(told)
    assert len(told) == 1
    assert 60 <= clock.seconds < 62


def test_a_user_that_the_server_does_not_know_is_refused_at_once(own_postgres: Postgres) -> None:
    clock = FakeClock()
    address = own_postgres.create("ledger").reveal().replace("postgres@", "nobody@")
    with pytest.raises(LedgerUnreachableError) as raised:
        open_postgres(Secret(address), clock)
    assert raised.value.exit_code is ExitCode.REFUSED_IDENTITY
    assert clock.seconds == 0


@pytest.mark.parametrize(
    ("words", "refused"),
    [
        ('FATAL:  password authentication failed for user "ann"', True),
        ('FATAL:  no pg_hba.conf entry for host "10.0.0.1"', True),
        ('FATAL:  database "none" does not exist', True),
        ("SSL error: certificate verify failed", True),
        ("FATAL:  the database system is starting up", False),
        ("FATAL:  the database system is shutting down", False),
        ("FATAL:  sorry, too many clients already", False),
        ("SSL SYSCALL error: EOF detected", False),
        ("failed to resolve host 'ssl.certificate.invalid'", False),
        ("something else", False),
    ],
)
def test_only_what_waiting_cannot_change_is_a_refusal(words: str, refused: bool) -> None:
    assert is_refused(words) is refused
    assert why_away(words).startswith("it") or refused


def test_plain_addresses_of_postgres_are_understood(postgres_url: Secret) -> None:
    plain = postgres_url.reveal().removeprefix("postgresql")
    for scheme in ("postgres", "postgresql", "postgresql+psycopg"):
        database = open_postgres(Secret(scheme + plain), SystemClock())
        assert database.where.startswith("the PostgreSQL database `test_")
        database.close()


def test_parameters_are_not_in_the_words_of_errors(shared: Database, tmp_path: Path) -> None:
    with pytest.raises(Exception, match="does not exist") as raised:
        shared.write(
            lambda connection: connection.execute(text("select :x from nowhere"), {"x": "s3cr3t"})
        )
    assert "s3cr3t" not in str(raised.value)


def test_a_missing_driver_is_said_with_the_line_that_installs_it() -> None:
    script = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from reconciler.kernel.secret import Secret\n"
        "from reconciler.transport.system_clock import SystemClock\n"
        "from reconciler.ledger.sql.postgres import PostgresMissingError, open_postgres\n"
        "try: open_postgres(Secret('postgresql://x'), SystemClock())\n"
        "except PostgresMissingError as error: print(error.exit_code, error)\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert told.stdout.startswith("10 the ledger is in PostgreSQL, but its driver is not installed")
    assert "pip install 'm3ter-reconciler[postgres]'" in told.stdout
