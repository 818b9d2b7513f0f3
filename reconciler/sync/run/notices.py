"""Tells people what is new after a run, once for each kind of event."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.drafting.draft import EventName
from reconciler.kernel.ports import Notifier
from reconciler.sync.core.run_tally import SyncTally
from reconciler.sync.model.push import SiteName

_KINDS: Mapping[EventName, str] = {
    "integration.validation.error": "validation",
    "integration.missingaccountmapping.error": "missing-mapping",
    "integration.perform.error": "perform",
    "integration.authentication.error": "authentication",
    "integration.disabled.error": "disabled",
}


def tell_news(tally: SyncTally, notifier: Notifier, site: SiteName) -> None:
    """Tell people what is new, once for each kind of event, naming the first bills."""
    for event, news in sorted(tally.news.items()):
        lines = [
            f"{one.who.account_code or one.who.account_id}, bill {one.who.bill_id}: {one.why}"
            for one in news.named
        ]
        if news.bills > len(news.named):
            more = news.bills - len(news.named)
            lines.append(f"and {more:,} more; `reconciler sync plan --list FILE` names every bill")
        bills = "1 bill" if news.bills == 1 else f"{news.bills:,} bills"
        kind = _KINDS[event]
        notifier.notify(kind, f"{bills} not sent to {site}: {kind}", "\n".join(lines))
