"""What the ledger remembers beside effects: in whose name they were sent, and who decided what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from reconciler.kernel.address import BillId
from reconciler.sync.model.decision import Decision
from reconciler.sync.model.push import PushKey, SiteName
from reconciler.sync.ports.ledger import Provenance


class PushHistory(Protocol):
    """Read by people; nothing in it decides whether anything is sent."""

    def provenance(self, site: SiteName, bill: BillId) -> Mapping[PushKey, Provenance]:
        """Give in whose name each effect of a bill was recorded."""
        ...

    def decisions(self, site: SiteName, subject: str) -> tuple[Decision, ...]:
        """Give the decisions about a subject and what lies below it, oldest first.

        Args:
            site: The site.
            subject: Itself, and everything that starts with it and a ``/``.
        """
        ...

    def decide(self, site: SiteName, subject: str, what: str, actor: str, why: str) -> Decision:
        """Record a decision."""
        ...
