"""Whose a run or an event was, and what the applied chain tells a status."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fakes.scene import UK, Scene

from reconciler.doctor.core import doubtful, exit_code_of_checks, failed, unseen, well, wrong
from reconciler.errors import ExitCode, ReconcilerError
from reconciler.kernel.address import Address, CredentialId, IntegrationId
from reconciler.kernel.value import JsonObject
from reconciler.m3ter.live import IntegrationEvent, LiveIntegration, NativeRun
from reconciler.plan.model.change import Ignore, Keep
from reconciler.status.core.attribution import (
    RunOwner,
    bill_of_event,
    configurations_of_event,
    configurations_of_run,
    first_text,
    is_error,
    message_of,
)
from reconciler.status.core.integration_status import applied, connection, differences_of


def scope(identity: str, *accounts: str, restricted: str = "", to: str = "Chargebee") -> RunOwner:
    live = LiveIntegration(
        IntegrationId(identity), 1, to, "Bill", identity, {}, None, None, enabled=True
    )
    return RunOwner(live, frozenset(accounts) or None, frozenset({restricted} - {""}))


def run(to: str = "CHARGEBEE") -> NativeRun:
    return NativeRun("r", "Bill", "b", to, "COMPLETE", "", "", "", "", "", "")


def event(payload: JsonObject, name: str = "integration.perform.error") -> IntegrationEvent:
    return IntegrationEvent("e", name, "2026-12-01T06:00:00Z", payload, "")


def test_a_run_belongs_to_the_configuration_that_takes_its_account() -> None:
    known = [scope("uk", "a"), scope("us", "b"), scope("xero", to="Xero")]
    assert configurations_of_run(run(), "a", known) == ("uk",)
    assert configurations_of_run(run(), "z", known) == ()
    assert configurations_of_run(run(), "", known) == ("uk", "us")
    assert configurations_of_run(run("Xero"), "a", known) == ("xero",)
    both = [scope("all"), scope("not", restricted="a")]
    assert configurations_of_run(run(), "a", both) == ("all",)


def test_an_event_names_its_configuration_somewhere_or_its_bill_does() -> None:
    known = [scope("uk", "a"), scope("us", "b")]
    deep: JsonObject = {"eventData": [{"newDto": {"integrationConfigId": "us"}}]}
    assert configurations_of_event(event(deep), {}, known) == ("us",)
    bill: JsonObject = {"newDto": {"billId": "1", "message": "no"}}
    assert configurations_of_event(event(bill), {"1": "a"}, known) == ("uk",)
    assert configurations_of_event(event({"destination": "chargebee"}), {}, known) == ("uk", "us")
    assert (bill_of_event(event(bill)), message_of(event(bill))) == ("1", "no")
    assert first_text({"a": "text"}, ["b"]) == ""


def test_a_disabling_is_no_error_of_its_own() -> None:
    assert is_error(event({}))
    assert not is_error(event({}, "integration.disabled.error"))
    assert not is_error(event({}, "billing.bill.updated"))


@pytest.mark.parametrize(
    ("authorized", "credential", "word"),
    [
        (True, "c", "connected"),
        (None, "c", "connected"),
        (None, "", "connected"),
        (False, "c", "not authorized"),
        (False, "", "disconnected"),
    ],
)
def test_what_m3ter_leaves_out_counts_as_connected(
    authorized: bool | None, credential: str, word: str
) -> None:
    integration = scope("uk").live
    identity = CredentialId(credential) if credential else None
    assert connection(replace(integration, authorized=authorized, credential_id=identity)) == word
    assert connection(None) == "not in m3ter"


def test_an_apply_that_was_cut_off_is_remembered_under_later_decisions() -> None:
    scene = Scene()
    assert applied(()) is None
    scene.apply()
    done = scene.head()
    assert done is not None
    assert applied([done]) == applied([done, *scene.chain.records("sandbox")])
    cut = replace(done, action="apply-started", sequence=3, plan=done.plan)
    kept = replace(done, action="keep-git", sequence=4)
    found = applied([kept, cut, done])
    assert found is not None
    assert (found.sequence, found.action, found.unfinished) == (4, "keep-git", done.plan)
    first = applied([cut])
    assert first is not None
    assert (first.sequence, first.unfinished) == (0, done.plan)
    before = applied([done, cut])
    assert before is not None
    assert before.unfinished == ""


def test_each_object_is_summed_up_by_its_gravest_difference() -> None:
    scene = Scene()
    scene.apply()
    scene.organisation.edit(scene.live_id(UK), name="Edited", enabled=False)
    scene.integrations["uk"]["displayName"] = "In git"
    scene.integrations["uk"].pop("enabled")
    del scene.sets["uk-accounts"][1]["acme"]
    found = differences_of(scene.plan().body, {"uk-accounts": "uk"})
    assert found[UK] == ("conflict", ("displayName", "1 mapping to write"))
    del scene.integrations["uk"]
    scene.sets.clear()
    gone = differences_of(scene.plan().body, {})
    assert gone[UK] == ("git is ahead", ("connection", "git no longer has it"))
    body = scene.plan().body
    left = Address("mapping", "loose", "x")
    changes = (
        Ignore(id=body.changes[0].id, address=left, live=None, fields=(), reason="not adopted"),
        Keep(
            id=body.changes[0].id, address=Address("mapping", "kept", "x"), live=None, reason="kept"
        ),
        Keep(id=body.changes[0].id, address=UK, live=None, reason="kept"),
    )
    assert differences_of(replace(body, changes=changes), {}) == {
        Address("mapping", "loose"): ("not adopted", ("1 mapping not adopted",)),
        Address("mapping", "kept"): ("in sync", ()),
        UK: ("in sync", ()),
    }


def test_mappings_edited_on_both_sides_are_counted_apart() -> None:
    scene = Scene()
    scene.apply()
    row = scene.live_id(Address("mapping", "uk-accounts", "acme"))
    scene.organisation.edit(row, external_id="moved")
    scene.sets["uk-accounts"][1]["globex"] = "sub_new"
    found = differences_of(scene.plan().body, {"uk-accounts": "uk"})
    assert found[UK] == ("both moved", ("1 mapping edited in m3ter", "1 mapping to write"))


def test_the_worst_finding_chooses_the_exit_code() -> None:
    refused = ReconcilerError("the key is refused. Nothing was sent. Check it.")
    found = [
        well("a", "fine"),
        doubtful("b", "hm"),
        unseen("c", "not looked"),
        wrong("d", "bad", "do it"),
        failed("e", refused, ExitCode.REFUSED_IDENTITY),
    ]
    assert exit_code_of_checks(found[:3]) is ExitCode.DONE
    assert exit_code_of_checks(found) is ExitCode.REFUSED_IDENTITY
    assert (found[4].message, found[4].todo) == (
        "the key is refused",
        "Nothing was sent. Check it.",
    )
