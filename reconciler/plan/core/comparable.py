"""Desired and live in one comparable form: sets as sets, defaults filled, numbers normal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from reconciler.definitions.core.settings import Setting, settings_of
from reconciler.definitions.core.spelling import (
    Value,
    default,
    equal,
    from_wire,
    key_of,
    lookalikes,
    normal,
    to_wire,
)
from reconciler.definitions.kinds.dialect import DialectSpec
from reconciler.definitions.kinds.integration import IntegrationSpec
from reconciler.definitions.model import Defined, DefinedSet, MappingRow
from reconciler.kernel.address import Address, CredentialId, FieldPath
from reconciler.kernel.exact_json import digest
from reconciler.kernel.problem import Origin
from reconciler.kernel.value import ABSENT, Absent, JsonObject, JsonValue
from reconciler.m3ter.live import LiveIntegration, LiveMapping
from reconciler.plan.core.unplannable import (
    LookalikeKeyError,
    UnplannableError,
    UnresolvedReferenceError,
)
from reconciler.plan.model.change import LinkByAddress, LinkById, MappingContent
from reconciler.plan.model.plan import References

Fields: TypeAlias = Mapping[FieldPath, Value]
NaturalKey: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WantedIntegration:
    """An Integration of git, ready to be compared and sent.

    Attributes:
        destination: Wire value where it is confirmed, else our word.
        fields: What is set: every modelled field that the dialect knows or git sets, defaults
            filled, and passed-through keys.
        config_data: What to send for them.
        wire_keys: Wire keys that are ours alone to set.
        unconfirmed: Fields that git sets and the dialect cannot spell.
        dialect: ``None`` when there is none for it.
    """

    address: Address
    destination: str
    entity_type: str
    name: str
    credential: CredentialId | None
    fields: Fields
    config_data: JsonObject
    wire_keys: frozenset[str]
    unconfirmed: tuple[FieldPath, ...]
    settings: tuple[Setting, ...]
    dialect: DialectSpec | None
    defined: Defined[IntegrationSpec]

    @property
    def enable(self) -> bool:
        """Whether git wants it enabled."""
        return self.defined.spec.enabled is True

    @property
    def key(self) -> NaturalKey:
        """Destination, entity type, name; the first two without regard to case."""
        return (self.destination.casefold(), self.entity_type.casefold(), self.name)

    def origin(self, path: FieldPath) -> Origin:
        """Give the place in git that set a field."""
        if path.startswith(PASSTHROUGH):
            return self.defined.at("configData", path.removeprefix(PASSTHROUGH))
        return self.defined.at(*path.split("."))


@dataclass(frozen=True, slots=True)
class WantedMapping:
    """A mapping of git, ready to be compared and sent.

    Attributes:
        content: What to send.
        integration: The integration it is linked to.
    """

    address: Address
    content: MappingContent
    integration: Address | None
    origin: Origin

    @property
    def key(self) -> NaturalKey | None:
        """The natural key; ``None`` while the linked configuration does not exist."""
        content = self.content
        if isinstance(content.link, LinkByAddress):
            return None
        link = content.link.id if content.link else ""
        return (content.system, content.table, content.entity, content.m3ter_id, link)


NAME = FieldPath("displayName")
CONNECTION = FieldPath("connection")
ENABLED = FieldPath("enabled")
EXTERNAL_ID = FieldPath("externalId")
KEY = FieldPath("key")
"""The natural key of a mapping: system, table, entity, m3ter id, linked configuration."""
PASSTHROUGH = "configData."


def wanted_integration(
    defined: Defined[IntegrationSpec],
    dialect: DialectSpec | None,
    references: References,
    credential: CredentialId | None,
) -> WantedIntegration:
    """Bring a definition into comparable form.

    Raises:
        UnresolvedReferenceError: For codes and addresses without an id.
        LookalikeKeyError: For passed-through keys that mean a modelled setting.
    """
    spec, address = defined.spec, Address("integration", defined.name)
    settings = settings_of(spec.destination)
    shown = spec.model_dump(by_alias=True, exclude_unset=True)
    values = {
        setting: _wanted_value(setting, _given(shown, setting), defined, references)
        for setting in settings
    }
    passed = {key: normal(value) for key, value in spec.config_data.items()}
    refuse_lookalikes(address, passed, settings, dialect, defined.at("configData"))
    given = [setting for setting in settings if not isinstance(_given(shown, setting), Absent)]
    sent, unconfirmed = _encoded(given, values, dialect)
    keys = {key for setting in settings if (key := key_of(setting, dialect))}
    return WantedIntegration(
        address=address,
        destination=dialect.wire_names.destination if dialect else str(spec.destination),
        entity_type=dialect.wire_names.entity_type if dialect else spec.entity_type,
        name=spec.display_name,
        credential=credential,
        fields={
            NAME: spec.display_name,
            **({CONNECTION: credential} if credential else {}),
            **({ENABLED: True} if spec.enabled else {}),
            **dict(_fields(settings, values, given, dialect)),
            **{FieldPath(PASSTHROUGH + key): value for key, value in passed.items()},
        },
        config_data={**passed, **sent},
        wire_keys=frozenset(keys),
        unconfirmed=unconfirmed,
        settings=settings,
        dialect=dialect,
        defined=defined,
    )


def live_fields(
    live: LiveIntegration, settings: Iterable[Setting], dialect: DialectSpec | None
) -> Fields:
    """Bring a live configuration into comparable form, unknown keys included."""
    known = {key: setting for setting in settings if (key := key_of(setting, dialect))}
    fields: dict[FieldPath, Value] = {
        NAME: live.name,
        ENABLED: live.enabled,
    }
    if live.credential_id:
        fields[CONNECTION] = live.credential_id
    for key, setting in known.items():
        fields.update(from_wire(setting, live.config_data.get(key, ABSENT), dialect))
    for key, value in live.config_data.items():
        if key not in known:
            fields[FieldPath(PASSTHROUGH + key)] = normal(value)
    return fields


def refuse_lookalikes(
    address: Address,
    keys: Iterable[str],
    settings: Iterable[Setting],
    dialect: DialectSpec | None,
    origin: Origin | None,
) -> None:
    """Refuse keys that mean a modelled setting but are not its key in the dialect.

    Raises:
        LookalikeKeyError: For the first such key.
    """
    if dialect is None:
        return
    for lookalike in lookalikes(keys, settings, dialect):
        known = key_of(lookalike.setting, dialect) or ""
        raise LookalikeKeyError(address, lookalike.key, lookalike.setting.path, known, origin)


def integration_key(live: LiveIntegration) -> NaturalKey:
    """Give the natural key of a live configuration."""
    return (live.destination.casefold(), live.entity_type.casefold(), live.name)


def mapping_key(live: LiveMapping) -> NaturalKey:
    """Give the natural key of a live mapping."""
    return (live.system, live.table, live.entity, live.m3ter_id, live.integration_id or "")


def live_hash(live: LiveIntegration | LiveMapping) -> str:
    """Give the hash of everything that m3ter says about an object."""
    common: dict[str, JsonValue] = {"version": live.version, "raw": live.raw}
    if isinstance(live, LiveMapping):
        return digest({**common, "key": mapping_key(live), "externalId": live.external_id})
    return digest(
        {
            **common,
            "key": (live.destination, live.entity_type, live.name),
            "configData": live.config_data,
            "credential": live.credential_id,
            "authorized": live.authorized,
            "enabled": live.enabled,
        }
    )


def _given(shown: Mapping[str, object], setting: Setting) -> object:
    panel = shown.get(setting.panel)
    found = panel.get(setting.name) if isinstance(panel, Mapping) else None
    return ABSENT if found is None else found


def _wanted_value(
    setting: Setting, given: object, defined: Defined[IntegrationSpec], references: References
) -> Value | Absent:
    if isinstance(given, Absent):
        return default(setting)
    if setting.shape == "names" and not isinstance(given, str):
        assert isinstance(given, tuple)
        return _names(setting, given, defined, references)
    if isinstance(given, Mapping):
        return {str(key): str(value) for key, value in given.items()}
    assert isinstance(given, bool | int | str)
    return given


def _names(
    setting: Setting,
    given: tuple[object, ...],
    defined: Defined[IntegrationSpec],
    references: References,
) -> frozenset[str]:
    kind, known = (
        ("user", {mail.casefold(): user for mail, user in references.users.items()})
        if setting.name.endswith("Users")
        else ("account", references.accounts)
    )
    codes = [reference for reference in given if isinstance(reference, Mapping)]
    named = {str(next(iter(code.values()))) for code in codes}
    ids = {name: known.get(name.casefold() if kind == "user" else name) for name in named}
    if missing := sorted(name for name, value in ids.items() if value is None):
        place = defined.at(setting.panel, setting.name)
        raise UnresolvedReferenceError(Address("integration", defined.name), kind, missing, place)
    found = {code for code in ids.values() if code is not None}
    return frozenset(
        found | {str(reference) for reference in given if not isinstance(reference, Mapping)}
    )


def _fields(
    settings: Iterable[Setting],
    values: Mapping[Setting, Value | Absent],
    given: Iterable[Setting],
    dialect: DialectSpec | None,
) -> Iterator[tuple[FieldPath, Value]]:
    """Leave out what nobody can see: a setting without a key that git does not set either."""
    set_in_git = set(given)
    for setting in settings:
        value = values[setting]
        if key_of(setting, dialect) is None and setting not in set_in_git:
            continue
        if setting.shape == "map":
            entries = value if isinstance(value, Mapping) else {}
            yield from (
                (FieldPath(f"{setting.path}.{key}"), entry) for key, entry in entries.items()
            )
        elif value is not None and not isinstance(value, Absent):
            yield setting.path, value


def _encoded(
    settings: Iterable[Setting],
    values: Mapping[Setting, Value | Absent],
    dialect: DialectSpec | None,
) -> tuple[dict[str, JsonValue], tuple[FieldPath, ...]]:
    """Encode what git sets; what is the default anyway needs no confirmed name."""
    sent: dict[str, JsonValue] = {}
    unconfirmed: list[FieldPath] = []
    for setting in settings:
        value = values[setting]
        assert not isinstance(value, Absent)
        wire = to_wire(setting, value, dialect)
        if wire is not None:
            sent[wire.key] = wire.value
        elif not equal(value, default(setting)):
            unconfirmed.append(setting.path)
    return sent, tuple(unconfirmed)


ACCOUNT = "Account"


def known_ids(entity: str, references: References) -> Mapping[str, str]:
    """Give the ids by code of one m3ter entity."""
    if entity == ACCOUNT:
        return references.accounts
    return references.entities.get(entity, {})


def wanted_mappings(
    defined: DefinedSet, references: References, link: LinkById | LinkByAddress | None
) -> Iterator[WantedMapping | UnplannableError]:
    """Bring the rows of a set into comparable form; rows without an id are errors of their own."""
    spec = defined.defined.spec
    ids = known_ids(spec.m3ter_entity, references)
    owner = Address("integration", spec.integration) if spec.integration else None
    for row in defined.rows:
        address = row_address(defined, row)
        m3ter_id = row.key.value if row.key.by == "id" else ids.get(row.key.value)
        if m3ter_id is None:
            yield UnresolvedReferenceError(
                address, spec.m3ter_entity.lower(), [row.key.value], row.origin
            )
            continue
        content = MappingContent(
            entity=spec.m3ter_entity,
            m3ter_id=m3ter_id,
            system=spec.external_system,
            table=spec.external_table,
            external_id=row.external_id,
            link=link,
        )
        yield WantedMapping(address, content, owner, row.origin)


def row_address(defined: DefinedSet, row: MappingRow) -> Address:
    """Give the address of a row."""
    return Address("mapping", defined.defined.name, row.key.value)
