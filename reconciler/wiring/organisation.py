"""Opens one m3ter organisation: client, pace, token, session, resources."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from reconciler.definitions.kinds.environment import EnvironmentSpec
from reconciler.kernel.address import OrganizationId
from reconciler.kernel.ports import Clock, RateLimit
from reconciler.m3ter.api.organisation import M3terOrganisation
from reconciler.m3ter.api.session import OrganisationSession
from reconciler.m3ter.api.switches import M3terSwitches, parse_m3ter_switches
from reconciler.m3ter.api.token import Tokens
from reconciler.m3ter.ports import Organisation
from reconciler.settings import Settings
from reconciler.transport.client import CallLimits, HttpClient, shared_tls
from reconciler.transport.rate_limit import TokenBucket
from reconciler.transport.retry import RetryPolicy
from reconciler.transport.sender import Sender
from reconciler.transport.system_clock import SystemClock

# Source: m3ter docs "Config API limits": 50 requests a second per organisation
VENDOR_REQUESTS_PER_SECOND = 50
DEFAULT_LIMITS = CallLimits()


@contextmanager
def connect(
    environment: EnvironmentSpec,
    settings: Settings,
    *,
    root: Path = Path(),
    clock: Clock | None = None,
    limiter: RateLimit | None = None,
    limits: CallLimits = DEFAULT_LIMITS,
    chance: Callable[[], float] = random.random,
    log: Callable[[str], None] | None = None,
) -> Iterator[Organisation]:
    """Open the organisation of an environment; its connections close with the block.

    The key is tried and its organisation checked at once.

    Args:
        environment: Where, who, and how fast.
        settings: Resolves the references and says which hosts are allowed.
        root: The repository, where relative secret files start.
        clock: The real one by default.
        limiter: One for each organisation in a process; a new one by default.
        limits: Time and size of one call.
        chance: Spreads repeated requests; gives numbers from 0 up to 1.
        log: Gets one redacted line per request (``--debug``).

    Raises:
        SettingsError: When a host or a reference is refused; nothing was sent.
        AccessError: When the key is refused or belongs to another organisation.
        UnreachableError: When m3ter does not answer.
    """
    clock = clock or SystemClock()
    switches = parse_m3ter_switches(settings.m3ter_switches)
    base_url = settings.m3ter_url(environment.m3ter.base_url)
    access_key = settings.resolve(environment.m3ter.access_key, root)
    api_secret = settings.resolve(environment.m3ter.api_secret, root)
    limiter = limiter or bucket(environment, clock)
    policy = _policy(switches)
    tls = shared_tls(settings.authorities) if base_url.startswith("https:") else None
    with HttpClient(base_url, clock, limits=limits, tls=tls, log=log) as client:
        sender = Sender(client, limiter, clock, chance, policy)
        organization = OrganizationId(environment.m3ter.organization_id)
        tokens = Tokens(
            sender,
            clock,
            organization=organization,
            access_key=access_key,
            api_secret=api_secret,
            switches=switches,
        )
        session = OrganisationSession(
            sender, tokens, clock, organization, policy=policy, switches=switches
        )
        session.check()
        yield M3terOrganisation(session)


def bucket(environment: EnvironmentSpec, clock: Clock) -> TokenBucket:
    """Build the organisation's token bucket; its burst never passes m3ter's own limit."""
    rate = environment.m3ter.requests_per_second
    burst = min(rate / 10, VENDOR_REQUESTS_PER_SECOND - rate)
    return TokenBucket(rate, clock, burst=burst)


def _policy(switches: M3terSwitches) -> RetryPolicy:
    if switches.unavailable == "not-processed":
        return RetryPolicy(not_processed=frozenset({503}))
    return RetryPolicy()
