"""Apply: fence the plan, carry its changes out in order, and write down what became of them.

Nothing is decided here that was not reviewed: a change holds the complete body to send. What can
differ is only how far an earlier run of the same plan got, and whether m3ter does what it is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC

from reconciler.errors import IdentityError, InvalidError, StaleError
from reconciler.kernel.ports import Clock, Progress, Task
from reconciler.m3ter.live import LiveIntegration
from reconciler.m3ter.ports import Organisation
from reconciler.plan.carry_out import ChangeSender
from reconciler.plan.confirm_dialect import confirm_dialects
from reconciler.plan.core.bindings import bindings_after
from reconciler.plan.core.diff.order import MOVED
from reconciler.plan.core.guards.approval import NeedsApprovalError, uncovered
from reconciler.plan.core.guards.guards import off_source
from reconciler.plan.core.guards.routes import SELECTING
from reconciler.plan.core.still_as_planned import Met, StalePlanError, check_unchanged
from reconciler.plan.missed_bills import missed_bills
from reconciler.plan.model.applied import (
    Already,
    AppliedRecord,
    Binding,
    Blocked,
    ChangeOutcome,
    Done,
    Outcome,
    OutcomeUnknown,
    Receipt,
)
from reconciler.plan.model.change import (
    Adopt,
    Change,
    ChangeId,
    Connect,
    Create,
    Delete,
    Disconnect,
    Ignore,
    Keep,
    Update,
)
from reconciler.plan.model.plan import Approval, ChainPosition, GuardHit, Plan
from reconciler.plan.ports import SourceCommits, StateChain, StateLock

PARALLEL = 16
"""Changes of one kind at once; the organisation's rate limit, not this, sets the pace."""

STARTED = "apply-started"
APPLIED = "apply"


class OtherOrganisationError(IdentityError):
    """The key belongs to another organisation than the one the plan was made for."""

    def __init__(self, planned: str, found: str) -> None:
        super().__init__(
            f"the plan is for organisation {planned}, but the key belongs to {found}.\n"
            "Nothing was written. Use the key of the right organisation, or plan for this one."
        )


class ChainPassedError(StaleError):
    """Something was applied after the plan was made."""

    def __init__(self, plan: Plan, head: AppliedRecord | None) -> None:
        planned = plan.body.base.sequence if plan.body.base else 0
        found = head.sequence if head else 0
        super().__init__(
            f"plan {plan.id:.12} was made from applied record {planned}, but the newest is "
            f"{found}: something was applied since.\nNothing was written. "
            f"Run `reconciler plan --env {plan.body.environment}` again and review it."
        )


class UnplannedError(InvalidError):
    """The plan has objects with errors."""

    def __init__(self, plan: Plan) -> None:
        listed = "\n".join(
            f"  {unplanned.address}: {unplanned.message}" for unplanned in plan.body.unplanned
        )
        super().__init__(
            f"plan {plan.id:.12} has objects of which nothing could be planned:\n{listed}\n"
            "Nothing was written. Put them right and make a new plan."
        )


class OlderCommitError(StaleError):
    """The plan was made from a commit that does not come after what is applied."""

    anchor = "older-commit"

    def __init__(self, plan: Plan, applied: str, *, is_known: bool) -> None:
        planned = plan.head.source_commit
        what = (
            "it is older than what is applied, or beside it"
            if is_known
            else "nobody can tell whether that comes before or after"
        )
        super().__init__(
            f"plan {plan.id:.12} was made from commit {planned[:7]}, and `{plan.body.environment}` "
            f"was applied from {applied[:7]}: {what}.\nNothing was written. Apply the newest "
            "commit; a rollback is a pull request."
        )


@dataclass(frozen=True, slots=True)
class Consent:
    """Who applies, and what was agreed to.

    Attributes:
        approvals: Given to this plan, and those of earlier plans.
        confirmed: A person on a terminal, or ``--yes``, said yes.
        late_hits: Guards that are known only now: age, freeze, a plan that was not saved.
    """

    actor: str
    approvals: tuple[Approval, ...] = ()
    confirmed: bool = False
    late_hits: tuple[GuardHit, ...] = ()


@dataclass(frozen=True, slots=True)
class ApplyPorts:
    """The world that apply acts on."""

    organisation: Organisation
    chain: StateChain
    lock: StateLock
    clock: Clock
    progress: Progress
    source: SourceCommits | None = None


@dataclass(slots=True)
class Run:
    """One apply under way."""

    plan: Plan
    consent: Consent
    ports: ApplyPorts
    stopped: Callable[[], bool]
    started_at: str
    outcomes: dict[ChangeId, Outcome] = field(default_factory=dict)


def apply(
    plan: Plan, consent: Consent, ports: ApplyPorts, stopped: Callable[[], bool] = lambda: False
) -> AppliedRecord:
    """Carry a plan out.

    Args:
        plan: As reviewed.
        consent: Who applies, and what was approved or confirmed.
        ports: The world.
        stopped: Asked before every write; true ends the run once writes in flight are finished.

    Returns:
        The record with the receipt; appended to the chain unless it says nothing new.

    Raises:
        StalePlanError: When anything the plan touches was changed; nothing was written.
        NeedsApprovalError: When a guard is not satisfied; nothing was written.
        DisprovedDialectError: When the organisation spells its settings otherwise.
        LockedError: When another run holds the environment; nothing was written.
    """
    _refuse(plan, ports)
    with ports.lock.hold(plan.body.environment, "reconciler apply"):
        head = ports.chain.head(plan.body.environment)
        _refuse_passed(plan, head)
        _refuse_older(plan, head, ports.source)
        late = (*consent.late_hits, *_off_source(plan, ports.source))
        approvals = (*consent.approvals, *_earlier(plan, head))
        consent = replace(consent, approvals=approvals, late_hits=late)
        met = _fenced(plan, ports.organisation)
        _refuse_held(plan, consent)
        confirm_dialects(plan, ports.organisation.integrations)
        run = Run(plan, consent, ports, stopped, _now(ports.clock))
        if any(_writes(change) for change in plan.body.changes) and not _resumes(plan, head):
            head = ports.chain.append(_started(run, head))
        carrier = ChangeSender(ports.organisation, ports.clock, dict(met.live))
        _carry_out(run, carrier, met.done)
        receipt = replace(_receipt(run), notes=_notes(run, carrier))
        bindings = bindings_after(plan, _bindings(head), receipt, carrier.live)
        record = _record(run, head, APPLIED, bindings, receipt)
        return ports.chain.append(record) if _news(record, head) else record


def _fenced(plan: Plan, organisation: Organisation) -> Met:
    """Read what the plan touches, and refuse it when anything of that has moved."""
    touched = [change for change in plan.body.changes if not isinstance(change, Keep | Ignore)]
    kinds = {change.address.kind for change in touched}
    met = check_unchanged(
        touched,
        organisation.integrations.list() if "integration" in kinds else (),
        organisation.mappings.list() if "mapping" in kinds else (),
        plan.body.definitions,
    )
    if met.moved:
        raise StalePlanError(plan.id, plan.body.environment, met.moved)
    return met


def _started(run: Run, head: AppliedRecord | None) -> AppliedRecord:
    """Leave evidence for whoever comes after a crash; what git wants holds only once it is done."""
    outcomes = tuple(
        ChangeOutcome(change.id, change.address, OutcomeUnknown("the apply was cut off"))
        for change in run.plan.body.changes
        if isinstance(change, Create | Adopt)
    )
    receipt = Receipt(run.plan.id, run.started_at, run.started_at, outcomes)
    started = _record(run, head, STARTED, _bindings(head), receipt)
    return replace(started, definitions=head.definitions if head else {})


def _news(record: AppliedRecord, head: AppliedRecord | None) -> bool:
    """Tell whether a record says more than the head: applying twice leaves one record."""
    if head is None or head.action == STARTED:
        return True
    return (record.definitions, record.bindings) != (head.definitions, head.bindings)


def _refuse(plan: Plan, ports: ApplyPorts) -> None:
    planned, found = plan.body.fingerprint.organization_id, ports.organisation.identity
    if planned != found:
        raise OtherOrganisationError(planned, found)
    if plan.body.unplanned:
        raise UnplannedError(plan)


def _refuse_held(plan: Plan, consent: Consent) -> None:
    hits = uncovered(
        (*plan.body.hits, *consent.late_hits), consent.approvals, confirmed=consent.confirmed
    )
    if hits:
        raise NeedsApprovalError(plan.id, hits)


def _refuse_older(plan: Plan, head: AppliedRecord | None, source: SourceCommits | None) -> None:
    """Refuse a commit that does not come after the applied one: a job that ran once more."""
    planned, applied = plan.head.source_commit, head.source_commit if head else ""
    if source is None or not planned or not applied:
        return
    descends = source.descends(planned, applied)
    if descends is False or (descends is None and source.branch):
        raise OlderCommitError(plan, applied, is_known=descends is False)


def _off_source(plan: Plan, source: SourceCommits | None) -> Iterator[GuardHit]:
    """Hold a plan of a protected environment that was not made from its source branch."""
    if source is None or not source.branch:
        return
    commit, newest = plan.head.source_commit, source.newest()
    merged = bool(commit and newest) and source.descends(newest, commit)
    if plan.head.dirty or not merged:
        yield off_source(plan.body.environment, commit, source.branch, dirty=plan.head.dirty)


def _earlier(plan: Plan, head: AppliedRecord | None) -> Iterator[Approval]:
    """Give approvals of a plan that was not carried out to its end; done with it, they are spent.

    The same edit in the Console a month later is another one, and needs another approval.
    """
    if head is None or (head.receipt is not None and _complete(head.receipt)):
        return
    items = {(hit.guard, hit.digest) for hit in plan.body.hits}
    for approval in head.approvals:
        if any((approval.guard, digest) in items for digest in approval.digests):
            yield approval


def _complete(receipt: Receipt) -> bool:
    return all(isinstance(outcome.outcome, Done | Already) for outcome in receipt.outcomes)


def _writes(change: Change) -> bool:
    return not isinstance(change, Adopt | Keep | Ignore)


def _resumes(plan: Plan, head: AppliedRecord | None) -> bool:
    """Tell whether the newest record is of this very plan: cut off, in part, or done."""
    return head is not None and head.action in {STARTED, APPLIED} and head.plan == plan.id


def _refuse_passed(plan: Plan, head: AppliedRecord | None) -> None:
    position = ChainPosition(head.sequence, head.id) if head and head.id else None
    if position != plan.body.base and not _resumes(plan, head):
        raise ChainPassedError(plan, head)


def _carry_out(run: Run, carrier: ChangeSender, done: frozenset[ChangeId]) -> None:
    changes = run.plan.body.changes
    with (
        run.ports.progress.task("applying", len(changes)) as task,
        ThreadPoolExecutor(PARALLEL, thread_name_prefix="apply") as pool,
    ):
        for batch in _batches(changes):
            carrier.read_again([change for change in batch if isinstance(change, Delete)])
            outcomes = pool.map(lambda change: _one(run, carrier, change, done, task), batch)
            run.outcomes.update(zip((change.id for change in batch), outcomes, strict=True))


def _batches(changes: Sequence[Change]) -> Iterator[list[Change]]:
    """Neighbours of one kind and type go together, unless one waits for another."""
    batch: dict[ChangeId, Change] = {}
    sort = ("", "")
    for change in changes:
        if batch and (
            _sort(change) != sort or any(change_id in batch for change_id in _waits_for(change))
        ):
            yield list(batch.values())
            batch = {}
        batch[change.id] = change
        sort = _sort(change)
    if batch:
        yield list(batch.values())


def _sort(change: Change) -> tuple[str, str]:
    adds = change.address.kind == "mapping" and isinstance(change, Create | Update)
    return (change.address.kind, "write" if adds else change.type)


def _waits_for(change: Change) -> tuple[ChangeId, ...]:
    return () if isinstance(change, Adopt | Keep | Ignore) else change.after


def _one(
    run: Run, carrier: ChangeSender, change: Change, done: frozenset[ChangeId], task: Task
) -> Outcome:
    outcome = _outcome(run, carrier, change, done)
    task.advance()
    return outcome


def _outcome(run: Run, carrier: ChangeSender, change: Change, done: frozenset[ChangeId]) -> Outcome:
    if isinstance(change, Adopt | Keep | Ignore) or change.id in done:
        return carrier.already(change.address)
    for other in (*change.after, *_makes_way(run, change)):
        if not isinstance(run.outcomes.get(other), Done | Already):
            return Blocked(other)
    return carrier.not_attempted(stopped=run.stopped()) or carrier.carry_out(change)


def _makes_way(run: Run, change: Change) -> Iterator[ChangeId]:
    """Name what takes accounts away elsewhere: before it is done nothing new may bill them."""
    if not isinstance(change, Connect):
        return
    for other in run.plan.body.changes:
        narrows = isinstance(other, Update) and any(
            field.path in SELECTING and field.verdict in MOVED for field in other.fields
        )
        if isinstance(other, Disconnect) or narrows:
            yield other.id


def _receipt(run: Run) -> Receipt:
    outcomes = tuple(
        ChangeOutcome(change.id, change.address, run.outcomes[change.id])
        for change in run.plan.body.changes
    )
    return Receipt(run.plan.id, run.started_at, _now(run.ports.clock), outcomes)


def _notes(run: Run, carrier: ChangeSender) -> tuple[str, ...]:
    connected = [
        (change, live)
        for change in run.plan.body.changes
        if isinstance(change, Connect) and isinstance(run.outcomes[change.id], Done)
        if isinstance(live := carrier.live.get(change.address), LiveIntegration)
    ]
    ports = run.ports
    return missed_bills(run.plan, connected, ports.organisation, ports.chain, ports.clock)


def _record(
    run: Run,
    head: AppliedRecord | None,
    action: str,
    bindings: tuple[Binding, ...],
    receipt: Receipt | None,
) -> AppliedRecord:
    body = run.plan.body
    return AppliedRecord(
        environment=body.environment,
        sequence=head.sequence + 1 if head else 1,
        previous=head.id if head else None,
        at=_now(run.ports.clock),
        actor=run.consent.actor,
        action=action,
        fingerprint=body.fingerprint,
        source_commit=run.plan.head.source_commit,
        plan=run.plan.id,
        definitions=body.definitions,
        references=body.references,
        bindings=bindings,
        receipt=receipt,
        approvals=run.consent.approvals,
    )


def _bindings(head: AppliedRecord | None) -> tuple[Binding, ...]:
    return head.bindings if head else ()


def _now(clock: Clock) -> str:
    return clock.now().astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
