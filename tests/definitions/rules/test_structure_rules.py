"""Projects, names, patches: what the documents add up to."""

from __future__ import annotations

from typing import Any

from fakes.broken_repository import problems_of
from fakes.repository_in_memory import RepositoryInMemory, document
from fakes.sound_repository import (
    DIALECT,
    PRODUCTION,
    PROJECT,
    SANDBOX,
    UK,
    integration,
    push,
    sound_repository,
)

from reconciler.kernel.line_item import LineItemType
from reconciler.kernel.problem import Origin

PATCH: Any = ("Integration", "uk", "production")


def _rules(repository: RepositoryInMemory) -> list[tuple[str, str]]:
    return [(problem.rule, problem.message) for problem in problems_of(repository)]


def test_a_repository_without_a_project_is_one_problem_of_the_whole_repository() -> None:
    repository = sound_repository()
    del repository.specs[PROJECT]  # type: ignore[arg-type]

    (problem,) = problems_of(repository)

    assert (problem.rule, problem.origin) == ("R050", None)
    assert problem.hint == "Add a document of kind Project."


def test_other_problems_are_still_found_without_a_project() -> None:
    repository = sound_repository()
    del repository.specs[PROJECT]  # type: ignore[arg-type]
    repository.specs[UK]["displayName"] = "Bearer abcdefghij0123456789"  # type: ignore[index]

    assert [rule for rule, _ in _rules(repository)] == ["R050", "R130"]


def test_a_second_project_names_the_first() -> None:
    repository = sound_repository()
    repository.specs["Project", "other", None] = repository.specs[PROJECT]  # type: ignore[index]

    (problem,) = problems_of(repository)

    assert problem.rule == "R050"
    assert "second Project, `other`; the first is `acme` at integrations.d/acme" in problem.message
    assert problem.origin == Origin("integrations.d/other-project.yaml", 5, 1)


def test_a_name_may_stand_once_within_a_kind() -> None:
    repository = sound_repository()
    repository.extras.append(document("Integration", "uk", None, integration()))

    ((rule, message),) = _rules(repository)

    assert rule == "R051"
    assert "Integration `uk` is defined twice, first at integrations.d/uk-integration" in message


def test_one_name_in_two_kinds_is_no_problem() -> None:
    repository = sound_repository()
    repository.specs["Dialect", "uk", None] = {
        **repository.specs[DIALECT],  # type: ignore[index]
        "environment": "production",
    }

    assert _rules(repository) == []


def test_a_patch_of_nothing_suggests_the_object_that_was_meant() -> None:
    repository = sound_repository()
    repository.specs["Integration", "ukk", "production"] = {}

    (problem,) = problems_of(repository)

    assert problem.rule == "R052"
    assert problem.hint == "Did you mean `uk`?"


def test_a_patch_for_an_unknown_environment_lists_the_known_ones() -> None:
    repository = sound_repository()
    repository.specs["Integration", "uk", "staging-eu"] = {}

    (problem,) = problems_of(repository)

    assert problem.rule == "R053"
    assert problem.hint == "Known are `production` and `sandbox`."


def test_a_second_patch_for_one_object_and_environment_names_the_first() -> None:
    repository = sound_repository()
    repository.specs[PATCH] = {"displayName": "A"}
    repository.extras.append(document("Integration", "uk", "production", {"displayName": "B"}))

    ((rule, message),) = _rules(repository)

    assert rule == "R054"
    assert "second patch of Integration `uk` for environment `production`" in message
    assert "the first is at integrations.d/uk-production-integration.yaml:4:1" in message


def test_a_patch_cannot_touch_metadata() -> None:
    repository = sound_repository()
    patch = document("Integration", "uk", "production", {}, labels={"team": "billing"})
    repository.extras.append(patch)

    ((rule, message),) = _rules(repository)

    assert (rule, message) == ("R055", "a patch cannot set `metadata.labels`")


def test_an_environment_cannot_be_patched_as_another_one_sees_it() -> None:
    repository = sound_repository()
    repository.specs["Environment", "sandbox", "production"] = {"fallback": "allow"}

    ((rule, message),) = _rules(repository)

    assert rule == "R056"
    assert "patches Environment `sandbox` as `production` sees it" in message


def test_a_repository_without_an_environment_is_checked_and_warned() -> None:
    repository = sound_repository()
    for key in (SANDBOX, PRODUCTION, DIALECT):
        del repository.specs[key]  # type: ignore[arg-type]
    repository.specs[UK]["chargebee"]["useMultidecimal"] = False  # type: ignore[index]
    repository.specs[UK]["chargebee"]["multiDecimalUnitsDecimalPlaces"] = None  # type: ignore[index]
    repository.specs["MappingSet", "uk-accounts", None]["rows"]["externalId"] = "sandbox"

    problems = problems_of(repository)

    assert [(problem.rule, problem.severity) for problem in problems] == [
        ("R057", "warning"),
        ("R071", "error"),
    ]


def test_a_broken_document_is_not_said_to_be_missing() -> None:
    repository = sound_repository()
    for key in (PROJECT, UK, PRODUCTION):
        del repository.specs[key]  # type: ignore[arg-type]
    repository.specs[PATCH] = {"displayName": "A"}
    repository.broken = (("Project", "acme"), ("Integration", "uk"), ("Environment", "production"))

    assert _rules(repository) == []


def test_an_empty_repository_has_no_project() -> None:
    assert [rule for rule, _ in _rules(RepositoryInMemory())] == ["R050"]


def test_a_problem_of_the_patched_view_is_reported_at_the_patch() -> None:
    repository = sound_repository()
    repository.specs[PATCH] = {"chargebee": {"useMultidecimal": False}}

    problems = problems_of(repository)

    assert {entry.rule for entry in problems} == {"R071"}
    repository.specs[PATCH] = {"entity": {"excludedLineItemTypes": ["USAGE"]}}
    (problem,) = problems_of(repository)
    assert problem.rule == "R073"
    repository.specs[PATCH] = {"global": {"restrictedAccountIds": [{"code": "acme-uk"}]}}
    (problem,) = problems_of(repository)
    assert problem.origin is not None
    assert problem.origin.file == "integrations.d/uk-production-integration.yaml"


def test_a_problem_of_all_environments_is_reported_once() -> None:
    repository = sound_repository()
    repository.specs[UK]["destination"] = "Stripe"  # type: ignore[index]

    assert [rule for rule, _ in _rules(repository)] == ["R077"]


def test_two_dialects_for_one_place_are_one_too_many() -> None:
    repository = sound_repository()
    repository.specs["Dialect", "another", None] = repository.specs[DIALECT]  # type: ignore[index]

    ((rule, message),) = _rules(repository)

    assert rule == "R111"
    assert "already is the dialect of Chargebee Bill in `sandbox`" in message


def test_a_dialect_of_another_destination_has_no_chargebee_fields() -> None:
    repository = sound_repository()
    other = {**repository.specs[DIALECT], "destination": "Stripe"}  # type: ignore[index]
    repository.specs["Dialect", "another", None] = other

    assert [rule for rule, _ in _rules(repository)] == ["R114"]


def test_a_patch_of_a_dialect_is_checked_by_itself() -> None:
    repository = sound_repository()
    repository.specs["Dialect", "sandbox-chargebee", "sandbox"] = {
        "keys": {"chargebee.createInvoice": "create", "global.accountIds": None},
        "values": {"chargebee.splitUsageLineItems": {"itemPerProduct": "BY_PRODUCT"}},
    }

    assert _rules(repository) == []


def test_integrations_that_could_not_be_told_apart_are_refused() -> None:
    repository = sound_repository()
    repository.specs["Integration", "uk-two", None] = integration() | {"entity": {}}

    ((rule, message),) = _rules(repository)

    assert rule == "R079"
    assert message.startswith('"UK bills" is also the display name of `uk`')


def test_a_push_elsewhere_than_to_chargebee_is_refused() -> None:
    repository = sound_repository()
    changes: dict[str, Any] = {
        "destination": "Stripe", "delivery": "push", "connection": "disconnected", "push": push(),
    }  # fmt: skip
    repository.specs[UK] |= changes  # type: ignore[index]
    del repository.specs[UK]["chargebee"]  # type: ignore[index]

    assert [rule for rule, _ in _rules(repository)] == ["R086"]


def test_a_push_needs_a_site_and_a_ledger() -> None:
    repository = sound_repository()
    repository.specs[UK] |= {  # type: ignore[index]
        "delivery": "push", "connection": "disconnected", "push": push(),
    }  # fmt: skip
    del repository.specs[SANDBOX]["chargebee"]  # type: ignore[index]
    del repository.specs[SANDBOX]["ledger"]  # type: ignore[index]

    problems = problems_of(repository)

    assert [(problem.rule, problem.severity) for problem in problems] == [("R092", "warning")] * 2
    assert problems[0].message == "environment `sandbox` has no `chargebee`, and `uk` is pushed"


def test_an_unapproved_push_may_replace_what_is_pending() -> None:
    repository = sound_repository()
    repository.specs[UK] |= {  # type: ignore[index]
        "delivery": "push", "connection": "disconnected",
        "push": push() | {"recalculated": "replace", "pending": {}},
    }  # fmt: skip
    repository.specs[UK]["chargebee"]["createInvoice"] = False  # type: ignore[index]
    repository.specs[UK]["entity"]["onlySendBillOnApproval"] = False  # type: ignore[index]

    assert _rules(repository) == []


def test_settings_of_their_own_and_mappings_stand_for_prices() -> None:
    repository = sound_repository()
    page = repository.specs[UK]["chargebee"]  # type: ignore[index]
    del page["defaultPriceId"], page["priceIdMapping"]
    page |= {"minimumSpendItemPrice": "m", "standingChargeItemPrice": "s"}

    ((rule, message),) = _rules(repository)

    assert rule == "R076"
    for covered in ("USAGE`", "MINIMUM_SPEND`", "STANDING_CHARGE`"):
        assert f"`{covered}" not in message


def test_without_price_mappings_usage_needs_a_price_too() -> None:
    repository = sound_repository()
    page = repository.specs[UK]["chargebee"]  # type: ignore[index]
    del page["defaultPriceId"], page["priceIdMapping"]
    del repository.specs["MappingSet", "uk-prices", None]

    ((_, message),) = _rules(repository)

    assert "`USAGE`" in message


def test_unlinked_sets_count_where_links_are_not_enforced() -> None:
    repository = sound_repository()
    repository.specs[UK]["entity"]["enforceExternalMappingsForConfig"] = False  # type: ignore[index]
    repository.specs[UK]["chargebee"]["createInvoice"] = False  # type: ignore[index]
    del repository.specs["MappingSet", "uk-accounts", None]["integration"]

    assert _rules(repository) == []


def test_all_accounts_and_a_disconnected_integration_are_fine() -> None:
    repository = sound_repository()
    repository.specs[UK]["global"]["accountIds"] = "all"  # type: ignore[index]
    repository.specs[UK]["connection"] = "disconnected"  # type: ignore[index]
    del repository.specs[UK]["entity"]["accountFilter"]  # type: ignore[index]

    assert _rules(repository) == []


def test_types_with_settings_of_their_own_need_no_default_price() -> None:
    repository = sound_repository()
    page = repository.specs[UK]["chargebee"]  # type: ignore[index]
    del page["defaultPriceId"]
    page["priceIdMapping"] = {kind.value: "p" for kind in LineItemType}
    repository.specs[UK]["entity"]["excludedLineItemTypes"] = []  # type: ignore[index]

    assert _rules(repository) == []
