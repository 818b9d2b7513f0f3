"""What forbids a write at this moment: a stop, a pause, a disabled push, another route."""

from __future__ import annotations

from dataclasses import dataclass, replace

from reconciler.kernel.runbook import Page, page
from reconciler.sync.judge.account_facts import About
from reconciler.sync.model.push import Effect
from reconciler.sync.model.standing import Standing
from reconciler.sync.push.bill_record import BillRecord


@dataclass(slots=True)
class Gate:
    """Asked before every write of one bill.

    Attributes:
        about: What the interlock knows; ``None`` until it is asked.
    """

    record: BillRecord
    about: About | None = None

    def held(self, effects: tuple[Effect, ...]) -> Standing | None:
        """Say what forbids a write at this moment; ``None`` when nothing does."""
        record = self.record
        push, site, name = record.push, record.site, record.route.name
        if push.stopped():
            return record.unsent("the run was stopped")
        if why := push.ledger.paused(site):
            return replace(record.unsent("the site is paused", why), page=page(Page.PAUSED))
        if why := push.ledger.disabled(site, name):
            return replace(record.unsent("the push is disabled", why), page=page(Page.DISABLED))
        who = record.who
        if self.about is None or not push.judge.watch.fresh(self.about):
            self.about = push.judge.watch.one(who.bill_id, who.account_code)
        barred = push.judge.barred(who, record.route, self.about)
        if barred is None:
            return None
        if not any(one.attempts for one in effects):
            return replace(record.unsent(barred.short, barred.why), page=barred.page)
        rests = record.rests(effects, f"{barred.short}: {barred.why}", None)
        return replace(rests, page=barred.page or rests.page)
