"""The names of m3ter's events and, as far as they are published, their fields."""

from __future__ import annotations

from collections.abc import Mapping

# Source: m3ter OpenAPI 2026-08-03, EventTypeResponse (example)
_BILLING = (
    "balance",
    "balanceamount",
    "bill",
    "billconfig",
    "billjob",
    "charge",
    "counteradjustment",
    "scheduledbalancecharge",
    "scheduledbalancetransaction",
    "statementjob",
)
_CONFIGURATION = (
    "account",
    "accountplan",
    "aggregation",
    "alert",
    "commitment",
    "compoundaggregation",
    "contract",
    "counter",
    "counterpricing",
    "creditreason",
    "customfield",
    "meter",
    "metergroup",
    "organization",
    "organizationconfig",
    "plan",
    "plangroup",
    "plangrouplink",
    "plantemplate",
    "pricing",
    "pricingband",
    "product",
    "transactiontype",
)
_ERRORS = (
    "dataexport.job.failure",
    "ingest.validation.failure",
    "integration.authentication.error",
    "integration.disabled.error",
    "integration.missingaccountmapping.error",
    "integration.perform.error",
    "integration.validation.error",
)
_VERBS = ("created", "deleted", "updated")

EVENT_NAMES: tuple[str, ...] = (
    *(f"billing.{noun}.{verb}" for noun in _BILLING for verb in _VERBS),
    *(f"configuration.{noun}.{verb}" for noun in _CONFIGURATION for verb in _VERBS),
    *_ERRORS,
)
# The published example shows the fields of a commitment; these follow its words and types.
_FIELDS: Mapping[str, Mapping[str, str]] = {
    "billing.bill": {
        "id": "string",
        "accountId": "string",
        "accountCode": "string",
        "billDate": "string",
        "status": "string",
        "locked": "boolean",
        "currency": "string",
        "lineItems": "array",
        "version": "int",
    },
    "configuration.account": {
        "id": "string",
        "name": "string",
        "code": "string",
        "currency": "string",
        "emailAddress": "string",
        "address": "map",
        "customFields": "map",
        "version": "int",
    },
}


def fields_of(name: str) -> dict[str, str]:
    """Field names with ``new.`` (and ``old.`` for an update) and their types."""
    noun, _, verb = name.rpartition(".")
    known = _FIELDS.get(noun, {"id": "string", "version": "int"})
    fields = {f"new.{field}": kind for field, kind in known.items()}
    if verb == "updated":
        fields |= {f"old.{field}": kind for field, kind in known.items()}
    return fields
