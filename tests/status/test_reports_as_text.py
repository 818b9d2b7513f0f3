"""Status, runs and doctor in the shapes that an emulated organisation does not take."""

from __future__ import annotations

from decimal import Decimal

from reconciler.doctor.core import doubtful, well
from reconciler.doctor.text import doctor_text
from reconciler.errors import ExitCode
from reconciler.kernel.address import Address
from reconciler.kernel.exact_json import decode
from reconciler.kernel.text import shown_time
from reconciler.m3ter.live import IntegrationEvent, NativeRun
from reconciler.status.core.attribution import ErrorRow, SeenEvent, SeenRun
from reconciler.status.core.integration_status import IntegrationStatus, Report, RunSeen
from reconciler.status.show.runs import events_text, runs_text
from reconciler.status.show.status import StatusPart, status_json, status_text

RUN = NativeRun(
    "r1",
    "Bill",
    "b1",
    "Chargebee",
    "ERROR",
    "2026-12-01T06:00:00Z",
    "",
    "it broke",
    "https://x",
    "",
    "",
)


def report(*standings: IntegrationStatus) -> Report:
    return Report("sandbox", None, standings, (), ExitCode.DONE, 3)


def standing(name: str, *differs: str, run: RunSeen | None = None) -> IntegrationStatus:
    address = Address("integration", name)
    sync = "git is ahead" if differs else "in sync"
    return IntegrationStatus(address, name, sync, differs, "connected", True, run)  # type: ignore[arg-type]


def test_a_repository_without_integrations_says_so() -> None:
    assert status_text(report()).startswith("sandbox: git has no integrations.\n")
    assert decode(status_json(report())) == {
        "schema": "m3ter-reconciler/status/v1",
        "environment": "sandbox",
        "applied": None,
        "integrations": [],
        "unmanaged": [],
    }


def test_many_differences_are_counted_and_a_doubtful_run_is_marked() -> None:
    text = status_text(
        report(standing("uk", "a", "b", "c", "d", "e"), standing("us", run=RunSeen(RUN, 1)))
    )
    assert "    d\n    and 1 more\n" in text
    assert "last run ERROR*, 1 Dec 2026, 06:00" in text
    assert "* or of another integration there" in text


def test_other_parts_stand_below_and_in_the_json() -> None:
    part = StatusPart("push", ("3 bills are overdue",), {"overdue": 3}, ExitCode.OUTSIDE_TOLERANCE)
    assert "\n\n3 bills are overdue\n" in status_text(report(), [part])
    found = decode(status_json(report(), [part]))
    assert isinstance(found, dict)
    assert found["push"] == {"overdue": Decimal(3)}


def test_a_run_shows_its_error_its_link_and_every_owner_it_may_have() -> None:
    seen = SeenRun(RUN, "acme", ("1", "2"), "line one\nline \x1b two")
    text = runs_text("sandbox", [seen], {"1": "UK", "2": "US"}, looked="bill b1")
    assert "1 run of m3ter's own, from bill b1 · 1 failed" in text
    assert "    UK or US · run r1\n    it broke\n    https://x\n" in text
    assert "      | line \\u001b two" in text
    assert "A run names its destination, not its integration." in text


def test_events_without_configurations_or_messages_are_short() -> None:
    event = IntegrationEvent("e", "integration.perform.error", "yesterday", {}, "2026-12-01")
    text = events_text("sandbox", [SeenEvent(event, "", "", ())], [], {})
    assert text.startswith("sandbox: no integration has errors in a row\n")
    assert "  yesterday  perform                (actioned)\n" in text
    row = ErrorRow("1", "UK", True, 3, False, False)
    assert "UK is nearest to being disabled" in events_text("sandbox", [], [row], {})


def test_doctor_without_a_problem_counts_only_what_is_there() -> None:
    text = doctor_text("sandbox", [well("files", "fine")])
    assert text.startswith("sandbox: 1 check is well. Nothing was written to m3ter.\n")
    assert "? look at  git" in doctor_text("sandbox", [doubtful("git", "dirty")])


def test_times_are_shown_in_utc() -> None:
    assert shown_time("2026-12-01T06:00:00+02:00") == "1 Dec 2026, 04:00"
    assert shown_time("2026-12-01T06:00:00") == "1 Dec 2026, 06:00"
    assert shown_time("soon") == "soon"
