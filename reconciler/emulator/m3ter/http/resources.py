"""The plain resources: fields, filters and page limits as data."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.emulator.m3ter.http.entities import EntityKind

_IDS = {"ids": "id"}
_BY_PRODUCT = {"ids": "id", "codes": "code", "productId": "productId"}
_CHARGES = (
    "standingCharge",
    "standingChargeDescription",
    "standingChargeBillInAdvance",
    "minimumSpend",
    "minimumSpendDescription",
    "minimumSpendBillInAdvance",
    "ordinal",
    "customFields",
)
_UNITS = ("code", "accountingProductId", "customFields")

# Source: m3ter OpenAPI 2026-08-03: AccountRequest, ListAccounts and so on for each resource
ACCOUNTS = EntityKind(
    "accounts",
    ("name", "code", "emailAddress"),
    (
        "address",
        "parentAccountId",
        "billEpoch",
        "purchaseOrderNumber",
        "currency",
        "statementDefinitionId",
        "autoGenerateStatementMode",
        "creditApplicationOrder",
        "daysBeforeBillDue",
        "customFields",
    ),
    unique="code",
    filters={"ids": "id", "codes": "code"},
    event="configuration.account",
)
PRODUCTS = EntityKind(
    "products",
    ("name", "code"),
    ("customFields",),
    unique="code",
    page_max=200,
    event="configuration.product",
)
PLANS = EntityKind(
    "plans",
    ("planTemplateId", "name", "code"),
    (
        *_CHARGES,
        "bespoke",
        "minimumSpendAccountingProductId",
        "standingChargeAccountingProductId",
        "accountId",
    ),
    unique="code",
    filters={"ids": "id", "productId": "productId", "accountId": "accountId"},
    event="configuration.plan",
)
PLAN_TEMPLATES = EntityKind(
    "plantemplates",
    ("productId", "name", "currency", "standingCharge", "billFrequency"),
    (
        *_CHARGES,
        "standingChargeInterval",
        "standingChargeOffset",
        "billFrequencyInterval",
        "code",
    ),
    unique="code",
    filters={"ids": "id", "productId": "productId"},
    event="configuration.plantemplate",
)
AGGREGATIONS = EntityKind(
    "aggregations",
    ("name", "rounding", "quantityPerUnit", "unit", "meterId", "targetField", "aggregation"),
    (*_UNITS, "segmentedFields", "segments", "defaultValue", "customSql"),
    unique="code",
    filters=_BY_PRODUCT,
    event="configuration.aggregation",
)
COMPOUND_AGGREGATIONS = EntityKind(
    "compoundaggregations",
    ("name", "rounding", "quantityPerUnit", "unit", "calculation"),
    (*_UNITS, "productId", "evaluateNullAggregations"),
    unique="code",
    filters=_BY_PRODUCT,
    event="configuration.compoundaggregation",
)
METERS = EntityKind(
    "meters",
    ("name", "code", "dataFields", "derivedFields"),
    ("productId", "groupId", "customFields"),
    unique="code",
    filters=_BY_PRODUCT,
    event="configuration.meter",
)
PRICINGS = EntityKind(
    "pricings",
    ("startDate", "pricingBands"),
    (
        "code",
        "planId",
        "planTemplateId",
        "cumulative",
        "endDate",
        "description",
        "accountingProductId",
        "aggregationId",
        "compoundAggregationId",
        "type",
        "segment",
        "tiersSpanPlan",
        "minimumSpend",
        "minimumSpendDescription",
        "minimumSpendBillInAdvance",
        "overagePricingBands",
    ),
    defaults={"type": "DEBIT", "cumulative": False, "tiersSpanPlan": False},
    filters={
        "ids": "id",
        "planId": "planId",
        "planTemplateId": "planTemplateId",
        "aggregationId": "aggregationId",
    },
    event="configuration.pricing",
)
NOTIFICATIONS = EntityKind(
    "notifications",
    ("name", "description", "code", "eventName"),
    ("active", "alwaysFireEvent", "calculation"),
    defaults={"active": False, "alwaysFireEvent": False},
    unique="code",
    filters={"ids": "id", "eventName": "eventName"},
)
WEBHOOKS = EntityKind(
    "webhooks",
    ("name", "description", "url", "credentials"),
    ("code", "active"),
    defaults={"active": True},
    page_max=200,
)
CREDENTIALS = EntityKind(
    "integrationcredentials",
    ("type",),
    ("destination", "destinationId", "name"),
    page_max=200,
    filters=_IDS,
)
CONFIGS = EntityKind(
    "integrationconfigs",
    ("entityType", "destination"),
    ("entityId", "destinationId", "configData", "integrationCredentialsId", "name"),
    defaults={"configData": {}},
    page_max=200,
    filters={"destinationId": "destinationId"},
)
MAPPINGS = EntityKind(
    "externalmappings",
    ("m3terEntity", "m3terId", "externalSystem", "externalTable", "externalId"),
    ("integrationConfigId",),
    page_max=200,
    filters={"externalSystemId": "externalSystem", "m3terIds": "m3terId"},
)
USERS = EntityKind(
    "users",
    ("email",),
    (
        "firstName",
        "lastName",
        "contactNumber",
        "organizations",
        "firstAcceptedTermsAndConditions",
        "lastAcceptedTermsAndConditions",
        "supportUser",
        "permissionPolicy",
        "dtEndAccess",
    ),
    page_max=200,
)

PLAIN: Mapping[str, EntityKind] = {
    kind.name: kind
    for kind in (ACCOUNTS, PRODUCTS, AGGREGATIONS, COMPOUND_AGGREGATIONS, METERS, PLAN_TEMPLATES)
}
