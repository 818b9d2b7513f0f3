"""Sealed plans: hidden blocks in comments that only a holder of the key can write.

Whoever may write to a repository may edit a bot's comment. So nothing of a comment is read back but
these blocks, and a block counts only with its seal: HMAC-SHA256 over everything it says. A block
that is missing makes its plan count for nothing, never for less.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from reconciler.kernel.address import PlanId
from reconciler.kernel.exact_json import NotJsonError, canonical, decode
from reconciler.kernel.secret import Secret
from reconciler.kernel.value import JsonObject
from reconciler.review.model.pull_request import Commit
from reconciler.review.model.sealed import Opened, SealedPlan, ShortDigest

DIGESTS_MAX: Final = 2_500
"""Items in one block: 53,500 characters, so that a block fits into one comment."""
_WIDTH: Final = 16
_DOMAIN: Final = b"m3ter-reconciler/seal/v1\n"
_BLOCK: Final = re.compile(r"<!-- reconciler-seal/1 ([A-Za-z0-9+/=]+) ([0-9a-f]{64}) -->")


def seal(plan: SealedPlan, key: Secret) -> tuple[str, ...]:
    """Write a plan as hidden blocks, each of at most 54,000 characters.

    Args:
        plan: What was posted.
        key: Of the two that may be valid, the newer one.
    """
    digests = sorted(plan.digests)
    parts = [digests[start : start + DIGESTS_MAX] for start in range(0, len(digests), DIGESTS_MAX)]
    return tuple(
        _block(plan, number, max(1, len(parts)), part, key)
        for number, part in enumerate(parts or [[]], 1)
    )


def opened(
    comments: Iterable[str],
    keys: Sequence[Secret],
    *,
    repository: str,
    pull_request: int,
    environment: str,
) -> Opened:
    """Read the sealed blocks of comments; those of other places are passed over.

    Args:
        comments: Their bodies, in any order.
        keys: One, or two while keys are changed.
        repository: ``OWNER/NAME``.
        pull_request: Its number.
        environment: Its name.
    """
    blocks: defaultdict[tuple[str, ...], dict[int, bytes]] = defaultdict(dict)
    false = 0
    place = {"repository": repository, "pullRequest": pull_request, "environment": environment}
    for head, digests in _true_blocks(comments, keys):
        if head is None:
            false += 1
        elif {name: head.get(name) for name in place} == place:
            whole = tuple(str(head[name]) for name in ("plan", "at", "head", "parts"))
            blocks[whole][int(str(head["part"]))] = digests
    entries = sorted(blocks.items(), key=lambda entry: (entry[0][1], entry[0][0]))
    complete = [(whole, parts) for whole, parts in entries if len(parts) == int(whole[3])]
    return Opened(
        tuple(
            SealedPlan(
                repository,
                pull_request,
                environment,
                Commit(head),
                PlanId(plan),
                at,
                frozenset(_digests(b"".join(parts.values()))),
            )
            for (plan, at, head, _), parts in complete
        ),
        tuple(PlanId(whole[0]) for whole, parts in entries if len(parts) != int(whole[3])),
        false,
    )


def _block(plan: SealedPlan, part: int, parts: int, digests: Sequence[str], key: Secret) -> str:
    head = canonical(
        {
            "at": plan.at,
            "environment": plan.environment,
            "head": plan.head,
            "part": part,
            "parts": parts,
            "plan": plan.plan,
            "pullRequest": plan.pull_request,
            "repository": plan.repository,
        }
    )
    payload = head + b"\n" + bytes.fromhex("".join(digests))
    text = base64.b64encode(payload).decode()
    return f"<!-- reconciler-seal/1 {text} {_mac(payload, key)} -->"


def _true_blocks(
    comments: Iterable[str], keys: Sequence[Secret]
) -> Iterable[tuple[JsonObject | None, bytes]]:
    """Give head and digests of each block; no head for one that is not ours."""
    for comment in comments:
        for text, mac in _BLOCK.findall(comment):
            payload = _payload(text)
            known = [hmac.compare_digest(_mac(payload, key), mac) for key in keys]
            head, _, digests = payload.partition(b"\n")
            yield (_head(head), digests) if any(known) else (None, b"")


def _payload(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return b""


def _head(head: bytes) -> JsonObject | None:
    try:
        said = decode(head)
    except NotJsonError:
        return None
    return said if isinstance(said, dict) else None


def _mac(payload: bytes, key: Secret) -> str:
    return hmac.new(key.reveal().encode(), _DOMAIN + payload, "sha256").hexdigest()


def _digests(data: bytes) -> Iterable[ShortDigest]:
    return (
        ShortDigest(data[start : start + _WIDTH].hex()) for start in range(0, len(data), _WIDTH)
    )
