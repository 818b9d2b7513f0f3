"""Whatever copy of the memory is put back, and whatever people add: no line of ours comes twice."""

from __future__ import annotations

from collections import Counter

from fakes.pending_world import PendingWorld
from fakes.push_data import line
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.sync.model.push import PushStatus

AMOUNTS = st.lists(st.sampled_from(["7", "9"]), min_size=1, max_size=3)
EVENTS = st.lists(
    st.one_of(
        st.tuples(
            st.just("run"), st.sampled_from(["", "dies before", "dies after", "answer lost"])
        ),
        st.tuples(st.just("take back"), st.integers(0, 9)),
        st.tuples(st.just("a person adds"), st.integers(0, 2)),
        st.tuples(st.just("wait"), st.sampled_from([1, 25, 45])),
        st.tuples(st.just("closes"), st.just("")),
    ),
    max_size=8,
)


@settings(max_examples=60, deadline=None)
@given(amounts=AMOUNTS, events=EVENTS)
def test_no_line_of_ours_is_added_twice_whatever_memory_is_put_back(
    amounts: list[str], events: list[tuple[str, str | int]]
) -> None:
    world = PendingWorld(*[line("AD_HOC", amount) for amount in amounts])
    copies = [world.ledger.copied()]
    by_hand: Counter[int] = Counter()
    for what, how in [*events, ("wait", 45), ("run", "")]:
        match what:
            case "run":
                world.cut = str(how)
                world.run()
                copies.append(world.ledger.copied())
            case "take back":
                world.ledger = copies[int(how) % len(copies)].copied()
            case "a person adds":
                position = int(how) % len(amounts)
                world.add_by_hand(position)
                by_hand[int(amounts[position]) * 100] += 1
            case "closes":
                world.close()
            case _:
                world.advance(int(how))
    drafted = Counter(int(amount) * 100 for amount in amounts)
    ours = Counter(world.amounts()) - by_hand
    assert ours <= drafted, (ours, drafted)
    assert world.ledger.row is not None
    if world.ledger.row.status is PushStatus.COMPLETE and not by_hand:
        assert ours == drafted
