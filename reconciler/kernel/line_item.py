"""The vendor's closed vocabularies: line item types, destinations, credential types, run states."""

from __future__ import annotations

from enum import StrEnum


# Source: m3ter OpenAPI 2026-08-03, schema LineItemType; meanings from m3ter's guide
# "Bill line item types".
class LineItemType(StrEnum):
    """The 19 types of a line on an m3ter bill."""

    STANDING_CHARGE = "STANDING_CHARGE"
    USAGE = "USAGE"
    USAGE_CREDIT = "USAGE_CREDIT"
    MINIMUM_SPEND = "MINIMUM_SPEND"
    MINIMUM_SPEND_REFUND = "MINIMUM_SPEND_REFUND"
    COMMITMENT_CONSUMED = "COMMITMENT_CONSUMED"
    COMMITMENT_FEE = "COMMITMENT_FEE"
    OVERAGE_SURCHARGE = "OVERAGE_SURCHARGE"
    OVERAGE_USAGE = "OVERAGE_USAGE"
    BALANCE_CONSUMED = "BALANCE_CONSUMED"
    BALANCE_FEE = "BALANCE_FEE"
    AD_HOC = "AD_HOC"
    CREDIT_MEMO = "CREDIT_MEMO"
    DEBIT_MEMO = "DEBIT_MEMO"
    CREDIT_DEDUCTION = "CREDIT_DEDUCTION"
    MANUAL_ADJUSTMENT = "MANUAL_ADJUSTMENT"
    COUNTER_RUNNING_TOTAL_CHARGE = "COUNTER_RUNNING_TOTAL_CHARGE"
    COUNTER_ADJUSTMENT_DEBIT = "COUNTER_ADJUSTMENT_DEBIT"
    COUNTER_ADJUSTMENT_CREDIT = "COUNTER_ADJUSTMENT_CREDIT"


# Source: m3ter OpenAPI 2026-08-03, schema DestinationType. A configuration's `destination` is a
# free string in another spelling ("Stripe", "Webhook"); the dialect holds the wire name.
class Destination(StrEnum):
    """The external systems that m3ter integrates with, as its Console writes them."""

    CHARGEBEE = "Chargebee"
    STRIPE = "Stripe"
    STRIPE_TEST = "StripeTest"
    NETSUITE = "Netsuite"
    PADDLE = "Paddle"
    PADDLE_SANDBOX = "PaddleSandbox"
    QUICKBOOKS = "QuickBooks"
    QUICKBOOKS_SANDBOX = "QuickBooksSandbox"
    XERO = "Xero"
    SALESFORCE = "Salesforce"
    AWS = "AWS"
    AZURE = "Azure"
    WEBHOOK = "Webhook"
    M3TER = "M3ter"


# Source: m3ter OpenAPI 2026-08-03, IntegrationRunResponse.status
class RunStatus(StrEnum):
    """The states of a native integration run."""

    WAITING = "WAITING"
    STARTED = "STARTED"
    COMPLETE = "COMPLETE"
    ERROR = "ERROR"
    AWAITING_RETRY = "AWAITING_RETRY"
    AUTH_FAILED = "AUTH_FAILED"
    ACCOUNTING_PERIOD_CLOSED = "ACCOUNTING_PERIOD_CLOSED"
    INVOICE_ALREADY_PAID = "INVOICE_ALREADY_PAID"
    DISABLED = "DISABLED"
    TIMEOUT_LIMIT_EXCEEDED = "TIMEOUT_LIMIT_EXCEEDED"
    RATE_LIMIT_RETRY = "RATE_LIMIT_RETRY"
