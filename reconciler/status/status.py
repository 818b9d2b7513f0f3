"""Status: in sync or not, connected, enabled, last run; for every integration of git."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.definitions.model import Effective
from reconciler.kernel.address import Address
from reconciler.m3ter.live import LiveIntegration
from reconciler.plan.compare import EnvironmentComparison, compare
from reconciler.plan.core.identity import Missing
from reconciler.plan.make_plan import PlanPorts, PlanSource, exit_code_of_plan, plan
from reconciler.plan.model.plan import PlanBody
from reconciler.plan.ports import StateChain
from reconciler.status.core.attribution import SeenRun
from reconciler.status.core.integration_status import (
    IntegrationStatus,
    Report,
    RunSeen,
    applied,
    connection,
    differences_of,
)
from reconciler.status.native_runs import latest_runs, newest_bills, newest_by_configuration, scopes

NEWEST_BILLS = 100
"""One page: how many of the newest bills are asked for their latest run."""


def status(
    effective: Effective,
    chain: StateChain,
    source: PlanSource,
    ports: PlanPorts,
) -> Report:
    """Say how an environment stands; nothing is written.

    Args:
        effective: What git wants.
        chain: What was applied.
        source: Where the definitions come from.
        ports: The world.
    """
    organisation, before = ports.organisation, ports.organisation.calls
    name = effective.environment.name
    head = chain.head(name)
    compared = compare(effective, head, organisation, ports.progress)
    new_plan = plan(effective, head, source, ports, compared=compared)
    bills = newest_bills(organisation, NEWEST_BILLS)
    runs = latest_runs(organisation, bills, scopes(effective, compared.integrations))
    return Report(
        environment=name,
        applied=applied(chain.records(name)),
        standings=_standings(compared, new_plan.body, newest_by_configuration(runs)),
        unmanaged=tuple(
            sorted(
                integration.name
                for integration in compared.paired.pairs.live_integrations.unmanaged
            )
        ),
        code=exit_code_of_plan(new_plan),
        calls=organisation.calls - before,
    )


def _standings(
    compared: EnvironmentComparison, body: PlanBody, runs: Mapping[str, SeenRun]
) -> tuple[IntegrationStatus, ...]:
    effective = compared.effective
    owners = {
        mapping_set.defined.name: mapping_set.defined.spec.integration
        for mapping_set in effective.mapping_sets
        if mapping_set.defined.spec.integration
    }
    differs = differences_of(body, owners)
    addresses = {Address("integration", integration.name) for integration in effective.integrations}
    addresses |= {
        Address("mapping", mapping_set.defined.name)
        for mapping_set in effective.mapping_sets
        if mapping_set.defined.name not in owners
    }
    labels = {
        integration.name: integration.spec.display_name for integration in effective.integrations
    }
    statuses: list[IntegrationStatus] = []
    for address in sorted(addresses | set(differs)):
        sync, words = differs.get(address, ("in sync", ()))
        live = _live(compared, address)
        is_configuration = address.kind == "integration"
        statuses.append(
            IntegrationStatus(
                address=address,
                label=labels.get(address.name, "") if is_configuration else "",
                sync=sync,
                differs=words,
                connection=connection(live) if is_configuration else None,
                enabled=live.enabled if live else None,
                run=_run(live, runs),
            )
        )
    return tuple(statuses)


def _live(compared: EnvironmentComparison, address: Address) -> LiveIntegration | None:
    pairs = compared.paired.pairs.live_integrations
    found = pairs.found.get(address)
    if found is not None and not isinstance(found, Missing):
        return found.live
    return next((git.live for git in pairs.left if git.address == address), None)


def _run(live: LiveIntegration | None, runs: Mapping[str, SeenRun]) -> RunSeen | None:
    seen = runs.get(live.id) if live else None
    return RunSeen(seen.run, len(seen.configurations) - 1) if seen else None
