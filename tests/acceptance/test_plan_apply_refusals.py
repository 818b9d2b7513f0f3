"""What was reviewed is what is applied, or nothing is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from fakes.place import Place

from reconciler.errors import ExitCode
from reconciler.state.documents import decode_plan, encode_plan

UK = "Chargebee UK bills"
US = "Chargebee US bills"


@pytest.fixture
def changed(applied: Place) -> Place:
    """Git moved the UK integration, one of its mappings, and drops one mapping."""
    applied.edit(
        "chargebee-uk/integration.yaml",
        "defaultPriceId: usage-other-GBP",
        "defaultPriceId: other-GBP",
    )
    applied.edit("chargebee-uk/accounts.csv", "sub_test_acme_uk", "sub_test_acme_uk_2")
    applied.edit(
        "chargebee-uk/prices.yaml", "    - {m3ter: {code: storage}, externalId: storage-GBP}\n", ""
    )
    return applied


def approved(place: Place, path: str) -> tuple[str, ...]:
    """Everything that a saved plan needs, as a person would type it."""
    made = decode_plan(Path(path).read_bytes(), path)
    guards = {hit.guard for hit in made.body.hits if hit.needs != "remedy"}
    return ("apply", path, "--yes", *(f"--approve={guard}@{made.id}" for guard in sorted(guards)))


def mapping_of(place: Place, external_id: str) -> str:
    return str(
        next(mapping["id"] for mapping in place.mappings() if mapping["externalId"] == external_id)
    )


def _edit_config(place: Place) -> None:
    place.user_edit(place.config(UK)["id"], name="UK, edited")


def _edit_unknown_key(place: Place) -> None:
    place.user_edit(place.config(UK)["id"], configData={"somethingNew": "1"})


def _disable(place: Place) -> None:
    place.user_edit(place.config(UK)["id"], enabled=False)


def _delete_config(place: Place) -> None:
    place.delete("integrationconfigs", place.config(UK)["id"])


def _edit_mapping(place: Place) -> None:
    place.user_edit(mapping_of(place, "sub_test_acme_uk"), externalId="sub_other")


def _delete_mapping(place: Place) -> None:
    place.delete("externalmappings", mapping_of(place, "sub_test_acme_uk"))


def _edit_what_goes(place: Place) -> None:
    place.user_edit(mapping_of(place, "storage-GBP"), externalId="storage-EUR")


TOUCHED = [
    _edit_config,
    _edit_unknown_key,
    _disable,
    _delete_config,
    _edit_mapping,
    _delete_mapping,
    _edit_what_goes,
]


@pytest.mark.parametrize("interfere", TOUCHED, ids=lambda entry: entry.__name__.strip("_"))
def test_a_plan_is_refused_after_a_change_of_what_it_touches(
    changed: Place, interfere: Callable[[Place], None]
) -> None:
    path = changed.plan()
    interfere(changed)
    changed.forget()
    ran = changed.run(*approved(changed, path))
    assert (ran.code, changed.writes()) == (ExitCode.STALE, []), ran
    assert "Nothing was written." in ran.err
    assert "reconciler plan --env sandbox" in ran.err


def test_a_refusal_names_who_changed_what_and_when(changed: Place) -> None:
    path = changed.plan()
    _edit_config(changed)
    ran = changed.run(*approved(changed, path))
    assert "integration/chargebee-uk was changed by k.smith at 2026-12-01" in ran.err


def test_a_plan_is_refused_when_its_new_objects_appear_otherwise(place: Place) -> None:
    path = place.plan()
    place.create(
        "integrationconfigs",
        {"name": UK, "entityType": "Bill", "destination": "Chargebee", "configData": {}},
    )
    place.forget()
    ran = place.run(*approved(place, path))
    assert (ran.code, place.writes()) == (ExitCode.STALE, []), ran
    assert "integration/chargebee-uk appeared in m3ter" in ran.err


def test_a_plan_is_refused_when_a_new_mapping_appears_with_another_far_side(
    applied: Place,
) -> None:
    row = next(mapping for mapping in applied.mappings() if mapping["externalId"] == "storage-GBP")
    applied.delete("externalmappings", row["id"])
    path = applied.plan()
    applied.create(
        "externalmappings",
        {key: value for key, value in row.items() if key in MAPPING_KEYS} | {"externalId": "other"},
    )
    applied.forget()
    ran = applied.run(*approved(applied, path))
    assert (ran.code, applied.writes()) == (ExitCode.STALE, []), ran
    assert "mapping/chargebee-uk-prices/storage appeared in m3ter" in ran.err


MAPPING_KEYS = {
    "m3terEntity",
    "m3terId",
    "externalSystem",
    "externalTable",
    "externalId",
    "integrationConfigId",
}


def test_a_plan_is_applied_after_changes_of_what_it_does_not_touch(changed: Place) -> None:
    path = changed.plan()
    changed.user_edit(changed.config(US)["id"], name="US, edited")
    changed.user_edit(changed.config("Stripe internal bills")["id"], name="Stripe")
    changed.user_edit(mapping_of(changed, "sub_test_acme_us"), externalId="sub_other")
    ran = changed.run(*approved(changed, path))
    assert ran.code == 0, ran
    assert changed.config("US, edited")
    assert {mapping["externalId"] for mapping in changed.mappings()} >= {
        "sub_other",
        "sub_test_acme_uk_2",
    }


def test_a_plan_made_before_another_apply_is_refused(changed: Place) -> None:
    path = changed.plan()
    changed.edit(
        "chargebee-us/integration.yaml", "displayName: Chargebee US bills", "displayName: US bills"
    )
    other = changed.plan(file="other.json")
    assert changed.run(*approved(changed, other)).code == 0
    changed.forget()
    ran = changed.run(*approved(changed, path))
    assert (ran.code, changed.writes()) == (ExitCode.STALE, [])
    assert "something was applied since" in ran.err


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ('"other-GBP"', '"evil-GBP"', ExitCode.STALE),
        ('"needs": "approval"', '"needs": "confirmation"', ExitCode.STALE),
        (
            '"schema": "m3ter-reconciler/plan/v1"',
            '"schema": "m3ter-reconciler/plan/v9"',
            ExitCode.INVALID,
        ),
        ('"environment": "sandbox"', '"environment": 5', ExitCode.INVALID),
        ("{", "", ExitCode.INVALID),
    ],
)
def test_a_tampered_plan_file_is_refused(changed: Place, old: str, new: str, code: int) -> None:
    path = Path(changed.plan())
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    changed.forget()
    ran = changed.run("apply", str(path), "--yes")
    assert (ran.code, changed.requests()) == (code, []), ran


def test_a_plan_file_that_is_not_there_is_said_so(place: Place) -> None:
    ran = place.run("apply", str(place.folder / "none.json"), "--yes")
    assert ran.code == ExitCode.INVALID
    assert "none.json" in ran.err


def test_a_plan_of_another_host_or_site_is_refused(changed: Place) -> None:
    path = changed.plan()
    given = approved(changed, path)
    changed.patch_sandbox(m3ter={"baseUrl": "https://api.eu.m3ter.com"})
    changed.forget()
    ran = changed.run(*given)
    assert (ran.code, changed.requests()) == (ExitCode.REFUSED_IDENTITY, []), ran
    assert "another organisation, host or site" in ran.err


def test_a_key_of_another_organisation_is_refused(changed: Place) -> None:
    path = changed.plan()
    changed.forget()
    ran = changed.run(
        *approved(changed, path), M3TER_API_KEY="other-key", M3TER_API_SECRET="other-secret"
    )
    assert (ran.code, changed.requests()) == (ExitCode.REFUSED_IDENTITY, []), ran


def test_a_locked_environment_is_refused_and_names_the_holder(changed: Place) -> None:
    path = changed.plan()
    changed.forget()
    with changed.state().hold("sandbox", "someone's apply"):
        ran = changed.run(*approved(changed, path))
    assert (ran.code, changed.writes()) == (ExitCode.LOCKED, [])
    assert "someone's apply" in ran.err


def test_one_object_with_an_error_stops_the_whole_apply(changed: Place) -> None:
    changed.edit("chargebee-us/accounts.csv", "globex-us,", "golem-us,")
    planned = changed.run("plan", "--env", "sandbox", "-o", str(changed.folder / "plan.json"))
    assert planned.code == ExitCode.INVALID
    changed.forget()
    ran = changed.run("apply", str(changed.folder / "plan.json"), "--yes")
    assert (ran.code, changed.writes()) == (ExitCode.INVALID, [])
    assert "golem-us" in ran.err


def test_a_protected_environment_takes_a_saved_plan_only(changed: Place) -> None:
    changed.patch_sandbox(protected=True)
    changed.forget()
    unsaved = changed.run("apply", "--env", "sandbox", "--yes")
    assert (unsaved.code, changed.writes()) == (ExitCode.NEEDS_APPROVAL, [])
    assert "takes a saved plan only" in unsaved.err
    path = changed.plan()
    bare = changed.run("apply", path, "--yes")
    assert (bare.code, changed.writes()) == (ExitCode.NEEDS_APPROVAL, [])
    assert "sensitive-field" in bare.err
    assert changed.run(*approved(changed, path)).code == 0


def test_approvals_are_of_this_plan_and_of_guards_that_it_has(changed: Place) -> None:
    path = changed.plan()
    plan_id = changed.plan_document()["id"]
    for wrong in (f"widening@{plan_id}", "max-deletes@" + "0" * 64, "max-deletes", "x@y"):
        ran = changed.run("apply", path, "--yes", "--approve", wrong)
        assert ran.code == ExitCode.INVALID, ran
        assert "counts for nothing" in ran.err


def test_approvals_outlive_a_plan_that_was_cut_off_and_are_spent_by_one_that_was_done(
    changed: Place,
) -> None:
    given = approved(changed, changed.plan())
    uk = changed.config(UK)["id"]
    changed.fault(
        "version_conflict",
        match={"method": "PUT", "path": f"/organizations/{changed.org}/integrationconfigs/{uk}"},
        times=1,
    )
    assert changed.run(*given).code == ExitCode.PARTLY_DONE
    again = changed.run("apply", "--env", "sandbox")
    assert again.code == 0, again
    changed.user_edit(
        changed.config(UK)["id"], configData={"chargebeeDefaultPriceId": "usage-other-GBP"}
    )
    drifted = changed.run("apply", "--env", "sandbox")
    assert drifted.code == ExitCode.NEEDS_APPROVAL


def test_inside_a_freeze_window_an_apply_needs_approval(changed: Place) -> None:
    before = changed.plan()
    window = {
        "from": "2020-01-01T00:00:00Z",
        "until": "2100-01-01T00:00:00Z",
        "reason": "month end",
    }
    changed.patch_sandbox(freeze=[window])
    for path in (before, changed.plan(file="inside.json")):
        changed.forget()
        plan_id = changed.plan_document(Path(path).name)["id"]
        without = [text for text in approved(changed, path) if "approve=freeze" not in text]
        ran = changed.run(*without)
        assert (ran.code, changed.writes()) == (ExitCode.NEEDS_APPROVAL, []), ran
        assert "month end" in ran.err
        assert f"--approve freeze@{plan_id[:12]}" in ran.err
    early = changed.plan_document(Path(before).name)["id"]
    assert changed.run(*approved(changed, before), f"--approve=freeze@{early}").code == 0


def test_an_old_plan_needs_approval(changed: Place) -> None:
    path = Path(changed.plan())
    made = decode_plan(path.read_bytes(), "it")
    old = replace(made, head=replace(made.head, created_at="2026-01-01T00:00:00Z"))
    path.write_bytes(encode_plan(old))
    given = approved(changed, str(path))
    changed.forget()
    ran = changed.run(*given)
    assert (ran.code, changed.writes()) == (ExitCode.NEEDS_APPROVAL, [])
    assert "the project's limit is 24h" in ran.err
    assert changed.run(*given, f"--approve=plan-age@{made.id}").code == 0


def test_an_unsaved_plan_asks_on_a_terminal(changed: Place) -> None:
    changed.forget()
    no = changed.run("apply", "--env", "sandbox", answer="n\n")
    assert (no.code, changed.writes()) == (ExitCode.NEEDS_APPROVAL, [])
    assert "Nothing was written." in no.err
