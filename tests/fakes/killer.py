"""Ends a run at a chosen moment, as the power does: nothing is caught, nothing is tidied up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import Literal

from fakes.clock import FakeClock
from fakes.connecting import ORGANISATION
from fakes.state import MemoryChain

from reconciler.emulator.m3ter.http.tokens import ACCESS_KEY, API_SECRET
from reconciler.kernel.address import OrganizationId
from reconciler.kernel.ports import Clock
from reconciler.kernel.secret import Secret
from reconciler.m3ter.api.organisation import M3terOrganisation
from reconciler.m3ter.api.session import OrganisationSession
from reconciler.m3ter.api.switches import M3terSwitches
from reconciler.m3ter.api.token import Tokens
from reconciler.plan.model.applied import AppliedRecord
from reconciler.transport.client import CallLimits, HttpClient, Request
from reconciler.transport.rate_limit import TokenBucket
from reconciler.transport.retry import Answer, RetryPolicy
from reconciler.transport.sender import Sender

DEFAULT_LIMITS = CallLimits()
Side = Literal["before", "after"]


class Killed(BaseException):
    """The process is gone; everything that it would do from now on does not happen."""


@dataclass
class Killer:
    """Counts moments (requests and appended records) and ends the run at one of them.

    Attributes:
        at: Which moment, from 1; 0 never.
        side: Before it happens, or once it has happened and nobody heard the answer.
    """

    at: int = 0
    side: Side = "before"
    moments: int = 0
    dead: bool = False
    _lock: Lock = field(default_factory=Lock)

    def is_dead(self) -> bool:
        """Whether the end has come, in whichever thread."""
        return self.dead

    @contextmanager
    def moment(self) -> Iterator[None]:
        """Do something that the run may not live to do, or to hear of."""
        with self._lock:
            self.moments += 1
            mine = self.moments == self.at
            if mine and self.side == "before":
                self.dead = True
            if self.dead:
                raise Killed
        yield
        with self._lock:
            if mine or self.is_dead():
                self.dead = True
                raise Killed


@dataclass
class MortalClient:
    """An HTTP client whose process may die."""

    client: HttpClient
    killer: Killer

    def send(self, request: Request) -> Answer:
        with self.killer.moment():
            return self.client.send(request)


@dataclass
class MortalChain(MemoryChain):
    """A chain of records whose writer may die."""

    killer: Killer = field(default_factory=Killer)

    def append(self, record: AppliedRecord) -> AppliedRecord:
        with self.killer.moment():
            return super().append(record)


@contextmanager
def mortal_organisation(
    url: str, killer: Killer, clock: Clock | None = None, limits: CallLimits = DEFAULT_LIMITS
) -> Iterator[M3terOrganisation]:
    """Connect to an emulator; nothing waits, and every request may be the last."""
    clock, organization = clock or FakeClock(), OrganizationId(ORGANISATION)
    policy, switches = RetryPolicy(), M3terSwitches()
    with HttpClient(url, clock, limits=limits) as client:
        sender = Sender(
            MortalClient(client, killer),
            TokenBucket(10_000, clock, burst=50),
            clock,
            lambda: 0.0,
            policy,
        )
        tokens = Tokens(
            sender,
            clock,
            organization=organization,
            access_key=Secret(ACCESS_KEY),
            api_secret=Secret(API_SECRET),
            switches=switches,
        )
        session = OrganisationSession(
            sender, tokens, clock, organization, policy=policy, switches=switches
        )
        session.check()
        yield M3terOrganisation(session)
