"""Users and integration credentials."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from reconciler.kernel.address import UserId
from reconciler.m3ter.api.errors import PermissionDeniedError
from reconciler.m3ter.api.session import Session
from reconciler.m3ter.api.wire.objects import decode_credential, decode_user
from reconciler.m3ter.live import Credential, User
from reconciler.m3ter.ports import NotFoundError

# Source: m3ter OpenAPI 2026-08-03, ListOrgUsers: pageSize at most 200
PAGE_SIZE = 200
# Source: index of docs.m3ter.com, 2026: "List IntegrationCredentials"; the path is inferred from
# the page's address, so an organisation without it is no error.
CREDENTIALS = "/integrationcredentials"


class M3terPeople:
    """Implements ``m3ter.ports.People``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def users(self) -> tuple[User, ...]:
        """List the users."""
        items = self._session.items("/users", size=PAGE_SIZE, intent="list the users")
        return tuple(decode_user(one) for one in items)

    def users_by_email(self, emails: Collection[str]) -> Mapping[str, UserId]:
        """Find users by address, case-insensitively; keys are spelled as they were asked for."""
        if not emails:
            return {}
        ids = {one.email.casefold(): one.id for one in self.users() if one.email}
        return {one: ids[one.casefold()] for one in emails if one.casefold() in ids}

    def credentials(self) -> tuple[Credential, ...] | None:
        """List the integration credentials; ``None`` when the organisation has no such API."""
        intent = "list the integration credentials"
        try:
            items = tuple(self._session.items(CREDENTIALS, size=PAGE_SIZE, intent=intent))
        except (NotFoundError, PermissionDeniedError):
            return None
        return tuple(decode_credential(one) for one in items)
