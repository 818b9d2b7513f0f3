"""Doctor: everything that must hold before plan and apply can work, looked at one by one.

Nothing is written to m3ter, so that permission to write stays unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice

from reconciler.definitions.core.as_data import dialect_for
from reconciler.definitions.kinds.dialect import DialectSpec
from reconciler.definitions.kinds.environment import CredentialById
from reconciler.definitions.kinds.integration import IntegrationSpec, PushPolicy
from reconciler.definitions.model import Defined, Effective
from reconciler.definitions.validate import Validated
from reconciler.dialect.core.discovery import Proposal
from reconciler.dialect.core.published import illegal_names
from reconciler.dialect.discover import proposals
from reconciler.doctor.core import CheckResult, doubtful, failed, unseen, well, wrong
from reconciler.errors import ExitCode, ReconcilerError
from reconciler.kernel.ports import Clock
from reconciler.m3ter.live import Credential
from reconciler.m3ter.ports import BillQuery, NotFoundError, Organisation
from reconciler.plan.core.names import names_of
from reconciler.plan.ports import LockedError, StateChain, StateLock
from reconciler.sync.ports.destination import SiteCatalogue
from reconciler.sync.ports.ledger import LedgerIdentity

Push = tuple[Defined[IntegrationSpec], PushPolicy]
SKEW_SECONDS_MAX = 60
"""A clock that is further off makes records and freeze windows wrong."""
_LISTED_MAX = 5


def files(validated: Validated) -> CheckResult:
    """Say whether the definitions are valid."""
    errors = [problem for problem in validated.problems if problem.severity == "error"]
    count = f"{validated.file_count:,} files"
    if errors:
        first = f"{errors[0].origin or 'integrations.d'}: {errors[0].message}"
        todo = "Run `reconciler validate` and put them right."
        return wrong("files", f"{len(errors):,} errors in {count}; the first: {first}", todo)
    if validated.problems:
        todo = "Run `reconciler validate` to read them."
        return doubtful("files", f"{len(validated.problems):,} warnings in {count}", todo)
    return well("files", f"{count}, no problems")


def state(environment: str, chain: StateChain, lock: StateLock) -> CheckResult:
    """Say whether the memory of what was applied can be read and written."""
    try:
        with lock.hold(environment, "reconciler doctor"):
            head = chain.head(environment)
    except LockedError as error:
        return doubtful("state", f"locked by {error.holder}", "Wait until that run has ended.")
    except ReconcilerError as error:
        return failed("state", error, error.exit_code)
    except OSError as error:
        reason = error.strerror or str(error)
        todo = "Let this user write there, or name another folder in the Project's `spec.state`."
        return wrong("state", f"the state folder cannot be used: {reason}", todo)
    if head is None:
        return well("state", "writable; nothing was applied yet")
    return well("state", f"writable; applied record {head.sequence} of {head.at} by {head.actor}")


def check_source(commit: str, *, dirty: bool) -> CheckResult:
    """Say whether records will name a commit."""
    if not commit:
        todo = "Commit the definitions; git history is half of the audit trail."
        return doubtful("git", "this folder is in no git checkout", todo)
    if dirty:
        todo = "Commit them before you apply."
        return doubtful("git", f"commit {commit[:7]}, with changes that are not committed", todo)
    return well("git", f"commit {commit[:7]}, clean")


def check_clock(local: datetime, server: datetime | None) -> CheckResult:
    """Compare this machine's clock with m3ter's."""
    if server is None:
        return unseen("clock", "m3ter's answer has no time to compare with")
    skew = (local - server).total_seconds()
    if abs(skew) <= SKEW_SECONDS_MAX:
        return well("clock", f"{abs(skew):.0f} s from m3ter's")
    where = "ahead of" if skew > 0 else "behind"
    todo = "Set this machine's clock; plan ages and freeze windows depend on it."
    return wrong("clock", f"this machine is {abs(skew):,.0f} s {where} m3ter", todo)


def reading(organisation: Organisation) -> Iterator[CheckResult]:
    """Try every list that plan, status and import read."""
    lists: Mapping[str, Callable[[], object]] = {
        "integrations": organisation.integrations.list,
        "external mappings": organisation.mappings.list,
        "accounts": lambda: list(islice(organisation.codes.all_accounts(), 1)),
        "users": organisation.people.users,
        "bills": lambda: list(islice(organisation.bills.list(BillQuery(lines=False)), 1)),
        "events": lambda: list(islice(organisation.runs.events(), 1)),
    }
    good: list[str] = []
    for name, read in lists.items():
        try:
            read()
        except ReconcilerError as error:
            yield failed(f"read {name}", error, error.exit_code)
        else:
            good.append(name)
    if good:
        yield well("reading", f"the key may read {', '.join(good)}")
    yield unseen("writing", "whether the key may write can only be seen by writing")


def check_dialects(
    effective: Effective, organisation: Organisation, time: Clock
) -> Iterator[CheckResult]:
    """Compare the dialects in git with what the organisation publishes."""
    specs = [defined.spec for defined in effective.dialects]
    for proposal in proposals(effective, organisation.integrations, time):
        spec = dialect_for(specs, proposal.destination, proposal.entity_type)
        yield _dialect(effective.environment.name, spec, proposal)


def mapping_names(effective: Effective, organisation: Organisation) -> CheckResult:
    """Compare the names in mapping sets with those that the organisation knows."""
    check = "mapping tables"
    if not effective.mapping_sets:
        return unseen(check, "git has no mapping sets")
    try:
        document = organisation.mappings.configuration()
    except NotFoundError:
        return unseen(check, "the organisation does not publish its tables")
    names = illegal_names(document, effective.mapping_sets)
    if not names:
        return well(check, f"{len(effective.mapping_sets):,} sets use known entities and tables")
    name = names[0]
    more = f"; and {len(names) - 1:,} more" if len(names) > 1 else ""
    message = f"{name.origin}: {name.setting} `{name.name}` is not known there{more}"
    return wrong(check, message, f"Use one of: {', '.join(name.known) or 'none'}.")


def credentials(effective: Effective, organisation: Organisation) -> CheckResult:
    """Look for every integration credential that the environment names."""
    check, wanted = "credentials", effective.environment.spec.credentials
    if not wanted:
        return unseen(check, "the environment names none")
    listed = organisation.people.credentials()
    if listed is None:
        return unseen(check, "this organisation does not list its integration credentials")
    missing = [name for name, value in wanted.items() if not _is_there(value, listed)]
    if missing:
        todo = "Correct their name or id in the Environment, or create them in m3ter."
        return wrong(check, f"m3ter has no credential for {_listed(missing)}", todo)
    return well(check, f"all {len(wanted):,} are in m3ter")


def check_references(effective: Effective, organisation: Organisation) -> Iterator[CheckResult]:
    """Look up every code and address that git uses."""
    names = {name for used in names_of(effective).values() for name in used}
    accounts = {name.value for name in names if name.kind == "account"}
    users = {name.value for name in names if name.kind == "user"}
    yield _resolved("accounts", accounts, organisation.codes.accounts)
    yield _resolved("users", users, organisation.people.users_by_email)


def _dialect(environment: str, spec: DialectSpec | None, proposal: Proposal) -> CheckResult:
    check = f"dialect of {proposal.destination}"
    discover = f"Run `reconciler discover --env {environment}`."
    if spec is None:
        return wrong(check, "there is none, so no setting can be written", discover)
    if proposal.spec is None:
        by = spec.evidence.source
        return doubtful(check, f"m3ter publishes nothing to compare it with; it is by {by}")
    changed = [finding for finding in proposal.findings if finding.kind == "changed"]
    if changed:
        return wrong(check, changed[0].message, discover)
    published = proposal.spec.get("keys")
    known = set(published) if isinstance(published, Mapping) else set()
    missing = sorted(set(spec.keys) - known)
    if missing:
        return doubtful(check, f"not published, so not confirmed: {_listed(missing)}")
    new = sorted(known - set(spec.keys))
    if new:
        return doubtful(check, f"m3ter publishes more than it has: {_listed(new)}", discover)
    return well(check, f"{len(spec.keys):,} settings, all as m3ter publishes them")


def _is_there(credential: object, listed: tuple[Credential, ...]) -> bool:
    if isinstance(credential, CredentialById):
        return any(candidate.id == credential.id for candidate in listed)
    return sum(candidate.name == getattr(credential, "name", "") for candidate in listed) == 1


def _resolved(
    check: str, wanted: set[str], find: Callable[[set[str]], Mapping[str, object]]
) -> CheckResult:
    if not wanted:
        return unseen(check, "git names none")
    missing = sorted(wanted - set(find(wanted)))
    if missing:
        todo = "Correct them, or create them in m3ter."
        return wrong(check, f"m3ter does not know {_listed(missing)}", todo)
    return well(check, f"all {len(wanted):,} that git names are in m3ter")


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _LISTED_MAX:,} more" if len(names) > _LISTED_MAX else ""
    return ", ".join(f"`{name}`" for name in names[:_LISTED_MAX]) + more


def check_or_report(check: str, make: Callable[[], Iterator[CheckResult]]) -> Iterator[CheckResult]:
    """Run a check; an error of m3ter's is its finding, and the next check goes on."""
    try:
        yield from make()
    except ReconcilerError as error:
        yield failed(check, error, error.exit_code or ExitCode.UNEXPECTED)


def push_integrations(effective: Effective) -> tuple[Push, ...]:
    """Give the integrations whose bills `sync` sends."""
    return tuple(
        (integration, integration.spec.push)
        for integration in effective.integrations
        if integration.spec.delivery == "push" and integration.spec.push is not None
    )


def prices(pushes: Sequence[Push], site: SiteCatalogue) -> CheckResult:
    """Look for every item price that a push integration names; mappings are looked at by bill."""
    named = {
        price: f"{integration.name}: {setting}"
        for integration, _ in reversed(pushes)
        for setting, price in _prices(integration.spec)
    }
    if not named:
        return unseen("item prices", "no push integration names one")
    unfit = site.unfit_prices(named)
    if not unfit:
        return well("item prices", f"all {len(named):,} that pushes name can bill a line")
    texts = [f"`{key}` ({named[key]}) {why}" for key, why in unfit.items()]
    more = f"; and {len(texts) - _LISTED_MAX:,} more" if len(texts) > _LISTED_MAX else ""
    todo = "Correct the setting, or the item price in Chargebee; until then bills are blocked."
    return wrong("item prices", "; ".join(texts[:_LISTED_MAX]) + more, todo)


def stamps(pushes: Sequence[Push], site: SiteCatalogue) -> CheckResult:
    """Look for the custom field that carries the bill id."""
    fields = site.custom_fields()
    if fields is None:
        return doubtful("stamp", "Chargebee does not list its custom fields; the first bill shows")
    missing = sorted({field for _, push in pushes for field in _unstamped(push, fields)})
    if missing:
        todo = "Create it in Chargebee as a text field; until then bills are blocked."
        return wrong("stamp", f"the site has no custom field {', '.join(missing)}", todo)
    names = ", ".join(sorted({push.stamp for _, push in pushes}))
    return well("stamp", f"{names} is there")


def check_ledger(place: str, identity: LedgerIdentity | None, environment: str) -> CheckResult:
    """Say whether the memory of pushes is there."""
    if identity is None:
        todo = f"Before the first push: `reconciler ledger init --env {environment}`."
        return doubtful("ledger", f"there is none yet in {place}", todo)
    return well("ledger", f"{identity.id} in {place}")


def _prices(spec: IntegrationSpec) -> Iterator[tuple[str, str]]:
    page = spec.chargebee
    if page is None:
        return
    for setting, price in (
        ("minimumSpendItemPrice", page.minimum_spend_item_price),
        ("standingChargeItemPrice", page.standing_charge_item_price),
        ("defaultPriceId", page.default_price_id),
    ):
        if price is not None:
            yield setting, price
    for line_type, price in page.price_id_mapping.items():
        yield f"priceIdMapping.{line_type}", price


def _unstamped(push: PushPolicy, fields: Mapping[str, frozenset[str]]) -> Iterator[str]:
    kinds = fields.get(push.stamp, frozenset())
    if "invoice" not in kinds:
        yield f"{push.stamp} on invoices"
    if push.negative_lines.startswith("credit-note") and "credit_note" not in kinds:
        yield f"{push.stamp} on credit notes"
