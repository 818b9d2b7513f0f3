"""What Chargebee would make of a bill, beside what is predicted; tax is named apart."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from reconciler.drafting.draft import InvoiceDraft
from reconciler.kernel.text.figures import wrapped
from reconciler.reconcile.core.estimated import deviations, predicted
from reconciler.reconcile.core.explanation import Explanation
from reconciler.sync.model.estimate import Estimated, NotEstimated


def estimate_lines(told: Explanation) -> Iterator[str]:
    """Show an estimate; nothing when none was asked for."""
    match told.estimate:
        case None:
            return
        case NotEstimated(why):
            yield from wrapped(f"No estimate: {why}.", "", "  ")
        case Estimated() as made:
            assert told.draft is not None, "an estimate is of a draft"
            yield from _estimated(told.draft, made)
        case _:
            assert_never(told.estimate)
    yield ""


def _estimated(draft: InvoiceDraft, made: Estimated) -> Iterator[str]:
    found = deviations(draft, made)
    verdict = "as predicted" if not found else f"and {predicted(draft)} is predicted"
    text = f"Chargebee would make of it: {made.sub_total} before tax, {verdict}."
    yield from wrapped(f"{text} Tax {made.tax}, in all {made.total}.", "", "  ")
    for one in found:
        yield from wrapped(one, "  ", "    ")
    for credit in draft.credits:
        yield from wrapped(f"A credit of {credit.amount} follows it, on its own.", "  ", "    ")
