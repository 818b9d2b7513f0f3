"""Guards one by one: what holds a plan, in which words, and under which item digest."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from fakes.organisation import account
from hypothesis import given
from hypothesis import strategies as st

from reconciler.definitions.kinds.environment import FreezeWindow
from reconciler.definitions.kinds.project import MaxDeletes, ProjectSpec
from reconciler.kernel.address import Address, FieldPath, LiveId, OrganizationId, PlanId
from reconciler.kernel.exact_json import as_json
from reconciler.plan.core.diff.order import change_id, reason
from reconciler.plan.core.guards.approval import (
    ApprovalRefusedError,
    NeedsApprovalError,
    approve,
    hit,
    uncovered,
)
from reconciler.plan.core.guards.changes import dialect, field_matches, first_contact, moved_fields
from reconciler.plan.core.guards.guards import (
    deletions,
    empty_scope,
    freeze,
    max_deletes,
    plan_age,
    unsaved,
)
from reconciler.plan.core.guards.routes import (
    ConnectedRoute,
    Selecting,
    added,
    disjoint,
    double_route,
    widening,
)
from reconciler.plan.model.applied import Binding
from reconciler.plan.model.change import (
    Connect,
    Create,
    Delete,
    Enable,
    FieldChange,
    FieldValue,
    LiveReference,
    Update,
)
from reconciler.plan.model.identity import named
from reconciler.plan.model.plan import (
    Checked,
    Fingerprint,
    GuardHit,
    Plan,
    PlanBody,
    PlanHead,
    References,
)

UK = Address("integration", "uk")
NOW = datetime(2026, 12, 1, 6, tzinfo=UTC)
LIVE = LiveReference(LiveId("live"), 3, "hash")
PROJECT = ProjectSpec(prune="allow", adoption="by-name")


def row(number: int) -> Address:
    return Address("mapping", "rows", f"{number:03d}")


def delete(address: Address, identity: str = "") -> Delete:
    live = LiveReference(LiveId(identity or f"id-{address.key}"), 1, "h")
    return Delete(
        id=change_id("delete", address), address=address, live=live, fields=(), reason="gone"
    )


def bound(count: int) -> dict[Address, Binding]:
    return {
        row(position): Binding(row(position), LiveId(f"id-{position:03d}"), 1, "h", ())
        for position in range(count)
    }


def update(path: str, verdict: Any, by: str = "", at: str = "") -> Update:
    change = FieldChange(
        FieldPath(path), verdict, FieldValue(1), FieldValue(2), FieldValue(3), by=by, at=at
    )
    address = UK
    return Update(
        id=change_id("update", address),
        address=address,
        live=LIVE,
        content=None,
        fields=(change,),
        reason="why",
    )


def plan_of(*hits: GuardHit) -> Plan:
    return named(
        PlanHead("t", "now", "", False, 0, Decimal(0), Checked(0, 0, 0, 0, Decimal(0)), {}),
        PlanBody("e", Fingerprint(OrganizationId("o"), "u"), None, (), hits, (), {}, References()),
    )


def test_deletions_are_counted_with_the_arithmetic_shown() -> None:
    changes = [delete(row(position)) for position in range(24)]
    (found,) = max_deletes(changes, bound(110), MaxDeletes(), prune="allow")
    assert found.message == (
        "24 deletions of 110 managed objects are 21.8 %; allowed are 20 and 10 % (11)"
    )
    assert found.address is None


@pytest.mark.parametrize(
    ("count", "existing", "held"),
    [(0, 0, False), (1, 9, False), (9, 9, False), (1, 10, False), (2, 10, True), (21, 1000, True)],
)
def test_the_share_counts_from_ten_objects_up(count: int, existing: int, held: bool) -> None:
    changes = [delete(row(position)) for position in range(count)]
    hits = list(max_deletes(changes, bound(existing), MaxDeletes(), prune="allow"))
    assert bool(hits) is held


def test_a_few_objects_are_counted_without_a_share() -> None:
    changes = [delete(row(position)) for position in range(3)]
    (found,) = max_deletes(changes, bound(5), MaxDeletes(count=2), prune="allow")
    assert found.message == (
        "3 deletions of 5 managed objects are 60 %; allowed are 2; shares count from 10 objects up"
    )


def test_under_confirm_each_deletion_asks_but_no_replacement() -> None:
    changes = [delete(row(1)), delete(Address("mapping", "rows", "002@id-2"), "id-2")]
    hits = list(max_deletes(changes, bound(2), MaxDeletes(), prune="confirm"))
    assert [(hit.address, hit.field) for hit in hits] == [(row(1), "prune")]
    assert len(deletions(changes)) == 1


def test_the_last_object_of_a_kind_or_set_asks() -> None:
    changes = [delete(row(0))]
    assert [hit.field for hit in empty_scope(changes, bound(1), {"mapping": 0})] == ["mapping"]
    wanted = {"mapping": 5, "mapping/rows": 0}
    (found,) = empty_scope(changes, bound(1), wanted)
    assert found.message.startswith("git has no mapping/rows any more: 1 of 1 objects")
    assert list(empty_scope(changes, bound(1), {"mapping": 1})) == []


def test_what_exists_is_not_changed_on_first_contact() -> None:
    enable = Enable(id=change_id("enable", UK), address=UK, live=LIVE, fields=(), reason="why")
    connection = FieldChange(FieldPath("connection"), "ours", None, None, FieldValue("c"))
    connect = Connect(
        id=change_id("connect", UK),
        address=UK,
        live=LIVE,
        content=None,
        fields=(connection,),
        reason="why",
    )
    other = FieldChange(FieldPath("connection"), "ours", None, FieldValue("b"), FieldValue("c"))
    again = Connect(
        id=change_id("connect", UK),
        address=UK,
        live=LIVE,
        content=None,
        fields=(other,),
        reason="why",
    )
    assert [hit.field for hit in first_contact([enable, connect], {})] == ["enable"]
    assert [hit.field for hit in first_contact([again], {})] == ["connect"]
    known = {UK: Binding(UK, LiveId("other"), 1, "h", ())}
    assert list(first_contact([enable], known)) == []
    renamed = Address("integration", "gb")
    moved = {renamed: Binding(renamed, LIVE.id, 1, "h", ())}
    assert list(first_contact([enable], moved)) == []


@pytest.mark.parametrize(
    ("verdict", "guards"),
    [
        ("ours", ["sensitive-field"]),
        ("theirs", ["drift"]),
        ("conflict", ["sensitive-field", "conflict"]),
        ("same", []),
        ("both", []),
        ("unmanaged", []),
    ],
)
def test_each_verdict_has_its_guards(verdict: Any, guards: list[str]) -> None:
    change = update("chargebee.defaultPriceId", verdict, by="k.smith", at="2026-11-30T16:40:00Z")
    hits = list(moved_fields([change], {}, PROJECT, is_protected=True))
    assert [hit.guard for hit in hits] == guards
    assert {hit.needs for hit in hits} <= {"approval"}
    if "drift" in guards:
        assert "by k.smith at 2026-11-30T16:40:00Z" in hits[0].message
    if "conflict" in guards:
        assert "accept-live integration/uk#chargebee.defaultPriceId" in hits[1].message


def test_routine_fields_and_revert_ask_nobody() -> None:
    routine = update("chargebee.sortLineItemsBy", "ours")
    assert list(moved_fields([routine], {}, PROJECT, is_protected=True)) == []
    revert = PROJECT.model_copy(update={"on_drift": "revert"})
    drifted = update("displayName", "theirs")
    assert list(moved_fields([drifted], {}, revert, is_protected=True)) == []
    lost = Create(id=change_id("create", UK), address=UK, content=None, fields=(), reason="gone")
    known = {UK: Binding(UK, LiveId("x"), 1, "h", ())}
    assert list(moved_fields([lost], known, revert, is_protected=True)) == []


def test_an_unprotected_environment_asks_for_a_confirmation_only() -> None:
    (found,) = moved_fields([update("displayName", "theirs")], {}, PROJECT, is_protected=False)
    assert found.needs == "confirmation"


@pytest.mark.parametrize(
    ("path", "name", "matches"),
    [
        ("displayName", "displayName", True),
        ("chargebee.priceIdMapping.USAGE", "priceIdMapping", True),
        ("chargebee.priceIdMapping.USAGE", "chargebee.priceIdMapping", True),
        ("chargebee.priceIdMapping", "chargebee", True),
        ("chargebee.priceIdMappings", "priceIdMapping", False),
        ("externalId", "external", False),
    ],
)
def test_a_field_is_named_with_or_without_its_panel(path: str, name: str, matches: bool) -> None:
    assert field_matches(FieldPath(path), name) is matches


def test_unconfirmed_names_cannot_be_approved() -> None:
    create = Create(id=change_id("create", UK), address=UK, content=None, fields=(), reason="new")
    (whole,) = dialect([create], {UK: ()})
    assert whole.needs == "remedy"
    assert "any wire name of its kind" in whole.message
    (field,) = dialect([create], {UK: (FieldPath("chargebee.createInvoice"),)})
    assert "`chargebee.createInvoice`" in field.message
    assert uncovered([whole], [], confirmed=True) == (whole,)


def selecting(*ids: str, without: str = "", text: str = "") -> Selecting:
    return Selecting(frozenset(ids) if ids else None, frozenset(without), text)


def test_widening_evaluates_the_filter_and_counts_what_it_cannot_decide() -> None:
    accounts = [account("a"), account("b", "IE"), account("c", "UK")]
    uk = selecting(text='customFields.country == "UK"')
    ireland = selecting(text='customFields.country == "IE"')
    assert added(uk, selecting(), accounts) == ("account-b",)
    assert added(uk, ireland, accounts) == ("account-b",)
    unreadable = selecting(text="((")
    assert added(uk, unreadable, accounts) == ("account-b",)
    assert added(unreadable, uk, accounts) == ("account-a", "account-c")
    unknown = selecting(text="customFields.country / 0 == 1")
    assert added(selecting("account-a"), unknown, accounts) == ("account-b", "account-c")
    assert added(selecting(without="x"), Selecting(None, frozenset({"account-a"}), ""), []) == ()


def test_only_changes_of_who_is_selected_widen() -> None:
    before, after = {UK: selecting("a")}, {UK: selecting("a", *"bcdefghijklm")}
    assert list(widening([update("displayName", "ours")], before, after, [], {})) == []
    names = {"b": "beta"}
    (found,) = widening([update("global.accountIds", "ours")], before, after, [], names)
    assert found.message == (
        "integration/uk would take 12 more accounts: beta, c, d, e, f, g, h, i, j, k and 2 more"
    )
    same = {UK: selecting("a")}
    assert list(widening([update("global.accountIds", "ours")], before, same, [], {})) == []


ids = st.frozensets(st.sampled_from("abc"))
selections = st.builds(Selecting, st.none() | ids, ids, st.just(""))


@given(selections, selections)
def test_disjoint_lists_share_no_account_that_either_could_take(
    one: Selecting, other: Selecting
) -> None:
    accounts = [account(name) for name in "abc"]
    nobody = Selecting(frozenset(), frozenset(), "")
    plain = [
        Selecting(
            side.included and frozenset(f"account-{name}" for name in side.included),
            frozenset(f"account-{name}" for name in side.restricted),
            "",
        )
        for side in (one, other)
    ]
    taken = [set(added(nobody, side, accounts)) for side in plain]
    if disjoint(one, other):
        assert not taken[0] & taken[1]


def test_routes_that_no_list_keeps_apart_ask() -> None:
    connect = Connect(
        id=change_id("connect", UK), address=UK, live=None, content=None, fields=(), reason="why"
    )
    mine = ConnectedRoute(UK, "1", "UK", selecting("a"))
    other = ConnectedRoute(None, "2", "by hand", selecting("b"))
    assert list(double_route([connect], [mine, other])) == []
    assert list(double_route([], [mine, ConnectedRoute(None, "2", "by hand", None)])) == []
    (found,) = double_route([connect], [ConnectedRoute(None, "2", "by hand", None), mine])
    assert found.address == UK
    assert '"by hand" (2, not managed here)' in found.message


def test_a_freeze_window_has_an_end_and_a_reason() -> None:
    window = FreezeWindow.model_validate(
        {"from": "2026-12-01T00:00:00+01:00", "until": "2026-12-01T07:00:00Z", "reason": "close"}
    )
    (found,) = freeze([window], NOW)
    assert "close" in found.message
    assert list(freeze([window], datetime(2026, 12, 1, 7, tzinfo=UTC))) == []


def test_an_old_plan_asks_and_a_protected_environment_takes_saved_plans_only() -> None:
    plan = PlanId("p")
    assert list(plan_age(plan, "2026-11-30T06:00:00Z", "24h", NOW)) == []
    (found,) = plan_age(plan, "2026-11-30T05:59:59Z", "24h", NOW)
    assert found.message.startswith("the plan was made 24 h ago")
    assert unsaved("production").needs == "remedy"
    assert "plan --env production -o plan.json" in unsaved("production").message


def test_an_approval_covers_the_items_of_one_guard_and_outlives_the_plan() -> None:
    one = hit("drift", "a", address=UK, field="displayName", live=FieldValue("x"))
    other = hit("drift", "b", address=UK, field="displayName", live=FieldValue("y"))
    soft = hit("conflict", "c", needs="confirmation")
    plan = plan_of(one, soft)
    given_ = approve(plan, f"drift@{plan.id[:12]}", by="j", at="t")
    assert given_.digests == (one.digest,)
    assert uncovered([one, soft], [given_], confirmed=False) == (soft,)
    assert uncovered([one, soft], [given_], confirmed=True) == ()
    assert uncovered([other], [given_], confirmed=True) == (other,)
    worded = hit("drift", "in other words", address=UK, field="displayName", live=FieldValue("x"))
    assert uncovered([worded], [given_], confirmed=False) == ()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("drift", "not of that form"),
        ("drift@abc", "not of that form"),
        ("drift@ffffffffffff", "this plan is"),
        ("widening@{id}", "holds nothing that can be approved"),
        ("dialect@{id}", "holds nothing that can be approved"),
        ("nonsense@{id}", "holds nothing that can be approved"),
    ],
)
def test_an_approval_that_names_nothing_is_refused(text: str, reason: str) -> None:
    plan = plan_of(hit("drift", "a"), hit("dialect", "b", needs="remedy"))
    with pytest.raises(ApprovalRefusedError, match=reason):
        approve(plan, text.format(id=plan.id), by="j", at="t")


def test_the_refusal_says_how_to_go_on_or_that_nothing_helps() -> None:
    plan = plan_of()
    approvable = NeedsApprovalError(plan.id, [hit("drift", "a"), hit("drift", "b")])
    assert f"--approve drift@{plan.id[:12]}" in str(approvable)
    final = NeedsApprovalError(plan.id, [hit("dialect", "a", needs="remedy")])
    assert "No approval lifts these." in str(final)
    assert final.missing[0].guard == "dialect"


def test_reasons_are_said_in_words() -> None:
    def fields(*verdicts: Any) -> list[FieldChange]:
        return [FieldChange(FieldPath("f"), verdict, None, None, None) for verdict in verdicts]

    assert reason(fields("ours", "conflict")) == "git and m3ter both changed it"
    assert reason(fields("ours", "theirs")) == "git changed it, and so did someone in m3ter"
    assert reason(fields("theirs")) == "someone changed it in m3ter; git's values return"
    assert reason(fields("ours", "same")) == "git changed it"


def test_what_is_no_json_has_no_identity() -> None:
    with pytest.raises(Exception, match="object has no exact JSON form"):
        as_json(object())
