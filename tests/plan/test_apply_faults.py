"""Whatever goes wrong on the way, an apply ends as the design says and the next one converges."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from fakes.apply_run import NOW, Run, outcome, view
from fakes.clock import FakeClock
from fakes.killer import Killer, MortalChain, mortal_organisation
from fakes.place import Place

from reconciler.emulator.running import RunningEmulator
from reconciler.errors import ExitCode
from reconciler.plan.make_plan import is_empty
from reconciler.plan.model.applied import (
    AppliedRecord,
    Blocked,
    Done,
    Failed,
    NotAttempted,
    OutcomeUnknown,
)
from reconciler.plan.show.receipt import exit_code_of_receipt, receipt_text
from reconciler.transport.client import CallLimits

QUICK = CallLimits(connect_seconds=1.0, read_seconds=0.3, total_seconds=1e9)
CONFIGS, MAPPINGS = "integrationconfigs", "externalmappings"

ONCE: list[dict[str, Any]] = [
    {"fault": "rate_limit"},
    {"fault": "rate_limit_retry_after", "seconds": 2},
    {"fault": "http_500"},
    {"fault": "http_500", "commit": True},
    {"fault": "http_502"},
    {"fault": "http_503"},
    {"fault": "http_504", "commit": True},
    {"fault": "html_502"},
    {"fault": "cut_before_commit"},
    {"fault": "cut_before_commit", "bytes": 40},
    {"fault": "cut_after_commit"},
    {"fault": "cut_after_commit", "bytes": 30},
    {"fault": "commit_after_cut", "seconds": 1},
    {"fault": "lost_response", "seconds": 1},
    {"fault": "latency", "seconds": Decimal("0.05")},
    {"fault": "slow", "seconds": Decimal("0.05")},
    {"fault": "expired_token"},
]
WHERE = [
    ("GET", CONFIGS),
    ("GET", MAPPINGS),
    ("POST", CONFIGS),
    ("POST", MAPPINGS),
    ("PUT", f"{CONFIGS}/*"),
]


class SharedTime(FakeClock):
    """Waiting moves the emulator's time, too."""

    emulator: RunningEmulator

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self.emulator.world.move_clock(seconds=seconds)


@pytest.fixture
def place(emulate: Callable[..., RunningEmulator], tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path, emulate(requests_per_second=0))
    made.patch_sandbox()
    made.discover()
    yield made
    made.emulator.world.faults.clear()


def run_of(place: Place) -> Run:
    clock = SharedTime(NOW)
    clock.emulator = place.emulator
    return Run(place, MortalChain(), view(place), clock)


def applied(run: Run, **rule: Any) -> AppliedRecord:
    """Plan, let a fault in, and apply."""
    url = run.place.emulator.url
    with mortal_organisation(url, Killer(), run.clock, QUICK) as organisation:
        made = run.plan(organisation)
        if rule:
            run.place.fault(**rule)
        return run.apply(made, organisation)


def converged(run: Run) -> bool:
    """Clear the faults, apply what is left, and look whether nothing is."""
    run.place.emulator.world.faults.clear()
    applied(run)
    with mortal_organisation(run.place.emulator.url, Killer(), run.clock) as organisation:
        return is_empty(run.plan(organisation))


def matching(place: Place, method: str, path: str) -> dict[str, str]:
    return {"method": method, "path": f"/organizations/{place.org}/{path}"}


def codes(record: AppliedRecord) -> ExitCode:
    assert record.receipt is not None
    return exit_code_of_receipt(record.receipt)


def kinds(record: AppliedRecord, kind: type) -> list[str]:
    assert record.receipt is not None
    return [
        outcome.change for outcome in record.receipt.outcomes if isinstance(outcome.outcome, kind)
    ]


def test_every_passing_fault_anywhere_is_overcome_without_duplicates(
    place: Place, stride: int
) -> None:
    applied(run_of(place))
    expected = outcome(place)
    for rule, (method, path) in list(itertools.product(ONCE, WHERE))[::stride]:
        place.emulator.world.reset()
        run = run_of(place)
        record = applied(run, **rule, match=matching(place, method, path), times=1)
        assert codes(record) is ExitCode.DONE, (rule, method, path, receipt_text(record))
        assert outcome(place) == expected, (rule, method, path)
        assert converged(run), (rule, method, path)


@pytest.mark.parametrize("rule", ["empty_page", "list_lag"])
def test_odd_lists_are_overcome(place: Place, rule: str) -> None:
    run = run_of(place)
    record = applied(run, fault=rule, match=matching(place, "GET", f"{CONFIGS}*"), times=3)
    assert codes(record) in {ExitCode.DONE, ExitCode.PARTLY_DONE}
    assert converged(run)


def test_a_post_that_commits_long_after_the_cut_is_found_and_never_connected_twice(
    place: Place,
) -> None:
    run = run_of(place)
    record = applied(
        run,
        fault="commit_after_cut",
        seconds=4,
        match=matching(place, "POST", CONFIGS),
        times=1,
    )
    names = [config["name"] for config in place.configs() if config.get("integrationCredentialsId")]
    assert sorted(name for name in names if name.startswith("Chargebee")) in (
        ["Chargebee UK bills", "Chargebee US bills"],
        ["Chargebee UK bills"],
        ["Chargebee US bills"],
    )
    assert codes(record) in {ExitCode.DONE, ExitCode.PARTLY_DONE, ExitCode.UNKNOWN_OUTCOME}


def test_what_stays_unknown_blocks_what_depends_on_it_and_nothing_is_connected(
    place: Place,
) -> None:
    run = run_of(place)
    record = applied(run, fault="http_500", match=matching(place, "POST", MAPPINGS))
    assert codes(record) is ExitCode.UNKNOWN_OUTCOME
    assert len(kinds(record, OutcomeUnknown)) == 10
    assert kinds(record, Blocked) == [
        "connect:integration/chargebee-uk",
        "connect:integration/chargebee-us",
    ]
    assert [
        config["name"] for config in place.configs() if config.get("integrationCredentialsId")
    ] == ["Stripe internal bills"]
    text = receipt_text(record)
    assert "10 unknown" in text
    assert "Run `reconciler plan --env sandbox`" in text
    assert converged(run)


def test_an_unreachable_m3ter_fails_each_object_and_says_nothing_changed(place: Place) -> None:
    run = run_of(place)
    record = applied(run, fault="rate_limit", match=matching(place, "POST", MAPPINGS))
    assert codes(record) is ExitCode.PARTLY_DONE
    assert len(kinds(record, Failed)) == 10
    assert "rate limit" in receipt_text(record)
    assert converged(run)


def test_a_version_conflict_stops_that_object_and_the_others_go_on(place: Place) -> None:
    run = run_of(place)
    applied(run)
    for country in ("uk", "us"):
        low = {"uk": "GBP", "us": "USD"}[country]
        place.edit(f"chargebee-{country}/integration.yaml", f"usage-other-{low}", f"new-{low}")
    place.edit("chargebee-uk/accounts.csv", "sub_test_acme_uk", "sub_test_acme_uk_2")
    again = Run(place, run.chain, view(place), run.clock)
    uk = place.config("Chargebee UK bills")["id"]
    match = matching(place, "PUT", f"{CONFIGS}/{uk}")
    record = applied(again, fault="version_conflict", match=match, times=1)
    assert codes(record) is ExitCode.PARTLY_DONE
    assert kinds(record, Failed) == ["update:integration/chargebee-uk"]
    assert sorted(kinds(record, Done)) == [
        "update:integration/chargebee-us",
        "update:mapping/chargebee-uk-accounts/acme-uk",
    ]
    text = receipt_text(record)
    assert "failed         update integration/chargebee-uk" in text
    assert "version" in text
    assert "new-GBP" not in repr(place.config("Chargebee UK bills"))
    assert converged(again)


def test_a_key_that_is_refused_in_the_middle_ends_the_run(place: Place) -> None:
    run = run_of(place)
    record = applied(run, fault="expired_token", match=matching(place, "PUT", f"{CONFIGS}/*"))
    assert codes(record) is ExitCode.PARTLY_DONE
    assert len(kinds(record, Failed)) + len(kinds(record, NotAttempted)) == 2
    assert len(kinds(record, Done)) == 12
    assert "m3ter refused the key" in receipt_text(record) or kinds(record, Failed)
    assert converged(run)


def test_after_a_refused_key_nothing_more_is_sent(place: Place) -> None:
    run = run_of(place)
    place.emulator.world.log._entries.clear()
    record = applied(run, fault="expired_token", match=matching(place, "POST", f"{CONFIGS}*"))
    assert kinds(record, Done) == []
    assert len(kinds(record, Blocked)) + len(kinds(record, NotAttempted)) >= 12
    assert [entry for entry in place.writes() if entry[1] == f"/{MAPPINGS}"] == []
    assert converged(run)


def test_a_stop_in_the_middle_finishes_what_is_in_flight_and_is_recorded(place: Place) -> None:
    run = run_of(place)
    asked = iter(range(10_000))
    with mortal_organisation(place.emulator.url, Killer(), run.clock) as organisation:
        record = run.apply(run.plan(organisation), organisation, lambda: next(asked) >= 6)
    assert codes(record) is ExitCode.INTERRUPTED
    assert len(kinds(record, Done)) == 6
    assert len(kinds(record, NotAttempted)) + len(kinds(record, Blocked)) == 8
    assert run.chain.head("sandbox") == record
    assert "not attempted" in receipt_text(record)
    assert converged(run)
