"""Doctor's walk through files, state, keys, organisation, site and ledger, one by one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from reconciler.definitions.kinds.environment import ChargebeeConnection, EnvironmentSpec
from reconciler.definitions.model import Effective
from reconciler.definitions.validate import validate
from reconciler.doctor import checks
from reconciler.doctor.core import CheckResult, failed, unseen, well
from reconciler.errors import ReconcilerError
from reconciler.kernel.ports import Clock, Progress
from reconciler.m3ter.ports import Organisation
from reconciler.settings import Settings
from reconciler.transport.client import HttpClient, Request, shared_tls
from reconciler.transport.retry import TransportError
from reconciler.transport.system_clock import SystemClock
from reconciler.transport.vendor_time import http_date
from reconciler.wiring.chargebee import connect_site
from reconciler.wiring.desk import Desk, authorship, open_desk, open_state
from reconciler.wiring.ledger import reading_ledger, where
from reconciler.wiring.organisation import connect
from reconciler.wiring.repository import knows_time_zone, open_repository


def checkup(
    root: Path,
    environment: str,
    environ: Mapping[str, str],
    settings: Settings,
    progress: Progress,
) -> Iterator[CheckResult]:
    """Look at everything, one by one.

    Raises:
        UnknownEnvironmentError: When the files are valid and no Environment bears the name.
    """
    repository = open_repository(root)
    validated = validate(repository, settings.allowance, knows_time_zone)
    yield checks.files(validated)
    stand = authorship(root, environ)
    yield checks.check_source(stand.commit, dirty=stand.dirty)
    if not validated.valid:
        yield unseen("everything else", "the definitions must be valid first")
        return
    effective = repository.effective(validated.definitions, environment)
    clock = SystemClock()
    memory = _state(root, effective, clock)
    yield memory
    yield from _keys(root, effective, settings)
    yield from _organisation(root, effective, settings, clock)
    pushes = checks.push_integrations(effective)
    if pushes or effective.environment.spec.chargebee is not None:
        if memory.state == "problem":
            yield unseen("site and ledger", "the state must be usable first")
            return
        desk = open_desk(root, environment, environ, settings, progress=progress)
        yield from _pushing(desk, pushes)


def _state(root: Path, effective: Effective, clock: Clock) -> CheckResult:
    try:
        chain = open_state(root, effective.project.spec, clock)
    except ReconcilerError as error:
        return failed("state", error, error.exit_code)
    return checks.state(effective.environment.name, chain, chain)


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
            yield checks.check_clock(clock.now(), server_time(spec, settings, clock))
            yield from _inside(effective, organisation, clock)
    except ReconcilerError as error:
        yield failed("organisation", error, error.exit_code)
        yield unseen("everything in m3ter", "the key must be accepted first")


def _pushing(desk: Desk, pushes: Sequence[checks.Push]) -> Iterator[CheckResult]:
    spec, name = desk.effective.environment.spec, desk.environment
    if spec.chargebee is not None:
        yield from checks.check_or_report("site", lambda: _site(desk, spec.chargebee, pushes))
    if spec.ledger is not None:
        yield from checks.check_or_report("ledger", lambda: _ledger(desk, spec, name))


def _site(
    desk: Desk, spec: ChargebeeConnection | None, pushes: Sequence[checks.Push]
) -> Iterator[CheckResult]:
    if spec is None:
        return
    stamps = {push.stamp for _, push in pushes}
    with connect_site(spec, desk, stamps=stamps) as site:
        yield well("site", f"the key is accepted, and belongs to {site.destination.site}")
        if pushes:
            yield checks.prices(pushes, site.catalogue)
            yield checks.stamps(pushes, site.catalogue)


def _ledger(desk: Desk, spec: EnvironmentSpec, environment: str) -> Iterator[CheckResult]:
    with reading_ledger(desk, spec) as opened:
        identity = opened.ledger.identity if opened is not None else None
        yield checks.check_ledger(where(desk, spec), identity, environment)


def _inside(
    effective: Effective, organisation: Organisation, clock: Clock
) -> Iterator[CheckResult]:
    yield from checks.reading(organisation)
    yield from checks.check_or_report(
        "dialects", lambda: checks.check_dialects(effective, organisation, clock)
    )
    yield from checks.check_or_report(
        "mapping tables", lambda: iter([checks.mapping_names(effective, organisation)])
    )
    yield from checks.check_or_report(
        "credentials", lambda: iter([checks.credentials(effective, organisation)])
    )
    yield from checks.check_or_report(
        "names", lambda: checks.check_references(effective, organisation)
    )


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
    return http_date(answer.headers.get("date", ""))
