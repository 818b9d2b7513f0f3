"""Items and consents -> what is approved, by whom, and what still needs whom."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reconciler.plan.model.plan import Approval, GuardHit, ItemDigest
from reconciler.review.core.consents import Consented, Heard, Uncounted, heard
from reconciler.review.core.rules import ALWAYS_WRITTEN, Members, Rules
from reconciler.review.model.pull_request import Login
from reconciler.review.model.sealed import Reviewed


@dataclass(frozen=True, slots=True)
class Judged:
    """What the reviews of some pull requests mean for a plan.

    Attributes:
        approvals: Only of items that are approved in full.
        open: Items that still need someone, remedies included.
        uncounted: What looks like an approval and counts for nothing.
    """

    approvals: tuple[Approval, ...]
    open: tuple[GuardHit, ...]
    uncounted: tuple[Uncounted, ...]


def judge(
    hits: Sequence[GuardHit], reviewed: Sequence[Reviewed], rules: Rules, members: Members
) -> Judged:
    """Decide which items of a plan are approved.

    Whoever wrote any of the pull requests approves nothing of them: an item of one shows up in the
    plans of those that follow it.

    Args:
        hits: Of the plan that is to be applied.
        reviewed: Every pull request that the plan carries.
        rules: Of the applied record.
        members: What the forge says about everyone who reviewed.
    """
    excluded = frozenset(person for change in reviewed for person in change.pull_request.people)
    voices = [heard(change, excluded) for change in reviewed]
    consents = [consent for voice in voices for consent in voice.consents]
    items: defaultdict[Consented, list[ItemDigest]] = defaultdict(list)
    left: list[GuardHit] = []
    for hit in hits:
        enough = _enough(hit, consents, rules, members)
        for consent in enough:
            items[consent].append(hit.digest)
        if not enough:
            left.append(hit)
    return Judged(
        tuple(
            approval
            for consent, digests in items.items()
            for approval in _approvals(consent, digests, hits, rules)
        ),
        tuple(left),
        tuple(_uncounted(voices)),
    )


def _enough(
    hit: GuardHit, consents: Iterable[Consented], rules: Rules, members: Members
) -> tuple[Consented, ...]:
    """Give the consents that satisfy one rule of an item, or none."""
    if hit.needs == "remedy":
        return ()
    covering = [consent for consent in consents if consent.covers(hit)]
    matching = rules.matching(hit)
    if not matching:
        written = [
            consent for consent in covering if consent.guard and members.may_write(consent.by)
        ]
        return tuple(written[:1])
    for rule in matching:
        by_review = (
            rule.by == "review" and hit.guard not in ALWAYS_WRITTEN and members.dismisses == "yes"
        )
        names = rules.names(rule)
        people: dict[Login, Consented] = {}
        for consent in covering:
            if (consent.guard or by_review) and members.is_named(consent.by, names):
                people.setdefault(consent.by, consent)
        if len(people) >= rule.count:
            return tuple(people.values())
    return ()


def _approvals(
    consent: Consented, digests: Sequence[ItemDigest], hits: Sequence[GuardHit], rules: Rules
) -> Iterable[Approval]:
    """Write one consent down, guard by guard."""
    wanted = set(digests)
    guards = dict.fromkeys(hit.guard for hit in hits if hit.digest in wanted)
    for guard in guards:
        yield Approval(
            guard,
            consent.plan,
            tuple(hit.digest for hit in hits if hit.guard == guard and hit.digest in wanted),
            consent.by,
            consent.at,
            forge=rules.forge,
            url=consent.url,
            reason=consent.reason,
        )


def _uncounted(voices: Iterable[Heard]) -> Iterable[Uncounted]:
    return dict.fromkeys(uncounted for voice in voices for uncounted in voice.uncounted)
