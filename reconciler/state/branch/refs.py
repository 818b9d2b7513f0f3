"""Which refs an environment's state has, and what may be wrong with them."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.errors import IdentityError, StaleError


@dataclass(frozen=True, slots=True)
class Refs:
    """The refs of one environment: on the remote, and our own notes in the repository here.

    Attributes:
        seen: The newest commit that this repository has seen on the remote.
        kept: A record that could not be pushed yet.
        held: A lock that this repository took, and has not given back.
        ended: The same, of a run that is known to have ended.
    """

    environment: str

    @property
    def branch(self) -> str:  # noqa: D102  said above
        return f"refs/heads/reconciler/state/{self.environment}"

    @property
    def witness(self) -> str:  # noqa: D102
        return f"refs/reconciler/witness/{self.environment}"

    @property
    def lock(self) -> str:  # noqa: D102
        return f"refs/reconciler/lock/{self.environment}"

    @property
    def ledger(self) -> str:  # noqa: D102
        return f"refs/reconciler/ledger/{self.environment}"

    @property
    def seen(self) -> str:  # noqa: D102
        return f"refs/seen/{self.environment}"

    @property
    def kept(self) -> str:  # noqa: D102
        return f"refs/kept/{self.environment}"

    @property
    def held(self) -> str:  # noqa: D102
        return f"refs/held/{self.environment}"

    @property
    def ended(self) -> str:  # noqa: D102
        return f"refs/ended/{self.environment}"


class AbsentStateError(IdentityError):
    """The remote holds no state of this environment, and never did as far as it knows."""

    anchor = "state-absent"

    def __init__(self, environment: str, shown: str) -> None:
        super().__init__(
            f"there is no state of `{environment}` on {shown}: no branch "
            f"`reconciler/state/{environment}`.\nNothing was written. Before the first apply make "
            f"it: `reconciler state init --env {environment}`. If there was one, do not: "
            f"`reconciler state restore --env {environment} --from CLONE` brings it back."
        )


class LostStateError(IdentityError):
    """The branch is gone or was rewritten, and something still knows better."""

    anchor = "state-lost"

    def __init__(self, environment: str, shown: str, what: str) -> None:
        super().__init__(
            f"the state of `{environment}` on {shown} {what}.\n"
            f"Nothing was written. `reconciler state restore --env {environment}` puts it back."
        )


class StateThereError(IdentityError):
    """``state init`` found a state."""

    anchor = "state-lost"

    def __init__(self, environment: str, shown: str) -> None:
        super().__init__(
            f"there is a state of `{environment}` on {shown} already.\n"
            "Nothing was written. If its branch is missing, "
            f"`reconciler state restore --env {environment}` puts it back."
        )


class OvertakenError(StaleError):
    """A record kept here follows a record that is not the newest any more."""

    anchor = "state-kept"

    def __init__(self, environment: str, kept: str, shown: str) -> None:
        super().__init__(
            f"record {kept:.12} of `{environment}`, kept in .reconciler/state.git since a run that "
            f"could not push it, does not follow what stands on {shown}: another run came "
            "between.\nNothing was written. What that run did in m3ter is shown by the next plan; "
            f"`reconciler state push --env {environment} --drop` puts the record aside."
        )
