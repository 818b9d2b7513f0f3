"""What a sync keeps an eye on: how far its ledger had come, and whether the chain moved on.

Every note about a ledger is kept here at once. On the remote it is replaced with the first one of a
run, before anything is sent, and once a minute after that: a machine that is gone is missed by the
others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Lock
from typing import Final

from reconciler.errors import IdentityError
from reconciler.state.branch.commit_text import PREFIX, trailers_of
from reconciler.state.branch.refs import Refs
from reconciler.state.branch.remote import Move, Pushed, Reach, RemoteAwayError, Standing
from reconciler.state.git_branch import GitBranchState
from reconciler.sync.ports.ledger import LedgerNote, LedgerWatch

SECONDS_BETWEEN: Final = 60.0


class BrokenNoteError(IdentityError):
    """The note about the ledger on the remote cannot be read."""

    anchor = "ledger-lost"

    def __init__(self, ref: str, shown: str) -> None:
        super().__init__(
            f"{ref} on {shown} does not say how far the ledger had come.\n"
            "Nothing was sent. Find out who pushed it, and put the last note of this tool back."
        )


class StateMovedError(IdentityError):
    """Something was applied while a sync ran by what was in force before."""

    anchor = "state-moved"

    def __init__(self, environment: str, why: str) -> None:
        super().__init__(
            f"the run for `{environment}` ended early: {why}.\n"
            "What was in flight is finished and recorded, and nothing new was begun. Run the same "
            "command again; it obeys the newest record."
        )


@dataclass(slots=True)
class TipWatch:
    """Ends a run when the chain moves on, or cannot be read; asked before every claim.

    Attributes:
        stopped: Whether the run shall end for another reason.
        tip: The commit that the run obeys.
        ended: Why this watch ended it; empty while it did not.
    """

    state: GitBranchState
    environment: str
    stopped: Callable[[], bool]
    tip: str
    looked: float
    ended: str = ""
    _turn: Lock = field(default_factory=Lock)

    def __call__(self) -> bool:
        """Say whether nothing new may begin."""
        if self.stopped() or self.ended:
            return True
        with self._turn:
            if self.state.clock.monotonic() - self.looked >= SECONDS_BETWEEN:
                self.ended = self._look()
                self.looked = self.state.clock.monotonic()
        return bool(self.ended)

    def _look(self) -> str:
        branch = Refs(self.environment).branch
        try:
            tip = self.state.remote.refs([branch]).get(branch, "")
        except RemoteAwayError as error:
            return str(error).partition("\n")[0].rstrip(".")
        return "" if tip == self.tip else "another record was applied since it began"


@contextmanager
def watched(
    state: GitBranchState, environment: str, stopped: Callable[[], bool]
) -> Iterator[Callable[[], bool]]:
    """Watch the chain for the time of a ``with`` block, which hears of it as if it were stopped.

    Raises:
        StateMovedError: At the end, when the chain ended the run.
    """
    tip = state.store.ref(Refs(environment).seen)
    watch = TipWatch(state, environment, stopped, tip, state.clock.monotonic())
    yield watch
    if watch.ended:
        raise StateMovedError(environment, watch.ended)


@dataclass(frozen=True, slots=True)
class GitLedgerWatch:
    """One note per environment, here and on the remote.

    Attributes:
        here: Keeps every note at once, on this machine.
    """

    state: GitBranchState
    here: LedgerWatch
    _pushed: dict[str, float] = field(default_factory=dict)
    _turn: Lock = field(default_factory=Lock)

    def seen(self, environment: str) -> LedgerNote | None:
        """Give what was noted last, by whichever machine.

        Raises:
            BrokenNoteError: When what stands on the remote is no note.
            RemoteAwayError: When the remote cannot be reached.
        """
        here = self.here.seen(environment)
        remote = self._on_remote(environment)
        if remote is None:
            return here
        ahead = here is not None and here.id == remote.id and here.sequence > remote.sequence
        return here if ahead else remote

    def note(self, environment: str, note: LedgerNote) -> None:
        """Keep a note; the sequence of the same ledger never falls.

        Raises:
            RemoteAwayError: When the first note of a run cannot be pushed.
        """
        self.here.note(environment, note)
        with self._turn:
            now = self.state.clock.monotonic()
            last = self._pushed.get(environment)
            if last is None:
                self._push(environment)
            elif now - last >= SECONDS_BETWEEN:
                # the watch on the chain ends the run when the remote stays away
                with suppress(RemoteAwayError):
                    self._push(environment)
            else:
                return
            self._pushed[environment] = now

    def _push(self, environment: str) -> None:
        noted = self.here.seen(environment)
        if noted is None:
            return
        ref = _ref(environment)
        text = _text(environment, noted)
        state = self.state
        commit = state.store.commit({}, text, parent="", author=state.actor, at=state.now())
        pushed, move = Pushed(Standing.LOST), Move(ref, "", commit)
        for _ in range(2):
            old = state.remote.refs([ref]).get(ref, "")
            note = self._read(environment, old) if old else None
            if note and note.id == noted.id and note.sequence >= noted.sequence:
                return
            move = Move(ref, old, commit)
            pushed = state.remote.push([move])
            if pushed.standing is Standing.WON:
                return
        state.refuse(environment, [move], pushed)

    def _on_remote(self, environment: str) -> LedgerNote | None:
        ref = _ref(environment)
        commit = self.state.remote.refs([ref]).get(ref, "")
        return self._read(environment, commit) if commit else None

    def _read(self, environment: str, commit: str) -> LedgerNote:
        if not self.state.store.has(commit):
            self.state.remote.fetch([commit], Reach.TIP)
        found = trailers_of(self.state.store.text(commit))
        match found:
            case {"Ledger": [identity], "Sequence": [sequence]} if sequence.isdecimal():
                return LedgerNote(identity, int(sequence), *found.get("Newest", []))
            case _:
                raise BrokenNoteError(_ref(environment), self.state.remote.shown)


def _ref(environment: str) -> str:
    return Refs(environment).ledger


def _text(environment: str, note: LedgerNote) -> str:
    newest = f"{PREFIX}Newest: {note.newest}\n" if note.newest else ""
    return (
        f"ledger of {environment}: at {note.sequence}\n\n"
        f"{PREFIX}Environment: {environment}\n{PREFIX}Ledger: {note.id}\n"
        f"{PREFIX}Sequence: {note.sequence}\n{newest}"
    )
