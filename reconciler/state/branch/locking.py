"""Take the lock on the remote, read who holds it, and give it back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from reconciler.kernel.ports import Clock
from reconciler.plan.model.applied import AppliedRecord
from reconciler.plan.ports import LockedError
from reconciler.state.branch.lock import Holder, RunEnded, holder, holder_of, is_over, lock_text
from reconciler.state.branch.refs import Refs
from reconciler.state.branch.remote import Move, Reach, Remote, Standing, not_pushed
from reconciler.state.branch.store import Store

_ATTEMPTS = 2
"""The second one after a lock that was proved to be needed no more."""


@dataclass(frozen=True, slots=True)
class Locking:
    """Works on the locks of one remote in the name of one process."""

    store: Store
    remote: Remote
    clock: Clock
    actor: str
    environ: Mapping[str, str] = field(repr=False)
    ended: RunEnded

    def take(self, refs: Refs, purpose: str, head: Callable[[], AppliedRecord | None]) -> str:
        """Take the lock, and give its commit.

        Args:
            refs: Of the environment.
            purpose: The command.
            head: Reads the newest record, which may prove that a lock is needed no more.

        Raises:
            LockedError: When somebody holds it.
        """
        mine = holder(purpose, self.actor, self.clock.now(), self.environ)
        text = lock_text(refs.environment, mine)
        lock = self.store.commit({}, text, parent="", author=self.actor, at=mine.since)
        there, move = "", Move(refs.lock, "", lock)
        for _ in range(_ATTEMPTS):
            pushed = self.remote.push([move])
            if pushed.standing is Standing.WON:
                self.store.point({refs.held: lock})
                return lock
            if pushed.standing is not Standing.LOST:
                raise not_pushed(self.remote.shown, [move], pushed)
            there = pushed.found.get(refs.lock, "")
            if there and not self._cleared(refs, there, head()):
                break
        raise LockedError(
            refs.environment,
            str(self.who_holds(there)) if there else "another run",
            f"`reconciler lock show --env {refs.environment}` shows more; it is taken away by "
            f"`reconciler lock release --env {refs.environment} --reason TEXT`, once that run is "
            "known to have ended.",
        )

    def who_holds(self, lock: str) -> Holder:
        """Read who took a lock that stands on the remote."""
        if not self.store.has(lock):
            self.remote.fetch([lock], Reach.TIP)
        return holder_of(self.store.text(lock))

    def give_back(self, refs: Refs, lock: str) -> None:
        """End a lock; where that cannot be said now, the next run here says it."""
        if self.store.ref(refs.kept):
            return
        if self.remote.push([Move(refs.lock, lock, "")]).standing is Standing.WON:
            self.store.point({refs.held: ""})
        else:
            self.store.point({refs.ended: lock})

    def _cleared(self, refs: Refs, lock: str, head: AppliedRecord | None) -> bool:
        """Take away a lock whose holder is proved to need it no more."""
        if not is_over(self.who_holds(lock), head, self.ended):
            return False
        return self.remote.push([Move(refs.lock, lock, "")]).standing is Standing.WON
