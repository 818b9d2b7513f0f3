"""Writes whose answer was lost: look first, send again only what is surely not there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Generic, TypeVar

from reconciler.kernel.value import JsonObject
from reconciler.m3ter.api.errors import (
    Call,
    M3terNotFoundError,
    M3terOutcomeUnknownError,
    SeveralFoundError,
)
from reconciler.m3ter.api.session import OrganisationSession, Unsure
from reconciler.m3ter.ports import OrganisationError, VersionConflictError

Live = TypeVar("Live")

SENDS_MAX = 3
"""Sends of one write in all, unknown outcomes included."""
LOOK_WAITS = (0.5, 2.0)
"""Seconds before each look: an answer may be lost before the write is visible in a list."""


class Seen(Enum):
    """What a look says about an update whose answer was lost."""

    OURS = auto()
    BEFORE = auto()
    OTHER = auto()


@dataclass(frozen=True, slots=True)
class Settle(Generic[Live]):
    """One kind of object: how it is decoded and named.

    Attributes:
        session: Sends and waits.
        decode: One object from the answer to a write.
        name: The id of an object, for messages.
    """

    session: OrganisationSession
    decode: Callable[[JsonObject], Live]
    name: Callable[[Live], str]

    def create(self, call: Call, body: JsonObject, look: Callable[[], Sequence[Live]]) -> Live:
        """Create an object.

        Args:
            call: The POST.
            body: What is sent each time.
            look: Finds objects of the natural key that were not there before.

        Raises:
            OutcomeUnknownError: Several are there now, or none after the last send.
        """
        reason = ""
        for sent in range(1, SENDS_MAX + 1):
            answer = self.session.write(call, body)
            if not isinstance(answer, Unsure):
                return self._alone(call, look, self.decode(answer), first=sent == 1)
            reason = answer.reason
            if found := self._find(call, look):
                return self._only(call, found)
        raise M3terOutcomeUnknownError(call, f"{reason}; it was looked for and not found")

    def update(
        self,
        call: Call,
        body: JsonObject,
        look: Callable[[], Live | None],
        judge: Callable[[Live], Seen],
    ) -> Live:
        """Replace an object; the version in the body keeps a second send harmless.

        Args:
            call: The PUT.
            body: What is sent each time.
            look: Reads the object again; ``None`` when it is gone.
            judge: Compares what is there with what was sent.

        Raises:
            VersionConflictError: The live version is another one.
            NotFoundError: The object is gone.
            OutcomeUnknownError: It has changed, and not to what was sent.
        """
        answer: JsonObject | Unsure = Unsure("")
        for sent in range(1, SENDS_MAX + 1):
            try:
                answer = self.session.write(call, body)
            except VersionConflictError:
                # An earlier send may have arrived after we looked.
                live = look() if sent > 1 else None
                if live is None or judge(live) is not Seen.OURS:
                    raise
                return live
            if not isinstance(answer, Unsure):
                return self.decode(answer)
            if (landed := self._landed(call, look, judge, answer)) is not None:
                return landed
        raise M3terOutcomeUnknownError(call, answer.reason if isinstance(answer, Unsure) else "")

    def until(
        self, call: Call, look: Callable[[], Live | None], done: Callable[[Live | None], bool]
    ) -> JsonObject | None:
        """Send a request that may be repeated until its effect is seen.

        Args:
            call: A DELETE, or a POST that only enables.
            look: Reads the object again; ``None`` when it is gone.
            done: Whether the effect is there.

        Returns:
            The answer; ``None`` when the effect was only seen.

        Raises:
            OutcomeUnknownError: The effect was not seen after the last send.
        """
        reason = ""
        for _ in range(SENDS_MAX):
            answer = self.session.write(call)
            if not isinstance(answer, Unsure):
                return answer
            reason = answer.reason
            self.session.clock.sleep(LOOK_WAITS[0])
            if done(_looked(call, look)):
                return None
        raise M3terOutcomeUnknownError(call, reason)

    def _landed(
        self,
        call: Call,
        look: Callable[[], Live | None],
        judge: Callable[[Live], Seen],
        unsure: Unsure,
    ) -> Live | None:
        self.session.clock.sleep(LOOK_WAITS[0])
        live = _looked(call, look)
        if live is None:
            raise M3terNotFoundError(call, "it has been deleted")
        match judge(live):
            case Seen.OURS:
                return live
            case Seen.BEFORE:
                return None
            case Seen.OTHER:
                raise M3terOutcomeUnknownError(
                    call, f"{unsure.reason}; it has changed, but not to what was sent"
                )

    def _find(self, call: Call, look: Callable[[], Sequence[Live]]) -> Sequence[Live]:
        for seconds in LOOK_WAITS:
            self.session.clock.sleep(seconds)
            if found := _looked(call, look):
                return found
        return ()

    def _alone(
        self, call: Call, look: Callable[[], Sequence[Live]], live: Live, *, first: bool
    ) -> Live:
        """After a repeated send an earlier one may have arrived as well."""
        if first:
            return live
        found = {self.name(candidate): candidate for candidate in [*_looked(call, look), live]}
        return self._only(call, list(found.values()))

    def _only(self, call: Call, found: Sequence[Live]) -> Live:
        if len(found) > 1:
            raise SeveralFoundError(call, map(self.name, found))
        return found[0]


Found = TypeVar("Found")


def _looked(call: Call, look: Callable[[], Found]) -> Found:
    """Look; a look that fails leaves the outcome unknown."""
    try:
        return look()
    except OrganisationError as error:
        raise M3terOutcomeUnknownError(call, f"looking for it failed too: {error}") from error
