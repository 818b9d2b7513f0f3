"""The ledger of an environment: where it is, who may open it, and what lives beside it."""

from __future__ import annotations

import shutil
import uuid
from dataclasses import replace
from pathlib import Path

import pytest
from fakes.clock import FakeClock
from fakes.postgres import query
from fakes.push_effects import BILL, SITE, WHY, key, step

from reconciler.cli.progress import SilentProgress
from reconciler.definitions.kinds.environment import EnvironmentSpec
from reconciler.errors import ExitCode
from reconciler.kernel.secret import Secret
from reconciler.ledger.opening import LostLedgerError, NoLedgerError, OldLedgerError
from reconciler.ledger.rate_limit import SharedBucket
from reconciler.ledger.sql.postgres import LedgerAwayError
from reconciler.ledger.sql.sqlite_file import LedgerBusyError
from reconciler.ledger.watch import DirectoryLedgerWatch
from reconciler.settings import Settings
from reconciler.transport.rate_limit import TokenBucket
from reconciler.wiring.desk import Desk, open_desk
from reconciler.wiring.ledger import (
    NoLedgerDefinedError,
    NoSiteDefinedError,
    controlling_ledger,
    init_ledger,
    pushing_ledger,
    reading_ledger,
    rebuilding_ledger,
    site_of,
    where,
)
from reconciler.wiring.repository import example_folder
from reconciler.workers.embedded import EmbeddedWorkers
from reconciler.workers.procrastinate import ProcrastinateWorkers

ID = "6f0c2d1e-0000-4000-8000-000000000001"
FILE = ".reconciler/ledger.sqlite"


def open_at(folder: Path, environ: dict[str, str]) -> Desk:
    settings = Settings.from_environment(environ)
    return open_desk(folder, "sandbox", environ, settings, progress=SilentProgress())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(example_folder(), tmp_path / "integrations.d")
    return tmp_path


@pytest.fixture
def desk(folder: Path) -> Desk:
    return open_at(folder, {})


def spec_of(desk: Desk) -> EnvironmentSpec:
    return desk.effective.environment.spec


def push(desk: Desk, bill: str = BILL) -> None:
    """Record one effect."""
    with pushing_ledger(desk, spec_of(desk)) as opened:
        one = key(bill=bill)
        lease = opened.ledger.claim(SITE, one.bill_id, "one", 60)
        assert lease is not None
        opened.ledger.intend(lease, one, step(one), WHY)


def test_the_file_lies_in_the_repository(desk: Desk) -> None:
    assert where(desk, spec_of(desk)) == FILE
    assert init_ledger(desk, spec_of(desk)).at.id == ID
    assert (desk.root / FILE).exists()
    assert DirectoryLedgerWatch(desk.chain.folder).seen("sandbox") is not None


def test_before_init_pushing_is_refused_and_looking_finds_nothing(desk: Desk) -> None:
    with reading_ledger(desk, spec_of(desk)) as found:
        assert found is None
    assert not (desk.root / FILE).exists()
    with pytest.raises(NoLedgerError), pushing_ledger(desk, spec_of(desk)):
        pass
    with reading_ledger(desk, spec_of(desk)) as found:
        assert found is None


def test_one_pushes_while_others_look_and_pause(desk: Desk) -> None:
    init_ledger(desk, spec_of(desk))
    with pushing_ledger(desk, spec_of(desk)) as opened:
        with pytest.raises(LedgerBusyError), pushing_ledger(desk, spec_of(desk)):
            pass
        with controlling_ledger(desk, spec_of(desk)) as control:
            control.ledger.pause(SITE, "ann", "wait")
        with reading_ledger(desk, spec_of(desk)) as reader:
            assert reader is not None
            assert (reader.ledger.paused(SITE) or "").endswith("wait")
            assert reader.history.decisions(SITE, SITE)[0].what == "paused"
        assert opened.ledger.paused(SITE) is not None


def test_how_far_it_came_is_noted_at_the_end_also_of_a_failed_run(desk: Desk) -> None:
    init_ledger(desk, spec_of(desk))
    push(desk)
    watch = DirectoryLedgerWatch(desk.chain.folder)
    assert watch.seen("sandbox") is not None
    seen = watch.seen("sandbox")
    assert seen is not None
    assert seen.sequence == 1


def test_a_dropped_file_is_a_loss_until_it_is_rebuilt(desk: Desk) -> None:
    init_ledger(desk, spec_of(desk))
    push(desk)
    for file in (desk.root / ".reconciler").glob("ledger.sqlite*"):
        file.unlink()
    with pytest.raises(LostLedgerError), pushing_ledger(desk, spec_of(desk)):
        pass
    with pytest.raises(LostLedgerError):
        init_ledger(desk, spec_of(desk))
    with rebuilding_ledger(desk, spec_of(desk)) as again:
        assert again.accept(None).sequence == 2
    push(desk, "bill-2")


def test_a_restored_copy_is_refused_until_it_is_rebuilt(desk: Desk) -> None:
    init_ledger(desk, spec_of(desk))
    push(desk)
    copy = (desk.root / FILE).read_bytes()
    push(desk, "bill-2")
    (desk.root / FILE).write_bytes(copy)
    with pytest.raises(OldLedgerError), pushing_ledger(desk, spec_of(desk)):
        pass
    with rebuilding_ledger(desk, spec_of(desk)) as again:
        again.accept(None)
    push(desk, "bill-3")


def test_an_environment_without_ledger_or_site_is_an_error_of_the_files(desk: Desk) -> None:
    spec = spec_of(desk).model_copy(update={"ledger": None, "chargebee": None})
    for act in (lambda: init_ledger(desk, spec), lambda: where(desk, spec)):
        with pytest.raises(NoLedgerDefinedError, match="`sandbox`") as raised:
            act()
        assert raised.value.exit_code is ExitCode.INVALID
    with pytest.raises(NoSiteDefinedError, match=r"spec\.chargebee"):
        site_of(desk, spec)


def test_a_file_has_its_own_pace_and_workers(desk: Desk) -> None:
    init_ledger(desk, spec_of(desk))
    with pushing_ledger(desk, spec_of(desk)) as opened:
        limiter = opened.limiter(site_of(desk, spec_of(desk)))
        assert isinstance(limiter, TokenBucket)
        # requestsPerMinute: 120, with the burst and one that straddles the minute
        assert 60 * limiter.per_second + limiter.burst + 1 == pytest.approx(120)
        for many in (False, True):
            assert isinstance(opened.workers(on_many_machines=many), EmbeddedWorkers)


def shared(folder: Path, url: Secret) -> Desk:
    file = folder / "integrations.d/environments/sandbox.yaml"
    text = file.read_text()
    assert f"sqlite: {FILE}" in text
    file.write_text(text.replace(f"sqlite: {FILE}", "postgresql: {env: LEDGER_URL}"))
    return shared_by(folder, url)


def shared_by(folder: Path, url: Secret) -> Desk:
    return open_at(folder, {"LEDGER_URL": url.reveal(), "RECONCILER_ALLOW": "env:LEDGER_URL"})


def test_a_shared_ledger_has_one_pace_and_workers_on_many_machines(
    folder: Path, postgres_url: Secret
) -> None:
    desk = shared(folder, postgres_url)
    assert where(desk, spec_of(desk)) == "PostgreSQL"
    with pytest.raises(NoLedgerError), controlling_ledger(desk, spec_of(desk)):
        pass
    init_ledger(desk, spec_of(desk))
    push(desk)
    with (
        pushing_ledger(desk, spec_of(desk)) as opened,
        pushing_ledger(desk, spec_of(desk)) as other,
        reading_ledger(desk, spec_of(desk)) as reader,
    ):
        assert reader is not None
        assert reader.ledger.identity == other.ledger.identity == opened.ledger.identity
        assert isinstance(opened.limiter(site_of(desk, spec_of(desk))), SharedBucket)
        assert isinstance(opened.workers(), EmbeddedWorkers)
        assert isinstance(opened.workers(on_many_machines=True), ProcrastinateWorkers)


def test_somebody_who_may_only_read_a_shared_ledger_keeps_a_pace_of_their_own(
    folder: Path, postgres_url: Secret
) -> None:
    desk = shared(folder, postgres_url)
    init_ledger(desk, spec_of(desk))
    push(desk)
    role = f"reader_{uuid.uuid4().hex[:12]}"
    for statement in (
        f"create role {role} login",
        f"grant select on all tables in schema public to {role}",
    ):
        query(postgres_url, statement)
    reads = shared_by(folder, Secret(postgres_url.reveal().replace("postgres@", f"{role}@")))
    try:
        with reading_ledger(reads, spec_of(reads)) as reader:
            assert reader is not None
            limiter = reader.limiter(site_of(reads, spec_of(reads)))
            assert isinstance(limiter, TokenBucket)
            limiter.acquire()
    finally:
        query(postgres_url, f"drop owned by {role}")
        query(postgres_url, f"drop role {role}")


def test_an_unreachable_database_is_not_named_by_its_address(folder: Path) -> None:
    told: list[str] = []
    desk = shared(folder, Secret("postgresql://ann:s3cr3t@127.0.0.1:1/none"))
    with pytest.raises(LedgerAwayError) as raised:
        init_ledger(replace(desk, clock=FakeClock(), tell=told.append), spec_of(desk))
    assert "s3cr3t" not in str(raised.value)
    assert told == ["waiting for PostgreSQL, at most 60 s: nobody listens at its address"]


def test_control_needs_a_ledger(desk: Desk) -> None:
    with pytest.raises(NoLedgerError, match="ledger init"), controlling_ledger(desk, spec_of(desk)):
        pass
