"""A repository, an organisation and a state in memory: plan and apply without files or network."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fakes.clock import FakeClock
from fakes.organisation import ORGANISATION, FakeOrganisation, account, credential, user
from fakes.state import MemoryChain, MemoryLock

from reconciler.cli.progress import SilentProgress
from reconciler.definitions.kinds.dialect import DialectSpec
from reconciler.definitions.kinds.environment import EnvironmentSpec
from reconciler.definitions.kinds.integration import IntegrationSpec
from reconciler.definitions.kinds.mapping_set import MappingSetSpec
from reconciler.definitions.kinds.project import ProjectSpec
from reconciler.definitions.model import Defined, DefinedSet, Effective, M3terKey, MappingRow
from reconciler.kernel.address import Address
from reconciler.kernel.problem import Origin
from reconciler.plan.apply import ApplyPorts, Consent, apply
from reconciler.plan.make_plan import PlanPorts, PlanSource, plan
from reconciler.plan.model.applied import AppliedRecord
from reconciler.plan.model.plan import Plan

UK = Address("integration", "uk")
US = Address("integration", "us")
KEYS = {
    "global.accountIds": "accountIds",
    "global.restrictedAccountIds": "restrictedAccountIds",
    "global.integrationDisabledNotificationUsers": "integrationDisabledNotificationUsers",
    "entity.onlySendBillOnApproval": "onlySendBillOnApproval",
    "entity.useExternalMappingAccountCode": "useExternalMappingAccountCode",
    "entity.excludedLineItemTypes": "excludedLineItemTypes",
    "entity.accountFilter": "accountFilter",
    "entity.enforceExternalMappingsForConfig": "enforceExternalMappingsForConfig",
    "chargebee.minimumSpendItemPrice": "chargebeeMinimumSpendItemPrice",
    "chargebee.standingChargeItemPrice": "chargebeeStandingChargeItemPrice",
    "chargebee.createInvoice": "chargebeeCreateInvoice",
    "chargebee.useMultidecimal": "chargebeeUseMultidecimal",
    "chargebee.multiDecimalPriceDecimalPlaces": "chargebeeMultiDecimalPriceDecimalPlaces",
    "chargebee.multiDecimalUnitsDecimalPlaces": "chargebeeMultiDecimalUnitsDecimalPlaces",
    "chargebee.splitUsageLineItems": "splitUsageLineItems",
    "chargebee.defaultPriceId": "chargebeeDefaultPriceId",
    "chargebee.priceIdMapping": "chargebeePriceIdMapping",
    "chargebee.sortLineItemsBy": "sortLineItemsBy",
}
VALUES = {
    "chargebee.splitUsageLineItems": {
        "itemPerUsageBand": "ITEM_PER_USAGE_BAND",
        "itemPerProduct": "ITEM_PER_PRODUCT",
    },
    "chargebee.sortLineItemsBy": {
        "none": "NONE",
        "subtotal": "SUBTOTAL",
        "aggregationId": "AGGREGATION_ID",
    },
}


def uk_spec() -> dict[str, Any]:
    """An integration with something in every panel."""
    return {
        "displayName": "UK bills",
        "destination": "Chargebee",
        "connection": {"credential": "uk"},
        "enabled": True,
        "global": {
            "accountIds": [{"code": "acme"}, {"code": "globex"}],
            "integrationDisabledNotificationUsers": [{"email": "oncall@example.com"}],
        },
        "entity": {"onlySendBillOnApproval": True, "excludedLineItemTypes": ["AD_HOC"]},
        "chargebee": {
            "createInvoice": True,
            "splitUsageLineItems": "itemPerProduct",
            "priceIdMapping": {"USAGE": "usage-GBP"},
        },
        "configData": {"somethingElse": 1},
    }


def uk_set(*codes: str, **changes: str) -> tuple[dict[str, Any], dict[str, str]]:
    """Account mappings linked to the UK integration; sub_CODE for each code."""
    spec = {
        "integration": "uk",
        "externalSystem": "Chargebee",
        "externalTable": "Subscription",
        "m3terEntity": "Account",
        "rows": [],
    }
    return spec | changes, {code: f"sub_{code}" for code in codes}


def dialect_spec(keys: Mapping[str, str] = KEYS) -> dict[str, Any]:
    """What a person confirmed."""
    return {
        "environment": "sandbox",
        "destination": "Chargebee",
        "entityType": "Bill",
        "wireNames": {"destination": "Chargebee", "entityType": "Bill"},
        "evidence": {"source": "person", "by": "tester", "at": "2026-11-22T10:00:00Z"},
        "keys": dict(keys),
        "values": copy.deepcopy(VALUES),
    }


def mapping(code: str, name: str = "uk-accounts") -> Address:
    """The address of a row."""
    return Address("mapping", name, code)


def _environment() -> dict[str, Any]:
    return {
        "protected": False,
        "m3ter": {
            "organizationId": str(ORGANISATION),
            "accessKey": {"env": "M3TER_API_KEY"},
            "apiSecret": {"env": "M3TER_API_SECRET"},
        },
        "credentials": {"uk": {"name": "Chargebee UK"}, "us": {"name": "Chargebee US"}},
    }


def _organisation() -> FakeOrganisation:
    return FakeOrganisation(
        account_list=[account(code) for code in ("acme", "globex", "initech", "umbrella")],
        user_list=[user("oncall@example.com")],
        credential_list=[credential("Chargebee UK"), credential("Chargebee US")],
    )


def _defined(name: str, kind: Any, spec: Any) -> Defined[Any]:
    parsed = kind.model_validate(copy.deepcopy(spec), strict=False)
    return Defined(name, parsed, Origin(f"{name}.yaml", 1, 1), {})


def _defined_set(name: str, spec: dict[str, Any], rows: dict[str, str]) -> DefinedSet:
    return DefinedSet(
        _defined(name, MappingSetSpec, spec),
        tuple(
            MappingRow(M3terKey("code", code), external_id, Origin(f"{name}.csv", number, 1))
            for number, (code, external_id) in enumerate(sorted(rows.items()), 2)
        ),
    )


@dataclass
class Scene:
    """Everything a plan looks at; change it, then plan and apply.

    Attributes:
        sets: Spec and rows (key to external id) by name of mapping set.
    """

    project: dict[str, Any] = field(
        default_factory=lambda: {"prune": "allow", "adoption": "by-name", "onDrift": "approve"}
    )
    environment: dict[str, Any] = field(default_factory=_environment)
    integrations: dict[str, dict[str, Any]] = field(default_factory=lambda: {"uk": uk_spec()})
    sets: dict[str, tuple[dict[str, Any], dict[str, str]]] = field(
        default_factory=lambda: {"uk-accounts": uk_set("acme", "globex")}
    )
    dialect: dict[str, Any] | None = field(default_factory=dialect_spec)
    organisation: FakeOrganisation = field(default_factory=_organisation)
    chain: MemoryChain = field(default_factory=MemoryChain)
    lock: MemoryLock = field(default_factory=MemoryLock)
    clock: FakeClock = field(default_factory=FakeClock)

    def effective(self) -> Effective:
        """What git wants now."""
        return Effective(
            project=_defined("acme", ProjectSpec, self.project),
            environment=_defined("sandbox", EnvironmentSpec, self.environment),
            integrations=tuple(
                _defined(name, IntegrationSpec, spec)
                for name, spec in sorted(self.integrations.items())
            ),
            mapping_sets=tuple(
                _defined_set(name, spec, rows) for name, (spec, rows) in sorted(self.sets.items())
            ),
            dialects=(_defined("chargebee", DialectSpec, self.dialect),) if self.dialect else (),
        )

    def head(self) -> AppliedRecord | None:
        """The newest applied record."""
        return self.chain.head("sandbox")

    def plan(self, *, fresh: bool = False) -> Plan:
        """Make a plan."""
        return plan(
            self.effective(),
            self.head(),
            PlanSource("reconciler test"),
            PlanPorts(self.organisation, self.clock, SilentProgress()),
            fresh=fresh,
        )

    def apply(self, made: Plan | None = None, *, consent: Consent | None = None) -> AppliedRecord:
        """Apply a plan, by default a new one that somebody said yes to."""
        return apply(
            made or self.plan(),
            consent or Consent("tester", confirmed=True),
            ApplyPorts(self.organisation, self.chain, self.lock, self.clock, SilentProgress()),
        )

    def live_id(self, address: Address) -> str:
        """The live id that an address is bound to."""
        head = self.head()
        assert head is not None
        return next(binding.id for binding in head.bindings if binding.address == address)

    def live_id_of(self, name: str) -> str:
        """The live id of a configuration's name."""
        return next(
            config.id for config in self.organisation.configs.values() if config.name == name
        )
