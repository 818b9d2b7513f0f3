"""Doctor for pushes: what the site and the ledger must have before the first bill is sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from reconciler.definitions.kinds.integration import IntegrationSpec, PushPolicy
from reconciler.definitions.model import Defined, Effective
from reconciler.doctor.core.results import CheckResult, doubtful, unseen, well, wrong
from reconciler.sync.ports.ledger import LedgerIdentity
from reconciler.sync.ports.site_catalogue import SiteCatalogue

_LISTED_MAX = 5
Push = tuple[Defined[IntegrationSpec], PushPolicy]


def pushes_of(effective: Effective) -> tuple[Push, ...]:
    """Give the integrations whose bills `sync` sends."""
    return tuple(
        (one, one.spec.push)
        for one in effective.integrations
        if one.spec.delivery == "push" and one.spec.push is not None
    )


def prices(pushes: Sequence[Push], site: SiteCatalogue) -> CheckResult:
    """Look for every item price that a push integration names; mappings are looked at by bill."""
    named = {
        price: f"{one.name}: {setting}"
        for one, _ in reversed(pushes)
        for setting, price in _prices(one.spec)
    }
    if not named:
        return unseen("item prices", "no push integration names one")
    unfit = site.unfit_prices(named)
    if not unfit:
        return well("item prices", f"all {len(named):,} that pushes name can bill a line")
    told = [f"`{one}` ({named[one]}) {why}" for one, why in unfit.items()]
    more = f"; and {len(told) - _LISTED_MAX:,} more" if len(told) > _LISTED_MAX else ""
    todo = "Correct the setting, or the item price in Chargebee; until then bills are blocked."
    return wrong("item prices", "; ".join(told[:_LISTED_MAX]) + more, todo)


def stamps(pushes: Sequence[Push], site: SiteCatalogue) -> CheckResult:
    """Look for the custom field that carries the bill id."""
    fields = site.custom_fields()
    if fields is None:
        return doubtful("stamp", "Chargebee does not list its custom fields; the first bill shows")
    missing = sorted({one for _, push in pushes for one in _unstamped(push, fields)})
    if missing:
        todo = "Create it in Chargebee as a text field; until then bills are blocked."
        return wrong("stamp", f"the site has no custom field {', '.join(missing)}", todo)
    names = ", ".join(sorted({push.stamp for _, push in pushes}))
    return well("stamp", f"{names} is there")


def ledger(place: str, identity: LedgerIdentity | None, environment: str) -> CheckResult:
    """Say whether the memory of pushes is there."""
    if identity is None:
        todo = f"Before the first push: `reconciler ledger init --env {environment}`."
        return doubtful("ledger", f"there is none yet in {place}", todo)
    return well("ledger", f"{identity.id} in {place}")


def _prices(spec: IntegrationSpec) -> Iterator[tuple[str, str]]:
    page = spec.chargebee
    if page is None:
        return
    for setting, price in (
        ("minimumSpendItemPrice", page.minimum_spend_item_price),
        ("standingChargeItemPrice", page.standing_charge_item_price),
        ("defaultPriceId", page.default_price_id),
    ):
        if price is not None:
            yield setting, price
    for line_type, price in page.price_id_mapping.items():
        yield f"priceIdMapping.{line_type}", price


def _unstamped(push: PushPolicy, fields: Mapping[str, frozenset[str]]) -> Iterator[str]:
    kinds = fields.get(push.stamp, frozenset())
    if "invoice" not in kinds:
        yield f"{push.stamp} on invoices"
    if push.negative_lines == "credit-note" and "credit_note" not in kinds:
        yield f"{push.stamp} on credit notes"
