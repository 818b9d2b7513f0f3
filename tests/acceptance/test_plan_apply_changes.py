"""Every kind of change, in the order that keeps money safe, as the request log shows it."""

from __future__ import annotations

import pytest
from fakes.place import Place

from reconciler.errors import ExitCode
from reconciler.state.documents import decode_plan

UK, US = "Chargebee UK bills", "Chargebee US bills"


def apply_approved(place: Place) -> None:
    """Save a plan, approve all that it asks for, and apply it."""
    path = place.plan()
    made = decode_plan((place.folder / "plan.json").read_bytes(), path)
    guards = sorted({hit.guard for hit in made.body.hits if hit.needs == "approval"})
    place.forget()
    ran = place.run("apply", path, "--yes", *(f"--approve={guard}@{made.id}" for guard in guards))
    assert ran.code == 0, ran


def shape(place: Place) -> list[str]:
    return [f"{method} {path.split('/')[1]}" for method, path in place.writes()]


def drop_us(place: Place) -> None:
    """Let the US integration go; its protection has to be lifted first."""
    place.edit("chargebee-us/integration.yaml", "protect: true", "protect: false")
    place.apply()
    for file in ("integration.yaml", "accounts.yaml", "accounts.csv", "prices.yaml"):
        place.remove(f"chargebee-us/{file}")


def test_taking_an_integration_down_disconnects_first_and_deletes_it_last(applied: Place) -> None:
    drop_us(applied)
    apply_approved(applied)
    assert shape(applied) == [
        "PUT integrationconfigs",
        *["DELETE externalmappings"] * 5,
        "DELETE integrationconfigs",
    ]
    assert applied.is_in_sync()


def test_deletions_need_approval_under_confirm_none_under_allow_and_never_happen_under_never(
    applied: Place,
) -> None:
    drop_us(applied)
    applied.forget()
    held = applied.run("apply", "--env", "sandbox", "--yes")
    assert (held.code, applied.writes()) == (ExitCode.NEEDS_APPROVAL, [])
    assert "max-deletes" in held.err
    applied.edit("project.yaml", "prune: confirm ", "prune: never ")
    kept = applied.run("apply", "--env", "sandbox", "--yes")
    assert (kept.code, applied.writes()) == (0, [])
    assert "the project never deletes" in kept.out
    applied.edit("project.yaml", "prune: never ", "prune: allow ")
    many = applied.run("apply", "--env", "sandbox", "--yes")
    assert many.code == ExitCode.NEEDS_APPROVAL
    assert "6 deletions of 12 managed objects" in many.err


def test_a_protected_integration_that_left_git_is_kept(applied: Place) -> None:
    for file in (
        "integration.yaml",
        "production.yaml",
        "accounts.yaml",
        "accounts.csv",
        "prices.yaml",
    ):
        applied.remove(f"chargebee-uk/{file}")
    apply_approved(applied)
    assert applied.config(UK)["integrationCredentialsId"]
    assert "DELETE integrationconfigs" not in shape(applied)


def test_a_mapping_whose_key_changes_is_created_before_the_old_one_is_deleted(
    applied: Place,
) -> None:
    applied.edit("chargebee-uk/prices.yaml", "externalTable: ItemPrice", "externalTable: Price")
    apply_approved(applied)
    assert shape(applied) == ["POST externalmappings"] * 2 + ["DELETE externalmappings"] * 2
    assert applied.is_in_sync()


def test_disconnecting_one_and_connecting_another_never_bills_twice(applied: Place) -> None:
    applied.edit("chargebee-uk/integration.yaml", "{credential: chargebee-uk}", "disconnected")
    apply_approved(applied)
    applied.edit(
        "chargebee-uk/integration.yaml", "disconnected   #", "{credential: chargebee-uk}   #"
    )
    applied.edit("chargebee-us/integration.yaml", "{credential: chargebee-us}", "disconnected")
    uk, us = applied.config(UK)["id"], applied.config(US)["id"]
    apply_approved(applied)
    assert [path.rsplit("/", 1)[1] for _, path in applied.writes()] == [us, uk]
    assert "integrationCredentialsId" not in applied.config(US)


def test_when_the_disconnect_fails_nothing_new_is_connected(applied: Place) -> None:
    applied.edit("chargebee-uk/integration.yaml", "{credential: chargebee-uk}", "disconnected")
    apply_approved(applied)
    applied.edit(
        "chargebee-uk/integration.yaml", "disconnected   #", "{credential: chargebee-uk}   #"
    )
    applied.edit("chargebee-us/integration.yaml", "{credential: chargebee-us}", "disconnected")
    us = applied.config(US)["id"]
    path = f"/organizations/{applied.org}/integrationconfigs/{us}"
    applied.fault("version_conflict", match={"method": "PUT", "path": path}, times=1)
    ran = applied.run("apply", "--env", "sandbox", "--yes")
    assert ran.code == ExitCode.PARTLY_DONE
    assert "blocked        connect integration/chargebee-uk" in ran.out
    assert "integrationCredentialsId" not in applied.config(UK)
    applied.apply()
    assert applied.is_in_sync()


def test_what_m3ter_disabled_is_enabled_again(applied: Place) -> None:
    applied.user_edit(applied.config(UK)["id"], enabled=False)
    assert applied.run("drift", "--env", "sandbox", "--exit-code").code == ExitCode.ONLY_DRIFT
    apply_approved(applied)
    assert [path.rsplit("/", 1)[1] for _, path in applied.writes()] == ["enable"]
    assert applied.config(UK)["enabled"] is True
    assert applied.is_in_sync()


@pytest.mark.parametrize("adoption", ["by-name", "explicit"])
def test_what_bears_the_name_already_is_taken_over_or_left_alone(
    applied: Place, adoption: str
) -> None:
    applied.edit("project.yaml", "adoption: by-name ", f"adoption: {adoption} ")
    for file in (applied.folder / ".reconciler/state/sandbox").glob("*.json"):
        file.unlink()
    applied.forget()
    ran = applied.run("apply", "--env", "sandbox", "--yes")
    assert (ran.code, applied.writes()) == (0, [])
    head = applied.state().head("sandbox")
    assert head is not None
    assert len(head.bindings) == {"by-name": 12, "explicit": 0}[adoption]
    assert "reconciler adopt integration/chargebee-uk" in ran.out or adoption == "by-name"


def test_drift_goes_back_and_a_conflict_needs_a_decision(applied: Place) -> None:
    uk = applied.config(UK)["id"]
    applied.user_edit(uk, configData={"chargebeeDefaultPriceId": "console-GBP", "mine": "kept"})
    drift = applied.run("drift", "--env", "sandbox", "--exit-code")
    assert drift.code == ExitCode.ONLY_DRIFT
    assert "k.smith" in drift.out
    applied.edit("chargebee-uk/integration.yaml", "usage-other-GBP", "git-GBP")
    both = applied.run("drift", "--env", "sandbox", "--exit-code")
    assert both.code == ExitCode.BOTH_MOVED
    assert "git changed it too, to git-GBP" in both.out
    apply_approved(applied)
    data = applied.config(UK)["configData"]
    assert (data["chargebeeDefaultPriceId"], data["mine"]) == ("git-GBP", "kept")
    assert applied.is_in_sync()


def move_initech(place: Place) -> tuple[str, str]:
    """Let an account go from the US integration to the UK one; gives the paths of both."""
    place.edit("chargebee-us/integration.yaml", ", {code: initech-us}]", "]")
    place.edit(
        "chargebee-uk/integration.yaml",
        "{code: initech-uk}]",
        "{code: initech-uk}, {code: initech-us}]",
    )
    return (
        f"/integrationconfigs/{place.config(US)['id']}",
        f"/integrationconfigs/{place.config(UK)['id']}",
    )


def test_an_account_is_given_up_by_one_integration_before_another_takes_it(applied: Place) -> None:
    us, uk = move_initech(applied)
    apply_approved(applied)
    assert applied.writes() == [("PUT", us), ("PUT", uk)]
    assert applied.is_in_sync()


def test_an_account_that_could_not_be_given_up_is_not_taken(applied: Place) -> None:
    us, _ = move_initech(applied)
    path = applied.plan()
    made = decode_plan((applied.folder / "plan.json").read_bytes(), path)
    approvals = [f"--approve={hit.guard}@{made.id}" for hit in made.body.hits]
    match = {"vendor": "m3ter", "method": "PUT", "path": "/organizations/*"}
    applied.fault("version_conflict", match=match, times=1)
    applied.forget()
    ran = applied.run("apply", path, "--yes", *approvals)
    assert ran.code == ExitCode.PARTLY_DONE, ran
    assert applied.writes() == [("PUT", us)]
