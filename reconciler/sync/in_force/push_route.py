"""One push integration in force, and how it is built from the files and from m3ter."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reconciler.definitions.kinds.integration import CodeReference, IntegrationSpec
from reconciler.definitions.model import Defined
from reconciler.drafting.route import DraftingRules, Readings, from_live, index
from reconciler.kernel.address import AccountId, IntegrationId
from reconciler.m3ter.ports import Organisation
from reconciler.plan.compare import EnvironmentComparison
from reconciler.plan.core.comparable import live_hash
from reconciler.plan.model.applied import AppliedRecord, Binding
from reconciler.selection.scope import AccountScope, scope_of
from reconciler.sync.in_force.applied_definitions import drift_of, row_origins

SYSTEM = "Chargebee"
BILL = "Bill"


@dataclass(frozen=True, slots=True)
class PushRoute:
    """One push integration in force.

    Attributes:
        scope: Which accounts it takes.
        live_id: The configuration it is bound to; ``None`` when it is not in m3ter.
        live_hash: What m3ter said of it when the run began.
        drift: What of it or its mappings is not as it was applied; empty when nothing.
    """

    route: DraftingRules
    scope: AccountScope
    live_id: IntegrationId | None
    live_hash: str
    drift: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The definition's name."""
        return self.route.defined.name


def routes_in_force(
    pushed: Sequence[Defined[IntegrationSpec]],
    compared: EnvironmentComparison,
    organisation: Organisation,
    readings: Readings,
) -> tuple[PushRoute, ...]:
    """Build the push integrations in force, from the files and from what m3ter has of them."""
    effective, environment = compared.effective, compared.effective.environment.spec
    ids = _account_ids(pushed, organisation)
    live = {integration.id: integration for integration in compared.integrations}
    mappings = compared.mappings or organisation.mappings.list([SYSTEM])
    known = from_live(mappings, SYSTEM, row_origins(effective, compared.head))
    bound = {
        integration.address.name: integration.id for integration in _integrations(compared.head)
    }
    assert environment.chargebee is not None
    routes: list[PushRoute] = []
    for integration in pushed:
        live_id = IntegrationId(bound[integration.name]) if integration.name in bound else None
        in_m3ter = live.get(live_id) if live_id else None
        enforced = integration.spec.entity.enforce_external_mappings_for_config
        route = DraftingRules(
            defined=integration,
            mappings=index(known, live_id, enforced=enforced),
            fallback=environment.fallback,
            site_zone=environment.chargebee.timezone,
            readings=readings,
        )
        routes.append(
            PushRoute(
                route=route,
                scope=scope_of(integration.spec, ids),
                live_id=in_m3ter.id if in_m3ter else None,
                live_hash=live_hash(in_m3ter) if in_m3ter else "",
                drift=drift_of(compared, integration.name),
            )
        )
    return tuple(routes)


def _integrations(head: AppliedRecord | None) -> Iterable[Binding]:
    return (
        [binding for binding in head.bindings if binding.address.kind == "integration"]
        if head
        else []
    )


def _account_ids(
    pushed: Iterable[Defined[IntegrationSpec]], organisation: Organisation
) -> dict[str, AccountId]:
    """Look the account codes up now: what was remembered may be another account by today."""
    codes = {
        reference.code
        for integration in pushed
        for listed in (
            integration.spec.global_.account_ids,
            integration.spec.global_.restricted_account_ids,
        )
        if not isinstance(listed, str)
        for reference in listed
        if isinstance(reference, CodeReference)
    }
    found = organisation.codes.accounts(codes) if codes else {}
    return {code: account.id for code, account in found.items()}
