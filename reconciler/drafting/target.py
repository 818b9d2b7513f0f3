"""Who is billed: the subscription or customer that an account's external id names."""

from __future__ import annotations

from reconciler.drafting.draft import BlockCode, BlockReason, Target, Way
from reconciler.drafting.route import KnownMapping, Route
from reconciler.m3ter.bill import Bill


def way_of(route: Route) -> Way:
    """Say how the bills of a route travel."""
    if not route.page.create_invoice:
        return "pending"
    return "create-open" if route.policy.open else "create"


def target_of(bill: Bill, route: Route) -> Target | BlockReason:
    """Find who is billed, or say why nobody can be."""
    kind = route.policy.account_is
    if kind == "customer" and way_of(route) != "create":
        return BlockReason(
            BlockCode.ACCOUNT_MAPPING,
            f"pending invoices belong to subscriptions, and account {_name(bill)} stands for a"
            " customer",
            "set push.accountIs: subscription, or createInvoice: true without push.open",
            origin=route.defined.at("push", "accountIs"),
        )
    if not route.defined.spec.entity.use_external_mapping_account_code:
        return Target(kind, bill.account_id)
    return _mapped(bill, route)


def _mapped(bill: Bill, route: Route) -> Target | BlockReason:
    kind = route.policy.account_is
    tables = {one.casefold() for one in route.readings.account_tables.get(kind, ())}
    found = route.mappings.of(route.readings.account_entity, bill.account_id)
    for level in (found.linked, found.unlinked):
        usable = [one for one in level if one.table.casefold() in tables]
        if len({one.external_id for one in usable}) > 1:
            return _ambiguous(bill, usable)
        if usable:
            return Target(kind, usable[0].external_id, usable[0].origin)
    return BlockReason(
        BlockCode.ACCOUNT_MAPPING,
        f"account {_name(bill)} has no external mapping to a Chargebee {kind}",
        "add it to the account mappings of this integration",
    )


def _ambiguous(bill: Bill, level: list[KnownMapping]) -> BlockReason:
    ids = " and ".join(f"{one.external_id} ({one.origin or 'only in m3ter'})" for one in level)
    return BlockReason(
        BlockCode.AMBIGUOUS_MAPPING,
        f"account {_name(bill)} has several mappings of one level: {ids}",
        "keep one of them",
        origin=level[0].origin,
    )


def _name(bill: Bill) -> str:
    return bill.account_code or bill.account_id
