"""Names that must lead somewhere: integrations, environments, credentials, fields; and ids."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

from reconciler.definitions.core.paths import dotted, mapping_at, meant, reach, text_at
from reconciler.definitions.core.rule import Rule
from reconciler.definitions.core.settings import SETTINGS
from reconciler.definitions.kinds.integration import (
    CodeReference,
    CredentialConnection,
    IntegrationSpec,
)
from reconciler.definitions.kinds.mapping_set import CsvRows, IdColumn
from reconciler.definitions.model import Defined, DefinedSet, Document, DocumentPath, Effective
from reconciler.kernel.problem import Problem

UNKNOWN_INTEGRATION = Rule(
    "R058",
    "a mapping set is linked to an Integration that exists",
    "error",
    "Linked mappings of an unknown integration cannot be created.",
    "Use the `metadata.name` of an Integration, or leave `integration` out for unlinked mappings.",
)
UNKNOWN_ENVIRONMENT = Rule(
    "R059",
    "environments that are named exist",
    "error",
    "What is written for an unknown environment holds nowhere.",
    "Use the name of an Environment.",
)
UNKNOWN_CREDENTIAL = Rule(
    "R060",
    "every environment knows the credential of a connection",
    "error",
    "An integration cannot be connected with a credential that nobody can find.",
    "Add it under `credentials` of the Environment, or patch `connection` for it.",
)
ID_FOR_CODE = Rule(
    "R068",
    "objects are named by code where they have one",
    "warning",
    "An id belongs to one organisation and tells a reviewer nothing; codes hold in all of them.",
    "Write `{code: ...}`.",
)
RULES = (UNKNOWN_INTEGRATION, UNKNOWN_ENVIRONMENT, UNKNOWN_CREDENTIAL, ID_FOR_CODE)
UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def unknown_integrations(view: Effective, known: Collection[str]) -> Iterator[Problem]:
    """Find mapping sets that are linked to nothing."""
    for mapping_set in view.mapping_sets:
        name = mapping_set.defined.spec.integration
        if name is not None and name not in known:
            yield UNKNOWN_INTEGRATION.broken(
                mapping_set.defined.at("integration"),
                f"there is no Integration `{name}`",
                meant(name, known, UNKNOWN_INTEGRATION.fix),
                "spec.integration",
            )


def unknown_credentials(view: Effective, environment: str) -> Iterator[Problem]:
    """Find connections whose credential the environment does not list."""
    credentials = view.environment.spec.credentials
    for integration in view.integrations:
        connection = integration.spec.connection
        if not isinstance(connection, CredentialConnection):
            continue
        if connection.credential not in credentials:
            where = view.environment.at("credentials")
            yield UNKNOWN_CREDENTIAL.broken(
                integration.at("connection", "credential"),
                f"environment `{environment}` has no credential `{connection.credential}`",
                meant(
                    connection.credential,
                    credentials,
                    f"Add `{connection.credential}` under `credentials` at {where}.",
                ),
                "spec.connection.credential",
            )


def unknown_environments(
    documents: Collection[Document], known: Collection[str]
) -> Iterator[Problem]:
    """Find environments that mapping sets and dialects name and that do not exist."""
    for document in documents:
        for path, name in _named_environments(document):
            if name not in known:
                yield UNKNOWN_ENVIRONMENT.broken(
                    document.origin(path),
                    f"there is no environment `{name}`",
                    meant(name, known, UNKNOWN_ENVIRONMENT.fix),
                    dotted(path),
                )


def _named_environments(document: Document) -> Iterator[tuple[DocumentPath, str]]:
    if document.kind == "Dialect" and (name := text_at(document.body, "spec", "environment")):
        yield ("spec", "environment"), name
    if document.kind == "MappingSet":
        rows = reach(document.body, "spec", "rows")
        paths: list[DocumentPath] = [()]
        if isinstance(rows, Sequence):
            paths = [(number,) for number in range(len(rows))]
        for below in paths:
            path: DocumentPath = ("spec", "rows", *below, "externalId")
            yield from (((*path, name), name) for name in mapping_at(document.body, *path))


def ids_for_codes(view: Effective) -> Iterator[Problem]:
    """Find ids where a code would do."""
    for integration in view.integrations:
        yield from _account_ids(integration)
    for mapping_set in view.mapping_sets:
        yield from _mapped_ids(mapping_set)


def _account_ids(integration: Defined[IntegrationSpec]) -> Iterator[Problem]:
    panel = integration.spec.global_
    lists = {"restrictedAccountIds": panel.restricted_account_ids}
    if panel.account_ids != "all":
        lists = {"accountIds": panel.account_ids, **lists}
    for field, accounts in lists.items():
        for number, account in enumerate(accounts):
            if (problem := _id_problem(account)) is not None:
                message, hint = problem
                path = ("global", field, number)
                yield ID_FOR_CODE.broken(
                    integration.at(*path), message, hint, dotted(("spec", *path))
                )


def _id_problem(account: CodeReference | str) -> tuple[str, str] | None:
    if isinstance(account, str):
        return f"account {account} is named by its id", "Write `{code: ...}` with its code."
    if UUID.fullmatch(account.code):
        return (
            f"`{account.code}` stands as a code and looks like an id",
            "Write the account's code, or the id without `code:`.",
        )
    return None


def _mapped_ids(mapping_set: DefinedSet) -> Iterator[Problem]:
    rows = mapping_set.defined.spec.rows
    if isinstance(rows, CsvRows):
        if isinstance(rows.m3ter, IdColumn):
            yield ID_FOR_CODE.broken(
                mapping_set.defined.at("rows", "m3ter", "id"),
                f"the rows name their {mapping_set.defined.spec.m3ter_entity} by id",
                "Use a column of codes: `m3ter: {code: COLUMN}`.",
                "spec.rows.m3ter.id",
            )
        return
    for number, row in enumerate(rows):
        key = row.m3ter
        name = key.code if isinstance(key, CodeReference) else key.id
        if UUID.fullmatch(name):
            message = f"{mapping_set.defined.spec.m3ter_entity} {name} is named by its id"
            path = ("rows", number, "m3ter")
            yield ID_FOR_CODE.broken(
                mapping_set.defined.at(*path), message, path=dotted(("spec", *path))
            )


UNKNOWN_FIELD = Rule(
    "R120",
    "guards and approvers speak of fields that exist",
    "warning",
    "A misspelt field is never routine, and nobody may approve it.",
    "Use the name of a setting, with or without its panel: `createInvoice`,"
    " `chargebee.createInvoice`.",
)
ODD_APPROVER = Rule(
    "R121",
    "approvers are people, or groups with a slash",
    "warning",
    "A name with a slash is a group and one without is a person: the wrong form is nobody.",
    "Write `organization/team` for a group, and the login alone for a person.",
)

FIELD_RULES = (UNKNOWN_FIELD, ODD_APPROVER)
_GROUP_WORDS = frozenset({"team", "teams", "group", "owners", "admins", "finance", "reviewers"})

_PARTS = 2
_OTHERS = (
    "displayName",
    "connection",
    "enabled",
    "delivery",
    "protect",
    "configData",
    "externalId",
)
_KNOWN = frozenset(
    {
        *_OTHERS,
        *(setting.name for setting in SETTINGS),
        *(str(setting.path) for setting in SETTINGS),
    }
)


def projects(view: Effective) -> Iterator[Problem]:
    """Find fields that do not exist in guards and approvers, and approvers that are nobody."""
    yield from _approvers(view)
    project = view.project
    lists: list[tuple[DocumentPath, tuple[str, ...]]] = [
        (("guards", "routineFields"), project.spec.guards.routine_fields)
    ]
    lists += [
        (("approvers", number, "fields"), approvers.fields)
        for number, approvers in enumerate(project.spec.approvers)
    ]
    for path, fields in lists:
        for number, field in enumerate(fields):
            if not _exists(field):
                yield UNKNOWN_FIELD.broken(
                    project.at(*path, number),
                    f"there is no field `{field}`",
                    meant(field, _KNOWN, UNKNOWN_FIELD.fix),
                    dotted(("spec", *path, number)),
                )


def _approvers(view: Effective) -> Iterator[Problem]:
    for number, approvers in enumerate(view.project.spec.approvers):
        if not (approvers.github or approvers.gitea):
            yield ODD_APPROVER.broken(
                view.project.at("approvers", number),
                "this rule names nobody: what it is about can never be approved",
                ODD_APPROVER.fix,
                dotted(("spec", "approvers", number)),
            )
        for forge, names in (("github", approvers.github), ("gitea", approvers.gitea)):
            for place, name in enumerate(names):
                if why := _odd(name):
                    yield ODD_APPROVER.broken(
                        view.project.at("approvers", number, forge, place),
                        f"`{name}` {why}",
                        ODD_APPROVER.fix,
                        dotted(("spec", "approvers", number, forge, place)),
                    )


def _odd(name: str) -> str:
    parts = name.split("/")
    if len(parts) > 1:
        return "" if len(parts) == _PARTS and all(parts) else "is not `organization/team`"
    if name.startswith("@"):
        return "begins with `@`, which no login does"
    named = _GROUP_WORDS & set(name.lower().split("-"))
    return "looks like a group, and is read as a person" if named else ""


def _exists(field: str) -> bool:
    """Say whether a field or one of the fields above it exists: one key of a map counts, too."""
    parts = field.split(".")
    return any(".".join(parts[:length]) in _KNOWN for length in range(1, len(parts) + 1))
