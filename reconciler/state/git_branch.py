"""The chain on a branch of the remote: one commit per record; witness and lock beside it.

Nothing of the user's clone plays a part: records are made in a bare repository of our own, and what
counts is what stands on the remote. A record that could not be pushed after m3ter was written to is
kept here, and pushed before anything else is done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import NoReturn

from reconciler.kernel.ports import Clock
from reconciler.plan.model.applied import AppliedRecord
from reconciler.plan.model.identity import record_id
from reconciler.plan.ports import ChainMovedError, RecordKeptError
from reconciler.state.branch.commit_text import Circumstances
from reconciler.state.branch.lock import RELEASED, STARTED, Holder, RunEnded, nobody_knows
from reconciler.state.branch.locking import Locking
from reconciler.state.branch.refs import AbsentStateError, LostStateError, OvertakenError, Refs
from reconciler.state.branch.remote import (
    Move,
    Pushed,
    Reach,
    Remote,
    Standing,
    not_pushed,
)
from reconciler.state.branch.store import ForeignCommitError, Store


@dataclass(slots=True)
class Held:
    """A lock in the hand of this process, and where the branch stands under it."""

    lock: str
    tip: str


@dataclass(frozen=True, slots=True)
class GitBranchState:
    """Implements ``StateChain`` and ``StateLock``.

    Attributes:
        environ: Of the process: who acts where, for the lock.
        ended: Says whether a CI run has ended.
        source: The branch that the definitions of protected environments come from.
    """

    store: Store
    remote: Remote
    clock: Clock
    actor: str
    around: Circumstances
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    ended: RunEnded = nobody_knows
    tell: Callable[[str], None] = lambda _: None
    source: str = "main"
    _hand: dict[str, Held] = field(default_factory=dict, repr=False)
    _newest: list[str] = field(default_factory=list, repr=False)

    def head(self, environment: str) -> AppliedRecord | None:
        """Give the newest record; ``None`` where there is no state, which is not an empty one."""
        if environment in self._hand:
            tip = self._hand[environment].tip
        else:
            self.settle(environment)
            tip = self.tip(environment)
        if not tip:
            self.tell(
                f"there is no state of `{environment}` on {self.remote.shown}: what was applied "
                "before is unknown, and nothing can be applied. "
                f"`reconciler state init --env {environment}` begins one."
            )
            return None
        return self.store.record(tip, environment)

    def refuse_absent(self, environment: str) -> None:
        """Let nothing be written where there is no state.

        Raises:
            AbsentStateError: When there is none.
        """
        self.settle(environment)
        if not self.tip(environment):
            raise AbsentStateError(environment, self.remote.shown)

    def append(self, record: AppliedRecord, *, reason: str = "") -> AppliedRecord:
        """Add a record whose ``previous`` is the head; the last of a run gives the lock back."""
        hand = self._hand.get(record.environment)
        tip = hand.tip if hand else self.tip(record.environment)
        head = self.store.record(tip, record.environment) if tip else None
        found = (head.sequence, head.id) if head else (0, None)
        if (record.sequence - 1, record.previous) != found:
            raise ChainMovedError(record.environment, record.sequence - 1, found[0])
        if head is None:
            raise AbsentStateError(record.environment, self.remote.shown)
        named = replace(record, id=record_id(record))
        commit = self.store.write(named, tip, replace(self.around, reason=reason))
        self.publish(named, commit, tip, hand.lock if hand else "")
        if hand:
            hand.tip = commit
            if record.action != STARTED:
                hand.lock = ""
        return named

    def copy(self, record: AppliedRecord) -> None:
        """Add a record that another place has, as it is, the first one too."""
        tip = self.tip(record.environment)
        commit = self.store.write(record, tip, self.around)
        refs = Refs(record.environment)
        moves = [Move(refs.branch, tip, commit), Move(refs.witness, tip, commit)]
        self.all_or_none(record.environment, moves)
        self.store.point({refs.seen: commit})

    def records(self, environment: str) -> Iterator[AppliedRecord]:
        """Stream the records, newest first, checking that each names the one before."""
        wanted = None
        for commit in self.commits(environment):
            record = self.store.record(commit, environment)
            if wanted is not None and record.id != wanted:
                raise ForeignCommitError(environment, commit, "the next record names another one")
            wanted = record.previous
            yield record

    def commits(self, environment: str) -> tuple[str, ...]:
        """Give the commits of the whole chain, newest first."""
        if environment not in self._hand:
            self.settle(environment)
        hand = self._hand.get(environment)
        tip = hand.tip if hand else self.tip(environment)
        if not tip:
            return ()
        if (self.store.git.repository / "shallow").exists():
            self.remote.fetch([tip], Reach.WHOLE)
        return tuple(self.store.git.must("rev-list", tip).split())

    @contextmanager
    def hold(self, environment: str, purpose: str) -> Iterator[None]:
        """Hold the environment's lock for the time of a ``with`` block.

        Raises:
            AbsentStateError: When there is no state to write to.
        """
        self.settle(environment)
        refs = Refs(environment)
        lock = self._locking.take(refs, purpose, lambda: self._checked_head(environment))
        hand = Held(lock, "")
        try:
            hand.tip = self.tip(environment)
            if not hand.tip:
                raise AbsentStateError(environment, self.remote.shown)
            self._hand[environment] = hand
            yield
        finally:
            self._hand.pop(environment, None)
            if hand.lock:
                self._locking.give_back(refs, hand.lock)

    def settle(self, environment: str) -> str:
        """Push what an earlier run could not, and give back a lock that it could not.

        Returns:
            The commit of a record that was pushed now; empty when there was none.

        Raises:
            RemoteAwayError: When it still cannot be pushed.
        """
        refs = Refs(environment)
        kept, ended = self.store.ref(refs.kept), self.store.ref(refs.ended)
        if not kept and not ended:
            return ""
        found = self.remote.refs([refs.branch, refs.lock])
        lock = found.get(refs.lock, "")
        ours = {self.store.ref(refs.held), ended} - {""}
        if kept and found.get(refs.branch, "") != kept:
            self._push_kept(refs, kept, lock if lock in ours else "")
        elif lock and lock in ours:
            self.remote.push([Move(refs.lock, lock, "")])
        self.store.point({refs.kept: "", refs.held: "", refs.ended: ""})
        return kept

    def found(self, environment: str) -> Mapping[str, str]:
        """Give what stands on the remote, by ref."""
        refs, source = Refs(environment), f"refs/heads/{self.source}"
        found = self.remote.refs([refs.branch, refs.witness, refs.lock, source])
        self._newest[:] = [found.get(source, "")]
        return found

    def newest_source(self) -> str:
        """Give where the source branch stood when the remote was last looked at."""
        return self._newest[0] if self._newest else ""

    def publish(self, record: AppliedRecord, commit: str, tip: str, lock: str) -> None:
        """Push a record's commit, its witness and, with the last one of a run, the lock's end."""
        refs = Refs(record.environment)
        moves = [Move(refs.branch, tip, commit), Move(refs.witness, tip, commit)]
        if lock and record.action != STARTED:
            moves.append(Move(refs.lock, lock, ""))
        written = record.receipt is not None and record.action not in {STARTED, RELEASED}
        if written:
            self.store.point({refs.kept: commit})
        pushed = self.remote.push(moves)
        if pushed.standing is Standing.WON:
            over = {refs.held: ""} if any(move.ref == refs.lock for move in moves) else {}
            self.store.point({refs.seen: commit, refs.kept: "", **over})
            return
        if written:
            raise RecordKeptError(record, self.remote.shown, pushed.said)
        self.refuse(record.environment, moves, pushed)

    def _push_kept(self, refs: Refs, kept: str, lock: str) -> None:
        parent = self.store.parent(kept)
        moves = [Move(refs.branch, parent, kept), Move(refs.witness, parent, kept)]
        if lock:
            moves.append(Move(refs.lock, lock, ""))
        pushed = self.remote.push(moves)
        match pushed.standing:
            case Standing.WON:
                self.store.point({refs.seen: kept})
                self.tell(
                    f"pushed record {kept:.12} of `{refs.environment}`, kept since a run "
                    "that could not push it"
                )
            case Standing.LOST:
                raise OvertakenError(refs.environment, kept, self.remote.shown)
            case _:
                self.refuse(refs.environment, moves, pushed)

    def all_or_none(self, environment: str, moves: list[Move]) -> None:
        """Push moves, or say why none of them happened."""
        pushed = self.remote.push(moves) if moves else Pushed(Standing.WON)
        if pushed.standing is not Standing.WON:
            self.refuse(environment, moves, pushed)

    def refuse(self, environment: str, moves: list[Move], pushed: Pushed) -> NoReturn:
        """Raise what a push that was not won means: away, refused, or somebody else was first."""
        if pushed.standing is Standing.LOST:
            raise self._moved(environment)
        raise not_pushed(self.remote.shown, moves, pushed)

    def _checked_head(self, environment: str) -> AppliedRecord | None:
        tip = self.tip(environment)
        return self.store.record(tip, environment) if tip else None

    def _moved(self, environment: str) -> ChainMovedError:
        expected = self._hand[environment].tip if environment in self._hand else ""
        before = self.store.record(expected, environment).sequence if expected else 0
        head = self._checked_head(environment)
        return ChainMovedError(
            environment,
            before,
            head.sequence if head else 0,
            f"{head.actor}, `{head.action}` at {head.at}" if head else "",
        )

    def tip(self, environment: str) -> str:
        """Give the commit that the branch stands at, here and checked; empty without any state.

        Raises:
            LostStateError: When the branch is gone or is not what the witness knows.
        """
        refs = Refs(environment)
        found = self.found(environment)
        branch, witness = found.get(refs.branch, ""), found.get(refs.witness, "")
        seen = self.store.ref(refs.seen)
        shown = self.remote.shown
        if not branch:
            if witness or seen:
                raise LostStateError(environment, shown, "is gone: the branch was deleted")
            return ""
        if branch != seen or branch != witness:
            self._bring([branch, *filter(None, [witness])], seen)
        if seen and not self.store.descends(branch, seen):
            raise LostStateError(environment, shown, "was taken back to before what was seen here")
        if not witness:
            raise LostStateError(environment, shown, "has lost its witness")
        if branch != witness and not self.store.descends(branch, witness):
            raise LostStateError(environment, shown, "is not what its witness knows: rewritten")
        self.store.record(branch, environment)
        if branch != seen:
            self.store.point({refs.seen: branch})
        return branch

    def _bring(self, commits: list[str], seen: str) -> None:
        apart = len(set(commits)) > 1
        missing = [commit for commit in commits if not self.store.has(commit)]
        if missing or apart:
            reach = Reach.WHOLE if apart else Reach.ONWARD if seen else Reach.TIP
            self.remote.fetch(commits, reach)

    def who_holds(self, lock: str) -> Holder:
        """Read who took a lock that stands on the remote."""
        return self._locking.who_holds(lock)

    @property
    def _locking(self) -> Locking:
        return Locking(self.store, self.remote, self.clock, self.actor, self.environ, self.ended)

    def now(self) -> str:
        """Give the time as records have it."""
        return self.clock.now().isoformat(timespec="seconds").replace("+00:00", "Z")
