"""Compare and guard: one environment to a plan. Nothing is written."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC
from decimal import Decimal

from reconciler.definitions.core.as_data import rendered
from reconciler.definitions.model import Effective
from reconciler.errors import ExitCode
from reconciler.kernel.address import Address, OrganizationId
from reconciler.kernel.ports import Clock, Progress
from reconciler.m3ter.live import Account
from reconciler.m3ter.ports import Organisation
from reconciler.plan.compare import EnvironmentComparison, compare
from reconciler.plan.core.guards.guards import (
    GuardFacts,
    hits,
    routes,
    selections,
    unconfirmed,
    wanted_counts,
)
from reconciler.plan.core.guards.policy import Policy, applied_policy, in_force, policy
from reconciler.plan.core.guards.routes import handed_over, needs_accounts
from reconciler.plan.model.applied import AppliedRecord
from reconciler.plan.model.change import (
    Adopt,
    Change,
    Connect,
    Create,
    Delete,
    Ignore,
    Keep,
    Verdict,
)
from reconciler.plan.model.identity import named
from reconciler.plan.model.plan import (
    ChainPosition,
    Checked,
    Fingerprint,
    GuardHit,
    Plan,
    PlanBody,
    PlanHead,
)
from reconciler.plan.names import labels

PAGE = 200


@dataclass(frozen=True, slots=True)
class PlanSource:
    """Where the definitions come from.

    Attributes:
        tool: Name and version.
        commit: Empty outside a git checkout.
        dirty: Whether the checkout held changes that are not committed.
    """

    tool: str
    commit: str = ""
    dirty: bool = False


@dataclass(frozen=True, slots=True)
class PlanPorts:
    """The world that a plan looks at."""

    organisation: Organisation
    clock: Clock
    progress: Progress


def plan(
    effective: Effective,
    head: AppliedRecord | None,
    source: PlanSource,
    ports: PlanPorts,
    *,
    fresh: bool = False,
    compared: EnvironmentComparison | None = None,
    accounts: tuple[Account, ...] | None = None,
    since: tuple[float, int] | None = None,
) -> Plan:
    """Make a plan.

    Args:
        effective: What git wants in one environment, without errors.
        head: The newest applied record.
        source: Where the definitions come from.
        ports: The world.
        fresh: Look every name up, whatever the record remembers.
        compared: A comparison that was made already.
        accounts: All of them, when they were read already.
        since: The clock and the count of calls before that; now by default.
    """
    started, calls = since or (ports.clock.monotonic(), ports.organisation.calls)
    if compared is None:
        compared = compare(effective, head, ports.organisation, ports.progress, fresh=fresh)
    if accounts is None:
        accounts = needed_accounts(compared, ports.organisation)
    codes: dict[str, str] = {owner.id: owner.code for owner in accounts if owner.code}
    names = labels(compared.changes, compared.names, codes, ports.organisation)
    changes = handed_over(compared.changes, *selections(compared.paired.pairs), accounts)
    found = guard_hits(compared, accounts, {**names, **codes}, ports.clock)
    body = PlanBody(
        environment=effective.environment.name,
        fingerprint=fingerprint(effective),
        base=ChainPosition(head.sequence, head.id) if head and head.id else None,
        changes=changes,
        hits=found,
        unplanned=tuple(
            sorted(
                (error.as_unplanned() for error in compared.errors),
                key=lambda unplanned: unplanned.address,
            )
        ),
        definitions=rendered(effective),
        references=compared.references,
    )
    writes = estimated_calls(compared.changes, len(compared.mappings))
    rate = effective.environment.spec.m3ter.requests_per_second
    took = Decimal(str(ports.clock.monotonic() - started)).quantize(Decimal("0.001"))
    return named(
        PlanHead(
            tool=source.tool,
            created_at=_now(ports.clock),
            source_commit=source.commit,
            dirty=source.dirty,
            estimated_calls=writes,
            estimated_seconds=(Decimal(writes) / rate).quantize(Decimal("0.1")),
            checked=_checked(compared, ports.organisation.calls - calls, took),
            names=names | _widened(found, codes),
        ),
        body,
    )


def fingerprint(effective: Effective) -> Fingerprint:
    """Say where a plan of this environment may be applied."""
    spec = effective.environment.spec
    return Fingerprint(
        organization_id=OrganizationId(spec.m3ter.organization_id),
        m3ter_base_url=spec.m3ter.base_url,
        chargebee_base_url=spec.chargebee.base_url if spec.chargebee else "",
        site=spec.chargebee.site if spec.chargebee else "",
    )


def exit_code_of_plan(plan: Plan) -> ExitCode:
    """Say how git and m3ter stand to each other, as ``--exit-code`` reports it.

    ``GIT_AHEAD``: git moved; ``ONLY_DRIFT``: m3ter moved; ``BOTH_MOVED``: both, or a conflict.
    """
    if plan.body.unplanned:
        return ExitCode.INVALID
    lost = {hit.address for hit in plan.body.hits if hit.guard == "drift" and not hit.field}
    ahead, drifted = any(hit.guard == "policy" for hit in plan.body.hits), bool(lost)
    for change in plan.body.changes:
        if isinstance(change, Keep):
            continue
        verdicts = {field.verdict for field in change.fields}
        if "conflict" in verdicts and not isinstance(change, Adopt):
            return ExitCode.BOTH_MOVED
        drifted = drifted or "theirs" in verdicts
        ahead = ahead or _ahead(change, verdicts, lost)
    if ahead and drifted:
        return ExitCode.BOTH_MOVED
    if drifted:
        return ExitCode.ONLY_DRIFT
    return ExitCode.GIT_AHEAD if ahead else ExitCode.DONE


def is_empty(plan: Plan) -> bool:
    """Tell whether nothing would be sent or bound, no rule changes, and no object has an error."""
    return (
        not plan.body.unplanned
        and all(isinstance(change, Keep | Ignore) for change in plan.body.changes)
        and all(hit.guard != "policy" for hit in plan.body.hits)
    )


def estimated_calls(changes: tuple[Change, ...], mappings: int) -> int:
    """Estimate what apply will send: two lists to check, each write, a list before each Connect."""
    writes = [planned for planned in changes if not isinstance(planned, Adopt | Keep | Ignore)]
    if not writes:
        return 0
    pages = 1 + max(1, -(-mappings // PAGE))
    again = sum(isinstance(change, Connect) for change in writes)
    deletes = pages if any(isinstance(change, Delete) for change in writes) else 0
    return pages + len(writes) + again + deletes


def _ahead(change: Change, verdicts: set[Verdict], lost: Collection[Address | None]) -> bool:
    if isinstance(change, Create):
        return change.address not in lost
    return isinstance(change, Delete | Adopt) or "ours" in verdicts


def needed_accounts(
    compared: EnvironmentComparison, organisation: Organisation
) -> tuple[Account, ...]:
    """Read every account, where a guard must look at them."""
    before, after = selections(compared.paired.pairs)
    if not needs_accounts(compared.changes, before, after):
        return ()
    return tuple(organisation.codes.all_accounts())


def guard_hits(
    compared: EnvironmentComparison,
    accounts: tuple[Account, ...],
    names: Mapping[str, str],
    clock: Clock,
) -> tuple[GuardHit, ...]:
    """Judge a comparison by the rules that were applied before, and ask about those that change.

    Args:
        compared: Git, state and m3ter.
        accounts: All of them, where a guard needs them.
        names: What people call ids.
        clock: Says whether a freeze holds.
    """
    effective, pairs = compared.effective, compared.paired.pairs
    applied = applied_policy(compared.head.definitions) if compared.head else None
    wanted = Policy.wanted(effective)
    judging = in_force(applied, wanted)
    before, after = selections(pairs)
    dialects = [dialect.spec for dialect in effective.dialects]
    situation = hits(
        GuardFacts(
            project=judging.project,
            environment=judging.environment,
            changes=compared.changes,
            bindings={binding.address: binding for binding in compared.head.bindings}
            if compared.head
            else {},
            wanted=wanted_counts(effective),
            unconfirmed=unconfirmed(pairs),
            before=before,
            after=after,
            routes=routes(pairs, compared.integrations, compared.changes, dialects),
            accounts=accounts,
            names=names,
            now=clock.now(),
            others=pairs.live_integrations.unmanaged,
        )
    )
    return (*policy(applied, wanted), *situation)


def _widened(hits: tuple[GuardHit, ...], codes: dict[str, str]) -> dict[str, str]:
    """Give the codes of the accounts that a plan would add."""
    added = [hit.desired.value for hit in hits if hit.guard == "widening" and hit.desired]
    ids = [account_id for many in added if isinstance(many, list) for account_id in many]
    return {str(account_id): codes[str(account_id)] for account_id in ids if account_id in codes}


def _checked(compared: EnvironmentComparison, calls: int, seconds: Decimal) -> Checked:
    pairs = compared.paired.pairs
    unmanaged = len(pairs.live_integrations.unmanaged) + len(pairs.live_mappings.unmanaged)
    return Checked(len(pairs.integrations), len(pairs.mappings), unmanaged, calls, seconds)


def _now(clock: Clock) -> str:
    return clock.now().astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
