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
        _scope(effective, one) for one in integrations if folded(one.entity_type) == folded(BILL)
    )


def newest_bills(organisation: Organisation, count: int) -> tuple[Bill, ...]:
    """Read the newest bills, without their lines."""
    return tuple(islice(organisation.bills.list(BillQuery(lines=False)), count))


def latest_runs(
    organisation: Organisation, bills: Sequence[Bill], known: Sequence[RunOwner]
) -> tuple[SeenRun, ...]:
    """Give the latest run of each bill that has one, newest first."""
    runs = organisation.runs.latest(BILL, [one.id for one in bills]) if bills else {}
    accounts = {str(one.id): (str(one.account_id), one.account_code) for one in bills}
    seen = [_seen(run, *accounts.get(run.entity_id, ("", "")), known) for run in runs.values()]
    return tuple(sorted(seen, key=lambda one: one.run.started_at, reverse=True))


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
    return tuple(_seen(one, bill.account_id, bill.account_code, known) for one in runs)


def with_payloads(organisation: Organisation, seen: Iterable[SeenRun]) -> Iterator[SeenRun]:
    """Read what each run exchanged."""
    for one in seen:
        try:
            payload = organisation.runs.log(one.run.id)
        except NotFoundError:
            payload = "m3ter has no log of this run"
        yield SeenRun(one.run, one.account, one.configurations, payload)


def seen_events(
    organisation: Organisation, bills: Sequence[Bill], known: Sequence[RunOwner], count: int
) -> tuple[SeenEvent, ...]:
    """Give the newest events, newest first."""
    accounts = {str(one.id): str(one.account_id) for one in bills}
    return tuple(
        SeenEvent(
            one,
            bill_of_event(one),
            message_of(one),
            configurations_of_event(one, accounts, known),
        )
        for one in islice(organisation.runs.events(), count)
    )


def error_rows(
    known: Sequence[RunOwner], events: Sequence[SeenEvent], runs: Sequence[SeenRun]
) -> tuple[ErrorRow, ...]:
    """Count the errors in a row of each configuration, as far as events and runs tell."""
    return tuple(_error_row(one.live, events, runs) for one in known)


def newest_by_configuration(seen: Iterable[SeenRun]) -> Mapping[str, SeenRun]:
    """Give the newest run that may be of each configuration, by its id."""
    found: dict[str, SeenRun] = {}
    for one in seen:
        for identity in one.configurations:
            found.setdefault(identity, one)
    return found


def _error_row(
    live: LiveIntegration, events: Sequence[SeenEvent], runs: Sequence[SeenRun]
) -> ErrorRow:
    successes = [
        one.run.completed_at or one.run.started_at
        for one in runs
        if live.id in one.configurations and one.run.status == "COMPLETE"
    ]
    last = max(successes, default="")
    errors = [
        one
        for one in events
        if live.id in one.configurations and is_error(one.event) and one.event.time > last
    ]
    count = errors_in_a_row((one.event.time for one in errors), last)
    shared = any(len(one.configurations) > 1 for one in errors)
    return ErrorRow(live.id, live.name, live.enabled, count, shared, oldest=not last)


def _seen(run: NativeRun, account: str, code: str, known: Sequence[RunOwner]) -> SeenRun:
    return SeenRun(run, code or account, configurations_of_run(run, account, known))


def _scope(effective: Effective, live: LiveIntegration) -> RunOwner:
    words = spoken(live)
    if words is None:
        return RunOwner(live, None, frozenset())
    dialect = dialect_for([one.spec for one in effective.dialects], *words)
    fields = live_fields(live, settings_of(words[0]), dialect)
    accounts, restricted = fields.get(ACCOUNT_IDS.path), fields.get(RESTRICTED.path)
    return RunOwner(
        live,
        accounts if isinstance(accounts, frozenset) else None,
        restricted if isinstance(restricted, frozenset) else frozenset(),
    )
