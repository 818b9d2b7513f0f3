"""What is written to a forge: status first, one comment, and seals that never get lost."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from fakes.plans import field as changed
from fakes.plans import plan, update
from fakes.reviews import ENVIRONMENT, KEY, PULL_REQUEST, REPOSITORY, item, rules

from reconciler.plan.model.cause import Causes
from reconciler.plan.model.plan import GuardHit, Plan
from reconciler.review.collect import Reviews
from reconciler.review.core.judge import Judged
from reconciler.review.model.forge import Note, Status, StatusState
from reconciler.review.model.pull_request import Commit
from reconciler.review.post import Post
from reconciler.review.show.comment import BYTES_MAX
from reconciler.review.show.report import Report


@dataclass
class FakeForge:
    """Keeps what is written."""

    repository: str = REPOSITORY
    written: list[str] = field(default_factory=list)
    set: list[Status] = field(default_factory=list)
    comments: dict[int, str] = field(default_factory=dict)

    def statuses(self, commit: Commit) -> tuple[Status, ...]:
        return tuple(reversed(self.set))

    def set_status(
        self, commit: Commit, context: str, state: StatusState, text: str, url: str
    ) -> None:
        self.written.append("status")
        self.set.append(Status(commit, context, state, text, "2026-12-01T00:00:00Z"))

    def notes(self, number: int) -> tuple[Note, ...]:
        return tuple(Note(*item) for item in self.comments.items())

    def write_note(self, number: int, text: str, replaces: int | None = None) -> None:
        self.written.append("comment")
        self.comments[len(self.comments) if replaces is None else replaces] = text


def post(forge: FakeForge, made: Plan, now: str = "2026-12-01T00:00:00Z") -> None:
    reviews = Reviews(forge, rules(), (KEY,))  # type: ignore[arg-type]
    judged = Judged((), made.body.hits, ())
    Post(reviews, PULL_REQUEST, "", now).report(Report(made, Causes(), judged, rules()))


def sealed(forge: FakeForge) -> list[int]:
    reviews = Reviews(forge, rules(), (KEY,))  # type: ignore[arg-type]
    found = reviews.opened(PULL_REQUEST.number, forge.notes(7))
    return [len(plan.digests) for plan in found.sealed]


def of(*items: GuardHit) -> Plan:
    made = plan(update(changed("displayName", "a", "b")), hits=items)
    return replace(made, body=replace(made.body, environment=ENVIRONMENT))


def test_the_status_is_written_before_the_comment() -> None:
    forge = FakeForge()
    post(forge, of(item("drift", "uk")))
    assert forge.written == ["status", "comment"]


def test_nothing_is_written_again_that_says_the_same() -> None:
    forge = FakeForge()
    post(forge, of(item("drift", "uk")))
    post(forge, of(item("drift", "uk")), "2026-12-01T00:01:00Z")
    assert forge.written == ["status", "comment"]


def test_many_items_are_sealed_in_comments_of_their_own() -> None:
    forge = FakeForge()
    many = of(*(item("drift", str(number)) for number in range(6_000)))
    post(forge, of(item("drift", "uk")))
    post(forge, many, "2026-12-01T00:01:00Z")
    assert sealed(forge) == [1, 6_000]
    assert len(forge.comments) == 4
    assert max(len(text.encode()) for text in forge.comments.values()) <= BYTES_MAX
    post(forge, of(item("drift", "us")), "2026-12-01T00:02:00Z")
    assert sealed(forge) == [1, 6_000, 1]


def test_small_blocks_share_a_comment() -> None:
    forge = FakeForge()
    for minute in range(9):
        items = (item("drift", f"{minute} {number}") for number in range(600))
        post(forge, of(*items), f"2026-12-01T00:0{minute}:00Z")
    assert sealed(forge) == [600] * 9
    assert max(len(text.encode()) for text in forge.comments.values()) <= BYTES_MAX


def test_a_comment_that_somebody_filled_with_our_blocks_stays_small() -> None:
    forge = FakeForge()
    post(forge, of(*(item("drift", str(number)) for number in range(2_500))))
    (main,) = [key for key, text in forge.comments.items() if "reconciler-comment" in text]
    forge.comments[main] += "".join(text for key, text in forge.comments.items() if key != main)
    post(forge, of(item("drift", "uk")), "2026-12-01T00:01:00Z")
    assert len(forge.comments[main].encode()) <= BYTES_MAX
    assert sorted(sealed(forge)) == [1, 2_500]
