"""import: what is live becomes definitions, new ones or edits of those there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from reconciler.definitions.core.as_data import dialect_for
from reconciler.definitions.core.edits import AddDocuments, Edit, SetValue
from reconciler.definitions.core.placement import environment_names
from reconciler.definitions.core.settings import settings_of
from reconciler.definitions.model import Definitions, Effective
from reconciler.dialect.core.discovery import Proposal
from reconciler.dialect.core.evidence import from_evidence
from reconciler.dialect.discover import proposal_for, spoken
from reconciler.errors import InvalidError
from reconciler.importing.accept_live import differing_fields, moved_record
from reconciler.importing.core.definition_form import KnownNames
from reconciler.importing.core.edits import Accepted, accepted, integration_edits
from reconciler.importing.core.move_base import SignedBy
from reconciler.importing.core.new_documents import (
    Imported,
    NewObject,
    Skipped,
    connected_in,
    free_name,
    integration_document,
)
from reconciler.importing.import_mappings import ImportedRows, MappingOwners, import_mappings
from reconciler.importing.naming import account_codes, credential_names
from reconciler.kernel.address import Address, FieldPath
from reconciler.kernel.ports import Clock
from reconciler.kernel.times import written_time
from reconciler.kernel.value import JsonValue
from reconciler.m3ter.live import LiveIntegration
from reconciler.m3ter.ports import Organisation
from reconciler.plan.compare import EnvironmentComparison
from reconciler.plan.core.comparable import integration_key, refuse_lookalikes
from reconciler.plan.core.identity import Missing
from reconciler.plan.core.unplannable import UnplannableError
from reconciler.plan.model.applied import AppliedRecord


class NoSuchConfigurationError(InvalidError):
    """m3ter has no configuration of that name or id."""

    def __init__(self, wanted: str, existing: Iterable[str]) -> None:
        names = ", ".join(f'"{name}"' for name in sorted(existing)) or "none"
        super().__init__(
            f'm3ter has no integration "{wanted}"; there are: {names}.\n'
            "No file was written. Give a name as the Console shows it, or an id."
        )


@dataclass(frozen=True, slots=True)
class Import:
    """What an import takes: edits of files, and perhaps a record that moves the base along.

    Attributes:
        folders: Where the files of each new integration go, by its live id.
    """

    report: Imported
    edits: tuple[Edit, ...]
    record: AppliedRecord | None
    folders: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Wish:
    """What to import, and where new files go.

    Attributes:
        integrations: Live, in the order of the list.
        everything: Whether mappings that are linked to nothing come along.
        folder: Relative to the repository, below ``integrations.d``.
        refused: Why a configuration cannot stand in git, by its id.
    """

    integrations: tuple[LiveIntegration, ...]
    everything: bool
    folder: str
    refused: Mapping[str, str] = field(default_factory=dict)


def chosen(
    integrations: Sequence[LiveIntegration], wanted: Sequence[str], names: dict[str, str]
) -> tuple[LiveIntegration, ...]:
    """Choose configurations by id, by their name in m3ter or in git; all without a choice.

    Args:
        integrations: Everything live.
        wanted: What was asked for.
        names: Live ids by name in git.

    Raises:
        NoSuchConfigurationError: When there is no such configuration.
    """
    found = list(integrations) if not wanted else []
    for name in wanted:
        fits = [live for live in integrations if name in {live.id, live.name}]
        fits = fits or [live for live in integrations if live.id == names.get(name)]
        if not fits:
            raise NoSuchConfigurationError(name, (live.name for live in integrations))
        found += fits
    return tuple({integration.id: integration for integration in found}.values())


def missing_dialects(
    effective: Effective,
    organisation: Organisation,
    clock: Clock,
    integrations: Sequence[LiveIntegration],
) -> tuple[Proposal, ...]:
    """Propose the dialects that are not there yet: as published, else as the live objects speak."""
    dialects = [defined.spec for defined in effective.dialects]
    pairs = {pair for integration in integrations if (pair := spoken(integration)) is not None}
    proposals: list[Proposal] = []
    for pair in sorted(words for words in pairs if dialect_for(dialects, *words) is None):
        proposal = proposal_for(effective, organisation.integrations, clock, pair)
        if proposal.spec is None:
            live = [integration for integration in integrations if spoken(integration) == pair]
            place = {
                "environment": effective.environment.name,
                "destination": pair[0],
                "entityType": pair[1],
            }
            proposal = from_evidence(live, settings_of(pair[0]), written_time(clock.now()), place)
        proposals.append(proposal)
    return tuple(proposals)


def import_live(
    compared: EnvironmentComparison,
    definitions: Definitions,
    organisation: Organisation,
    wish: Wish,
    signature: SignedBy,
) -> Import:
    """Bring live configurations and their mappings into git.

    Args:
        compared: Of the environment, with adoption by name and with the dialects it needs.
        definitions: What stands in git.
        organisation: Knows codes and mappings.
        wish: What, and whereto.
        signature: Who and when, for the base of what git had already.
    """
    work = _Work.begin(compared, definitions, organisation, wish)
    for live in wish.integrations:
        work.integration(live)
    rows = import_mappings(compared, definitions, organisation, work.owners(), wish.folder)
    return work.ended(rows, signature)


class _Work:
    """An import under way: what was decided so far."""

    def __init__(
        self,
        compared: EnvironmentComparison,
        definitions: Definitions,
        wish: Wish,
        names: KnownNames,
    ) -> None:
        self.compared = compared
        self.definitions = definitions
        self.wish = wish
        self.names = names
        self.edits: list[Edit] = []
        self.new: list[NewObject] = []
        self.fields: list[Accepted] = []
        self.skipped: list[Skipped] = []
        self.credentials: tuple[str, ...] = ()
        self.addresses = _addresses(compared)
        self.folders: dict[str, str] = {}
        self.taken = {
            definition.name
            for definition in definitions.documents
            if definition.kind == "Integration"
        }

    @classmethod
    def begin(
        cls,
        compared: EnvironmentComparison,
        definitions: Definitions,
        organisation: Organisation,
        wish: Wish,
    ) -> _Work:
        """Look up what git calls the ids, and name the credentials it has no names for."""
        effective = compared.effective
        listed = organisation.people.credentials() or ()
        names = KnownNames(
            environment=effective.environment.name,
            accounts=account_codes(organisation, wish.integrations),
            users={user.id: user.email for user in organisation.people.users() if user.email},
            credentials=credential_names(effective, listed),
        )
        work = cls(compared, definitions, wish, names)
        work.name_credentials({str(credential.id): credential.name for credential in listed})
        return work

    def name_credentials(self, listed: dict[str, str]) -> None:
        """Give every credential in use a name in the environment."""
        environment = self.compared.effective.environment
        document = next(
            candidate
            for candidate in self.definitions.documents
            if (candidate.kind, candidate.name, candidate.environment)
            == ("Environment", environment.name, None)
        )
        names, taken = dict(self.names.credentials), set(environment.spec.credentials)
        added: list[str] = []
        for live in self.wish.integrations:
            identity = live.credential_id
            if identity is None or identity in names or live.id in self.wish.refused:
                continue
            label = listed.get(identity, "")
            unique = bool(label) and list(listed.values()).count(label) == 1
            name = free_name(label or live.name, taken)
            value: JsonValue = {"name": label} if unique else {"id": identity}
            path = ("spec", "credentials", name)
            self.edits.append(SetValue(document.file, document.index, path, value))
            names[identity] = name
            taken.add(name)
            added.append(name)
        self.credentials = tuple(added)
        self.names = replace(self.names, credentials=names)

    def integration(self, live: LiveIntegration) -> None:
        """Decide about one configuration."""
        address = self.addresses.get(live.id)
        try:
            if address is not None:
                self._edit(address)
            elif reason := self._unfit(live):
                self.skipped.append(Skipped(f'"{live.name or live.id}"', reason))
            else:
                self._write(live)
        except UnplannableError as error:
            self.skipped.append(Skipped(f'"{live.name}"', f"{error.what}. {error.hint}"))

    def _edit(self, address: Address) -> None:
        fields = accepted(address, differing_fields(self.compared, address), whole=True)
        environment = self.compared.effective.environment.name
        self.edits += integration_edits(self.definitions, environment, fields, self.names)
        self.fields += fields

    def _unfit(self, live: LiveIntegration) -> str:
        """Say why a configuration cannot stand in git, if so."""
        if live.id in self.wish.refused:
            return self.wish.refused[live.id]
        if not live.name:
            return "it has no name; give it one in m3ter's Console"
        if spoken(live) is None:
            return f"the destination {live.destination} is not known here"
        key = integration_key(live)
        same = [
            integration
            for integration in self.compared.integrations
            if integration_key(integration) == key
        ]
        if len(same) > 1:
            ids = ", ".join(integration.id for integration in same)
            return f"several have its name ({ids}); rename all but one in m3ter's Console"
        return ""

    def _write(self, live: LiveIntegration) -> None:
        words = spoken(live)
        assert words is not None
        dialect = dialect_for(
            [defined.spec for defined in self.compared.effective.dialects], *words
        )
        name = free_name(live.name, self.taken)
        address = Address("integration", name)
        refuse_lookalikes(address, live.config_data, settings_of(words[0]), dialect, None)
        document = integration_document(name, live, words, dialect, self.names)
        folder = f"{self.wish.folder}/{name}"
        file = f"{folder}/integration.yaml"
        here = self.compared.effective.environment.name
        if environment_names(self.definitions) != (here,):
            document, patch = connected_in(document, here)
            self.edits += [AddDocuments(f"{folder}/{here}.yaml", (patched,)) for patched in patch]
        self.taken.add(name)
        self.addresses[live.id] = address
        self.folders[name] = folder
        self.edits.append(AddDocuments(file, (document,)))
        self.new.append(NewObject(address, live.name, file))

    def owners(self) -> MappingOwners:
        """Say whose mappings come along, and where new sets go."""
        ids = {integration.id for integration in self.wish.integrations}
        named = {key: address.name for key, address in self.addresses.items() if key in ids}
        return MappingOwners(named, self.folders, everything=self.wish.everything)

    def ended(self, rows: ImportedRows, signature: SignedBy) -> Import:
        """Sum up; the base of what git had already moves along."""
        fields = (*self.fields, *rows.fields)
        paths: list[tuple[Address, FieldPath]] = [(field.address, field.path) for field in fields]
        report = Imported(
            looked=len(self.wish.integrations),
            new=(*self.new, *rows.new),
            fields=fields,
            rows=rows.added,
            credentials=self.credentials,
            skipped=(*self.skipped, *rows.skipped),
        )
        record = moved_record(self.compared, paths, signature)
        return Import(report, (*self.edits, *rows.edits), record, self._new_folders())

    def _new_folders(self) -> Mapping[str, str]:
        names = {key: address.name for key, address in self.addresses.items()}
        return {key: self.folders[name] for key, name in names.items() if name in self.folders}


def _addresses(compared: EnvironmentComparison) -> dict[str, Address]:
    found = compared.paired.pairs.live_integrations.found
    return {
        str(value.live.id): name for name, value in found.items() if not isinstance(value, Missing)
    }
