from __future__ import annotations

import pytest
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
    guards_of,
    item,
    members,
    rules,
)

from reconciler.plan.model.plan import GuardHit
from reconciler.review.core.judge import Judged, judge
from reconciler.review.core.rules import Members, Rules, who
from reconciler.review.model.pull_request import Login

PRICE = item("sensitive-field", "uk")
OTHER = item("sensitive-field", "us")
POLICY = item("policy", "project")


def judged(
    paper: Paper, *hits: GuardHit, by: Rules | None = None, among: Members = MEMBERS
) -> Judged:
    return judge(hits or (PRICE,), [paper.reviewed()], by or rules(), among)


@pytest.fixture
def paper() -> Paper:
    return Paper()


def test_a_member_of_finance_approves_what_the_named_plan_had(paper: Paper) -> None:
    plan = paper.post(PRICE)
    review = paper.review(FAY, f"/approve sensitive-field@{plan:.12} -- agreed with sales")
    found = judged(paper, PRICE, OTHER)
    (approval,) = found.approvals
    assert approval.digests == (PRICE.digest,)
    assert (approval.by, approval.url, approval.reason) == (FAY, review.url, "agreed with sales")
    assert found.open == (OTHER,)


@pytest.mark.parametrize(
    ("person", "why"),
    [
        (ANN, "authors and committers"),
        (EVE, "authors and committers"),
        (ROBOT, "bots, apps"),
        (BOB, None),
        (Login("nobody"), None),
    ],
)
def test_who_never_counts(paper: Paper, person: Login, why: str | None) -> None:
    plan = paper.post(PRICE)
    paper.review(person, f"/approve sensitive-field@{plan}", "approved")
    found = judged(paper, by=rules(approvers(by="review")))
    assert found.open == (PRICE,)
    assert not why or why in found.uncounted[0].reason


def test_without_a_rule_whoever_may_write_approves_in_words_only(paper: Paper) -> None:
    plan = paper.post(PRICE)
    paper.review(BOB, "", "approved")
    assert judged(paper, by=rules(approvers(guards=["drift"]))).open
    paper.review(FAY, f"/approve sensitive-field@{plan}")
    assert judged(paper, by=rules(approvers(guards=["drift"]))).open
    paper.review(BOB, f"/approve sensitive-field@{plan}")
    assert not judged(paper, by=rules(approvers(guards=["drift"]))).open


def test_a_rule_that_names_nobody_on_this_forge_is_satisfied_by_nobody(paper: Paper) -> None:
    plan = paper.post(PRICE)
    paper.review(BOB, f"/approve sensitive-field@{plan}")
    elsewhere = approvers(github=["x"]).model_copy(update={"github": (), "gitea": ("bob",)})
    assert judged(paper, by=rules(elsewhere)).open == (PRICE,)


def test_two_people_are_two_people(paper: Paper) -> None:
    plan = paper.post(PRICE)
    twice = rules(approvers(count=2))
    paper.review(FAY, f"/approve sensitive-field@{plan}")
    paper.review(FAY, f"/approve sensitive-field@{plan}")
    assert judged(paper, by=twice).open
    paper.review(FRED, f"/approve sensitive-field@{plan}")
    assert [approval.by for approval in judged(paper, by=twice).approvals] == [FAY, FRED]


def test_one_item_can_be_named_alone(paper: Paper) -> None:
    plan = paper.post(PRICE, OTHER)
    paper.review(FAY, f"/approve sensitive-field@{plan} {PRICE.address}#{PRICE.field}")
    assert judged(paper, PRICE, OTHER).open == (OTHER,)


def test_an_approval_outlives_a_push_and_falls_with_the_value(paper: Paper) -> None:
    plan = paper.post(PRICE)
    paper.review(FAY, f"/approve sensitive-field@{plan}")
    paper.pushes += 1
    paper.post(PRICE, salt="unrelated")
    assert not judged(paper).open
    dearer = item("sensitive-field", "uk", "dearer")
    paper.post(dearer)
    assert judged(paper, dearer).open == (dearer,)


def test_approve_of_the_forge_counts_where_the_rule_and_the_forge_allow_it(paper: Paper) -> None:
    paper.post(PRICE)
    paper.review(FAY, "", "approved")
    by_review = rules(approvers(by="review"))
    assert not judged(paper, by=by_review).open
    assert judged(paper).open
    for answer in ("no", "unknown"):
        assert judged(paper, by=by_review, among=members(dismisses=answer)).open


def test_a_click_never_approves_a_rule_that_changes(paper: Paper) -> None:
    paper.post(PRICE, POLICY)
    paper.review(FAY, "", "approved")
    assert judged(paper, PRICE, POLICY, by=rules(approvers(by="review"))).open == (POLICY,)


def test_a_click_counts_for_the_plan_that_stood_there_and_no_later_one(paper: Paper) -> None:
    by_review = rules(approvers(by="review"))
    paper.review(FAY, "", "approved")
    paper.post(PRICE)
    assert judged(paper, by=by_review).open
    paper.review(FAY, "", "approved")
    paper.post(OTHER)
    assert judged(paper, PRICE, OTHER, by=by_review).open == (OTHER,)


def test_taking_the_newest_block_away_gives_a_click_no_other_meaning(paper: Paper) -> None:
    paper.post(PRICE)
    paper.post(OTHER)
    paper.review(FAY, "", "approved")
    paper.comments.pop()
    assert judged(paper, by=rules(approvers(by="review"))).open


@pytest.mark.parametrize(
    "later",
    [
        {"kind": "changes-requested"},
        {"kind": "dismissed"},
        {"words": "never mind", "is_edited": True},
        {"words": "/revoke sensitive-field@" + "0" * 12},
    ],
)
def test_a_later_review_of_the_same_person_takes_it_back(
    paper: Paper, later: dict[str, str]
) -> None:
    plan = paper.post(PRICE)
    paper.review(FAY, f"/approve sensitive-field@{plan}")
    paper.review(FRED, **later)  # type: ignore[arg-type]
    assert not judged(paper).open
    paper.review(FAY, **later)  # type: ignore[arg-type]
    assert judged(paper).open == (PRICE,)


def test_an_edited_review_says_that_it_counts_for_nothing(paper: Paper) -> None:
    plan = paper.post(PRICE)
    paper.review(FAY, f"/approve sensitive-field@{plan}", is_edited=True)
    found = judged(paper)
    assert found.open == (PRICE,)
    assert "was edited" in found.uncounted[0].reason


def test_a_removed_block_says_why_its_approval_counts_for_nothing(paper: Paper) -> None:
    plan = paper.post(PRICE)
    paper.review(FAY, f"/approve sensitive-field@{plan:.12}")
    paper.comments.clear()
    found = judged(paper)
    assert found.open == (PRICE,)
    assert "was changed or removed" in found.uncounted[0].reason


def test_digits_that_fit_two_plans_name_none(paper: Paper) -> None:
    plan = paper.post(PRICE)
    twin = paper.plans[0]
    paper.review(FAY, f"/approve sensitive-field@{plan:.12}")
    other = type(twin.plan)(plan[:12] + "f" * 52)
    paper.posted.append(type(paper.posted[0])(other[:32], twin.head, paper.posted[0].at))  # type: ignore[arg-type]
    found = judged(paper)
    assert found.open == (PRICE,)
    assert "fits 2 plans" in found.uncounted[0].reason


def test_nothing_approves_what_needs_a_remedy(paper: Paper) -> None:
    from dataclasses import replace

    remedy = replace(PRICE, needs="remedy")
    plan = paper.post(remedy)
    paper.review(FAY, f"/approve sensitive-field@{plan}")
    assert guards_of(judged(paper, remedy).open) == ["sensitive-field"]


def test_a_plan_that_was_never_posted_says_so(paper: Paper) -> None:
    paper.review(FAY, "/approve sensitive-field@" + "a" * 12)
    assert "no plan `aaaaaaaaaaaa` was posted" in judged(paper).uncounted[0].reason


def test_who_may_approve_is_said_in_words() -> None:
    nobody = approvers().model_copy(update={"github": ()})
    assert who(rules(nobody), PRICE) == "nobody on this forge"
    assert who(rules(approvers(github=["fay", "acme/x"])), PRICE) == "fay or acme/x"
    assert (
        who(rules(approvers(), approvers(count=2)), PRICE) == "acme/finance, or 2 of acme/finance"
    )
    assert who(rules(approvers(environments=["sandbox"])), PRICE) == "anyone with write permission"
    assert who(rules(approvers(fields=["createInvoice"])), PRICE) == "anyone with write permission"
