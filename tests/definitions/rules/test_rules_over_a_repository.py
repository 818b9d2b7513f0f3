"""One thing is broken in a sound repository, and exactly that is reported, where it stands."""

from __future__ import annotations

from typing import Any

import pytest
from fakes.broken_repository import (
    UUID,
    Change,
    all_of,
    problems_of,
    pushed,
    with_rows,
    with_value,
)
from fakes.repository_in_memory import document
from fakes.sound_repository import (
    ACCOUNTS,
    DIALECT,
    PRICES,
    PROJECT,
    SANDBOX,
    UK,
    environment,
    push,
    sound_repository,
)

from reconciler.kernel.problem import Origin


def test_a_sound_repository_has_no_problems() -> None:
    assert problems_of(sound_repository()) == ()


# What is broken, the rule, the place as (document, path below spec), a part of the message, and a
# part of the hint.
CASES: list[tuple[str, Change, str, tuple[Any, ...], str, str]] = [
    (
        "an account is included and restricted",
        with_value(UK, "global", "restrictedAccountIds", [{"code": "acme-uk"}]),
        "R070",
        (UK, "global", "restrictedAccountIds", 0),
        "account `acme-uk` is in `accountIds` and in `restrictedAccountIds`",
        "Remove the account from one of the lists.",
    ),
    (
        "decimal places without the switch",
        all_of(with_value(UK, "chargebee", "useMultidecimal", False),
             with_value(UK, "chargebee", "multiDecimalUnitsDecimalPlaces", None)),
        "R071",
        (UK, "chargebee", "multiDecimalPriceDecimalPlaces"),
        "`multiDecimalPriceDecimalPlaces` has no effect without `useMultidecimal: true`",
        "Set `useMultidecimal: true`",
    ),
    (
        "the switch without decimal places",
        with_value(UK, "chargebee", "multiDecimalUnitsDecimalPlaces", None),
        "R072",
        (UK, "chargebee", "useMultidecimal"),
        "`useMultidecimal` is on and `multiDecimalUnitsDecimalPlaces` is missing",
        "Add `multiDecimalUnitsDecimalPlaces`",
    ),
    (
        "a type is excluded and mapped",
        with_value(UK, "entity", "excludedLineItemTypes", ["USAGE"]),
        "R073",
        (UK, "chargebee", "priceIdMapping", "USAGE"),
        "USAGE is in `excludedLineItemTypes`",
        "Remove the type",
    ),
    (
        "enforced mappings without a linked set",
        all_of(with_value(ACCOUNTS, "integration", None), with_value(PRICES, "integration", None)),
        "R074",
        (UK, "entity", "enforceExternalMappingsForConfig"),
        "no MappingSet is linked to it",
        "Set `integration: uk`",
    ),
    (
        "a pending invoice without subscriptions",
        all_of(with_value(UK, "chargebee", "createInvoice", False),
             with_value(ACCOUNTS, "externalTable", "Customer")),
        "R075",
        (UK, "chargebee", "createInvoice"),
        "no mapping set maps accounts to subscriptions",
        "Add a MappingSet from Account to Subscription",
    ),
    (
        "a pending invoice and an empty set of subscriptions",
        all_of(with_value(UK, "chargebee", "createInvoice", False), with_rows()),
        "R075",
        (UK, "chargebee", "createInvoice"),
        "no mapping set maps accounts to subscriptions",
        "",
    ),
    (
        "pending invoices of customers",
        all_of(pushed(accountIs="customer"), with_value(UK, "chargebee", "createInvoice", False)),
        "R075",
        (UK, "push", "accountIs"),
        "pending invoices belong to subscriptions",
        "Set `accountIs: subscription`",
    ),
    (
        "types without a price",
        with_value(UK, "chargebee", "defaultPriceId", None),
        "R076",
        (UK, "chargebee", "priceIdMapping"),
        "no price for lines of type `STANDING_CHARGE`, `MINIMUM_SPEND`, `COMMITMENT_CONSUMED`, ",
        "Add `defaultPriceId`",
    ),
    (
        "Chargebee without its page",
        with_value(UK, "chargebee", None),
        "R077",
        (UK, "destination"),
        "`chargebee` settings are missing",
        "Add `chargebee:`",
    ),
    (
        "the Chargebee page of another destination",
        with_value(UK, "destination", "Stripe"),
        "R077",
        (UK, "chargebee"),
        "no meaning for destination Stripe",
        "go into `configData`",
    ),
    (
        "a wire key that the dialect models",
        with_value(UK, "configData", {"accounts": ["x"]}),
        "R078",
        (UK, "configData", "accounts"),
        "`configData.accounts` is the setting `global.accountIds`",
        "Write it as `global.accountIds`",
    ),
    (
        "a wire key that is a modelled setting in another spelling",
        with_value(UK, "configData", {"CHARGEBEE_CREATE_INVOICE": True}),
        "R078",
        (UK, "configData", "CHARGEBEE_CREATE_INVOICE"),
        "is the setting `chargebee.createInvoice`",
        "",
    ),
    (
        "an unknown integration in a set",
        with_value(PRICES, "integration", "ukk"),
        "R058",
        (PRICES, "integration"),
        "there is no Integration `ukk`",
        "Did you mean `uk`?",
    ),
    (
        "an unknown credential",
        with_value(SANDBOX, "credentials", {"chargebee": {"name": "X"}}),
        "R060",
        (UK, "connection", "credential"),
        "environment `sandbox` has no credential `uk`",
        "Add `uk` under `credentials` at integrations.d/sandbox-environment.yaml",
    ),
    (
        "an unknown environment in a column map",
        with_value(ACCOUNTS, "rows", "externalId", "prod", "production"),
        "R059",
        (ACCOUNTS, "rows", "externalId", "prod"),
        "there is no environment `prod`",
        "Did you mean `production`?",
    ),
    (
        "an unknown environment in a row",
        with_value(PRICES, "rows", 0, "externalId",
             {"sandbox": "a", "production": "b", "staging-eu": "c"}),
        "R059",
        (PRICES, "rows", 0, "externalId", "staging-eu"),
        "there is no environment `staging-eu`",
        "Use the name of an Environment.",
    ),
    (
        "an unknown environment in a dialect",
        with_value(DIALECT, "environment", "sandbx"),
        "R059",
        (DIALECT, "environment"),
        "there is no environment `sandbx`",
        "Did you mean `sandbox`?",
    ),
    (
        "an account by id",
        with_value(UK, "global", "accountIds", [UUID]),
        "R068",
        (UK, "global", "accountIds", 0),
        f"account {UUID} is named by its id",
        "Write `{code: ...}`",
    ),
    (
        "an id where a code should be",
        with_value(UK, "global", "restrictedAccountIds", [{"code": UUID}]),
        "R068",
        (UK, "global", "restrictedAccountIds", 0),
        "stands as a code and looks like an id",
        "or the id without `code:`",
    ),
    (
        "a row by id",
        with_value(PRICES, "rows", [{"m3ter": {"id": UUID}, "externalId": "a"}]),
        "R068",
        (PRICES, "rows", 0, "m3ter"),
        f"Product {UUID} is named by its id",
        "Write `{code: ...}`.",
    ),
    (
        "a row whose code is an id",
        with_value(PRICES, "rows", [{"m3ter": {"code": UUID}, "externalId": "a"}]),
        "R068",
        (PRICES, "rows", 0, "m3ter"),
        f"Product {UUID} is named by its id",
        "",
    ),
    (
        "a CSV column of ids",
        with_value(ACCOUNTS, "rows", "m3ter", {"id": "account_code"}),
        "R068",
        (ACCOUNTS, "rows", "m3ter", "id"),
        "the rows name their Account by id",
        "Use a column of codes",
    ),
    (
        "an element twice in a set",
        with_value(UK, "global", "accountIds", [{"code": "a"}, {"code": "b"}, {"code": "a"}]),
        "R080",
        (UK, "global", "accountIds", 2),
        "`a` stands twice in `accountIds`",
        "Remove one of them.",
    ),
    (
        "a user twice in a set",
        with_value(UK, "global", "integrationDisabledNotificationUsers",
             [{"email": "a@example.com"}, {"email": "a@example.com"}]),
        "R080",
        (UK, "global", "integrationDisabledNotificationUsers", 1),
        "`a@example.com` stands twice",
        "",
    ),
    (
        "delivery push without its settings",
        all_of(pushed(), with_value(UK, "push", None)),
        "R085",
        (UK, "delivery"),
        "`delivery: push` needs `push` settings",
        "Add `push:`",
    ),
    (
        "push settings without the delivery",
        with_value(UK, "push", push()),
        "R085",
        (UK, "push"),
        "no effect without `delivery: push`",
        "Set `delivery: push`",
    ),
    (
        "a push of another entity",
        all_of(pushed(), with_value(UK, "entityType", "Contract")),
        "R086",
        (UK, "entityType"),
        "cannot send Contract",
        "Use `delivery: native`",
    ),
    (
        "a connected push",
        all_of(pushed(), with_value(UK, "connection", {"credential": "uk"})),
        "R087",
        (UK, "connection"),
        "stays disconnected in m3ter",
        "Set `connection: disconnected`.",
    ),
    (
        "an enabled push",
        all_of(pushed(), with_value(UK, "enabled", True)),
        "R087",
        (UK, "enabled"),
        "never enabled in m3ter",
        "Remove `enabled`.",
    ),
    (
        "a push of bills that are not approved",
        all_of(pushed(), with_value(UK, "entity", "onlySendBillOnApproval", False)),
        "R088",
        (UK, "entity", "onlySendBillOnApproval"),
        "bills that are not approved would be pushed",
        "Set `onlySendBillOnApproval: true`",
    ),
    (
        "an open invoice that nobody creates",
        all_of(pushed(open=True), with_value(UK, "chargebee", "createInvoice", False)),
        "R089",
        (UK, "push", "open"),
        "`open: true` needs `createInvoice: true`",
        "",
    ),
    (
        "pending settings where invoices are created",
        pushed(pending={"waitUpTo": "2d"}),
        "R090",
        (UK, "push", "pending"),
        "no effect with `createInvoice: true`",
        "Set `createInvoice: false`",
    ),
    (
        "a date that does not exist",
        pushed(since="2026-02-30"),
        "R091",
        (UK, "push", "since"),
        "there is no date 2026-02-30",
        "YYYY-MM-DD",
    ),
    (
        "a filter that cannot be read",
        with_value(UK, "entity", "accountFilter", 'currency == "GBP'),
        "R095",
        (UK, "entity", "accountFilter"),
        "account filter: ",
        "",
    ),
    (
        "a filter over an unknown field",
        with_value(UK, "entity", "accountFilter", 'currencyy == "GBP"'),
        "R096",
        (UK, "entity", "accountFilter"),
        "there is no field `currencyy`",
        "Did you mean `currency`?",
    ),
    (
        "a filter with a bare word",
        with_value(UK, "entity", "accountFilter", "currency == GBP"),
        "R097",
        (UK, "entity", "accountFilter"),
        "account filter: ",
        'Write `"GBP"`.',
    ),
    (
        "two environments with one organisation",
        with_value(SANDBOX, "m3ter", "organizationId", environment(2, "x")["m3ter"]["organizationId"]),
        "R100",
        (SANDBOX, "m3ter", "organizationId"),
        "`sandbox` has the organisation of `production`",
        "the environment's own m3ter organisation",
    ),
    (
        "two environments with one ledger",
        with_value(SANDBOX, "ledger", "id", environment(2, "x")["ledger"]["id"]),
        "R101",
        (SANDBOX, "ledger", "id"),
        "`sandbox` has the ledger id of `production`",
        "an id of its own",
    ),
    (
        "a host that is not m3ter's",
        with_value(SANDBOX, "m3ter", "baseUrl", "https://m3ter.example.com"),
        "R102",
        (SANDBOX, "m3ter", "baseUrl"),
        "the key of `sandbox` would be sent to m3ter.example.com",
        "RECONCILER_ALLOW",
    ),
    (
        "a URL that is none",
        with_value(SANDBOX, "m3ter", "baseUrl", "https://[x"),
        "R102",
        (SANDBOX, "m3ter", "baseUrl"),
        "the key of `sandbox` would be sent to https://[x",
        "",
    ),
    (
        "plain http",
        with_value(SANDBOX, "m3ter", "baseUrl", "http://api.m3ter.com"),
        "R103",
        (SANDBOX, "m3ter", "baseUrl"),
        "http://api.m3ter.com is not https",
        "Write https://.",
    ),
    (
        "another site's URL",
        with_value(SANDBOX, "chargebee", "baseUrl", "https://acme.chargebee.com"),
        "R104",
        (SANDBOX, "chargebee", "baseUrl"),
        "`site` is acme-test and the URL leads to acme",
        "the same",
    ),
    (
        "a variable that is not allowed",
        with_value(SANDBOX, "chargebee", "apiKey", {"env": "AWS_SECRET_ACCESS_KEY"}),
        "R105",
        (SANDBOX, "chargebee", "apiKey"),
        "`{env: AWS_SECRET_ACCESS_KEY}` is not on the list",
        "add `env:AWS_SECRET_ACCESS_KEY` to `RECONCILER_ALLOW`",
    ),
    (
        "a file that is not allowed",
        with_value(SANDBOX, "ledger", {"id": UUID, "postgresql": {"file": "/etc/passwd"}}),
        "R105",
        (SANDBOX, "ledger", "postgresql"),
        "`{file: /etc/passwd}` is not on the list",
        "",
    ),
    (
        "a notice to a variable that is not allowed",
        with_value(SANDBOX, "notices", [{"events": ["drift"], "url": {"env": "X"}}]),
        "R105",
        (SANDBOX, "notices", 0, "url"),
        "`{env: X}` is not on the list",
        "",
    ),
    (
        "a time zone that does not exist",
        with_value(SANDBOX, "chargebee", "timezone", "Europe/Londn"),
        "R106",
        (SANDBOX, "chargebee", "timezone"),
        "there is no time zone `Europe/Londn`",
        "Europe/London",
    ),
    (
        "a freeze window without an offset",
        with_value(SANDBOX, "freeze",
             [{"from": "2026-12-24T00:00:00", "until": "2026-12-25T00:00:00Z", "reason": "x"}]),
        "R107",
        (SANDBOX, "freeze", 0, "from"),
        "`2026-12-24T00:00:00` is no time with an offset",
        "",
    ),
    (
        "a freeze window that is no time",
        with_value(SANDBOX, "freeze",
             [{"from": "2026-12-24T00:00:00Z", "until": "later", "reason": "x"}]),
        "R107",
        (SANDBOX, "freeze", 0, "until"),
        "`later` is no time with an offset",
        "",
    ),
    (
        "a freeze window that ends before it begins",
        with_value(SANDBOX, "freeze", [
            {"from": "2026-12-24T00:00:00+01:00", "until": "2026-12-23T23:00:00Z", "reason": "x"}
        ]),
        "R107",
        (SANDBOX, "freeze", 0, "until"),
        "not after its begin",
        "",
    ),
    (
        "two fields with one wire key",
        with_value(DIALECT, "keys", "global.restrictedAccountIds", "accounts"),
        "R110",
        (DIALECT, "keys", "global.restrictedAccountIds"),
        "`global.restrictedAccountIds` and `global.accountIds` have the same wire key `accounts`",
        "",
    ),
    (
        "values without a key",
        with_value(DIALECT, "values", "chargebee.sortLineItemsBy", {"none": "NONE"}),
        "R112",
        (DIALECT, "values", "chargebee.sortLineItemsBy"),
        "`chargebee.sortLineItemsBy` has values and no key",
        "Add the field under `keys`",
    ),
    (
        "two values with one wire value",
        with_value(DIALECT, "values", "chargebee.splitUsageLineItems", "itemPerUsageBand", "PRODUCT"),
        "R113",
        (DIALECT, "values", "chargebee.splitUsageLineItems", "itemPerUsageBand"),
        "have the same wire value `PRODUCT`",
        "",
    ),
    (
        "a field that does not exist in a dialect",
        with_value(DIALECT, "keys", "chargebee.createInvoices", "x"),
        "R114",
        (DIALECT, "keys", "chargebee.createInvoices"),
        "there is no field `chargebee.createInvoices`",
        "Did you mean `chargebee.createInvoice`?",
    ),
    (
        "evidence without a time",
        with_value(DIALECT, "evidence", "at", "yesterday"),
        "R115",
        (DIALECT, "evidence", "at"),
        "`yesterday` is no time with an offset",
        "",
    ),
    (
        "a guard of a field that does not exist",
        with_value(PROJECT, "guards", {"routineFields": ["displayname"]}),
        "R120",
        (PROJECT, "guards", "routineFields", 0),
        "there is no field `displayname`",
        "Did you mean `displayName`?",
    ),
    (
        "an approver of a field that does not exist",
        with_value(PROJECT, "approvers",
             [{"guards": ["drift"], "fields": ["chargebee.priceIdMapping.USAGE", "qqqq"],
               "github": ["a"]}]),
        "R120",
        (PROJECT, "approvers", 0, "fields", 1),
        "there is no field `qqqq`",
        "Use the name of a setting",
    ),
    (
        "an approver that looks like a group",
        with_value(PROJECT, "approvers", [{"guards": ["drift"], "github": ["finance-team"]}]),
        "R121",
        (PROJECT, "approvers", 0, "github", 0),
        "`finance-team` looks like a group, and is read as a person",
        "Write `organization/team`",
    ),
    (
        "a group of three parts",
        with_value(PROJECT, "approvers", [{"guards": ["drift"], "gitea": ["acme/finance/uk"]}]),
        "R121",
        (PROJECT, "approvers", 0, "gitea", 0),
        "`acme/finance/uk` is not `organization/team`",
        "Write `organization/team`",
    ),
    (
        "a login with an at sign",
        with_value(PROJECT, "approvers", [{"guards": ["drift"], "github": ["acme/finance", "fay", "@fay"]}]),
        "R121",
        (PROJECT, "approvers", 0, "github", 2),
        "`@fay` begins with `@`",
        "Write `organization/team`",
    ),
    (
        "a rule that names nobody",
        with_value(PROJECT, "approvers", [{"guards": ["drift"]}]),
        "R121",
        (PROJECT, "approvers", 0),
        "this rule names nobody",
        "Write `organization/team`",
    ),
    (
        "a secret in a document",
        with_value(UK, "displayName", "test_NwC1dBxAAcufEbMpc0kEcdXjlzTvpCPyK"),
        "R130",
        (UK, "displayName"),
        "a secret stands in `spec.displayName`",
        "Revoke it",
    ),
    (
        "a secret in a key",
        with_value(UK, "configData", {"test_NwC1dBxAAcufEbMpc0kEcdXjlzTvpCPyK": True}),
        "R130",
        (UK, "configData", "test_NwC1dBxAAcufEbMpc0kEcdXjlzTvpCPyK"),
        "a secret stands in `spec.configData`",
        "",
    ),
    (
        "a wire key that says it is secret",
        with_value(UK, "configData", {"webhook": {"apiKey": "hunter2"}}),
        "R130",
        (UK, "configData", "webhook", "apiKey"),
        "a secret stands in `spec.configData.webhook.apiKey`",
        "",
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "rule", "where", "message", "hint"),
    [pytest.param(*case[1:], id=case[0]) for case in CASES],
)
def test_one_broken_thing_is_one_problem_at_its_place(
    change: Change, rule: str, where: tuple[Any, ...], message: str, hint: str
) -> None:
    repository = sound_repository()
    change(repository)

    (problem,) = problems_of(repository)

    key, *path = where
    assert problem.rule == rule
    assert message in problem.message
    assert hint in problem.hint
    kind, name, environment_name = key
    expected = document(kind, name, environment_name, repository.specs[key])
    assert problem.origin == expected.origin(("spec", *path))


def test_a_secret_in_a_comment_is_found_in_the_text() -> None:
    repository = sound_repository()
    file = "integrations.d/uk-integration.yaml"
    text = "apiVersion: x\r\n# key: test_NwC1dBxAAcufEbMpc0kEcdXjlzTvpCPyK\n"
    repository.texts[Origin(file, 1, 1)] = text

    (problem,) = problems_of(repository)

    assert (problem.rule, str(problem.origin)) == ("R130", f"{file}:2:8")


def test_a_secret_is_reported_once_for_a_line() -> None:
    repository = sound_repository()
    secret = "test_NwC1dBxAAcufEbMpc0kEcdXjlzTvpCPyK"
    repository.specs[UK]["displayName"] = secret  # type: ignore[index]
    place = document("Integration", "uk", None, repository.specs[UK]).origin(  # type: ignore[index]
        ("spec", "displayName")
    )
    repository.texts[Origin(place.file, 1, 1)] = "\n" * (place.line - 1) + secret

    (problem,) = problems_of(repository)

    assert problem.message == "a secret stands in `spec.displayName`"


def test_a_finding_in_a_filter_may_suggest_nothing() -> None:
    repository = sound_repository()
    repository.specs[UK]["entity"]["accountFilter"] = "currency"  # type: ignore[index]

    (problem,) = problems_of(repository)

    assert problem.rule == "R096"
    assert problem.hint.startswith("Use the fields of an account")


def test_an_undocumented_function_has_a_documented_form() -> None:
    repository = sound_repository()
    repository.specs[UK]["entity"]["accountFilter"] = 'IN(currency, "GBP")'  # type: ignore[index]

    (problem,) = problems_of(repository)

    assert (problem.rule, problem.hint) == ("R097", "Write comparisons joined with OR.")


@pytest.mark.parametrize("text", ['displayName: "test_NwC1dB\\x78AAcufEbMpc0"', ""])
def test_an_escaped_secret_is_found_in_the_value(text: str) -> None:
    repository = sound_repository()
    repository.specs[UK]["displayName"] = "test_NwC1dBxAAcufEbMpc0"  # type: ignore[index]
    repository.texts[Origin("integrations.d/uk-integration.yaml", 1, 1)] = text

    (problem,) = problems_of(repository)

    assert problem.message == "a secret stands in `spec.displayName`"


def test_a_clean_text_is_still_searched_for_wire_keys_of_secrets() -> None:
    repository = sound_repository()
    repository.specs[UK]["configData"] = {"apiKey": "hunter2", "list": [{"password": "x"}]}  # type: ignore[index]
    repository.texts[Origin("integrations.d/uk-integration.yaml", 1, 1)] = "apiKey: hunter2"

    assert [problem.path for problem in problems_of(repository)] == [
        "spec.configData.apiKey",
        "spec.configData.list[0].password",
    ]
