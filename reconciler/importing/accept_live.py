"""accept-live and keep-git: a difference is decided, for m3ter or for git."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from reconciler.definitions.core.edits import Edit
from reconciler.definitions.model import Definitions
from reconciler.errors import InvalidError
from reconciler.importing.core.edits import (
    Accepted,
    FieldAddress,
    accepted,
    below,
    integration_adoption,
    integration_edits,
    mapping_adoption,
    mapping_edits,
    switched_off,
)
from reconciler.importing.core.move_base import NoSuchFieldError, NotBoundError, SignedBy, move_base
from reconciler.importing.naming import known_names
from reconciler.kernel.address import Address, FieldPath
from reconciler.m3ter.ports import Organisation
from reconciler.plan.compare import EnvironmentComparison
from reconciler.plan.core.bindings import Live
from reconciler.plan.core.comparable import ENABLED, EXTERNAL_ID
from reconciler.plan.core.identity import Bound, Missing
from reconciler.plan.model.applied import AppliedRecord
from reconciler.plan.model.change import FieldChange, FieldValue

MOVED_BY_M3TER = frozenset({"theirs", "conflict", "both"})


class UnknownAddressError(InvalidError):
    """Git has no object of that address."""

    def __init__(self, address: Address) -> None:
        super().__init__(
            f"git has no {address}.\nNothing was changed. `reconciler status` lists the "
            "integrations, `reconciler drift` what differs; `reconciler import` brings what only "
            "m3ter has into git."
        )


class NotLiveError(InvalidError):
    """The object is not in m3ter."""

    def __init__(self, address: Address) -> None:
        super().__init__(
            f"{address} is not in m3ter, so there is no live value to decide about.\n"
            "Nothing was changed. `reconciler apply` creates it (again); to let it go, remove it "
            "from git."
        )


@dataclass(frozen=True, slots=True)
class DifferenceDecision:
    """What was decided, and what it takes.

    Attributes:
        fields: What git takes over from m3ter, or keeps against it.
        edits: Of the definition files.
        record: To be appended to the chain; ``None`` when the base stays.
    """

    fields: tuple[Accepted, ...]
    edits: tuple[Edit, ...] = ()
    record: AppliedRecord | None = None


def accept_live(
    compared: EnvironmentComparison,
    definitions: Definitions,
    organisation: Organisation,
    aim: FieldAddress,
    signature: SignedBy,
) -> DifferenceDecision:
    """Decide for m3ter: git shall say what is live, and the base moves along.

    Args:
        compared: Of the environment, with adoption by name.
        definitions: What stands in git.
        organisation: Knows the names of ids.
        aim: An object or a field of it, and all below it; a mapping set without a key stands for
            all of its rows, and no field for all that m3ter moved.
        signature: Who and when.

    Raises:
        UnknownAddressError: When git has no such object.
        NoSuchFieldError: When nobody knows the field.
        NotLiveError: When the integration is not in m3ter.
    """
    fields = tuple(
        field
        for address in _meant(compared, aim.address)
        for field in accepted(address, _chosen(compared, address, aim.path))
    )
    new = [
        field
        for field in fields
        if field.before != field.after and not _switch_of_push(compared, field)
    ]
    if aim.address.kind == "integration":
        accounts = [account_id for field in new for account_id in _ids(field.after)]
        names = known_names(compared.effective, organisation, accounts)
        edits = integration_edits(definitions, compared.effective.environment.name, new, names)
    else:
        edits = mapping_edits(definitions, compared.effective.environment.name, new)
    paths = [
        (field.address, field.path)
        for field in fields
        if field.path != ENABLED or _switch_of_push(compared, field)
    ]
    decided = [field for field in fields if field in new or _switch_of_push(compared, field)]
    return DifferenceDecision(tuple(decided), edits, moved_record(compared, paths, signature))


def keep(
    compared: EnvironmentComparison, aim: FieldAddress, signature: SignedBy
) -> DifferenceDecision:
    """Decide for git: what m3ter has becomes the base, so the next plan moves it back.

    Raises:
        UnknownAddressError: When git has no such object.
        NotBoundError: When the object was never applied or adopted.
        NoSuchFieldError: When nobody knows the field.
        NotLiveError: When the object is not in m3ter.
    """
    fields: list[FieldChange] = []
    paths: list[tuple[Address, FieldPath]] = []
    for address in _meant(compared, aim.address):
        if _live(compared, address) is None:
            raise NotLiveError(address)
        if compared.head is None or all(
            binding.address != address for binding in compared.head.bindings
        ):
            raise NotBoundError(address)
        chosen = [
            field for field in _chosen(compared, address, aim.path) if field.verdict != "both"
        ]
        decided = [field for field in chosen if field.path != ENABLED or _pushes(compared, address)]
        fields += decided
        paths += [(address, field.path) for field in decided]
    kept = tuple(
        Accepted(address, field.path, field.live, field.desired, field.by, field.at)
        for (address, _), field in zip(paths, fields, strict=True)
    )
    return DifferenceDecision(kept, (), moved_record(compared, paths, signature))


def _pushes(compared: EnvironmentComparison, address: Address) -> bool:
    """Whether we send the bills of an integration: then git has no word about `enabled`."""
    wanted = compared.paired.pairs.integrations.get(address)
    return wanted is not None and wanted.defined.spec.delivery == "push"


def _switch_of_push(compared: EnvironmentComparison, field: Accepted) -> bool:
    return field.path == ENABLED and _pushes(compared, field.address)


def _meant(compared: EnvironmentComparison, address: Address) -> tuple[Address, ...]:
    """Give the objects that an address stands for."""
    pairs = compared.paired.pairs
    known = [*pairs.integrations, *pairs.mappings]
    for error in compared.errors:
        if error.address == address:
            raise error
    if address in known:
        return (address,)
    rows = tuple(
        candidate
        for candidate in known
        if candidate.kind == "mapping" and candidate.name == address.name
    )
    if address.kind == "mapping" and not address.key and rows:
        return rows
    raise UnknownAddressError(address)


def _chosen(
    compared: EnvironmentComparison, address: Address, path: FieldPath | None
) -> tuple[FieldChange, ...]:
    fields = _fields(compared, address)
    if path is None:
        return tuple(field for field in fields if field.verdict in MOVED_BY_M3TER)
    changes = below(path, fields)
    if not changes:
        raise NoSuchFieldError(address, path)
    return tuple(_asked(field) for field in changes if field.verdict != "same")


def _asked(field: FieldChange) -> FieldChange:
    """A key that git never had becomes one that it wants gone, until it is accepted."""
    return replace(field, desired=None) if field.verdict == "unmanaged" else field


def differing_fields(compared: EnvironmentComparison, address: Address) -> tuple[FieldChange, ...]:
    """Give the fields of a live object that are not as git says, whoever moved them."""
    fields = (_asked(field) for field in _fields(compared, address) if field.verdict != "same")
    return tuple(field for field in fields if field.live != field.desired)


def _fields(compared: EnvironmentComparison, address: Address) -> tuple[FieldChange, ...]:
    """Give all fields of an object, those that agree included."""
    pairs = compared.paired.pairs
    if address.kind == "mapping":
        return _row_fields(compared, address)
    wanted, found = pairs.integrations[address], pairs.live_integrations.found.get(address)
    if found is None or isinstance(found, Missing):
        raise NotLiveError(address)
    binding = found.binding if isinstance(found, Bound) else found.was
    adoption = integration_adoption(wanted, found.live, binding)
    return (*adoption.fields, *switched_off(wanted, found.live))


def _row_fields(compared: EnvironmentComparison, address: Address) -> tuple[FieldChange, ...]:
    pairs = compared.paired.pairs
    wanted, found = pairs.mappings[address], pairs.live_mappings.found.get(address)
    if found is None or isinstance(found, Missing):
        if found is None or found.lost is None:
            raise NotLiveError(address)
        value = FieldValue(wanted.content.external_id)
        return (FieldChange(EXTERNAL_ID, "theirs", value, None, value, wanted.origin),)
    binding = found.binding if isinstance(found, Bound) else found.was
    return mapping_adoption(wanted, found.live, binding).fields


def _live(compared: EnvironmentComparison, address: Address) -> Live | None:
    pairs = compared.paired.pairs
    found = pairs.live_integrations.found.get(address) or pairs.live_mappings.found.get(address)
    return None if found is None or isinstance(found, Missing) else found.live


def moved_record(
    compared: EnvironmentComparison,
    paths: Sequence[tuple[Address, FieldPath]],
    signature: SignedBy,
) -> AppliedRecord | None:
    """Move the base of fields to what m3ter has; ``None`` when there is nothing to move."""
    head = compared.head
    if head is None:
        return None
    record = head
    for address, path in paths:
        live = _live(compared, address)
        if live is not None and any(binding.address == address for binding in head.bindings):
            record = move_base(record, address, path, live, signature)
    if record.bindings == head.bindings:
        return None
    return replace(record, sequence=head.sequence + 1, previous=head.id)


def _ids(value: FieldValue | None) -> Iterator[str]:
    if value is not None and isinstance(value.value, Sequence) and not isinstance(value.value, str):
        yield from (str(element) for element in value.value)
