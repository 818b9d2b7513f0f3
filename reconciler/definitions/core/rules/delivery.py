"""Rules about who sends the bills: m3ter itself, or `reconciler sync`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from reconciler.definitions.core.rule import Rule
from reconciler.definitions.kinds.integration import IntegrationSpec, PushPolicy
from reconciler.definitions.model import Defined, Effective
from reconciler.kernel.line_item import Destination
from reconciler.kernel.problem import Problem

PUSH_AND_DELIVERY = Rule(
    "R085",
    "push settings go with delivery: push",
    "error",
    "Either m3ter sends the bills or `reconciler sync` does; half of each sends none or both.",
    "Write both `delivery: push` and `push:`, or neither.",
)
PUSH_DESTINATION = Rule(
    "R086",
    "delivery: push is for Chargebee bills",
    "error",
    "`reconciler sync` knows no other destination and no other entity.",
    "Use `delivery: native`, or `destination: Chargebee` with `entityType: Bill`.",
)
PUSH_CONNECTION = Rule(
    "R087",
    "a push integration stays disconnected and is not enabled",
    "error",
    "A connected one would let m3ter send the same bills: every account billed twice.",
    "Set `connection: disconnected` and leave `enabled` out.",
)
PUSH_APPROVAL = Rule(
    "R088",
    "pushed bills are approved first",
    "error",
    "A bill that is not approved can still change after its invoice went out.",
    "Set `onlySendBillOnApproval: true`; only `createInvoice: false` with `recalculated: replace`"
    " can do without.",
)
OPEN_INVOICE = Rule(
    "R089",
    "open: true goes with createInvoice: true",
    "error",
    "Only an invoice that is created can be left open.",
    "Set `createInvoice: true`, or remove `open`.",
)
PENDING = Rule(
    "R090",
    "pending goes with createInvoice: false",
    "error",
    "Nobody waits for a pending invoice when one is created for each bill.",
    "Set `createInvoice: false`, or remove `pending`.",
)
SINCE = Rule(
    "R091",
    "dates exist",
    "error",
    "A date that does not exist selects no bills, or the wrong ones.",
    "Write a date as YYYY-MM-DD.",
)
PUSH_NEEDS = Rule(
    "R092",
    "environments with a push integration have chargebee and ledger",
    "warning",
    "`reconciler sync` cannot run in an environment without a site and a memory of pushes.",
    "Add `chargebee` and `ledger` to the Environment.",
)

RULES = (
    PUSH_AND_DELIVERY,
    PUSH_DESTINATION,
    PUSH_CONNECTION,
    PUSH_APPROVAL,
    OPEN_INVOICE,
    PENDING,
    SINCE,
    PUSH_NEEDS,
)
Integration = Defined[IntegrationSpec]


def deliveries(view: Effective) -> Iterator[Problem]:
    """Check who sends what, in every integration."""
    for integration in view.integrations:
        yield from halves(integration)
        if integration.spec.delivery == "push":
            yield from wrong_destination(integration)
            yield from connected(integration)
            yield from missing_needs(integration, view)
        if integration.spec.push is not None:
            yield from policies(integration, integration.spec.push)


def halves(integration: Integration) -> Iterator[Problem]:
    """Find push settings without the delivery, and the reverse."""
    if integration.spec.delivery == "push" and integration.spec.push is None:
        hint = "Add `push:` with `since`, `accountIs` and `collection`, or set `delivery: native`."
        message = "`delivery: push` needs `push` settings"
        yield PUSH_AND_DELIVERY.broken(integration.at("delivery"), message, hint, "spec.push")
    if integration.spec.delivery != "push" and integration.spec.push is not None:
        hint = "Set `delivery: push`, or remove `push`."
        message = "`push` settings have no effect without `delivery: push`"
        yield PUSH_AND_DELIVERY.broken(integration.at("push"), message, hint, "spec.push")


def wrong_destination(integration: Integration) -> Iterator[Problem]:
    """Find pushes of anything but Chargebee bills."""
    if integration.spec.destination is not Destination.CHARGEBEE:
        message = f"`delivery: push` cannot send to {integration.spec.destination}"
        yield PUSH_DESTINATION.broken(
            integration.at("destination"), message, path="spec.destination"
        )
    if integration.spec.entity_type != "Bill":
        message = f"`delivery: push` cannot send {integration.spec.entity_type}, only Bill"
        yield PUSH_DESTINATION.broken(integration.at("entityType"), message, path="spec.entityType")


def connected(integration: Integration) -> Iterator[Problem]:
    """Find push integrations that m3ter would send, too."""
    if integration.spec.connection != "disconnected":
        message = "with `delivery: push` the integration stays disconnected in m3ter"
        hint = "Set `connection: disconnected`."
        yield PUSH_CONNECTION.broken(integration.at("connection"), message, hint, "spec.connection")
    if integration.spec.enabled is not None:
        message = "with `delivery: push` the integration is never enabled in m3ter"
        yield PUSH_CONNECTION.broken(
            integration.at("enabled"), message, "Remove `enabled`.", "spec.enabled"
        )


def policies(integration: Integration, push: PushPolicy) -> Iterator[Problem]:
    """Find push policies that do not fit the page."""
    creates = integration.spec.chargebee is not None and integration.spec.chargebee.create_invoice
    replaces = not creates and push.recalculated == "replace"
    if not integration.spec.entity.only_send_bill_on_approval and not replaces:
        message = "bills that are not approved would be pushed"
        yield PUSH_APPROVAL.broken(
            integration.at("entity", "onlySendBillOnApproval"),
            message,
            path="spec.entity.onlySendBillOnApproval",
        )
    if push.open and not creates:
        message = "`open: true` needs `createInvoice: true`"
        yield OPEN_INVOICE.broken(integration.at("push", "open"), message, path="spec.push.open")
    if push.pending is not None and creates:
        message = "`pending` has no effect with `createInvoice: true`"
        yield PENDING.broken(integration.at("push", "pending"), message, path="spec.push.pending")
    if not is_date(push.since):
        message = f"there is no date {push.since}"
        yield SINCE.broken(integration.at("push", "since"), message, path="spec.push.since")


def missing_needs(integration: Integration, view: Effective) -> Iterator[Problem]:
    """Find environments in which a push could not run."""
    environment = view.environment
    needs = {"chargebee": environment.spec.chargebee, "ledger": environment.spec.ledger}
    for name, value in needs.items():
        if value is None:
            yield PUSH_NEEDS.broken(
                environment.origin,
                f"environment `{environment.name}` has no `{name}`, and `{integration.name}` is "
                "pushed",
                f"Add `{name}` to Environment `{environment.name}`.",
                f"spec.{name}",
            )


def is_date(text: str) -> bool:
    """Say whether a text in the form YYYY-MM-DD is a day of the calendar."""
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
