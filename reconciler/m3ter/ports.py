"""What we need of a m3ter organisation, on one screen."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, Protocol

from reconciler.errors import ExitCode, ReconcilerError
from reconciler.kernel.address import (
    AccountId,
    BillId,
    CredentialId,
    IntegrationId,
    MappingId,
    OrganizationId,
    UserId,
)
from reconciler.kernel.value import JsonObject, JsonValue
from reconciler.m3ter.bill import Bill, BillLine
from reconciler.m3ter.live import (
    Account,
    Credential,
    IntegrationEvent,
    LiveIntegration,
    LiveMapping,
    NativeRun,
    User,
)


class OrganisationError(ReconcilerError):
    """The organisation did not do what was asked; its subclasses say what is known."""


class RefusedError(OrganisationError):
    """A definite refusal: nothing of this request was carried out."""


class VersionConflictError(RefusedError):
    """The object is not at the version that the change was made from."""

    exit_code = ExitCode.STALE


class NotFoundError(RefusedError):
    """The object does not exist."""


class AccessError(RefusedError):
    """The key is wrong, may not do this, or belongs to another organisation."""

    exit_code = ExitCode.REFUSED_IDENTITY
    anchor = "refused-key"


class UnreachableError(OrganisationError):
    """No usable answer came, and the request changed nothing."""


class OutcomeUnknownError(OrganisationError):
    """A write may have been carried out or not, and looking did not tell."""

    exit_code = ExitCode.UNKNOWN_OUTCOME


@dataclass(frozen=True, slots=True)
class IntegrationBody:
    """What a POST or PUT of a configuration says; the adapter adds ``version`` on a PUT.

    Attributes:
        destination: Wire value.
        entity_type: Wire value.
        config_data: Wire keys and values, complete.
        credential_id: ``None`` sends none: the configuration is disconnected.
        extra: Other top-level keys, for example unknown live ones that must survive.
    """

    destination: str
    entity_type: str
    name: str
    config_data: JsonObject
    credential_id: CredentialId | None
    extra: JsonObject


@dataclass(frozen=True, slots=True)
class MappingBody:
    """What a POST or PUT of an external mapping says."""

    entity: str
    m3ter_id: str
    system: str
    table: str
    external_id: str
    integration_id: IntegrationId | None


class Integrations(Protocol):
    """Integration configurations."""

    def list(self) -> tuple[LiveIntegration, ...]:
        """List all, by pages of 200."""
        ...

    def create(self, body: IntegrationBody) -> LiveIntegration:
        """Create one; an unknown outcome is looked up by natural key before it is sent again.

        Raises:
            OutcomeUnknownError: When it stays unknown.
        """
        ...

    def update(
        self, identity: IntegrationId, version: int, body: IntegrationBody
    ) -> LiveIntegration:
        """Replace one.

        Raises:
            VersionConflictError: When ``version`` is not the live one; nothing was changed.
        """
        ...

    def delete(self, identity: IntegrationId) -> None:
        """Delete one; one that is gone already is no error."""
        ...

    def enable(self, identity: IntegrationId) -> LiveIntegration:
        """Enable one that m3ter disabled."""
        ...

    def available(self, destination: str, entity_type: str) -> JsonObject:
        """Give the published configuration options, raw."""
        ...

    def systems(self, entity_type: str) -> tuple[JsonObject, ...]:
        """Give the systems that can be connected, raw."""
        ...


class Mappings(Protocol):
    """External mappings."""

    def list(self, systems: Collection[str] = ()) -> tuple[LiveMapping, ...]:
        """List all, or those of some systems, by pages of 200."""
        ...

    def create(self, body: MappingBody) -> LiveMapping:
        """Create one; an unknown outcome is looked up before it is sent again."""
        ...

    def update(self, identity: MappingId, version: int, body: MappingBody) -> LiveMapping:
        """Replace one."""
        ...

    def delete(self, identity: MappingId) -> None:
        """Delete one; one that is gone already is no error."""
        ...

    def configuration(self) -> JsonObject:
        """Give the legal entities, systems and tables, raw."""
        ...


class Codes(Protocol):
    """Codes and e-mail addresses to ids, and back."""

    def accounts(self, codes: Collection[str]) -> Mapping[str, Account]:
        """Find accounts by code; codes that do not exist are missing from the answer."""
        ...

    def all_accounts(self) -> Iterator[Account]:
        """Stream every account, by pages of 100."""
        ...

    def entities(self, entity: str, codes: Collection[str]) -> Mapping[str, str]:
        """Find ids of products, plans, aggregations, pricings or bands by code."""
        ...

    def entity_codes(self, entity: str, ids: Collection[str]) -> Mapping[str, str]:
        """Find codes by id; ids without a code are missing from the answer."""
        ...


class People(Protocol):
    """Users and integration credentials."""

    def users(self) -> tuple[User, ...]:
        """List the users."""
        ...

    def users_by_email(self, emails: Collection[str]) -> Mapping[str, UserId]:
        """Find users by address, case-insensitively."""
        ...

    def credentials(self) -> tuple[Credential, ...] | None:
        """List the integration credentials; ``None`` when the organisation has no such API."""
        ...


class Runs(Protocol):
    """m3ter's own integration runs and events."""

    def latest(self, entity_type: str, ids: Sequence[str]) -> Mapping[str, NativeRun]:
        """Give the latest run of each entity; entities without one are missing."""
        ...

    def of_entity(self, entity_type: str, identity: str) -> Iterator[NativeRun]:
        """Stream the runs of one entity, newest first."""
        ...

    def log(self, run: str) -> str:
        """Give the payload exchanged, decoded and redacted."""
        ...

    def events(self) -> Iterator[IntegrationEvent]:
        """Stream integration events, newest first."""
        ...


@dataclass(frozen=True, slots=True)
class BillQuery:
    """Which bills; every field narrows, and a default does not.

    Attributes:
        since: ``billDate`` on or after.
        until: ``billDate`` before.
        status: ``PENDING`` or ``APPROVED``.
        account: One account's bills.
        ids: These bills; when given, m3ter gets no other filter and the rest is checked here.
        lines: Whether lines are wanted; without them a page is small.
        total: Whether ``billTotal`` is wanted.
    """

    since: date | None = None
    until: date | None = None
    status: Literal["PENDING", "APPROVED"] | None = None
    account: AccountId | None = None
    ids: tuple[BillId, ...] | None = None
    lines: bool = True
    total: bool = False


class Bills(Protocol):
    """Bills."""

    def list(self, query: BillQuery) -> Iterator[Bill]:
        """Stream bills, newest first; at most one page is held."""
        ...

    def get(self, identity: BillId) -> Bill:
        """Give one bill with its lines and total.

        Raises:
            NotFoundError: When there is none.
        """
        ...

    def lines(self, identity: BillId) -> tuple[BillLine, ...]:
        """Give a bill's lines by the line item resource, its other shape on the wire."""
        ...


class Organisation(Protocol):
    """One connected organisation."""

    @property
    def identity(self) -> OrganizationId:
        """The id, checked against the token."""
        ...

    @property
    def calls(self) -> int:
        """How many requests were sent so far."""
        ...

    @property
    def integrations(self) -> Integrations:
        """Integration configurations."""
        ...

    @property
    def mappings(self) -> Mappings:
        """External mappings."""
        ...

    @property
    def codes(self) -> Codes:
        """Codes and ids."""
        ...

    @property
    def people(self) -> People:
        """Users and credentials."""
        ...

    @property
    def runs(self) -> Runs:
        """Runs and events."""
        ...

    @property
    def bills(self) -> Bills:
        """Bills."""
        ...

    def webhooks(self) -> Iterable[Mapping[str, JsonValue]]:
        """List webhook destinations without their credentials, raw, read only."""
        ...
