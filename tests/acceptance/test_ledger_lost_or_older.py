"""A ledger that a kill left behind, that is lost, older, mixed or damaged is never sent from."""

from __future__ import annotations

import random
import shutil
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from fakes.sync_place import ENV, Killed, Life, SyncPlace
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.sync.judge.run_filter import RunFilter

GBP = RunFilter(integrations=frozenset({"month-end-gbp"}))
PAGES = ("#ledger-lost", "#older-ledger")
COMMANDS = (
    ("status",),
    ("sync", "plan"),
    ("sync", "run"),
    ("sync", "reconcile"),
    ("runs",),
    ("doctor",),
    ("sync", "pause", "--reason", "x"),
    ("ledger", "backup", "BACKUP"),
    ("ledger", "init"),
)


@pytest.fixture
def place(month_end: Callable[..., SyncPlace]) -> SyncPlace:
    return month_end(25)


@dataclass
class Kill(Life):
    """Dies at the n-th call of a name, and keeps what the disk held then, and before each send."""

    folder: Path = Path()
    name: str = ""
    number: int = 0
    met: int = 0
    kept: list[Path] = field(default_factory=list)

    def pass_by(self, name: str, call: Any) -> Any:
        if self.dead:
            raise Killed(name)
        if name == "sending":
            self.kept.append(self._keep(f"before-{len(self.kept) + 1}"))
        self.met += name == self.name
        mine = name == self.name and self.met == self.number
        answer = call() if self.after or not mine else None
        if mine:
            self.dead = True
            self._keep("crash")
            raise Killed(name)
        return answer

    def _keep(self, name: str) -> Path:
        return Path(shutil.copytree(self.folder, self.folder.with_name(f"kept-{name}")))


def killed(place: SyncPlace, name: str, number: int, *, after: bool) -> Kill:
    """Run until a kill, and leave the disk as it was at that moment."""
    state = place.root / ".reconciler"
    life = Kill(after=after, folder=state, name=name, number=number)
    with pytest.raises(Killed):
        place.run(narrow=GBP, life=life)
    shutil.rmtree(state)
    shutil.move(state.with_name("kept-crash"), state)
    return life


def ledger_files(state: Path) -> list[Path]:
    return [file for file in state.glob("ledger.sqlite*") if not file.name.endswith(".lock")]


def drop(place: SyncPlace) -> None:
    for file in ledger_files(place.root / ".reconciler"):
        file.unlink()


def refused(place: SyncPlace, anchor: str, words: str) -> None:
    before = len(place.chargebee_writes())
    for command in (("sync", "run"), ("sync", "plan"), ("status",), ("ledger", "init")):
        code, told = place.reconciler(*command, "--env", ENV)
        assert (code, words in told, anchor in told) == (11, True, True), told
    assert len(place.chargebee_writes()) == before


@pytest.mark.parametrize("number", [1, 2, 7])
@pytest.mark.parametrize(
    ("name", "after"),
    [("sending", True), ("perform", False), ("perform", True), ("ended", False), ("ended", True)],
)
def test_after_a_kill_a_deleted_ledger_is_lost_and_never_young(
    place: SyncPlace, name: str, after: bool, number: int
) -> None:
    killed(place, name, number, after=after)
    drop(place)
    refused(place, "#ledger-lost", "but pushes were made with ledger")


@pytest.mark.parametrize("number", [1, 2, 7])
@pytest.mark.parametrize(("name", "after"), [("sending", True), ("perform", True), ("ended", True)])
def test_a_copy_from_before_the_last_send_is_older_and_what_the_kill_left_is_not(
    place: SyncPlace, name: str, after: bool, number: int
) -> None:
    life = killed(place, name, number, after=after)
    left = shutil.copytree(place.root / ".reconciler", place.root / "left")
    for file in ledger_files(place.root / ".reconciler"):
        file.unlink()
    for file in ledger_files(life.kept[-1]):
        shutil.copy(file, place.root / ".reconciler" / file.name)
    refused(place, "#older-ledger", "an older copy was restored")
    drop(place)
    for file in ledger_files(left):
        shutil.copy(file, place.root / ".reconciler" / file.name)
    place.advance(40 * 60)
    for _ in range(3):
        place.run(narrow=GBP)
        place.advance(40 * 60)
    stamps = [invoice.get("cf_m3ter_bill_id") for invoice in place.state("chargebee", "invoices")]
    sent = [stamp for stamp in stamps if stamp]
    assert len(sent) == len(set(sent)) > number


def test_an_older_file_beside_the_log_of_a_newer_one_is_refused_and_both_stay(
    place: SyncPlace,
) -> None:
    state = place.root / ".reconciler"
    backup = place.root / "backup"
    assert place.reconciler("ledger", "backup", str(backup), "--env", ENV)[0] == 0
    place.run(narrow=GBP)
    place.advance(40 * 60)
    code, _ = place.reconciler("sync", "pause", "--reason", "x", "--env", ENV)
    assert code == 0
    crashed = place.root / "crashed"
    with place.open() as opened:
        assert opened.opened is not None
        opened.opened.ledger.resume(opened.scope.site, "ann")
        shutil.copytree(state, crashed)
    for file in ledger_files(state):
        file.unlink()
    for file in ledger_files(crashed):
        shutil.copy(file, state / file.name)
    shutil.copy(backup, state / "ledger.sqlite")
    log = (state / "ledger.sqlite-wal").read_bytes()
    assert log
    refused(place, "#older-ledger", "do not belong together")
    assert (state / "ledger.sqlite-wal").read_bytes() == log
    assert (state / "ledger.sqlite").read_bytes() == backup.read_bytes()
    shutil.copy(crashed / "ledger.sqlite", state / "ledger.sqlite")
    assert place.reconciler("status", "--env", ENV)[0] == 0


def test_a_backup_as_new_as_the_loss_is_all_that_is_needed(place: SyncPlace) -> None:
    place.run(narrow=GBP)
    backup = place.root / "backup"
    code, told = place.reconciler("ledger", "backup", str(backup), "--env", ENV)
    assert code == 0, told
    assert "at record" in told
    code, told = place.reconciler("ledger", "backup", str(backup), "--env", ENV)
    assert code == 10
    assert "never overwritten" in told.replace("no backup is ever", "never")
    drop(place)
    shutil.copy(backup, place.root / ".reconciler" / "ledger.sqlite")
    before = len(place.chargebee_writes())
    place.run(narrow=GBP)
    assert len(place.chargebee_writes()) == before


def test_nobody_but_the_owner_reads_what_remembers(place: SyncPlace) -> None:
    place.reconciler("plan", "--env", ENV, "-o", str(place.root / "plan.json"))
    (place.root / ".reconciler" / "ledger.sqlite").chmod(0o644)
    with place.open():
        found = [file for file in (place.root / ".reconciler").rglob("*") if file.is_file()]
        assert {"ledger.sqlite-wal", "ledger.sqlite-shm"} <= {file.name for file in found}
        for file in (*found, place.root / "plan.json"):
            assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


def test_a_damaged_ledger_ends_every_command_with_its_page_or_works(place: SyncPlace) -> None:
    place.run(narrow=GBP)
    file = place.root / ".reconciler" / "ledger.sqlite"
    shutil.copytree(place.root / ".reconciler", place.root / "sound")
    sound = file.read_bytes()

    @given(
        command=st.sampled_from(COMMANDS),
        seed=st.integers(0, 2**32),
        width=st.sampled_from((1, 16, 512, 4096)),
    )
    @settings(max_examples=30, suppress_health_check=list(HealthCheck), deadline=None)
    def holds(command: tuple[str, ...], seed: int, width: int) -> None:
        chance = random.Random(seed)
        shutil.rmtree(place.root / ".reconciler")
        shutil.copytree(place.root / "sound", place.root / ".reconciler")
        at = chance.randrange(len(sound))
        bytes_ = chance.randbytes(min(width, len(sound) - at))
        file.write_bytes(sound[:at] + bytes_ + sound[at + len(bytes_) :])
        (place.root / "BACKUP").unlink(missing_ok=True)
        named = [str(place.root / "BACKUP") if word == "BACKUP" else word for word in command]
        code, told = place.reconciler(*named, "--env", ENV)
        assert code != 1, told
        assert "report this" not in told, told
        assert code != 11 or any(page in told for page in PAGES) or "ledger" in told, told

    holds()
