"""Who is told of what in an environment."""

from __future__ import annotations

from reconciler.definitions.kinds.environment import EnvironmentSpec
from reconciler.kernel.ports import Notifier
from reconciler.notify.apprise import AppriseNotifier, SilentNotifier, Subscription, apprise_send
from reconciler.settings import Settings
from reconciler.wiring.desk import Desk


def notifier(environment: EnvironmentSpec, settings: Settings, desk: Desk) -> Notifier:
    """Give the notices of an environment; silence where it has none.

    Raises:
        NotifyMissingError: When it has some and Apprise is not installed.
    """
    if not environment.notices:
        return SilentNotifier()
    told = [
        Subscription(frozenset(one.events), settings.resolve(one.url, desk.root))
        for one in environment.notices
    ]
    return AppriseNotifier(told, apprise_send())
