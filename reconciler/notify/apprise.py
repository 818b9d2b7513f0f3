"""Notices over Apprise: e-mail, Slack, webhook and whatever else its URLs reach.

A failure to notify never fails a run: it is counted, and the run says how many were lost.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from reconciler.errors import InvalidError
from reconciler.kernel.secret import Secret

Send = Callable[[str, str, str], bool]
"""Sends (URL, title, text) and says whether it arrived."""


class NotifyMissingError(InvalidError):
    """The environment wants notices, but the library for them is not installed."""

    def __init__(self) -> None:
        super().__init__(
            "the environment has notices, but Apprise is not installed; nothing was sent anywhere. "
            "Install it with: pip install 'm3ter-reconciler[notify]'"
        )


@dataclass(frozen=True, slots=True)
class Subscription:
    """Which events go to one URL."""

    events: frozenset[str]
    url: Secret


@dataclass(slots=True)
class AppriseNotifier:
    """Implements ``kernel.ports.Notifier``.

    Attributes:
        subscriptions: Who hears what.
        send: Delivers one notice; see ``apprise_send``.
        lost: How many notices did not arrive.
    """

    subscriptions: Sequence[Subscription]
    send: Send
    lost: int = 0

    def notify(self, event: str, title: str, text: str) -> None:
        """Tell every subscriber of the event; swallow and count what fails."""
        for subscription in self.subscriptions:
            if event in subscription.events and not self._arrived(subscription.url, title, text):
                self.lost += 1

    def _arrived(self, url: Secret, title: str, text: str) -> bool:
        try:
            return self.send(url.reveal(), title, text)
        except Exception:  # noqa: BLE001  any plugin of Apprise may raise anything
            return False


@dataclass(frozen=True, slots=True)
class SilentNotifier:
    """For environments without notices."""

    def notify(self, event: str, title: str, text: str) -> None:
        """Do nothing."""


def apprise_send() -> Send:
    """Give Apprise's delivery.

    Raises:
        NotifyMissingError: When the extra is not installed.
    """
    try:
        import apprise
    except ImportError:
        raise NotifyMissingError from None

    def send(url: str, title: str, text: str) -> bool:
        service = apprise.Apprise()
        # said to be text, so that an e-mail keeps the lines and shows names as they are
        as_text = apprise.NotifyFormat.TEXT
        return bool(service.add(url) and service.notify(text, title, body_format=as_text))

    return send
