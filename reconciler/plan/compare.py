"""Read what is live, resolve names, and compare: what plan, drift and status share.

Names are remembered in the applied record. A remembered name is trusted only for objects that
need no write; what a written object uses is looked up anew, and the comparison made again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from reconciler.definitions.model import Effective
from reconciler.kernel.address import Address
from reconciler.kernel.ports import Progress
from reconciler.m3ter.live import LiveIntegration, LiveMapping
from reconciler.m3ter.ports import Organisation
from reconciler.plan.core.diff.diff import Adoption, differences
from reconciler.plan.core.names import Known, Name, names_of, references, remembered
from reconciler.plan.core.pairing import Paired, Sources, pair
from reconciler.plan.core.unplannable import UnplannableError
from reconciler.plan.model.applied import AppliedRecord, Binding, OutcomeUnknown
from reconciler.plan.model.change import Change, Ignore
from reconciler.plan.model.plan import References


@dataclass(frozen=True, slots=True)
class EnvironmentComparison:
    """Git, state and m3ter side by side.

    Attributes:
        integrations: Everything live, managed or not.
        mappings: Live mappings of the systems that this repository maps to.
        changes: What would bring m3ter to where git wants it, in order.
        errors: Objects of which nothing can be planned.
        names: What people call the ids: codes, addresses, names of credentials.
    """

    effective: Effective
    head: AppliedRecord | None
    integrations: tuple[LiveIntegration, ...]
    mappings: tuple[LiveMapping, ...]
    paired: Paired
    changes: tuple[Change, ...]
    errors: tuple[UnplannableError, ...]
    references: References
    names: Mapping[str, str]


@dataclass(slots=True)
class _Lookup:
    """Looks names up, each at most once."""

    organisation: Organisation
    known: Known
    fresh: set[Name] = field(default_factory=set)
    shared: dict[str, tuple[str, ...]] = field(default_factory=dict)
    lists_credentials: bool = True

    def ask(self, names: Iterable[Name]) -> bool:
        """Look up what was not looked up yet; tell whether there was any."""
        asked = set(names) - self.fresh
        if not asked:
            return False
        by_kind: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        for name in asked:
            by_kind[name.kind, name.entity].add(name.value)
        found: dict[Name, str] = {}
        for (kind, entity), values in sorted(by_kind.items()):
            found |= self._found(kind, entity, values)
        self.known = self.known.with_(found, asked)
        self.fresh |= asked
        return True

    def _found(self, kind: str, entity: str, values: set[str]) -> dict[Name, str]:
        match kind:
            case "account":
                accounts = self.organisation.codes.accounts(values)
                return {Name("account", code): account.id for code, account in accounts.items()}
            case "user":
                users = self.organisation.people.users_by_email(values)
                return {Name("user", mail): user_id for mail, user_id in users.items()}
            case "credential":
                return self._credentials(values)
            case _:
                ids = self.organisation.codes.entities(entity, values)
                return {Name("entity", code, entity): value for code, value in ids.items()}

    def _credentials(self, values: set[str]) -> dict[Name, str]:
        listed = self.organisation.people.credentials()
        self.lists_credentials = listed is not None
        by_name: defaultdict[str, list[str]] = defaultdict(list)
        for credential in listed or ():
            by_name[credential.name].append(credential.id)
        self.shared = {name: tuple(sorted(ids)) for name, ids in by_name.items() if len(ids) > 1}
        return {
            Name("credential", value): by_name[value][0] for value in values if value in by_name
        }


def compare(
    effective: Effective,
    head: AppliedRecord | None,
    organisation: Organisation,
    progress: Progress,
    *,
    adoption: Adoption | None = None,
    fresh: bool = False,
) -> EnvironmentComparison:
    """Compare one environment with its organisation; nothing is written.

    Args:
        effective: What git wants.
        head: The newest applied record.
        organisation: The connected organisation.
        progress: Hears what is read.
        adoption: Another policy than the project's, for ``reconciler adopt``.
        fresh: Look every name up, whatever the record remembers.
    """
    bindings = {binding.address: binding for binding in head.bindings} if head else {}
    used = names_of(effective)
    lookup = _Lookup(organisation, Known() if fresh or not head else remembered(head.references))
    with progress.task("reading m3ter", None) as task:
        integrations = organisation.integrations.list()
        task.advance(len(integrations), "integrations")
        mappings = _mappings(effective, bindings, organisation)
        task.advance(len(mappings), "external mappings")
        wanted = {name for names in used.values() for name in names}
        lookup.ask(wanted - set(lookup.known.ids))
        task.advance(len(wanted), "names")
    sources = Sources(
        effective,
        integrations,
        mappings,
        bindings,
        lookup.known,
        used,
        lookup.shared,
        lookup.lists_credentials,
        adoption or effective.project.spec.adoption,
        _begun(head),
    )
    return _settled(sources, head, lookup)


def compare_other(compared: EnvironmentComparison, other: Effective) -> EnvironmentComparison:
    """Compare other definitions with what was read for the first; nothing more is read.

    A name that the first do not use and no apply remembers stays unknown: its object has an error.

    Args:
        compared: Of the same environment.
        other: The definitions of the base branch, for example.
    """
    head = compared.head
    used = names_of(other)
    known = remembered(head.references).ids if head else {}
    sources = Sources(
        other,
        compared.integrations,
        compared.mappings,
        {binding.address: binding for binding in head.bindings} if head else {},
        Known({**known, **remembered(compared.references).ids}),
        used,
        {},
        True,  # noqa: FBT003  credentials are not listed again
        other.project.spec.adoption,
        _begun(head),
    )
    paired = pair(sources)
    found = differences(
        paired.pairs,
        prune=other.project.spec.prune,
        adoption=sources.adoption,
        begun=sources.begun,
    )
    return replace(
        compared,
        effective=other,
        paired=paired,
        changes=(*found.changes, *paired.waiting),
        errors=(*paired.errors, *found.errors),
    )


def _settled(
    sources: Sources, head: AppliedRecord | None, lookup: _Lookup
) -> EnvironmentComparison:
    """Compare until no written object rests on a remembered name."""
    while True:
        paired = pair(sources)
        found = differences(
            paired.pairs,
            prune=sources.effective.project.spec.prune,
            adoption=sources.adoption,
            begun=sources.begun,
        )
        written = {change.address for change in found.changes if not isinstance(change, Ignore)}
        if not lookup.ask(name for address in written for name in sources.used.get(address, ())):
            break
        sources = replace(
            sources,
            names=lookup.known,
            shared_credentials=lookup.shared,
            lists_credentials=lookup.lists_credentials,
        )
    names = [name for used in sources.used.values() for name in used]
    return EnvironmentComparison(
        effective=sources.effective,
        head=head,
        integrations=tuple(sources.integrations),
        mappings=tuple(sources.mappings),
        paired=paired,
        changes=(*found.changes, *paired.waiting),
        errors=(*paired.errors, *found.errors),
        references=references(sources.names, names),
        names={sources.names.ids[name]: name.value for name in names if name in sources.names.ids},
    )


def _begun(head: AppliedRecord | None) -> frozenset[Address]:
    """Name what the last apply was about to make, and does not know whether it did."""
    outcomes = head.receipt.outcomes if head and head.receipt else ()
    return frozenset(
        outcome.address for outcome in outcomes if isinstance(outcome.outcome, OutcomeUnknown)
    )


def _mappings(
    effective: Effective, bindings: Mapping[Address, Binding], organisation: Organisation
) -> tuple[LiveMapping, ...]:
    """Read the mappings of every system that is or was mapped to; none where there is none."""
    systems = {mapping_set.defined.spec.external_system for mapping_set in effective.mapping_sets}
    systems |= {
        _system(binding) for binding in bindings.values() if binding.address.kind == "mapping"
    }
    return organisation.mappings.list(sorted(systems - {""})) if systems else ()


def _system(binding: Binding) -> str:
    key = next((field.read for field in binding.fields if field.path == "key"), None)
    parts = key.value if key else None
    return str(parts[0]) if isinstance(parts, Sequence) and parts else ""
