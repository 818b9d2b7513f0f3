"""m3ter's own runs and events, and the configurations they may belong to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

from reconciler.definitions.core.as_data import dialect_for
from reconciler.definitions.core.settings import ACCOUNT_IDS, RESTRICTED, settings_of
from reconciler.definitions.core.spelling import folded
from reconciler.definitions.model import Effective
from reconciler.dialect.discover import spoken
from reconciler.errors import InvalidError
from reconciler.kernel.address import BillId
from reconciler.m3ter.bill import Bill
from reconciler.m3ter.live import LiveIntegration, NativeRun
from reconciler.m3ter.ports import BillQuery, NotFoundError, Organisation
from reconciler.plan.core.comparable import live_fields
from reconciler.status.core.attribution import (
    ErrorRow,
    RunOwner,
    SeenEvent,
    SeenRun,
    bill_of_event,
    configurations_of_event,
    configurations_of_run,
    errors_in_a_row,
    is_error,
    message_of,
)

BILL = "Bill"


class NoSuchBillError(InvalidError):
    """m3ter has no bill of the id that a person typed."""

    def __init__(self, bill: BillId) -> None:
        super().__init__(
            f"m3ter has no bill `{bill}`.\n"
            "Nothing was changed. Give the whole id, as `sync plan` and `reconcile` print it."
        )


def scopes(effective: Effective, integrations: Iterable[LiveIntegration]) -> tuple[RunOwner, ...]:
    """Read which accounts each live configuration of bills takes, where a dialect tells."""
    return tuple(
        _scope(effective, integration)
        for integration in integrations
        if folded(integration.entity_type) == folded(BILL)
    )


def newest_bills(organisation: Organisation, count: int) -> tuple[Bill, ...]:
    """Read the newest bills, without their lines."""
    return tuple(islice(organisation.bills.list(BillQuery(lines=False)), count))


def latest_runs(
    organisation: Organisation, bills: Sequence[Bill], known: Sequence[RunOwner]
) -> tuple[SeenRun, ...]:
    """Give the latest run of each bill that has one, newest first."""
    runs = organisation.runs.latest(BILL, [bill.id for bill in bills]) if bills else {}
    accounts = {str(bill.id): (str(bill.account_id), bill.account_code) for bill in bills}
    seen = [_seen(run, *accounts.get(run.entity_id, ("", "")), known) for run in runs.values()]
    return tuple(sorted(seen, key=lambda run: run.run.started_at, reverse=True))


def runs_of_bill(
    organisation: Organisation, identity: BillId, known: Sequence[RunOwner], count: int
) -> tuple[SeenRun, ...]:
    """Give the runs of one bill, newest first.

    Raises:
        NoSuchBillError: When there is no such bill.
    """
    try:
        bill = organisation.bills.get(identity)
    except NotFoundError:
        raise NoSuchBillError(identity) from None
    runs = islice(organisation.runs.of_entity(BILL, identity), count)
    return tuple(_seen(run, bill.account_id, bill.account_code, known) for run in runs)


def with_payloads(organisation: Organisation, seen: Iterable[SeenRun]) -> Iterator[SeenRun]:
    """Read what each run exchanged."""
    for run in seen:
        try:
            payload = organisation.runs.log(run.run.id)
        except NotFoundError:
            payload = "m3ter has no log of this run"
        yield SeenRun(run.run, run.account, run.configurations, payload)


def seen_events(
    organisation: Organisation, bills: Sequence[Bill], known: Sequence[RunOwner], count: int
) -> tuple[SeenEvent, ...]:
    """Give the newest events, newest first."""
    accounts = {str(bill.id): str(bill.account_id) for bill in bills}
    return tuple(
        SeenEvent(
            event,
            bill_of_event(event),
            message_of(event),
            configurations_of_event(event, accounts, known),
        )
        for event in islice(organisation.runs.events(), count)
    )


def error_rows(
    known: Sequence[RunOwner], events: Sequence[SeenEvent], runs: Sequence[SeenRun]
) -> tuple[ErrorRow, ...]:
    """Count the errors in a row of each configuration, as far as events and runs tell."""
    return tuple(_error_row(owner.live, events, runs) for owner in known)


def newest_by_configuration(seen: Iterable[SeenRun]) -> Mapping[str, SeenRun]:
    """Give the newest run that may be of each configuration, by its id."""
    found: dict[str, SeenRun] = {}
    for run in seen:
        for identity in run.configurations:
            found.setdefault(identity, run)
    return found


def _error_row(
    live: LiveIntegration, events: Sequence[SeenEvent], runs: Sequence[SeenRun]
) -> ErrorRow:
    successes = [
        run.run.completed_at or run.run.started_at
        for run in runs
        if live.id in run.configurations and run.run.status == "COMPLETE"
    ]
    last = max(successes, default="")
    errors = [
        event
        for event in events
        if live.id in event.configurations and is_error(event.event) and event.event.time > last
    ]
    count = errors_in_a_row((error.event.time for error in errors), last)
    shared = any(len(error.configurations) > 1 for error in errors)
    return ErrorRow(live.id, live.name, live.enabled, count, shared, oldest=not last)


def _seen(run: NativeRun, account: str, code: str, known: Sequence[RunOwner]) -> SeenRun:
    return SeenRun(run, code or account, configurations_of_run(run, account, known))


def _scope(effective: Effective, live: LiveIntegration) -> RunOwner:
    words = spoken(live)
    if words is None:
        return RunOwner(live, None, frozenset())
    dialect = dialect_for([defined.spec for defined in effective.dialects], *words)
    fields = live_fields(live, settings_of(words[0]), dialect)
    accounts, restricted = fields.get(ACCOUNT_IDS.path), fields.get(RESTRICTED.path)
    return RunOwner(
        live,
        accounts if isinstance(accounts, frozenset) else None,
        restricted if isinstance(restricted, frozenset) else frozenset(),
    )
