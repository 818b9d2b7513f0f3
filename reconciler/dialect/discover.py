"""Dialects of an organisation: proposed from what it publishes, and written into files in place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC

from reconciler.definitions.core.as_data import dialect_for
from reconciler.definitions.core.edits import AddDocuments, Edit, SetValue
from reconciler.definitions.core.paths import mapping_at, text_at
from reconciler.definitions.core.settings import settings_of
from reconciler.definitions.core.spelling import folded
from reconciler.definitions.kinds.dialect import DialectSpec
from reconciler.definitions.kinds.envelope import API_VERSION
from reconciler.definitions.model import Defined, Definitions, Document, Effective
from reconciler.dialect.core.discovery import DialectFinding, Proposal, WrittenDialect, propose
from reconciler.dialect.core.published import read_available
from reconciler.kernel.address import FieldPath
from reconciler.kernel.exact_json import canonical
from reconciler.kernel.line_item import Destination
from reconciler.kernel.ports import Clock
from reconciler.kernel.problem import Origin
from reconciler.kernel.value import JsonObject, JsonValue
from reconciler.m3ter.live import LiveIntegration
from reconciler.m3ter.ports import AccessError, Integrations, RefusedError

Wanted = tuple[str, str]
"""Destination and entity type, in our words."""


def discover(
    effective: Effective,
    integrations: Integrations,
    clock: Clock,
    wanted: Iterable[Wanted] = (),
) -> tuple[Proposal, ...]:
    """Propose a dialect for each destination and entity type.

    Args:
        effective: The environment, and the dialects it has.
        integrations: The organisation's.
        clock: Dates the evidence.
        wanted: What to look for; by default what the definitions use, or Chargebee bills.
    """
    used = {
        (integration.spec.destination.value, integration.spec.entity_type)
        for integration in effective.integrations
    }
    pairs = sorted(set(wanted) or used or {("Chargebee", "Bill")})
    return tuple(_propose(effective, integrations, clock, pair) for pair in pairs)


def document(environment: str, proposal: Proposal) -> JsonObject | None:
    """Give the Dialect document of a proposal, ready to be written."""
    if proposal.spec is None:
        return None
    kind = "" if proposal.entity_type == "Bill" else f"-{proposal.entity_type}"
    name = f"{proposal.destination}{kind}-{environment}".lower().replace("_", "-")
    return {
        "apiVersion": API_VERSION,
        "kind": "Dialect",
        "metadata": {"name": name[:63].rstrip("-")},
        "spec": proposal.spec,
    }


def _propose(
    effective: Effective, integrations: Integrations, clock: Clock, wanted: Wanted
) -> Proposal:
    destination, entity_type = wanted
    system = _system(integrations, destination, entity_type)
    available = read_available(
        integrations.available(system, entity_type), destination, entity_type
    )
    at = clock.now().astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    head: dict[str, JsonValue] = {
        "environment": effective.environment.name,
        "destination": destination,
        "entityType": entity_type,
        "evidence": {"source": "discover", "at": at},
    }
    dialects = [defined.spec for defined in effective.dialects]
    current = dialect_for(dialects, destination, entity_type)
    return propose(available, settings_of(destination), head, current)


def _system(integrations: Integrations, destination: str, entity_type: str) -> str:
    """Find how the organisation spells a system; our word where it lists none that fits."""
    for system in integrations.systems(entity_type):
        for name in ("identifier", "displayName"):
            spelled = system.get(name)
            if isinstance(spelled, str) and folded(spelled) == folded(destination):
                identifier = system.get("identifier")
                return identifier if isinstance(identifier, str) else spelled
    return destination


FOLDER = "integrations.d/dialects"
_OUR_WORDS = {folded(destination): destination for destination in Destination}


def proposals(
    effective: Effective, integrations: Integrations, clock: Clock
) -> tuple[Proposal, ...]:
    """Propose a dialect for all that git uses, or, where git is empty, for all that is live.

    A destination that m3ter will not speak about has a proposal without a dialect.
    """
    used = {
        (integration.spec.destination.value, integration.spec.entity_type)
        for integration in effective.integrations
    }
    live = () if used else integrations.list()
    wanted = (
        used
        or {pair for integration in live if (pair := spoken(integration))}
        or {("Chargebee", "Bill")}
    )
    return tuple(
        proposal_for(effective, integrations, clock, published_pair)
        for published_pair in sorted(wanted)
    )


def spoken(live: LiveIntegration) -> Wanted | None:
    """Give destination and entity type of a live configuration in our words, if we have one."""
    destination = _OUR_WORDS.get(folded(live.destination))
    entity = "Bill" if folded(live.entity_type) == "bill" else live.entity_type
    return (destination.value, entity) if destination else None


def dialect_edits(
    environment: str, proposals: Iterable[Proposal], definitions: Definitions
) -> tuple[tuple[WrittenDialect, ...], tuple[Edit, ...]]:
    """Give what each proposal becomes; what already stands in git is edited where it stands.

    Args:
        environment: Whose organisation was asked.
        proposals: What it publishes.
        definitions: What stands in git now.
    """
    names = {
        definition.name for definition in definitions.documents if definition.kind == "Dialect"
    }
    dialect_file = [_written(environment, proposal, definitions, names) for proposal in proposals]
    return tuple(dialect for dialect, _ in dialect_file), tuple(
        edit for _, edits in dialect_file for edit in edits
    )


def with_dialects(effective: Effective, proposals: Iterable[Proposal]) -> Effective:
    """Give the view as it will be once proposed dialects are written."""
    new = tuple(
        Defined(
            proposal.destination,
            DialectSpec.model_validate(proposal.spec, strict=False),
            Origin(FOLDER),
            {},
        )
        for proposal in proposals
        if proposal.spec is not None
    )
    return replace(effective, dialects=(*effective.dialects, *new))


def proposal_for(
    effective: Effective, integrations: Integrations, clock: Clock, wanted: Wanted
) -> Proposal:
    """Propose the dialect of one destination and entity type."""
    try:
        (proposal,) = discover(effective, integrations, clock, [wanted])
    except AccessError:
        raise
    except RefusedError as error:
        finding = DialectFinding("missing", FieldPath(""), str(error))
        return Proposal(*wanted, None, (finding,))
    return proposal


def _written(
    environment: str, proposal: Proposal, definitions: Definitions, names: set[str]
) -> tuple[WrittenDialect, tuple[Edit, ...]]:
    body = document(environment, proposal)
    if body is None:
        return WrittenDialect(proposal, "", "none"), ()
    known = _known(environment, proposal, definitions)
    if known is not None:
        return _in_place(known, proposal)
    name = next(
        candidate
        for candidate in _names(text_at(body, "metadata", "name"))
        if candidate not in names
    )
    names.add(name)
    file = f"{FOLDER}/{proposal.destination.lower()}-{environment}.yaml"
    edit = AddDocuments(file, ({**body, "metadata": {"name": name}},))
    return WrittenDialect(proposal, file, "new"), (edit,)


def _in_place(known: Document, proposal: Proposal) -> tuple[WrittenDialect, tuple[Edit, ...]]:
    before, after = mapping_at(known.body, "spec"), proposal.spec or {}
    if _said(before) == _said(after):
        return WrittenDialect(proposal, known.file, "same"), ()
    if any(finding.kind == "kept" for finding in proposal.findings):
        # what only a person knows keeps that person's name; discover would not find it again
        after = {**after, "evidence": before["evidence"]}
    edit = SetValue(known.file, known.index, ("spec",), after)
    return WrittenDialect(proposal, known.file, "changed"), (edit,)


def _said(spec: JsonObject) -> bytes:
    """Give what a dialect says, without when it was found and with defaults filled in."""
    plain = {"entityType": "Bill", "values": {}, **spec}
    return canonical({key: value for key, value in plain.items() if key != "evidence"})


def _known(environment: str, proposal: Proposal, definitions: Definitions) -> Document | None:
    wanted = (environment, proposal.destination, proposal.entity_type)
    for definition in definitions.documents:
        spec = mapping_at(definition.body, "spec")
        place = (
            text_at(spec, "environment"),
            text_at(spec, "destination"),
            text_at(spec, "entityType") or "Bill",
        )
        if definition.kind == "Dialect" and definition.environment is None and place == wanted:
            return definition
    return None


def _names(name: str) -> Iterator[str]:
    """Give the name, then the name with a number, for an organisation that has both."""
    yield name
    yield from (f"{name[:60]}-{number}" for number in range(2, 100))
