"""No meddling lets an item through that nobody entitled approved, in words or by a click."""

from __future__ import annotations

from dataclasses import replace

from fakes.reviews import (
    ANN,
    BOB,
    EVE,
    FAY,
    FRED,
    MEMBERS,
    ROBOT,
    Paper,
    approvers,
    commit,
    item,
    rules,
)
from hypothesis import given
from hypothesis import strategies as st

from reconciler.plan.model.plan import GuardHit
from reconciler.review.core.judge import judge
from reconciler.review.core.rules import ALWAYS_WRITTEN
from reconciler.review.model.pull_request import Login
from reconciler.review.model.sealed import Posted, short_plan

ITEMS = (
    item("sensitive-field", "uk"),
    item("sensitive-field", "us"),
    item("drift", "uk"),
    item("policy", "project"),
    item("sensitive-field", "uk", "dearer"),
)
ENTITLED = {FAY, FRED}
PEOPLE = (ANN, EVE, FAY, FRED, BOB, ROBOT)
FORMS = ("{}", "> {}", "    {}", "```\n{}\n```", "said\n{}", "<!--\n\n{}\n-->")
some_items = st.sets(st.sampled_from(range(len(ITEMS)))).map(sorted)
numbers = st.integers(min_value=0, max_value=9)

EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("post"), some_items, st.integers(-30, 30)),
        st.tuples(st.just("push")),
        st.tuples(
            st.just("line"), st.sampled_from(PEOPLE), numbers, st.sampled_from(FORMS),
            st.sampled_from(["sensitive-field", "drift", "policy"]), st.booleans(),
        ),
        st.tuples(st.just("click"), st.sampled_from(PEOPLE)),
        st.tuples(st.just("object"), st.sampled_from(PEOPLE)),
        st.tuples(st.just("edit"), numbers, numbers),
        st.tuples(st.just("dismiss"), numbers),
        st.tuples(st.just("remove"), numbers),
        st.tuples(st.just("damage"), numbers, numbers),
        st.tuples(st.just("copy"), numbers),
        st.tuples(st.just("status"), numbers, numbers),
    ),
    max_size=24,
)  # fmt: skip


class Story:
    """What happens, and beside it what every entitled person truly agreed to."""

    def __init__(self) -> None:
        self.paper = Paper()
        self.agreed: dict[Login, set[GuardHit]] = {}
        self.items: list[tuple[GuardHit, ...]] = []

    def tell(self, event: tuple[object, ...]) -> None:
        name, *rest = event
        getattr(self, str(name))(*rest)

    def post(self, numbers: list[int], skew: int) -> None:
        items = tuple(ITEMS[number] for number in numbers)
        self.paper.post(*items, skew=skew)
        self.items.append(items)

    def push(self) -> None:
        self.paper.pushes += 1

    def line(self, person: Login, number: int, form: str, guard: str, approves: bool) -> None:
        if not self.items:
            return
        number %= len(self.items)
        verb = "approve" if approves else "revoke"
        self.paper.review(
            person, form.format(f"/{verb} {guard}@{self.paper.plans[number].plan:.12}")
        )
        if form != "{}":
            return
        named = {hit for hit in self.items[number] if hit.guard == guard}
        agreed = self.agreed.setdefault(person, set())
        if approves:
            agreed |= named
        else:
            agreed -= {hit for hit in ITEMS if hit.guard == guard}

    def click(self, person: Login) -> None:
        self.paper.review(person, "", "approved")
        here = [
            items
            for plan, items in zip(self.paper.plans, self.items, strict=True)
            if plan.head == commit(self.paper.pushes)
        ]
        if here:
            clicked = {hit for hit in here[-1] if hit.guard not in ALWAYS_WRITTEN}
            self.agreed.setdefault(person, set()).update(clicked)

    def object(self, person: Login) -> None:
        self.paper.review(person, "", "changes-requested")
        self.agreed[person] = set()

    def edit(self, number: int, plan: int) -> None:
        """Somebody writes an approval into someone else's review."""
        if self.paper.reviews and self.paper.plans:
            words = f"/approve sensitive-field@{self.paper.plans[plan % len(self.items)].plan}"
            place = number % len(self.paper.reviews)
            changed = replace(self.paper.reviews[place], words=words, is_edited=True)
            self.paper.reviews[place] = changed

    def dismiss(self, number: int) -> None:
        if self.paper.reviews:
            place = number % len(self.paper.reviews)
            self.paper.reviews[place] = replace(self.paper.reviews[place], kind="dismissed")

    def remove(self, number: int) -> None:
        if self.paper.comments:
            self.paper.comments.pop(number % len(self.paper.comments))

    def damage(self, number: int, place: int) -> None:
        if self.paper.comments:
            chosen = number % len(self.paper.comments)
            text = self.paper.comments[chosen]
            spot = 30 + 7 * place
            self.paper.comments[chosen] = text[:spot] + "A" + text[spot + 1 :]

    def copy(self, number: int) -> None:
        if self.paper.comments:
            self.paper.comments.append(self.paper.comments[number % len(self.paper.comments)])

    def status(self, number: int, push: int) -> None:
        """Whoever may write can run a workflow that posts under our name."""
        if self.paper.plans:
            plan = self.paper.plans[number % len(self.paper.plans)]
            head = commit(1 + push % self.paper.pushes)
            self.paper.posted.append(
                Posted(short_plan(plan.plan), head, f"2026-12-01T00:0{push}:00Z")
            )


@given(EVENTS, some_items)
def test_nothing_goes_through_that_nobody_entitled_agreed_to(
    events: list[tuple[object, ...]], planned: list[int]
) -> None:
    story = Story()
    for event in events:
        story.tell(event)
    hits = tuple(ITEMS[number] for number in planned)
    found = judge(hits, [story.paper.reviewed()], rules(approvers(by="review")), MEMBERS)
    agreed = {hit for person in ENTITLED for hit in story.agreed.get(person, set())}
    assert set(hits) - set(found.open) <= agreed
    assert {approval.by for approval in found.approvals} <= ENTITLED
    had = {hit.digest for items in story.items for hit in items}
    assert {digest for approval in found.approvals for digest in approval.digests} <= had


@given(EVENTS)
def test_what_is_approved_in_words_stays_so_whatever_others_say(
    events: list[tuple[object, ...]],
) -> None:
    story = Story()
    story.post([0, 1], 0)
    story.line(FAY, 0, "{}", "sensitive-field", approves=True)
    others = [
        event for event in events if FAY not in event and event[0] in {"post", "push", "line"}
    ]
    for event in others:
        story.tell(event)
    found = judge(ITEMS[:2], [story.paper.reviewed()], rules(), MEMBERS)
    assert found.open == ()


@given(EVENTS)
def test_items_are_open_or_approved_and_never_both(events: list[tuple[object, ...]]) -> None:
    story = Story()
    for event in events:
        story.tell(event)
    found = judge(ITEMS, [story.paper.reviewed()], rules(), MEMBERS)
    approved = {digest for approval in found.approvals for digest in approval.digests}
    assert approved.isdisjoint(hit.digest for hit in found.open)
    assert len(approved) + len(found.open) == len(ITEMS)
