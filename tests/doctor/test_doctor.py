"""Doctor's findings where an organisation or a machine is not as it should be."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta

from fakes.clock import FakeClock
from fakes.scene import Scene, dialect_spec
from fakes.state import MemoryChain, MemoryLock

from reconciler.definitions.model import Definitions
from reconciler.definitions.validate import Validated
from reconciler.doctor import checks
from reconciler.doctor.core import CheckResult, well
from reconciler.errors import ExitCode, ReconcilerError
from reconciler.kernel.problem import Problem
from reconciler.kernel.value import JsonObject, JsonValue
from reconciler.m3ter.ports import AccessError, NotFoundError
from reconciler.plan.model.applied import AppliedRecord


class BrokenChainError(ReconcilerError):
    """The chain cannot be read."""

    exit_code = ExitCode.STALE


@dataclass
class BrokenChain(MemoryChain):
    """A chain that cannot be read."""

    def head(self, environment: str) -> AppliedRecord | None:
        raise BrokenChainError(f"the chain of {environment} is broken. Restore it.")


@dataclass
class ReadOnly(MemoryLock):
    """A state folder on a disk that takes no writes."""

    @contextmanager
    def hold(self, environment: str, purpose: str) -> Iterator[None]:
        if purpose:
            raise OSError(30, "Read-only file system")
        yield


@dataclass
class SilentMappings:
    """Mappings of an organisation that does not publish its tables."""

    calls: list[str] = field(default_factory=list)

    def configuration(self) -> JsonObject:
        self.calls.append("configuration")
        raise NotFoundError("no such path")


def states(found: Iterator[CheckResult]) -> dict[str, tuple[str, str]]:
    return {result.check: (result.state, result.message) for result in found}


def test_warnings_stop_nothing_and_errors_do() -> None:
    warning = Problem("R060", "warning", None, "odd")
    error = Problem("R001", "error", None, "wrong")
    nothing = Definitions((), {}, 2)
    assert checks.files(Validated(nothing, (), 2)).state == "ok"
    assert checks.files(Validated(nothing, (warning,), 2)).state == "warning"
    found = checks.files(Validated(nothing, (warning, error), 2))
    assert (found.state, found.code) == ("problem", ExitCode.INVALID)
    assert found.message == "1 errors in 2 files; the first: integrations.d: wrong"


def test_the_state_is_well_locked_broken_or_read_only() -> None:
    chain = MemoryChain()
    assert checks.state("sandbox", chain, MemoryLock()).message.endswith("nothing was applied yet")
    scene = Scene()
    scene.apply()
    assert "applied record 2 of " in checks.state("sandbox", scene.chain, MemoryLock()).message
    locked = checks.state("sandbox", chain, MemoryLock("k.smith"))
    assert (locked.state, locked.message) == ("warning", "locked by k.smith")
    broken = checks.state("sandbox", BrokenChain(), MemoryLock())
    assert (broken.code, broken.todo) == (ExitCode.STALE, "Restore it.")
    unwritable = checks.state("sandbox", chain, ReadOnly())
    assert unwritable.message == "the state folder cannot be used: Read-only file system"


def test_a_checkout_is_clean_dirty_or_missing() -> None:
    commit = "0123456789abcdef"
    assert checks.check_source("", dirty=False).state == "warning"
    assert checks.check_source(commit, dirty=False) == well("git", "commit 0123456, clean")
    assert checks.check_source(commit, dirty=True).todo == "Commit them before you apply."


def test_a_clock_that_is_off_is_a_problem() -> None:
    now = FakeClock().now()
    assert checks.check_clock(now, None).state == "not checked"
    assert checks.check_clock(now, now - timedelta(seconds=3)).message == "3 s from m3ter's"
    ahead = checks.check_clock(now, now - timedelta(seconds=3600))
    assert ahead.message == "this machine is 3,600 s ahead of m3ter"
    assert "behind m3ter" in checks.check_clock(now, now + timedelta(seconds=61)).message


def test_every_list_that_may_not_be_read_is_a_problem_of_its_own() -> None:
    scene = Scene()

    def refuse(text: str) -> None:
        raise AccessError(f"the key may not {text}. Give it the permission.")

    found = states(checks.reading(scene.organisation))
    assert found["reading"][0] == "ok"
    assert found["writing"][0] == "not checked"
    listing = scene.organisation.integrations

    class Closed:
        """An organisation whose integrations are closed to the key."""

        def __getattr__(self, name: str) -> object:
            return getattr(scene.organisation, name)

        @property
        def integrations(self) -> object:
            return type("Refusing", (), {"list": lambda _: refuse("list integrations")})()

    assert listing.list() == ()
    closed = states(checks.reading(Closed()))  # type: ignore[arg-type]
    assert closed["read integrations"] == ("problem", "the key may not list integrations")
    assert "integrations" not in closed["reading"][1].split(", ")


def test_a_dialect_that_nobody_publishes_is_only_doubtful() -> None:
    scene = Scene()
    found = states(checks.check_dialects(scene.effective(), scene.organisation, scene.clock))
    state, message = found["dialect of Chargebee"]
    assert state == "warning"
    assert message == "m3ter publishes nothing to compare it with; it is by person"
    scene.dialect = None
    found = states(checks.check_dialects(scene.effective(), scene.organisation, scene.clock))
    assert found["dialect of Chargebee"][0] == "problem"


def published(*keys: str) -> JsonObject:
    options: list[JsonValue] = [{"key": key, "label": key} for key in keys]
    place: JsonObject = {"destination": "Chargebee", "destinationConfigOptions": options}
    return {"supportedEntities": {"Bill": {"destinations": [place]}}}


def test_settings_that_are_not_published_are_named() -> None:
    scene = Scene()
    scene.dialect = dialect_spec({"global.accountIds": "accountIds", "entity.accountFilter": "f"})
    scene.dialect["values"] = {}
    scene.dialect["evidence"] = {"source": "discover", "at": "2026-11-22T10:00:00Z"}
    scene.organisation.known["Chargebee", "Bill"] = published("accountIds")
    found = states(checks.check_dialects(scene.effective(), scene.organisation, scene.clock))
    assert found["dialect of Chargebee"] == (
        "warning",
        "not published, so not confirmed: `entity.accountFilter`",
    )


def test_mapping_tables_may_be_unpublished_or_not_needed() -> None:
    scene = Scene()
    effective = scene.effective()
    assert checks.mapping_names(effective, scene.organisation).state == "ok"

    class Silent:
        """An organisation without that document."""

        mappings = SilentMappings()

    assert checks.mapping_names(effective, Silent()).state == "not checked"  # type: ignore[arg-type]
    scene.sets.clear()
    assert checks.mapping_names(scene.effective(), scene.organisation).state == "not checked"


def test_credentials_by_name_or_id_hidden_or_none() -> None:
    scene = Scene()
    organisation = scene.organisation
    assert checks.credentials(scene.effective(), organisation).state == "ok"
    scene.environment["credentials"] = {"uk": {"id": "11111111-1111-4111-8111-111111111111"}}
    missing = checks.credentials(scene.effective(), organisation)
    assert missing.message == "m3ter has no credential for `uk`"
    organisation.credential_list = None
    assert checks.credentials(scene.effective(), organisation).state == "not checked"
    scene.environment["credentials"] = {}
    assert checks.credentials(scene.effective(), organisation).state == "not checked"


def test_names_that_m3ter_does_not_know_are_listed_and_counted() -> None:
    scene = Scene()
    found = states(checks.check_references(scene.effective(), scene.organisation))
    assert {state for state, _ in found.values()} == {"ok"}
    codes = [{"code": f"nobody-{number}"} for number in range(7)]
    scene.integrations["uk"]["global"] = {"accountIds": codes}
    scene.sets.clear()
    found = states(checks.check_references(scene.effective(), scene.organisation))
    assert found["accounts"][1].endswith("`nobody-4` and 2 more")
    assert found["users"] == ("not checked", "git names none")


def test_an_error_of_one_check_is_its_finding() -> None:
    def fails() -> Iterator[CheckResult]:
        yield well("first", "fine")
        raise AccessError("refused. Ask for it.")

    found = list(checks.check_or_report("second", fails))
    assert [(result.check, result.state) for result in found] == [
        ("first", "ok"),
        ("second", "problem"),
    ]
    assert found[1].code is ExitCode.REFUSED_IDENTITY
    assert replace(found[1], todo="") != found[1]
