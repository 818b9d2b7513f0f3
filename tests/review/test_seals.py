from __future__ import annotations

from dataclasses import replace

from fakes.reviews import ENVIRONMENT, KEY, REPOSITORY, commit
from hypothesis import given
from hypothesis import strategies as st

from reconciler.kernel.address import PlanId
from reconciler.kernel.secret import Secret
from reconciler.review.core.seal import DIGESTS_MAX, opened, seal
from reconciler.review.model.sealed import Opened, SealedPlan, ShortDigest

OLD = Secret("o" * 32)


def sealed(items: int = 3) -> SealedPlan:
    digests = frozenset(ShortDigest(f"{number:032x}") for number in range(items))
    return SealedPlan(
        REPOSITORY, 7, ENVIRONMENT, commit(1), PlanId("a" * 64), "2026-12-01T00:00:00Z", digests
    )


def read(*comments: str, keys: tuple[Secret, ...] = (KEY,), number: int = 7) -> Opened:
    return opened(
        comments, keys, repository=REPOSITORY, pull_request=number, environment=ENVIRONMENT
    )


def test_a_plan_comes_back_from_its_blocks_in_any_order() -> None:
    plan = sealed(2 * DIGESTS_MAX + 1)
    blocks = seal(plan, KEY)
    assert len(blocks) == 3
    assert max(len(block) for block in blocks) <= 54_000
    assert read(*reversed(blocks)) == Opened((plan,), (), 0)


def test_a_plan_without_items_has_a_block_too() -> None:
    assert read(*seal(sealed(0), KEY)).sealed == (sealed(0),)


def test_while_keys_are_changed_both_open_a_plan() -> None:
    assert read(*seal(sealed(), OLD), keys=(KEY, OLD)).sealed == (sealed(),)
    assert read(*seal(sealed(), OLD)) == Opened((), (), 1)


def test_a_missing_block_makes_the_whole_plan_count_for_nothing() -> None:
    plan = sealed(DIGESTS_MAX + 1)
    for block in seal(plan, KEY):
        assert read(block) == Opened((), (plan.plan,), 0)


def test_a_block_of_another_place_is_passed_over() -> None:
    for other in (
        replace(sealed(), pull_request=8),
        replace(sealed(), environment="sandbox"),
        replace(sealed(), repository="acme/other"),
    ):
        assert read(*seal(other, KEY)) == Opened((), (), 0)


@given(st.integers(min_value=0), st.characters(codec="ascii"))
def test_one_changed_character_breaks_a_seal_or_changes_nothing(place: int, other: str) -> None:
    (block,) = seal(sealed(), KEY)
    spot = place % len(block)
    changed = block[:spot] + other + block[spot + 1 :]
    assert read(changed).sealed in {(), (sealed(),)}
    if changed != block:
        assert read(changed).sealed == ()


def test_what_bears_our_seal_and_is_no_plan_is_false() -> None:
    import base64
    import hmac

    for payload in (b"no json\n", b"[]\n"):
        mac = hmac.new(b"k" * 32, b"m3ter-reconciler/seal/v1\n" + payload, "sha256").hexdigest()
        text = base64.b64encode(payload).decode()
        assert read(f"<!-- reconciler-seal/1 {text} {mac} -->") == Opened((), (), 1)
    assert read(f"<!-- reconciler-seal/1 a=a {'0' * 64} -->") == Opened((), (), 1)
