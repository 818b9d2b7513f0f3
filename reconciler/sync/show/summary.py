"""The push part of ``status`` and ``runs``, as lines for a terminal and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.kernel.money import Money
from reconciler.kernel.runbook import Page, page
from reconciler.kernel.text import clock, counted, day, sums, wrapped
from reconciler.kernel.value import JsonObject, JsonValue
from reconciler.sync.core.push_summary import LISTED_MAX, Pushed, PushStanding
from reconciler.sync.core.tally import Purse
from reconciler.sync.model.push import PushStatus
from reconciler.sync.model.standing import Tried
from reconciler.sync.model.statuses import MEANING, bill_page, meaning

_CALM = frozenset({PushStatus.COMPLETE, PushStatus.NOTHING_TO_SEND, PushStatus.DISABLED})


def push_status_lines(standing: PushStanding, environment: str) -> tuple[str, ...]:
    """Render the pushes of a site: what is late first."""
    return (
        *_summary(standing),
        *_stops(standing, environment),
        *_counts(standing),
        *_late(standing),
    )


def push_status_json(standing: PushStanding) -> JsonObject:
    """Give the same as data; amounts are exact texts in major units."""
    return {
        "site": standing.site,
        "paused": standing.paused,
        "disabled": dict(standing.disabled),
        "bills": {status.value: _purse(purse) for status, purse in sorted(standing.counts.items())},
        "givenUp": {
            status.value: _purse(purse) for status, purse in sorted(standing.given_up.items())
        },
        "overdue": {
            **_purse(standing.overdue),
            "listed": [_pushed(push) for push in standing.listed],
        },
    }


def pushes_text(environment: str, pushes: Sequence[Pushed]) -> str:
    """Render the pushes that moved last."""
    if not pushes:
        return f"{environment}: the ledger holds no bill.\n"
    lines = [f"{environment}: the {counted(len(pushes), 'push', 'pushes')} that moved last"]
    for push in pushes:
        money = str(push.money) if push.money is not None else "-"
        lines.append(
            f"  {clock(push.changed_at)}  {push.bill_id}  {money:>16}  {push.means.counted}"
        )
        if push.message and push.status not in _CALM:
            lines += wrapped(push.message, "      ")
    return "\n".join(lines) + "\n"


def requests_text(bill: str, requests: Sequence[Tried]) -> str:
    """Render every request that was sent for a bill."""
    if not requests:
        return f"Nothing was ever sent for bill {bill}.\n"
    lines = [f"Bill {bill}: {counted(len(requests), 'request', 'requests')} to Chargebee"]
    for request in requests:
        heard = f": {request.message}" if request.message else ""
        text = f"{clock(request.started_at)} UTC  {request.key.step}, attempt {request.number}, "
        lines += wrapped(f"{text}{request.outcome or 'no answer recorded'}{heard}", "  ", "      ")
    return "\n".join(lines) + "\n"


def pushes_json(pushes: Sequence[Pushed]) -> list[JsonValue]:
    """Give pushes as data."""
    return [_pushed(push) for push in pushes]


def requests_json(requests: Sequence[Tried]) -> list[JsonValue]:
    """Give the requests that were sent for a bill as data; no bodies, no credentials."""
    return [
        {
            "generation": request.key.generation,
            "step": str(request.key.step),
            "attempt": request.number,
            "startedAt": request.started_at.isoformat(),
            "outcome": request.outcome or None,
            "message": request.message,
        }
        for request in requests
    ]


def _summary(standing: PushStanding) -> Iterator[str]:
    late = standing.overdue
    if not standing.counts:
        yield f"Push to {standing.site}: the ledger holds no bill yet."
        return
    if not late.bills:
        yield f"Push to {standing.site}: no bill is overdue."
        return
    text = f"Push to {standing.site}: {counted(late.bills, 'bill', 'bills')} overdue"
    yield f"{text}{_money(late)}. {page(Page.OVERDUE)}"


def _stops(standing: PushStanding, environment: str) -> Iterator[str]:
    if standing.paused is not None:
        yield from wrapped(f"  paused by {standing.paused}", "", "    ")
        yield f"    reconciler sync resume --env {environment}   ({page(Page.PAUSED)})"
    for name, why in sorted(standing.disabled.items()):
        yield from wrapped(f"  {name} is disabled: {why}", "", "    ")
        yield f"    reconciler sync enable {name} --env {environment}   ({page(Page.DISABLED)})"


def _counts(standing: PushStanding) -> Iterator[str]:
    for status in MEANING:
        where = "" if status in _CALM else f"   {bill_page(status)}"
        for again in (True, False):
            purse = standing.going_on(status) if again else standing.given_up.get(status)
            if purse is not None and purse.bills:
                words = meaning(status, again=again).counted
                yield f"  {purse.bills:>7,}  {words}{_money(purse)}{where}"


def _late(standing: PushStanding) -> Iterator[str]:
    for push in standing.listed:
        money = f", {push.money}" if push.money is not None else ""
        said = f": {push.message}" if push.message else ""
        text = (
            f"late: {push.bill_id}, {push.integration}, period to {day(push.period_end)}{money}, "
        )
        yield from wrapped(f"{text}{push.means.counted}{said}", "  ", "      ")
    more = standing.overdue.bills - len(standing.listed)
    if more and len(standing.listed) == LISTED_MAX:
        yield f"  and {more:,} more; `sync plan` lists them all"


def _money(purse: Purse) -> str:
    return f" ({sums(purse.money)})" if purse.money else ""


def _purse(purse: Purse) -> dict[str, JsonValue]:
    return {
        "bills": purse.bills,
        "money": [
            {"currency": amount.currency.code, "amount": _text(amount)} for amount in purse.money
        ],
    }


def _pushed(push: Pushed) -> JsonObject:
    return {
        "bill": push.bill_id,
        "account": push.account_id,
        "integration": push.integration,
        "status": push.status.value,
        "currency": push.money.currency.code if push.money is not None else None,
        "amount": _text(push.money) if push.money is not None else None,
        "periodEnd": push.period_end.isoformat(),
        "changedAt": push.changed_at.isoformat(),
        "nextAt": push.next_at.isoformat() if push.next_at is not None else None,
        "message": push.message,
    }


def _text(money: Money) -> str:
    return f"{money.major:f}"
