"""What Chargebee would make of a bill that is not sent yet; nothing is written anywhere."""

from __future__ import annotations

from reconciler.reconcile.core.explanation import Explanation
from reconciler.sync.model.estimate import Estimate, NotEstimated
from reconciler.sync.model.push import PushStatus
from reconciler.sync.ports.destination import Destination

_SENT = "it is sent, and the invoice itself says what Chargebee made of it"
_BEGUN = "sending it has begun, so an estimate would not be what is still to come"
_PENDING = (
    "its lines go onto the subscription's pending invoice, and Chargebee estimates new invoices"
    " only"
)
_NO_DRAFT = "nothing of it would be sent as it is now"


def estimate_bill(told: Explanation, destination: Destination) -> Estimate:
    """Ask for an estimate of an explained bill, or say why there is none.

    Raises:
        DestinationError: When no usable answer came.
    """
    if told.status is PushStatus.COMPLETE or told.invoices:
        return NotEstimated(_SENT)
    if told.effects:
        return NotEstimated(_BEGUN)
    if told.draft is None:
        return NotEstimated(_NO_DRAFT)
    if told.draft.way == "pending":
        return NotEstimated(_PENDING)
    return destination.estimate(told.draft)
