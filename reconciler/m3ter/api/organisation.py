"""m3ter's organisation behind our ports: its resources, its settings and its people."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from reconciler.kernel.address import OrganizationId, UserId
from reconciler.kernel.value import JsonValue
from reconciler.m3ter.api.accounts import M3terCodes
from reconciler.m3ter.api.bills import M3terBills
from reconciler.m3ter.api.errors import PermissionDeniedError
from reconciler.m3ter.api.integrations import M3terIntegrations
from reconciler.m3ter.api.mappings import M3terMappings
from reconciler.m3ter.api.runs import M3terRuns
from reconciler.m3ter.api.session import OrganisationSession
from reconciler.m3ter.api.wire.objects import decode_credential, decode_user
from reconciler.m3ter.live import Credential, User
from reconciler.m3ter.ports import NotFoundError


class M3terOrganisation:
    """Implements ``m3ter.ports.Organisation``."""

    def __init__(self, session: OrganisationSession) -> None:
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
        return ({k: v for k, v in item.items() if k != "credentials"} for item in items)


class M3terPeople:
    """Implements ``m3ter.ports.People``."""

    def __init__(self, session: OrganisationSession) -> None:
        self._session = session

    def users(self) -> tuple[User, ...]:
        """List the users."""
        items = self._session.items("/users", size=PAGE_SIZE, intent="list the users")
        return tuple(decode_user(item) for item in items)

    def users_by_email(self, emails: Collection[str]) -> Mapping[str, UserId]:
        """Find users by address, case-insensitively; keys are spelled as they were asked for."""
        if not emails:
            return {}
        ids = {user.email.casefold(): user.id for user in self.users() if user.email}
        return {email: ids[email.casefold()] for email in emails if email.casefold() in ids}

    def credentials(self) -> tuple[Credential, ...] | None:
        """List the integration credentials; ``None`` when the organisation has no such API."""
        intent = "list the integration credentials"
        try:
            items = tuple(self._session.items(CREDENTIALS, size=PAGE_SIZE, intent=intent))
        except (NotFoundError, PermissionDeniedError):
            return None
        return tuple(decode_credential(item) for item in items)


# Source: m3ter OpenAPI 2026-08-03, ListNotifications and ListWebhookIntegrations: 100 and 200
NOTIFICATIONS_PAGE_SIZE = 100
WEBHOOKS_PAGE_SIZE = 200
# Source: m3ter OpenAPI 2026-08-03, ListOrgUsers: pageSize at most 200
PAGE_SIZE = 200
# Source: index of docs.m3ter.com, 2026: "List IntegrationCredentials"; the path is inferred from
# the page's address, so an organisation without it is no error.
CREDENTIALS = "/integrationcredentials"
