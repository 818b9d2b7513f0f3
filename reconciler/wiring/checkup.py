"""Doctor's walk through files, state, keys and organisation; a failed step skips what needs it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

from reconciler.core.checkup import CheckResult, failed, unseen, well
from reconciler.domain.definitions import Effective
from reconciler.domain.kinds.environment import EnvironmentSpec
from reconciler.errors import ReconcilerError
from reconciler.ports.organisation import Organisation
from reconciler.ports.runtime import Clock
from reconciler.settings import Settings
from reconciler.transport.client import HttpClient, Request, shared_tls
from reconciler.transport.retry import TransportError
from reconciler.transport.system_clock import SystemClock
from reconciler.wiring.organisation import connect
from reconciler.wiring.repository import knows_time_zone, open_repository
from reconciler.wiring.state import authorship, open_state
from reconciler.workflows import doctor
from reconciler.workflows.validate import validate


def checkup(
    root: Path, environment: str, environ: Mapping[str, str], settings: Settings
) -> Iterator[CheckResult]:
    """Look at everything, one by one.

    Raises:
        UnknownEnvironmentError: When the files are valid and no Environment bears the name.
    """
    repository = open_repository(root)
    validated = validate(repository, settings.allowance, knows_time_zone)
    yield doctor.files(validated)
    stand = authorship(root, environ)
    yield doctor.source(stand.commit, dirty=stand.dirty)
    if not validated.valid:
        yield unseen("everything else", "the definitions must be valid first")
        return
    effective = repository.effective(validated.definitions, environment)
    clock = SystemClock()
    yield from _state(root, effective, clock)
    yield from _keys(root, effective, settings)
    yield from _organisation(root, effective, settings, clock)


def _state(root: Path, effective: Effective, clock: Clock) -> Iterator[CheckResult]:
    try:
        chain = open_state(root, effective.project.spec, clock)
    except ReconcilerError as error:
        yield failed("state", error, error.exit_code)
        return
    yield doctor.state(effective.environment.name, chain, chain)


def _keys(root: Path, effective: Effective, settings: Settings) -> Iterator[CheckResult]:
    spec = effective.environment.spec
    references = {
        "m3ter.accessKey": spec.m3ter.access_key,
        "m3ter.apiSecret": spec.m3ter.api_secret,
    }
    if spec.chargebee is not None:
        references["chargebee.apiKey"] = spec.chargebee.api_key
    good: list[str] = []
    for name, reference in references.items():
        try:
            settings.resolve(reference, root)
        except ReconcilerError as error:
            yield failed(name, error, error.exit_code)
        else:
            good.append(name)
    if good:
        yield well("keys", f"present: {', '.join(good)}")


def _organisation(
    root: Path, effective: Effective, settings: Settings, clock: Clock
) -> Iterator[CheckResult]:
    spec = effective.environment.spec
    try:
        with connect(spec, settings, root=root, clock=clock) as organisation:
            name = organisation.identity
            yield well("organisation", f"the key is accepted, and belongs to {name}")
            yield doctor.clock(clock.now(), server_time(spec, settings, clock))
            yield from _inside(effective, organisation, clock)
    except ReconcilerError as error:
        yield failed("organisation", error, error.exit_code)
        yield unseen("everything in m3ter", "the key must be accepted first")


def _inside(
    effective: Effective, organisation: Organisation, clock: Clock
) -> Iterator[CheckResult]:
    yield from doctor.reading(organisation)
    yield from doctor.attempted("dialects", lambda: doctor.dialects(effective, organisation, clock))
    yield from doctor.attempted(
        "mapping tables", lambda: iter([doctor.mapping_names(effective, organisation)])
    )
    yield from doctor.attempted(
        "credentials", lambda: iter([doctor.credentials(effective, organisation)])
    )
    yield from doctor.attempted("names", lambda: doctor.references(effective, organisation))


def server_time(spec: EnvironmentSpec, settings: Settings, clock: Clock) -> datetime | None:
    """Read the time in m3ter's answer to a request without a key; ``None`` without one.

    Source: RFC 9110, section 6.6.1: the Date header of an answer.
    """
    base_url = settings.m3ter_url(spec.m3ter.base_url)
    tls = shared_tls(settings.authorities) if base_url.startswith("https:") else None
    with HttpClient(base_url, clock, tls=tls) as client:
        try:
            answer = client.send(Request("GET", "/"))
        except TransportError:
            return None
    return parsed_time(answer.headers.get("date", ""))


def parsed_time(text: str) -> datetime | None:
    """Read the time of a Date header; ``None`` for any other text."""
    try:
        time = parsedate_to_datetime(text)
    except ValueError:
        return None
    # Source: RFC 5322, section 3.3: "-0000" is UTC without a zone
    return time if time.tzinfo else time.replace(tzinfo=UTC)
