"""Environments: organisations, hosts, references, time zones and freeze windows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from urllib.parse import urlsplit

from reconciler.definitions.core.allowance import Allowance, is_loopback
from reconciler.definitions.core.rule import Context, Rule
from reconciler.definitions.kinds.environment import (
    EnvironmentSpec,
    EnvReference,
    PostgresLedger,
    Reference,
)
from reconciler.definitions.model import Defined, DocumentPath, Effective
from reconciler.kernel.problem import Problem

SAME_ORGANISATION = Rule(
    "R100",
    "environments have organisations of their own",
    "error",
    "What is tried in one environment would be live in the other.",
    "Use the id of the environment's own m3ter organisation.",
)
SAME_LEDGER = Rule(
    "R101",
    "environments have ledgers of their own",
    "error",
    "The ledger's id keeps a run from working with another environment's memory.",
    "Give each environment's ledger an id of its own.",
)
HOST = Rule(
    "R102",
    "base URLs lead to m3ter and Chargebee",
    "warning",
    "The key of the environment is sent there. Commands that use the network refuse the host"
    " unless the job allows it.",
    "Correct the URL, or allow the host with `RECONCILER_ALLOW` in the job's environment.",
)
PLAIN_HTTP = Rule(
    "R103",
    "base URLs are https",
    "error",
    "Over http the key can be read on the way; only loopback is exempt.",
    "Write https://.",
)
OTHER_SITE = Rule(
    "R104",
    "the Chargebee URL is the site's",
    "error",
    "Invoices would be made on another site than the one that was reviewed.",
    "Make `site` and the first part of the host in `baseUrl` the same.",
)
REFERENCE = Rule(
    "R105",
    "references name variables and files that the job allows",
    "warning",
    "Commands that use the network refuse other names, so that a change to the files cannot send"
    " any secret of the job elsewhere.",
    "Rename it, or allow the name with `RECONCILER_ALLOW` in the job's environment.",
)
TIME_ZONE = Rule(
    "R106",
    "time zones are IANA names",
    "error",
    "Service periods and invoice dates are days of this zone.",
    "Write a name like `Europe/London` or `UTC`.",
)
FREEZE = Rule(
    "R107",
    "freeze windows begin before they end, with offsets",
    "error",
    "A window that ends before it begins protects nothing; without an offset nobody knows when.",
    "Write times like 2026-12-24T00:00:00Z.",
)

RULES = (
    SAME_ORGANISATION,
    SAME_LEDGER,
    HOST,
    PLAIN_HTTP,
    OTHER_SITE,
    REFERENCE,
    TIME_ZONE,
    FREEZE,
)
Environment = Defined[EnvironmentSpec]


def environments(view: Effective, context: Context) -> Iterator[Problem]:
    """Check one environment by itself."""
    environment = view.environment
    yield from base_urls(environment, context.allowance)
    yield from allowed_references(environment, context.allowance)
    yield from freeze_windows(environment)
    chargebee = environment.spec.chargebee
    if chargebee is not None and not context.knows_time_zone(chargebee.timezone):
        yield TIME_ZONE.broken(
            environment.at("chargebee", "timezone"),
            f"there is no time zone `{chargebee.timezone}`",
            path="spec.chargebee.timezone",
        )


def shared(views: Sequence[Effective]) -> Iterator[Problem]:
    """Find organisations and ledgers that two environments have in common."""
    organisations: dict[str, Environment] = {}
    ledgers: dict[str, Environment] = {}
    for view in views:
        environment = view.environment
        organisation = environment.spec.m3ter.organization_id
        first = organisations.setdefault(organisation.lower(), environment)
        if first is not environment:
            yield SAME_ORGANISATION.broken(
                environment.at("m3ter", "organizationId"),
                f"`{environment.name}` has the organisation of `{first.name}`"
                f" ({first.at('m3ter', 'organizationId')})",
                path="spec.m3ter.organizationId",
            )
        if environment.spec.ledger is None:
            continue
        first = ledgers.setdefault(environment.spec.ledger.id.lower(), environment)
        if first is not environment:
            yield SAME_LEDGER.broken(
                environment.at("ledger", "id"),
                f"`{environment.name}` has the ledger id of `{first.name}` "
                f"({first.at('ledger', 'id')})",
                path="spec.ledger.id",
            )


def base_urls(environment: Environment, allowance: Allowance) -> Iterator[Problem]:
    """Find base URLs that a key should not be sent to."""
    urls = {"m3ter": environment.spec.m3ter.base_url}
    if environment.spec.chargebee is not None:
        urls["chargebee"] = environment.spec.chargebee.base_url
    for part, url in urls.items():
        path = f"spec.{part}.baseUrl"
        host = _host(url)
        if is_loopback(host):
            continue
        if not url.startswith("https://"):
            message = f"{url} is not https"
            yield PLAIN_HTTP.broken(environment.at(part, "baseUrl"), message, path=path)
        elif not allowance.allows_url(url):
            message = f"the key of `{environment.name}` would be sent to {host or url}"
            yield HOST.broken(environment.at(part, "baseUrl"), message, path=path)
    yield from _other_site(environment)


def _other_site(environment: Environment) -> Iterator[Problem]:
    chargebee = environment.spec.chargebee
    if chargebee is None:
        return
    host = _host(chargebee.base_url)
    # Source: Chargebee API docs: https://{site}.chargebee.com/api/v2
    if host.endswith(".chargebee.com") and host.split(".")[0] != chargebee.site:
        yield OTHER_SITE.broken(
            environment.at("chargebee", "baseUrl"),
            f"`site` is {chargebee.site} and the URL leads to {host.split('.')[0]}",
            path="spec.chargebee.baseUrl",
        )


def allowed_references(environment: Environment, allowance: Allowance) -> Iterator[Problem]:
    """Find references to variables and files that the job does not allow."""
    for path, reference in _references(environment.spec):
        if isinstance(reference, EnvReference):
            allowed, shown = allowance.allows_variable(reference.env), f"env: {reference.env}"
        else:
            allowed, shown = allowance.allows_file(reference.file), f"file: {reference.file}"
        if not allowed:
            yield REFERENCE.broken(
                environment.at(*path),
                f"`{{{shown}}}` is not on the list of allowed names",
                f"Rename it, or add `{shown.replace(': ', ':')}` to `RECONCILER_ALLOW` in the"
                " job's environment.",
            )


def _references(spec: EnvironmentSpec) -> Iterator[tuple[DocumentPath, Reference]]:
    yield ("m3ter", "accessKey"), spec.m3ter.access_key
    yield ("m3ter", "apiSecret"), spec.m3ter.api_secret
    if spec.chargebee is not None:
        yield ("chargebee", "apiKey"), spec.chargebee.api_key
    if isinstance(spec.ledger, PostgresLedger):
        yield ("ledger", "postgresql"), spec.ledger.postgresql
    for number, notice in enumerate(spec.notices):
        yield ("notices", number, "url"), notice.url


def freeze_windows(environment: Environment) -> Iterator[Problem]:
    """Find freeze windows that are none."""
    for number, window in enumerate(environment.spec.freeze):
        times = {"from": parsed_moment(window.from_), "until": parsed_moment(window.until)}
        for field, time in times.items():
            if time is None:
                text = window.from_ if field == "from" else window.until
                yield FREEZE.broken(
                    environment.at("freeze", number, field),
                    f"`{text}` is no time with an offset",
                    path=f"spec.freeze[{number}].{field}",
                )
        if times["from"] and times["until"] and times["from"] >= times["until"]:
            yield FREEZE.broken(
                environment.at("freeze", number, "until"),
                f"the window ends at {window.until}, not after its begin {window.from_}",
                path=f"spec.freeze[{number}].until",
            )


def parsed_moment(text: str) -> datetime | None:
    """Read an ISO 8601 time with an offset; anything else is none."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").rstrip(".").lower()
    except ValueError:
        return ""
