"""What a person does about a state on a branch: begin it, put it back, take a lock away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from reconciler.errors import IdentityError, InvalidError
from reconciler.plan.model.applied import AppliedRecord
from reconciler.plan.model.identity import record_id
from reconciler.plan.model.plan import Fingerprint, References
from reconciler.state.branch.lock import BEGUN, LOST, RELEASED, Holder
from reconciler.state.branch.refs import LostStateError, Refs, StateThereError
from reconciler.state.branch.remote import Move, Reach
from reconciler.state.branch.store import ForeignCommitError
from reconciler.state.git_branch import GitBranchState


class NotLockedError(InvalidError):
    """There is no lock to take away."""

    def __init__(self, environment: str) -> None:
        super().__init__(f"nobody holds the lock of `{environment}`; nothing was changed.")


class NothingToRestoreError(IdentityError):
    """Nobody knows a record of this environment."""

    anchor = "state-lost"

    def __init__(self, environment: str, where: str) -> None:
        super().__init__(
            f"no record of `{environment}` was found: not on the remote, not in "
            f".reconciler/state.git{where}.\nNothing was written. Look for another clone or a "
            f"bundle: `reconciler state restore --env {environment} --from CLONE`. If there is "
            f"none, `reconciler state init --env {environment} --lost --reason TEXT` begins anew."
        )


class OlderThanWitnessError(IdentityError):
    """What was found elsewhere does not come after what the witness knows."""

    anchor = "state-lost"

    def __init__(self, environment: str, place: Path) -> None:
        super().__init__(
            f"{place} does not have the newest record of `{environment}` that the remote's witness "
            "names; putting it back would forget what was applied since.\nNothing was written. "
            f"`reconciler state restore --env {environment}` takes the witness's."
        )


@dataclass(frozen=True, slots=True)
class Beginning:
    """What the first record of a chain says; ``at`` is ISO 8601, UTC."""

    environment: str
    fingerprint: Fingerprint
    source_commit: str
    at: str


@dataclass(frozen=True, slots=True)
class Restored:
    """Where the branch stands again; ``changed`` is false when it stood there before."""

    commit: str
    record: AppliedRecord
    changed: bool


def begin(state: GitBranchState, first: Beginning, *, lost: str = "") -> AppliedRecord:
    """Begin a chain where there is none.

    Args:
        state: The backend.
        first: What its first record says.
        lost: Why an older chain cannot be found any more; empty where there never was one.

    Raises:
        StateThereError: When there is a branch or a witness already.
        LostStateError: When this machine has seen a chain, and nobody said that it is lost.
    """
    environment = first.environment
    refs, shown = Refs(environment), state.remote.shown
    found = state.found(environment)
    if found.get(refs.branch) or found.get(refs.witness):
        raise StateThereError(environment, shown)
    if state.store.ref(refs.seen) and not lost:
        raise LostStateError(environment, shown, "is gone: the branch was deleted")
    record = AppliedRecord(
        environment=environment,
        sequence=1,
        previous=None,
        at=first.at,
        actor=state.actor,
        action=LOST if lost else BEGUN,
        fingerprint=first.fingerprint,
        source_commit=first.source_commit,
        plan=None,
        definitions={},
        references=References(),
        bindings=(),
        receipt=None,
        approvals=(),
    )
    named = replace(record, id=record_id(record))
    commit = state.store.write(named, "", replace(state.around, reason=lost))
    state.publish(named, commit, "", "")
    return named


def restore(state: GitBranchState, environment: str, place: Path | None = None) -> Restored:
    """Put the branch back to the newest record that anybody knows.

    Raises:
        NothingToRestoreError: When nobody knows any.
        OlderThanWitnessError: When the place given knows less than the remote's witness.
        ForeignCommitError: When what was found is no chain of records.
    """
    refs = Refs(environment)
    found = state.found(environment)
    branch, witness = found.get(refs.branch, ""), found.get(refs.witness, "")
    there = [tip for tip in (witness, branch) if tip]
    if there:
        state.remote.fetch(there, Reach.WHOLE)
    elsewhere = list(_from(state, environment, place)) if place else []
    here = [state.store.ref(ref) for ref in (refs.kept, refs.seen)]
    newest = ""
    for commit in filter(None, [witness, *elsewhere, *here, branch]):
        if not newest or (
            _is_ours(state, commit, environment) and state.store.descends(commit, newest)
        ):
            newest = commit
    if not newest:
        raise NothingToRestoreError(environment, f", not in {place}" if place else "")
    if elsewhere and newest not in elsewhere:
        raise OlderThanWitnessError(environment, place or Path())
    record = _whole(state, newest, environment)
    _put(state, environment, newest)
    return Restored(newest, record, changed=(branch, witness) != (newest, newest))


def release(state: GitBranchState, environment: str, reason: str) -> Holder:
    """Take a lock away from whoever holds it, and write down that it was done.

    Raises:
        NotLockedError: When nobody holds it.
        ChainMovedError: When the holder moved on meanwhile; nothing was changed.
    """
    refs = Refs(environment)
    lock = state.found(environment).get(refs.lock, "")
    if not lock:
        raise NotLockedError(environment)
    holder = state.who_holds(lock)
    tip = state.tip(environment)
    if not tip:
        state.all_or_none(environment, [Move(refs.lock, lock, "")])
        return holder
    head = state.store.record(tip, environment)
    record = replace(
        head,
        sequence=head.sequence + 1,
        previous=head.id,
        id=None,
        at=state.now(),
        actor=state.actor,
        action=RELEASED,
    )
    named = replace(record, id=record_id(record))
    commit = state.store.write(named, tip, replace(state.around, reason=reason))
    state.publish(named, commit, tip, lock)
    return holder


def drop(state: GitBranchState, environment: str) -> str:
    """Put a kept record aside that cannot be pushed any more; give its commit, empty if none."""
    refs = Refs(environment)
    kept = state.store.ref(refs.kept)
    if kept:
        aside = f"refs/aside/{environment}/{kept}"
        state.store.point({aside: kept, refs.kept: "", refs.held: "", refs.ended: ""})
    return kept


def lock_of(state: GitBranchState, environment: str) -> Holder | None:
    """Say who holds the lock; ``None`` while it is free."""
    lock = state.found(environment).get(Refs(environment).lock, "")
    return state.who_holds(lock) if lock else None


def _put(state: GitBranchState, environment: str, commit: str) -> None:
    """Let branch and witness name a commit that is here; what stood there is left behind."""
    refs = Refs(environment)
    found = state.found(environment)
    moves = [Move(ref, found.get(ref, ""), commit) for ref in (refs.branch, refs.witness)]
    state.all_or_none(environment, [move for move in moves if move.old != move.new])
    state.store.point({refs.seen: commit})


def _from(state: GitBranchState, environment: str, place: Path) -> Iterator[str]:
    """Bring here what a clone, a bundle or another `.reconciler/state.git` knows."""
    endings = (f"/reconciler/state/{environment}", f"/seen/{environment}", f"/kept/{environment}")
    own = place / ".reconciler" / "state.git"
    for source in (place, *([own] if own.is_dir() else [])):
        listed = state.store.git.call("ls-remote", str(source.absolute()), reaches_out=True)
        refs = [line.split("\t") for line in listed.text.splitlines()]
        for commit, ref in refs:
            if f"/{ref}".endswith(endings):
                state.store.git.call(
                    *("fetch", "--quiet", "--no-tags", "--no-write-fetch-head"),
                    *(str(source.absolute()), ref),
                    reaches_out=True,
                )
                if state.store.has(commit):
                    yield commit


def _is_ours(state: GitBranchState, commit: str, environment: str) -> bool:
    try:
        state.store.record(commit, environment)
    except ForeignCommitError:
        return False
    return True


def _whole(state: GitBranchState, newest: str, environment: str) -> AppliedRecord:
    """Read a chain to its beginning, and give its newest record."""
    wanted = None
    for commit in state.store.git.must("rev-list", newest).split():
        record = state.store.record(commit, environment)
        if wanted is not None and record.id != wanted:
            raise ForeignCommitError(environment, commit, "the next record names another one")
        wanted = record.previous
    return state.store.record(newest, environment)
