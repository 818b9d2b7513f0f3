"""Which ledger may be used: pinned, there, and not behind what was seen of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from fakes.clock import FakeClock
from fakes.push_effects import BILL, LEDGER_ID, OTHER_ID, SITE, WHY, expected, key, stamped, step
from sqlalchemy import Connection, text

from reconciler.errors import ExitCode, ReconcilerError
from reconciler.ledger import effects
from reconciler.ledger.opening import (
    LostLedgerError,
    NoLedgerError,
    OldLedgerError,
    OtherLedgerError,
    accept,
    create_ledger,
    open_ledger,
    read_ledger,
    reopen_ledger,
)
from reconciler.ledger.rows import effect_columns
from reconciler.ledger.sql.database import (
    MIGRATIONS,
    NEWEST,
    VERSION_TABLE,
    Database,
    LedgerSchemaError,
    migrate,
    schema_version,
)
from reconciler.ledger.sql.sqlite_file import read_sqlite
from reconciler.ledger.sql.tables import metadata
from reconciler.sync.core.clocks import Clocks
from reconciler.sync.core.when_to_act import RetryTimes, WaitUntil, next_move
from reconciler.sync.model.push import Effect, PushState, StoredRequest
from reconciler.sync.ports.ledger import LedgerIdentity, LedgerNote

SETTINGS = RetryTimes()
REQUEST = StoredRequest("/invoices", b"a=1")


def refused(act: Any, kind: type[ReconcilerError]) -> str:
    with pytest.raises(kind) as raised:
        act()
    assert raised.value.exit_code is ExitCode.REFUSED_IDENTITY
    assert "Nothing was sent" in str(raised.value)
    return str(raised.value)


def test_before_the_first_push_there_is_none(database: Database) -> None:
    words = refused(lambda: open_ledger(database, expected(), SETTINGS), NoLedgerError)
    assert "reconciler ledger init" in words
    assert read_ledger(database, expected(), SETTINGS) is None


def test_a_new_one_has_the_pinned_id_and_is_noted(database: Database) -> None:
    notes: list[LedgerNote] = []
    created = create_ledger(database, expected(notes=notes), SETTINGS)
    assert created.identity == LedgerIdentity(LEDGER_ID, 0)
    assert notes == [LedgerNote(LEDGER_ID, 0)]
    assert open_ledger(database, expected(), SETTINGS).identity == created.identity


def test_making_it_twice_keeps_what_is_in_it(database: Database) -> None:
    first = create_ledger(database, expected(), SETTINGS)
    first.pause(SITE, "ann", "wait")
    again = create_ledger(database, expected(), SETTINGS)
    assert again.paused(SITE) is not None
    assert again.identity == first.identity


def test_another_ledger_than_the_pinned_one_is_refused(database: Database) -> None:
    create_ledger(database, expected(OTHER_ID), SETTINGS)
    for act in (open_ledger, create_ledger, read_ledger, reopen_ledger):
        with pytest.raises(OtherLedgerError, match=OTHER_ID) as raised:
            act(database, expected(), SETTINGS)
        assert LEDGER_ID in str(raised.value)


def test_a_new_pin_does_not_hide_earlier_pushes(database: Database) -> None:
    create_ledger(database, expected(), SETTINGS)
    seen = LedgerNote(OTHER_ID, 12)
    words = refused(lambda: open_ledger(database, expected(seen=seen), SETTINGS), OtherLedgerError)
    assert OTHER_ID in words


def test_an_unused_ledger_may_be_pinned_anew(database: Database) -> None:
    create_ledger(database, expected(seen=LedgerNote(OTHER_ID, 0)), SETTINGS)
    open_ledger(database, expected(seen=LedgerNote(OTHER_ID, 0)), SETTINGS)


def test_none_after_earlier_pushes_is_a_loss_also_for_init(database: Database) -> None:
    seen = expected(seen=LedgerNote(LEDGER_ID, 40))
    for act in (open_ledger, create_ledger):
        words = refused(lambda act=act: act(database, seen, SETTINGS), LostLedgerError)
        assert "record 40" in words
        assert "ledger rebuild" in words


def test_an_older_copy_is_refused(database: Database) -> None:
    create_ledger(database, expected(), SETTINGS)
    seen = expected(seen=LedgerNote(LEDGER_ID, 1))
    for act in (open_ledger, create_ledger, read_ledger):
        words = refused(lambda act=act: act(database, seen, SETTINGS), OldLedgerError)
        assert "older copy" in words


def test_a_copy_that_others_took_further_is_known_by_the_request_that_it_lacks(
    database: Database,
) -> None:
    notes: list[LedgerNote] = []
    ledger = create_ledger(database, expected(notes=notes), SETTINGS)
    lease = ledger.claim(SITE, BILL, "one", 60)
    assert lease is not None
    ledger.intend(lease, key(), step(key()), WHY)
    ledger.sending(lease, key())
    own = notes[-1]
    open_ledger(database, expected(seen=own), SETTINGS)
    elsewhere = LedgerNote(own.id, own.sequence - 1, "1.1@2026-11-01T06:00:00.000000+00:00")
    for act in (open_ledger, read_ledger):
        words = refused(
            lambda act=act: act(database, expected(seen=elsewhere), SETTINGS), OldLedgerError
        )
        assert "does not hold the request" in words


def test_a_lost_ledger_is_used_again_only_when_it_learnt(
    database: Database, clock: FakeClock
) -> None:
    notes: list[LedgerNote] = []
    lost = expected(seen=LedgerNote(LEDGER_ID, 40), notes=notes)
    again = reopen_ledger(database, lost, SETTINGS)
    assert again.put_stamps(SITE, [stamped(1)]) == 1
    refused(lambda: open_ledger(database, lost, SETTINGS), OldLedgerError)
    clock.advance(60)
    identity = accept(again, lost)
    assert identity == LedgerIdentity(LEDGER_ID, 41, clock.now())
    assert notes == [LedgerNote(LEDGER_ID, 41)]
    opened = open_ledger(database, expected(seen=notes[0]), SETTINGS)
    assert [stamp.id for stamp in opened.stamps(SITE, BILL)] == ["inv_00001"]
    assert opened.identity == identity


def test_a_rebuilt_ledger_is_not_older_than_the_newest_bill_whatever_the_clock_says(
    database: Database, clock: FakeClock
) -> None:
    again = reopen_ledger(database, expected(), SETTINGS)
    newest = clock.now() + timedelta(days=9)
    assert accept(again, expected(), newest).rebuilt_at == newest
    assert accept(again, expected(), clock.now() - timedelta(days=9)).rebuilt_at == clock.now()


def test_a_sound_ledger_may_learn_too(database: Database) -> None:
    create_ledger(database, expected(), SETTINGS)
    again = reopen_ledger(database, expected(), SETTINGS)
    assert accept(again, expected()).sequence == 1


def test_leases_of_the_dead_end_when_the_one_writer_comes_back(
    database: Database, clock: FakeClock, backend: str
) -> None:
    first = create_ledger(database, expected(), SETTINGS)
    lease = first.claim(SITE, BILL, "dead", 3600)
    assert lease is not None
    first.intend(lease, key(), step(key()), WHY)
    clock.advance(1)
    again = open_ledger(database, expected(), SETTINGS).claim(SITE, BILL, "two", 60)
    if backend == "sqlite":
        assert again is not None
        assert again.fence == 2
    else:
        assert again is None
        clock.time += timedelta(seconds=3600)
        assert first.claim(SITE, BILL, "two", 60) is not None


def test_the_schema_that_alembic_makes_is_the_one_of_the_tables(database: Database) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    migrate(database)
    options = {"version_table": VERSION_TABLE, "compare_type": True}
    found = database.read(
        lambda connection: compare_metadata(
            MigrationContext.configure(connection, opts=options), metadata
        )
    )
    assert found == []


def test_the_newest_version_is_alembics_head() -> None:
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_current_head() == NEWEST


def test_migrating_twice_changes_nothing(database: Database) -> None:
    assert database.read(schema_version) is None
    for _ in range(2):
        migrate(database)
        assert database.read(schema_version) == NEWEST


def test_a_schema_of_a_newer_tool_is_refused(database: Database) -> None:
    create_ledger(database, expected(), SETTINGS)
    database.write(
        lambda connection: connection.execute(
            text(f"update {VERSION_TABLE} set version_num='9999'")
        )
    )
    words = refused(lambda: open_ledger(database, expected(), SETTINGS), LedgerSchemaError)
    assert "9999" in words


def test_a_ledger_of_the_first_schema_is_upgraded_when_it_is_opened(database: Database) -> None:
    """Rows as the version before wrote them; what was in doubt there is looked for first."""
    database.write(old_ledger)
    with pytest.raises(Exception, match=r"vendor_at|doubt"):
        database.read(lambda connection: effects.effects_of(connection, SITE, BILL))
    opened = open_ledger(database, expected(), SETTINGS)
    found = {str(effect.key.step): effect for effect in opened.effects(SITE, BILL)}
    assert {name: effect.doubt for name, effect in found.items()} == {
        "add-line/1": "",
        "add-line/2": "open",
        "add-line/3": "open",
        "add-line/4": "",
        "add-line/5": "open",
    }
    doubted = found["add-line/3"]
    assert (doubted.round_vendor_at, doubted.last_vendor_at, doubted.empty_looks) == (None,) * 2 + (
        (),
    )
    assert doubted.round_started_at == datetime(2026, 12, 1, 6, tzinfo=UTC)
    assert [attempt.vendor_at for attempt in opened.attempts(SITE, BILL)] == [None] * 4
    now = datetime(2026, 12, 1, 6, 5, tzinfo=UTC)
    young = next_move(doubted, Clocks(now, now, now), SETTINGS, looked=True)
    assert isinstance(young, WaitUntil), "nobody knows how old its key is by Chargebee's clock"


def test_who_only_looks_at_a_ledger_of_the_first_schema_sees_it(
    database: Database, clock: FakeClock, backend: str
) -> None:
    database.write(old_ledger)
    if backend == "sqlite":
        database.close()
        database = read_sqlite(Path(database.where), clock)
    seen = read_ledger(database, expected(), SETTINGS)
    assert seen is not None
    assert len(seen.effects(SITE, BILL)) == 5
    database.close()


def old_ledger(connection: Connection) -> None:
    """Make schema 0001, and five lines of a bill: unsent, sending, doubted, limited, proven."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "0001")
    six = "2026-12-01T06:00:00.000000+00:00"
    connection.execute(
        text("insert into ledger (id, sequence, created_at) values (:id, 0, :at)"),
        {"id": LEDGER_ID, "at": six},
    )
    stories = ["INTENDED", "SENDING", "IN_DOUBT", "RETRY", "RETRY"]
    outcomes = [None, "", "Unknown", "NotPerformed", "Unknown"]
    for number, (state, outcome) in enumerate(zip(stories, outcomes, strict=True), 1):
        row = {
            **effect_columns(Effect(key(number, kind="add-line"), PushState(state), REQUEST)),
            "number": number,
            "round_started_at": six,
            "last_attempt_at": six,
            "empty_looks": f'["{six}"]',
            **dict.fromkeys(("run", "integration", "commit_id", "input_hash"), ""),
            **dict.fromkeys(("record", "bill_version"), 0),
        }
        for name in ("round_vendor_at", "last_vendor_at", "doubt"):
            del row[name]
        names = ", ".join(row)
        values = ", ".join(f":{name}" for name in row)
        connection.execute(text(f"insert into effects ({names}) values ({values})"), row)
        if outcome is not None:
            connection.execute(
                text(
                    "insert into attempts (effect, number, started_at, outcome, message, worker,"
                    " fence) values (:effect, 1, :at, :outcome, '', 'w', 1)"
                ),
                {"effect": number, "at": six, "outcome": outcome},
            )
