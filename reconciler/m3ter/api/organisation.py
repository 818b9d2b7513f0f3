"""One organisation: its session and all of its resources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reconciler.kernel.address import OrganizationId
from reconciler.kernel.value import JsonValue
from reconciler.m3ter.api.accounts import M3terCodes
from reconciler.m3ter.api.bills import M3terBills
from reconciler.m3ter.api.integrations import M3terIntegrations
from reconciler.m3ter.api.mappings import M3terMappings
from reconciler.m3ter.api.people import M3terPeople
from reconciler.m3ter.api.runs import M3terRuns
from reconciler.m3ter.api.session import Session

# Source: m3ter OpenAPI 2026-08-03, ListNotifications and ListWebhookIntegrations: 100 and 200
NOTIFICATIONS_PAGE_SIZE = 100
WEBHOOKS_PAGE_SIZE = 200


class M3terOrganisation:
    """Implements ``m3ter.ports.Organisation``."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.integrations = M3terIntegrations(session)
        self.mappings = M3terMappings(session)
        self.codes = M3terCodes(session)
        self.people = M3terPeople(session)
        self.runs = M3terRuns(session)
        self.bills = M3terBills(session)

    @property
    def identity(self) -> OrganizationId:
        """The id, checked against the token."""
        return self._session.identity

    @property
    def calls(self) -> int:
        """How many requests were sent so far."""
        return self._session.calls

    def webhooks(self) -> Iterator[Mapping[str, JsonValue]]:
        """List webhook destinations without their credentials, raw, read only."""
        items = self._session.items(
            "/integrationdestinations/webhooks",
            size=WEBHOOKS_PAGE_SIZE,
            intent="list the webhook destinations",
        )
        return ({k: v for k, v in one.items() if k != "credentials"} for one in items)
