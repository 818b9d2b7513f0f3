"""How fast bills are sent, for the remark behind the progress."""

from __future__ import annotations

from dataclasses import dataclass, field

from reconciler.kernel.ports import Clock
from reconciler.sync.core.run_tally import SyncTally
from reconciler.sync.model.push import PushStatus
from reconciler.sync.model.standing import Group, Standing


@dataclass(slots=True)
class Pace:
    """How fast bills are sent, for the remark behind the progress."""

    clock: Clock
    sent: int = 0
    looks: int = 0
    since: float = field(default=-1.0)

    def ended(self, one: Standing) -> None:
        """Hear of a bill that a worker ended."""
        if self.since < 0:
            self.since = self.clock.monotonic()
        self.sent += one.group is Group.SENT
        self.looks += one.status is PushStatus.UNKNOWN

    def note(self, tally: SyncTally) -> str:
        """Say the pace, the money sent, and how many wait for a look-up."""
        parts = []
        seconds = self.clock.monotonic() - self.since if self.since >= 0 else 0.0
        if self.sent and seconds > 0:
            parts.append(f"{round(self.sent * 60 / seconds)}/min")
        parts += [f"{one} sent" for one in tally.money(Group.SENT)]
        if self.looks:
            parts.append(f"{self.looks} waiting for a look-up")
        return "   ".join(parts)
