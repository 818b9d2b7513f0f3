"""An m3ter organisation in memory: versions, lists, codes, and a hook before every write."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

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
    Audit,
    Credential,
    IntegrationEvent,
    LiveIntegration,
    LiveMapping,
    NativeRun,
    User,
)
from reconciler.m3ter.ports import (
    BillQuery,
    IntegrationBody,
    MappingBody,
    NotFoundError,
    VersionConflictError,
)

ORGANISATION = OrganizationId("11111111-1111-4111-8111-111111111111")
BOT = "service-user"


@dataclass
class FakeOrganisation:
    """Implements ``m3ter.ports.Organisation``.

    Attributes:
        writes: Every write that reached the organisation, as ``verb kind id-or-name``.
        before_write: Called with that text first; may raise, to refuse or to end the run.
        after_write: Called once the write is done; may raise, to lose the answer.
        store: What the server makes of ``configData``: its own spelling, defaults, dropped keys.
        known: The published options, by destination and entity type.
        credential_list: ``None`` when the organisation has no such API.
    """

    configs: dict[IntegrationId, LiveIntegration] = field(default_factory=dict)
    rows: dict[MappingId, LiveMapping] = field(default_factory=dict)
    account_list: list[Account] = field(default_factory=list)
    entity_ids: dict[tuple[str, str], str] = field(default_factory=dict)
    user_list: list[User] = field(default_factory=list)
    credential_list: list[Credential] | None = field(default_factory=list)
    known: dict[tuple[str, str], JsonObject] = field(default_factory=dict)
    writes: list[str] = field(default_factory=list)
    before_write: Callable[[str], None] = lambda _text: None
    after_write: Callable[[str], None] = lambda _text: None
    store: Callable[[JsonObject], JsonObject] = dict
    calls: int = 1
    made: int = 0
    identity: OrganizationId = ORGANISATION

    @property
    def integrations(self) -> FakeIntegrations:
        return FakeIntegrations(self)

    @property
    def mappings(self) -> FakeMappings:
        return FakeMappings(self)

    @property
    def codes(self) -> FakeCodes:
        return FakeCodes(self)

    @property
    def people(self) -> FakePeople:
        return FakePeople(self)

    @property
    def runs(self) -> FakeRuns:
        return FakeRuns()

    @property
    def bills(self) -> FakeBills:
        return FakeBills()

    def webhooks(self) -> Iterable[Mapping[str, JsonValue]]:
        return ()

    def paged(self, count: int, size: int) -> None:
        """Count the calls of a list."""
        self.calls += max(1, -(-count // size))

    def write(self, text: str) -> None:
        """Count a write and let the test interfere."""
        self.before_write(text)
        self.calls += 1
        self.writes.append(text)

    def new_id(self) -> str:
        """Give an id that no other object has."""
        self.made += 1
        return f"00000000-0000-4000-8000-{self.made:012d}"

    def edit(self, identity: str, user: str = "k.smith", **changes: object) -> None:
        """Edit an object as a Console user would: fields of the live object, or configData."""
        audit = Audit(user, "2026-11-30T16:40:00Z")
        if identity in self.configs:
            old = self.configs[IntegrationId(identity)]
            new = replace(old, version=old.version + 1, audit=audit, **changes)  # type: ignore[arg-type]
            self.configs[old.id] = new
        else:
            row = self.rows[MappingId(identity)]
            edited = replace(row, version=row.version + 1, audit=audit, **changes)  # type: ignore[arg-type]
            self.rows[row.id] = edited

    def set_key(self, identity: str, key: str, value: JsonValue) -> None:
        """Edit one key of a configuration's ``configData``; ``None`` removes it."""
        data = {**self.configs[IntegrationId(identity)].config_data, key: value}
        kept = {name: member for name, member in data.items() if member is not None}
        self.edit(identity, config_data=kept)


@dataclass
class FakeIntegrations:
    """Implements ``m3ter.ports.Integrations``."""

    of: FakeOrganisation

    def list(self) -> tuple[LiveIntegration, ...]:
        self.of.paged(len(self.of.configs), 200)
        return tuple(self.of.configs.values())

    def create(self, body: IntegrationBody) -> LiveIntegration:
        self.of.write(f"create integration {body.name}")
        made = self._made(IntegrationId(self.of.new_id()), 1, body, enabled=True)
        self.of.configs[made.id] = made
        self.of.after_write(f"create integration {body.name}")
        return made

    def update(
        self, identity: IntegrationId, version: int, body: IntegrationBody
    ) -> LiveIntegration:
        old = self.of.configs.get(identity)
        if old is None:
            raise NotFoundError(identity)
        if old.version != version:
            raise VersionConflictError(f"{identity} is at {old.version}, not {version}")
        self.of.write(f"update integration {identity}")
        made = self._made(identity, version + 1, body, enabled=old.enabled)
        self.of.configs[identity] = made
        self.of.after_write(f"update integration {identity}")
        return made

    def delete(self, identity: IntegrationId) -> None:
        self.of.write(f"delete integration {identity}")
        self.of.configs.pop(identity, None)
        self.of.after_write(f"delete integration {identity}")

    def enable(self, identity: IntegrationId) -> LiveIntegration:
        self.of.write(f"enable integration {identity}")
        old = self.of.configs[identity]
        self.of.configs[identity] = replace(old, enabled=True, version=old.version + 1)
        self.of.after_write(f"enable integration {identity}")
        return self.of.configs[identity]

    def available(self, destination: str, entity_type: str) -> JsonObject:
        self.of.calls += 1
        return self.of.known.get((destination, entity_type), {})

    def systems(self, entity_type: str) -> tuple[JsonObject, ...]:
        self.of.calls += 1
        return tuple({"identifier": name} for name, kind in self.of.known if kind == entity_type)

    def _made(
        self, identity: IntegrationId, version: int, body: IntegrationBody, *, enabled: bool
    ) -> LiveIntegration:
        data = self.of.store(body.config_data)
        return LiveIntegration(
            id=identity,
            version=version,
            destination=body.destination,
            entity_type=body.entity_type,
            name=body.name,
            config_data=data,
            credential_id=body.credential_id,
            authorized=body.credential_id is not None,
            enabled=enabled,
            audit=Audit(BOT, "2026-12-01T06:00:00Z"),
            raw={
                **body.extra,
                "id": identity,
                "version": version,
                "name": body.name,
                "configData": data,
            },
        )


@dataclass
class FakeMappings:
    """Implements ``m3ter.ports.Mappings``."""

    of: FakeOrganisation

    def list(self, systems: Collection[str] = ()) -> tuple[LiveMapping, ...]:
        found = tuple(row for row in self.of.rows.values() if not systems or row.system in systems)
        self.of.paged(len(found), 200)
        return found

    def create(self, body: MappingBody) -> LiveMapping:
        self.of.write(f"create mapping {body.m3ter_id}")
        made = _row(MappingId(self.of.new_id()), 1, body)
        self.of.rows[made.id] = made
        self.of.after_write(f"create mapping {body.m3ter_id}")
        return made

    def update(self, identity: MappingId, version: int, body: MappingBody) -> LiveMapping:
        old = self.of.rows.get(identity)
        if old is None:
            raise NotFoundError(identity)
        if old.version != version:
            raise VersionConflictError(f"{identity} is at {old.version}, not {version}")
        self.of.write(f"update mapping {identity}")
        self.of.rows[identity] = _row(identity, version + 1, body)
        self.of.after_write(f"update mapping {identity}")
        return self.of.rows[identity]

    def delete(self, identity: MappingId) -> None:
        self.of.write(f"delete mapping {identity}")
        self.of.rows.pop(identity, None)
        self.of.after_write(f"delete mapping {identity}")

    def configuration(self) -> JsonObject:
        self.of.calls += 1
        return {"m3terEntities": ["Account"], "externalSystems": []}


@dataclass
class FakeCodes:
    """Implements ``m3ter.ports.Codes``."""

    of: FakeOrganisation

    def accounts(self, codes: Collection[str]) -> Mapping[str, Account]:
        if codes:
            self.of.paged(len(codes), 100)
        return {account.code: account for account in self.of.account_list if account.code in codes}

    def all_accounts(self) -> Iterator[Account]:
        self.of.paged(len(self.of.account_list), 100)
        yield from self.of.account_list

    def entities(self, entity: str, codes: Collection[str]) -> Mapping[str, str]:
        self.of.calls += 1
        return {
            code: identity
            for (kind, code), identity in self.of.entity_ids.items()
            if kind == entity and code in codes
        }

    def entity_codes(self, entity: str, ids: Collection[str]) -> Mapping[str, str]:
        self.of.calls += 1
        if entity == "Account":
            return {
                account.id: account.code for account in self.of.account_list if account.id in ids
            }
        known = self.of.entity_ids.items()
        return {text: code for (kind, code), text in known if kind == entity and text in ids}


@dataclass
class FakePeople:
    """Implements ``m3ter.ports.People``."""

    of: FakeOrganisation

    def users(self) -> tuple[User, ...]:
        self.of.calls += 1
        return tuple(self.of.user_list)

    def users_by_email(self, emails: Collection[str]) -> Mapping[str, UserId]:
        ids = {user.email.casefold(): user.id for user in self.users()}
        return {email: ids[email.casefold()] for email in emails if email.casefold() in ids}

    def credentials(self) -> tuple[Credential, ...] | None:
        self.of.calls += 1
        return None if self.of.credential_list is None else tuple(self.of.credential_list)


@dataclass
class FakeRuns:
    """Implements ``m3ter.ports.Runs``: nothing ever ran."""

    def latest(self, entity_type: str, ids: Sequence[str]) -> Mapping[str, NativeRun]:
        return {}

    def of_entity(self, entity_type: str, identity: str) -> Iterator[NativeRun]:
        return iter(())

    def log(self, run: str) -> str:
        raise NotFoundError(run)

    def events(self) -> Iterator[IntegrationEvent]:
        return iter(())


@dataclass
class FakeBills:
    """Implements ``m3ter.ports.Bills``: nothing was ever billed."""

    def list(self, query: BillQuery) -> Iterator[Bill]:
        return iter(())

    def get(self, identity: BillId) -> Bill:
        raise NotFoundError(identity)

    def lines(self, identity: BillId) -> tuple[BillLine, ...]:
        return ()


def account(code: str, country: str = "UK") -> Account:
    """An account whose id can be told from its code."""
    return Account(
        AccountId(f"account-{code}"), code, code.upper(), "GBP", None, {"country": country}
    )


def credential(name: str) -> Credential:
    """A Chargebee credential whose id can be told from its name."""
    return Credential(CredentialId(f"credential-{name}"), name, "CHARGEBEE", "CHARGEBEE_AUTH")


def user(email: str) -> User:
    """A user whose id can be told from the address."""
    return User(UserId(f"user-{email}"), email, email)


def _row(identity: MappingId, version: int, body: MappingBody) -> LiveMapping:
    return LiveMapping(
        id=identity,
        version=version,
        entity=body.entity,
        m3ter_id=body.m3ter_id,
        system=body.system,
        table=body.table,
        external_id=body.external_id,
        integration_id=body.integration_id,
        audit=Audit(BOT, "2026-12-01T06:00:00Z"),
    )
