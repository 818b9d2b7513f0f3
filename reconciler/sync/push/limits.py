"""What stops a run: what holds it back at the start, and its limits before the send too many."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation

from reconciler.drafting.draft import InvoiceDraft
from reconciler.errors import HeldError, InvalidError
from reconciler.kernel.money import Money, UnknownCurrencyError, chargebee_currencies
from reconciler.kernel.runbook import Page, page
from reconciler.plan.core.guards.guards import freeze
from reconciler.sync.in_force.scope import PushesInForce
from reconciler.sync.ports.ledger import Ledger


class NotAnAmountError(InvalidError):
    """``--max-amount`` cannot be understood."""

    def __init__(self, text: str) -> None:
        super().__init__(
            f"--max-amount {text!r} is not CUR:AMOUNT. Nothing was sent. Write it as GBP:1000."
        )


@dataclass(slots=True)
class RunLimits:
    """Counts what a run begins to send; safe from many threads.

    Attributes:
        bills: At most so many; ``None`` is no limit.
        amounts: At most so much, by currency code; a currency that is not named has no limit.
        reached: Which limit ended the run; empty while none did.
    """

    bills: int | None = None
    amounts: Mapping[str, Money] = field(default_factory=dict)
    reached: str = ""
    begun: int = 0
    _spent: dict[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def first(self, bills: int) -> RunLimits:
        """Give the limits of a canary."""
        fewer = bills if self.bills is None else min(bills, self.bills)
        return RunLimits(fewer, self.amounts)

    def after(self, canary: RunLimits) -> RunLimits:
        """Give what a canary left."""
        left = None if self.bills is None else max(0, self.bills - canary.begun)
        return RunLimits(left, self.amounts, _spent=dict(canary._spent))

    def admit(self, draft: InvoiceDraft) -> str:
        """Count a bill that is about to be sent, or say which limit forbids it."""
        with self._lock:
            if not self.reached:
                self.reached = self._exceeded(draft)
            if self.reached:
                return self.reached
            code = draft.currency.code
            self.begun += 1
            self._spent[code] = self._spent.get(code, 0) + draft.billed.minor
            return ""

    def _exceeded(self, draft: InvoiceDraft) -> str:
        if self.bills is not None and self.begun >= self.bills:
            return f"the limit of {self.bills} bills is reached"
        code = draft.currency.code
        limit = self.amounts.get(code)
        if limit is None:
            return ""
        spent = Money(self._spent.get(code, 0), draft.currency)
        if (spent + draft.billed).major <= limit.major:
            return ""
        return f"{spent} was sent, and the next bill of {draft.billed} would exceed {limit}"


class FrozenError(HeldError):
    """Sync was called inside a freeze window."""

    def __init__(self, windows: Sequence[str]) -> None:
        super().__init__(
            "; ".join(windows) + ".\nNothing was sent. Wait until the window is over, or approve "
            "this run with `--approve freeze`."
        )


class PausedError(HeldError):
    """A person paused the site."""

    def __init__(self, site: str, why: str) -> None:
        super().__init__(
            f"pushing to site `{site}` is paused by {why}.\n"
            "Nothing was sent. When it may go on: `reconciler sync resume`. "
            f"See {page(Page.PAUSED)}."
        )


class HeldBackError(HeldError):
    """No integration may push at all."""

    def __init__(self, reasons: Sequence[str], where: Page) -> None:
        listed = "\n".join(f"  {reason}" for reason in reasons)
        super().__init__(
            f"no push integration may send anything now:\n{listed}\n"
            "Nothing was sent. Run `reconciler drift` and decide what holds, or `reconciler sync "
            f"enable NAME` for a disabled push. See {page(where)}."
        )


def parse_amounts(texts: Iterable[str]) -> dict[str, Money]:
    """Read ``CUR:AMOUNT`` of the command line.

    Raises:
        NotAnAmountError: When one cannot be read, or has too many decimals.
    """
    return dict(_amount(text) for text in texts)


def _amount(text: str) -> tuple[str, Money]:
    code, _, figure = text.partition(":")
    try:
        currency = chargebee_currencies().currency(code)
        minor = Decimal(figure).scaleb(currency.places)
    except (UnknownCurrencyError, InvalidOperation):
        raise NotAnAmountError(text) from None
    if not minor.is_finite() or minor != int(minor) or minor < 0:
        raise NotAnAmountError(text)
    return code, Money(int(minor), currency)


def refuse_held(
    scope: PushesInForce,
    ledger: Ledger,
    integrations: frozenset[str],
    now: datetime,
    *,
    thawed: bool,
) -> None:
    """Refuse a run in which nothing may be sent.

    Raises:
        FrozenError: Inside a freeze window that nobody approved.
        PausedError: When a person paused the site.
        HeldBackError: When every integration of the run drifted or is disabled.
    """
    windows = [hit.message for hit in freeze(scope.environment.freeze, now)]
    if windows and not thawed:
        raise FrozenError(windows)
    if why := ledger.paused(scope.site):
        raise PausedError(scope.site, why)
    wanted = [route for route in scope.routes if not integrations or route.name in integrations]
    drifted = [route.drift[0] for route in wanted if route.drift]
    disabled = [
        f"{route.name} is disabled: {why}"
        for route in wanted
        if not route.drift and (why := ledger.disabled(scope.site, route.name))
    ]
    if wanted and len(drifted) + len(disabled) == len(wanted):
        raise HeldBackError([*drifted, *disabled], Page.DRIFT if drifted else Page.DISABLED)
