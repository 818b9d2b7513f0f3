"""Values in comparable form -> as definitions write them: names instead of ids, in git's order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.definitions.core.settings import BY_PATH, NOTIFIED, Setting
from reconciler.definitions.model import DocumentPath
from reconciler.errors import InvalidError
from reconciler.kernel.address import FieldPath
from reconciler.kernel.value import ABSENT, Absent, JsonValue
from reconciler.plan.core.comparable import CONNECTION, ENABLED, PASSTHROUGH
from reconciler.plan.model.change import FieldValue


class UnnamedCredentialError(InvalidError):
    """A configuration is connected through a credential that the environment does not name."""

    def __init__(self, credential: str, environment: str) -> None:
        super().__init__(
            f"the environment `{environment}` has no name for the credential {credential}.\n"
            "Nothing was changed. Add it under `spec.credentials` of the Environment, as\n"
            f"  my-name: {{id: {credential}}}\n"
            "and run this command again."
        )


@dataclass(frozen=True, slots=True)
class KnownNames:
    """What git calls the ids of one organisation.

    Attributes:
        accounts: Codes by id.
        users: E-mail addresses by id.
        credentials: The environment's names by id.
    """

    environment: str
    accounts: Mapping[str, str] = field(default_factory=dict)
    users: Mapping[str, str] = field(default_factory=dict)
    credentials: Mapping[str, str] = field(default_factory=dict)


def document_path(path: FieldPath) -> DocumentPath:
    """Give where a field stands below ``spec``; a wire key may have dots in it."""
    if path.startswith(PASSTHROUGH):
        return ("configData", path.removeprefix(PASSTHROUGH))
    return tuple(path.split("."))


def definition_form(
    path: FieldPath, value: FieldValue | None, old: JsonValue | Absent, names: KnownNames
) -> JsonValue | Absent:
    """Give the YAML form of a value.

    Args:
        path: Of the field.
        value: In comparable form; sets are lists.
        old: What git has there now; its items keep their order and their form.
        names: What git calls ids.

    Returns:
        Plain data; ``ABSENT`` for a setting that is not to be written at all.

    Raises:
        UnnamedCredentialError: When the environment has no name for a credential.
    """
    if path == CONNECTION:
        return _connection(value, names)
    if path == ENABLED or value is None:
        return ABSENT
    setting = BY_PATH.get(path)
    if setting is None or setting.shape != "names" or not _is_list(value.value):
        return value.value
    assert isinstance(value.value, Sequence)
    return _references(setting, [str(element) for element in value.value], old, names)


def _connection(value: FieldValue | None, names: KnownNames) -> JsonValue:
    if value is None:
        return "disconnected"
    identity = str(value.value)
    if identity not in names.credentials:
        raise UnnamedCredentialError(identity, names.environment)
    return {"credential": names.credentials[identity]}


def _references(
    setting: Setting, wanted: Iterable[str], old: JsonValue | Absent, names: KnownNames
) -> list[JsonValue]:
    key, known = _spelling(setting, names)
    ids = {name: identity for identity, name in known.items()}
    left = set(wanted)
    kept: list[JsonValue] = []
    for reference in old if isinstance(old, Sequence) and not isinstance(old, str) else ():
        identity = _identity(reference, ids)
        if identity in left:
            left.discard(identity)
            kept.append(reference)
    new = sorted(left, key=lambda live_id: (live_id not in known, known.get(live_id, live_id)))
    return [*kept, *({key: known[live_id]} if live_id in known else live_id for live_id in new)]


def _spelling(setting: Setting, names: KnownNames) -> tuple[str, Mapping[str, str]]:
    if setting == NOTIFIED:
        return "email", names.users
    return "code", names.accounts if setting.panel == "global" else {}


def _identity(reference: JsonValue, ids: Mapping[str, str]) -> str:
    if isinstance(reference, Mapping) and reference:
        name = str(next(iter(reference.values())))
        folded = {key.casefold(): identity for key, identity in ids.items()}
        return ids.get(name, folded.get(name.casefold(), ""))
    return str(reference)


def _is_list(value: JsonValue) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)
