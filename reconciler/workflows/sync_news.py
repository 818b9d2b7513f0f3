"""Tells people what is new after a run, once for each kind of event."""

from __future__ import annotations

from reconciler.core.sync_tally import SyncTally
from reconciler.domain.push import SiteName
from reconciler.domain.standing import Standing
from reconciler.ports.runtime import (
    Notifier,
)

_EVENTS = {
    "integration.validation.error": "validation",
    "integration.missingaccountmapping.error": "missing-mapping",
    "integration.perform.error": "perform",
}
_NAMED_MAX = 20


def tell_news(tally: SyncTally, notifier: Notifier, site: SiteName) -> None:
    """Tell people what is new, once for each kind of event, naming the bills."""
    by_event: dict[str, list[Standing]] = {}
    for listed in tally.listed.values():
        for one in listed:
            for event in one.events if one.new else ():
                by_event.setdefault(_EVENTS.get(event, "perform"), []).append(one)
    for kind, bills in sorted(by_event.items()):
        lines = [
            f"{one.who.account_code or one.who.account_id}, bill {one.who.bill_id}: {one.why}"
            for one in bills[:_NAMED_MAX]
        ]
        if len(bills) > _NAMED_MAX:
            lines.append(f"and {len(bills) - _NAMED_MAX} more; `reconciler sync plan` lists them")
        title = f"{len(bills)} {'bill' if len(bills) == 1 else 'bills'} not sent to {site}: {kind}"
        notifier.notify(kind, title, "\n".join(lines))
