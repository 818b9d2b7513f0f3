"""Fault rules: what goes wrong, for which requests, how often."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import Any

from reconciler.emulator.exchange import HttpRequest

# Done by the server, for both vendors alike.
SERVER_FAULTS = frozenset(
    {
        "latency",
        "slow",
        "rate_limit",
        "rate_limit_retry_after",
        "http_500",
        "http_502",
        "http_503",
        "http_504",
        "html_502",
        "cut_before_commit",
        "cut_after_commit",
        "commit_after_cut",
        "lost_response",
    }
)
# Done by the half, which knows what they mean.
HALF_FAULTS = frozenset(
    {
        "version_conflict",
        "expired_token",
        "empty_page",
        "list_lag",
        "idempotency_expiry",
        "lock_timeout",
        "third_party_rate_limit",
        "auto_close",
        "foreign_line",
    }
)
FAULTS = SERVER_FAULTS | HALF_FAULTS
# Faults that mean something for some requests only; the others neither meet nor count them.
_ONLY_VENDOR = {
    "version_conflict": "m3ter",
    "expired_token": "m3ter",
    "idempotency_expiry": "chargebee",
    "lock_timeout": "chargebee",
    "third_party_rate_limit": "chargebee",
    "auto_close": "chargebee",
    "foreign_line": "chargebee",
}
_ONLY_METHOD = {"version_conflict": "PUT", "empty_page": "GET", "list_lag": "GET"}
_TOKEN_PATH = "/oauth/token"  # noqa: S105 - a path
_VENDORS = ("m3ter", "chargebee")
_MATCH_KEYS = frozenset({"vendor", "method", "path"})
_RULE_KEYS = frozenset(
    {"match", "fault", "probability", "times", "after", "seconds", "bytes", "commit"}
)


class FaultRuleError(ValueError):
    """A rule cannot be understood; none of the rules sent with it was added."""


@dataclass(slots=True)
class FaultRule:
    """One rule and how often it has met a request.

    Attributes:
        fault: One of ``FAULTS``.
        match: Any of vendor, method and path; a path may end in ``*``.
        probability: Chance per matching request, from 0 to 1.
        times: The rule ends after this many faults; ``None`` never ends.
        after: Matching requests that pass unharmed first.
        seconds: Length of a delay, or ``None`` for the fault's own default.
        bytes: Bytes of the answer that get through before a cut; for ``cut_before_commit`` bytes of
            the request that are read (``None``: all of it).
        commit: For answers with an error status: whether the request is carried out all the same.
    """

    fault: str
    match: Mapping[str, str] = field(default_factory=dict)
    probability: Decimal = Decimal(1)
    times: int | None = None
    after: int = 0
    seconds: float | None = None
    bytes: int | None = None
    commit: bool = False
    seen: int = 0
    fired: int = 0

    def matches(self, vendor: str, request: HttpRequest) -> bool:
        """Whether the rule is about this request at all."""
        if not self._means_something(vendor, request):
            return False
        wanted = self.match
        path = wanted.get("path", "*")
        fits = request.path.startswith(path[:-1]) if path.endswith("*") else request.path == path
        return (
            fits
            and wanted.get("vendor", vendor) == vendor
            and wanted.get("method", request.method).upper() == request.method
        )

    def _means_something(self, vendor: str, request: HttpRequest) -> bool:
        if request.path == _TOKEN_PATH and self.fault in HALF_FAULTS:
            return False
        return (
            _ONLY_VENDOR.get(self.fault, vendor) == vendor
            and _ONLY_METHOD.get(self.fault, request.method) == request.method
        )

    def fires(self, random: Random) -> bool:
        """Count one matching request and say whether it is hit."""
        if self.times is not None and self.fired >= self.times:
            return False
        self.seen += 1
        if self.seen <= self.after or Decimal(random.random()) >= self.probability:
            return False
        self.fired += 1
        return True

    def as_dict(self) -> dict[str, Any]:
        """The rule as the control surface shows it."""
        shown: dict[str, Any] = {"match": dict(self.match), "fault": self.fault}
        shown |= {"probability": self.probability, "times": self.times, "after": self.after}
        return shown | {"seen": self.seen, "fired": self.fired}


class FaultBook:
    """The rules in force, in the order they were added."""

    def __init__(self, seed: int) -> None:
        """Use a random source of its own: faults must not change which ids a scenario makes."""
        self.rules: list[FaultRule] = []
        self._random = Random(f"{seed} faults")

    def add(self, rules: object) -> None:
        """Add rules in their JSON form.

        Raises:
            FaultRuleError: If one of them is not a rule; then none is added.
        """
        if not isinstance(rules, list):
            raise FaultRuleError("`rules` must be a list of rules")
        self.rules += [parse_rule(rule) for rule in rules]

    def clear(self) -> None:
        """Forget all rules."""
        self.rules = []

    def hitting(
        self, vendor: str, request: HttpRequest, *, while_reading: bool = False
    ) -> list[FaultRule]:
        """The rules that hit this request now; each call counts the request.

        Args:
            vendor: Whose request it is.
            request: The request; its body may not be read yet.
            while_reading: Only rules that cut a request before it is complete, or only others.
        """
        return [
            rule
            for rule in self.rules
            if (rule.fault == "cut_before_commit" and rule.bytes is not None) == while_reading
            and rule.matches(vendor, request)
            and rule.fires(self._random)
        ]


def parse_rule(value: object) -> FaultRule:
    """Read one rule from its JSON form.

    Raises:
        FaultRuleError: On unknown keys, fault names or values.
    """
    if not isinstance(value, dict):
        raise FaultRuleError(f"a rule must be an object, not {value!r}")
    _refuse_unknown(value, _RULE_KEYS, "rule")
    fault = value.get("fault")
    if fault not in FAULTS:
        raise FaultRuleError(f"unknown fault {fault!r}; known: {', '.join(sorted(FAULTS))}")
    rule = FaultRule(fault, _match(value.get("match", {})))
    rule.probability = _number(value, "probability", Decimal(1), maximum=1)
    rule.times = _count(value, "times")
    rule.after = _count(value, "after") or 0
    rule.bytes = _count(value, "bytes")
    rule.seconds = float(_number(value, "seconds", None)) if "seconds" in value else None
    rule.commit = bool(value.get("commit", False))
    return rule


def _match(value: object) -> Mapping[str, str]:
    if not isinstance(value, dict):
        raise FaultRuleError("`match` must be an object")
    _refuse_unknown(value, _MATCH_KEYS, "match")
    match = {key: member for key, member in value.items() if member is not None}
    if not all(isinstance(pattern, str) for pattern in match.values()):
        raise FaultRuleError("`vendor`, `method` and `path` must be text")
    if match.get("vendor", "m3ter") not in _VENDORS:
        raise FaultRuleError(f"unknown vendor {match['vendor']!r}; known: {', '.join(_VENDORS)}")
    return match


def _number(
    value: Mapping[str, Any], name: str, default: Decimal | None, maximum: int | None = None
) -> Decimal:
    number = value.get(name, default)
    if isinstance(number, bool) or not isinstance(number, (int, Decimal)) or number < 0:
        raise FaultRuleError(f"`{name}` must be a number from 0 up")
    if maximum is not None and number > maximum:
        raise FaultRuleError(f"`{name}` must not be above {maximum}")
    return Decimal(number)


def _count(value: Mapping[str, Any], name: str) -> int | None:
    number = value.get(name)
    if number is None:
        return None
    if isinstance(number, bool) or not isinstance(number, int) or number < 0:
        raise FaultRuleError(f"`{name}` must be a whole number from 0 up")
    return number


def _refuse_unknown(value: Mapping[str, Any], known: frozenset[str], what: str) -> None:
    unknown = sorted(str(key) for key in value.keys() - known)
    if unknown:
        raise FaultRuleError(f"unknown {what} keys {', '.join(unknown)}")
