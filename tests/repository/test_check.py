from __future__ import annotations

import pytest

from reconciler.definitions.model import Document
from reconciler.kernel.problem import Problem
from reconciler.repository.check import checked
from reconciler.repository.yaml.reader import read_yaml


def check(text: str) -> list[Problem]:
    file = read_yaml("f.yaml", text.encode())
    assert file.source is not None
    results = [checked(file.source, document) for document in file.documents]
    return [problem for result in results if not isinstance(result, Document) for problem in result]


def head(kind: str, metadata: str = "{name: x}") -> str:
    return f"apiVersion: m3ter-reconciler/v1\nkind: {kind}\nmetadata: {metadata}\nspec:\n"


def told(problems: list[Problem]) -> list[tuple[str, str, str, str]]:
    return [
        (problem.rule, str(problem.origin)[7:], problem.path, problem.message)
        for problem in problems
    ]


PROJECT = head("Project") + "  prune: never\n  adoption: explicit\n"
ENVIRONMENT = (
    head("Environment") + "  protected: false\n  m3ter:\n"
    "    organizationId: 11111111-1111-4111-8111-111111111111\n"
    "    accessKey: {env: A}\n    apiSecret: {file: /b}\n"
)
INTEGRATION = (
    head("Integration") + "  displayName: x\n  destination: Chargebee\n  connection: disconnected\n"
)
PATCH = head("Integration", "{name: x, environment: live}")
DIALECT = (
    head("Dialect") + "  environment: s\n  destination: Chargebee\n"
    "  wireNames: {destination: a, entityType: b}\n  keys: {a: b}\n"
)


def test_a_document_that_fits_becomes_a_definition() -> None:
    file = read_yaml("f.yaml", (PROJECT + "---\n" + PATCH + "  enabled: null\n").encode())
    assert file.source is not None
    project, patch = [checked(file.source, document) for document in file.documents]
    assert isinstance(project, Document)
    assert isinstance(patch, Document)
    assert (project.kind, project.name, project.environment) == ("Project", "x", None)
    assert (patch.kind, patch.environment, patch.index) == ("Integration", "live", 1)
    assert str(patch.origin(("spec", "enabled"))) == "f.yaml:12:12"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[1]", [("R010", "1:1", "", "a document must be a mapping with `kind` and `spec`")]),
        ("text", [("R010", "1:1", "", "a document must be a mapping with `kind` and `spec`")]),
        (
            "a: 1\nkind: Projct\n",
            [
                ("R010", "1:1", "apiVersion", "`apiVersion` is missing"),
                ("R010", "2:7", "kind", "`kind` is `Projct`, which is not known"),
            ],
        ),
        (
            "apiVersion: 2\nkind: [x]\n",
            [
                ("R010", "1:13", "apiVersion", "`apiVersion` is no text, which is not known"),
                ("R010", "2:7", "kind", "`kind` is no text, which is not known"),
            ],
        ),
        (
            "a: &k 1\napiVersion: m3ter-reconciler/v1\nkind: *k\n",
            [("R010", "3:7", "kind", "`kind` is no text, which is not known")],
        ),
    ],
)
def test_kind_and_version_come_first(text: str, expected: list[tuple[str, ...]]) -> None:
    assert told(check(text)) == expected


def test_the_kind_that_was_meant_is_suggested() -> None:
    [problem] = check(PROJECT.replace("Project", "Intergation"))
    assert problem.hint == "Did you mean `Integration`?"
    [problem] = check(PROJECT.replace("Project", "Zzz"))
    assert "`Dialect`" in problem.hint


CASES = [
    # text, rule, line:column, path, part of the message, part of the hint
    (PROJECT + "  onDrift: aprove\n", "R013", "7:12", "spec.onDrift",
     "`onDrift` is the text `aprove`, not one of `approve`, `revert`", "mean `approve`"),
    (PROJECT + "  on_drift: approve\n", "R014", "7:3", "spec.on_drift",
     "unknown setting `on_drift`", "mean `onDrift`"),
    (PROJECT + "  count: 3\n", "R014", "7:3", "spec.count",
     "unknown setting `count`", "It belongs in `spec.guards.maxDeletes`."),
    (PROJECT + "  zzzz: 3\n", "R014", "7:3", "spec.zzzz", "unknown setting", "Known here are `prune`"),
    (PROJECT.replace("  prune: never\n", ""), "R011", "4:1", "spec.prune",
     "`prune` is missing in `spec`", "Add `prune:` with one of `never`, `confirm`, `allow`."),
    (PROJECT + "extra: 1\n", "R014", "7:1", "extra", "unknown setting `extra`", "Known here"),
    (PROJECT.replace("spec:", "spex:"), "R014", "4:1", "spex", "unknown setting `spex`", "`spec`"),
    (PROJECT.replace("{name: x}", "{}"), "R011", "3:11", "metadata.name",
     "`name` is missing in `metadata`", "Add `name:` with text."),
    (PROJECT.replace("{name: x}", "{name: X Y}"), "R013", "3:18", "metadata.name",
     "`name` is the text `X Y`, which does not have the right form", "For example `chargebee-uk`."),
    (PROJECT.replace("{name: x}", '{name: "x\\n"}'), "R013", "3:18", "metadata.name",
     "does not have the right form", "Lower-case"),
    (PROJECT.replace("{name: x}", ""), "R012", "3:1", "metadata",
     "`metadata` must be a mapping with `name`, not empty", "Write a value"),
    (PROJECT + "  guards: {maxDeletes: {fraction: 1.5}}\n", "R013", "7:35",
     "spec.guards.maxDeletes.fraction", "`fraction` is `1.5`, above 1", "from 0 to 1"),
    (PROJECT + "  guards: {maxDeletes: {count: -1}}\n", "R013", "7:32",
     "spec.guards.maxDeletes.count", "`count` is `-1`, below 0", "of at least 0"),
    (PROJECT + "  guards: {maxDeletes: {count: '3'}}\n", "R012", "7:32",
     "spec.guards.maxDeletes.count", "must be a whole number of at least 0, not the text `3`",
     "Remove the quotes."),
    (PROJECT + "  guards: {maxDeletes: {count: 3.5}}\n", "R012", "7:32",
     "spec.guards.maxDeletes.count", "not `3.5`", "type named"),
    (PROJECT + "  guards: []\n", "R012", "7:11", "spec.guards", "not a list", "type named"),
    (PROJECT + "  approvers: [{guards: [drft], github: [a]}]\n", "R013", "7:25",
     "spec.approvers[0].guards[0]", "`guards[0]` is the text `drft`", "mean `drift`"),
    (PROJECT + "  approvers: [{guards: [drift], github: []}]\n", "R013", "7:41",
     "spec.approvers[0].github", "must not be an empty list", "List at least one."),
    (PROJECT + "  state: {backend: directory, path: ''}\n", "R013", "7:37", "spec.state.path",
     "`path` must not be empty", "It must be text."),
    (PROJECT + f"  state: {{backend: directory, path: {'x' * 1001}}}\n", "R013", "7:37",
     "spec.state.path", "is longer than 1000 characters", "It must be text."),
    (ENVIRONMENT.replace("false", "yes"), "R012", "5:14", "spec.protected",
     "`protected` must be true or false, not the text `yes`", "write `true` or `false`"),
    (ENVIRONMENT.replace("{env: A}", "hunter2"), "R012", "8:16", "spec.m3ter.accessKey",
     "must be a mapping with `env` or a mapping with `file`, not text", ""),
    (ENVIRONMENT.replace("{env: A}", "{env: a-b}"), "R013", "8:22", "spec.m3ter.accessKey.env",
     "`env` is text, which does not have the right form", "For example `M3TER_API_KEY`."),
    (ENVIRONMENT.replace("{env: A}", "{env: 5}"), "R012", "8:22", "spec.m3ter.accessKey.env",
     "`env` must be text, not a value", "quotes"),
    (ENVIRONMENT.replace("{env: A}", "{evn: A}"), "R015", "8:16", "spec.m3ter.accessKey",
     "`accessKey` must be a mapping with `env` or a mapping with `file`", "mean `env`"),
    (ENVIRONMENT.replace("{env: A}", "{}"), "R015", "8:16", "spec.m3ter.accessKey",
     "must be a mapping with `env`", "exactly one"),
    (ENVIRONMENT + "  credentials: {Foo: {name: x}}\n", "R013", "10:17", "spec.credentials.Foo",
     "`Foo` cannot be a key of `credentials`", "Lower-case"),
    (ENVIRONMENT + "  m3: 1\n", "R014", "10:3", "spec.m3", "unknown setting", "Known here are `protected`"),
    (INTEGRATION + "  global: {accountIds: []}\n", "R013", "8:24", "spec.global.accountIds",
     "must not be an empty list", "List at least one."),
    (INTEGRATION + "  global: {accountIds: null}\n", "R012", "8:24", "spec.global.accountIds",
     "must be `all` or a list, not empty", "Write a value"),
    (INTEGRATION + "  global: {accountIds: al}\n", "R013", "8:24", "spec.global.accountIds",
     "is the text `al`, not `all` or a list", "mean `all`"),
    (INTEGRATION + "  global: {accountIds: [acme]}\n", "R013", "8:25", "spec.global.accountIds[0]",
     "`accountIds[0]` is the text `acme`", "a mapping with `code` or a UUID"),
    (INTEGRATION + "  global: {accountIds: [5]}\n", "R012", "8:25", "spec.global.accountIds[0]",
     "not `5`", "type named"),
    (INTEGRATION + "  global: {accountIds: all}\n  enabled: false\n", "R012", "9:12", "spec.enabled",
     "`enabled` must be `true`, not `false`", "type named"),
    (INTEGRATION + "  global: {accountIds: all}\n  chargebee: {priceIdMapping: {USGE: a}}\n",
     "R014", "9:32", "spec.chargebee.priceIdMapping.USGE",
     "`USGE` is not a known key of `priceIdMapping`", "mean `USAGE`"),
    (INTEGRATION + "  global: {accountIds: all}\n  chargebee: {priceIdMapping: {ZZZ: a}}\n",
     "R014", "9:32", "spec.chargebee.priceIdMapping.ZZZ", "is not a known key", "Known are"),
    (INTEGRATION + "  global: &g {accountIds: all, x: 1}\n", "R014", "8:32", "spec.global.x",
     "unknown setting `x`", "Known here"),
    (DIALECT + "  evidence: {source: persn, at: x}\n", "R013", "9:22", "spec.evidence.source",
     "not one of `discover`, `import` or `person`", "mean `person`"),
    (DIALECT + "  evidence: {source: person, at: x}\n", "R011", "9:13", "spec.evidence.by",
     "`by` is missing in `evidence`", "Add `by:` with text."),
    (DIALECT.replace("{a: b}", "{'': b}") + "  evidence: {source: person, by: y, at: x}\n", "R013",
     "8:10", "spec.keys.", "`` cannot be a key of `keys`", "1 to 1,000"),
    (PATCH + "  delivery: natve\n", "R013", "5:13", "spec.delivery",
     "not one of `native`, `push`", "mean `native`"),
    (PATCH + "  entity: 5\n", "R012", "5:11", "spec.entity", "must be a mapping, not `5`", ""),
    (PATCH + "  displayName: null\n", "R012", "5:16", "spec.displayName", "not empty", "remove"),
    (PATCH + "  chargebee: {multiDecimalPriceDecimalPlaces: 21}\n", "R013", "5:47",
     "spec.chargebee.multiDecimalPriceDecimalPlaces", "is `21`, above 20", "from 0 to 20"),
    (head("Integration", "{name: x, environment: }") + "  {}\n", "R012", "3:21",
     "metadata.environment", "`environment` must be text, not empty", ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "rule", "place", "path", "message", "hint"), CASES)
def test_a_fault_is_named_placed_and_explained(  # noqa: PLR0917  a row of the table
    text: str, rule: str, place: str, path: str, message: str, hint: str
) -> None:
    problems = [other for other in check(text) if other.rule != "R011" or rule == "R011"]
    assert len(problems) == 1, told(problems)
    [problem] = problems
    assert (problem.rule, str(problem.origin), problem.path) == (rule, f"f.yaml:{place}", path)
    assert message in problem.message
    assert hint in problem.hint
    assert "\n" not in problem.message


def test_a_misspelt_required_setting_is_reported_once() -> None:
    assert [problem.rule for problem in check(PROJECT.replace("prune", "prunee"))] == ["R014"]


def test_everything_wrong_in_a_document_is_reported_at_once() -> None:
    text = head("Project") + "  prune: maybe\n  onDrft: approve\n  guards: {maxPlanAge: 1w}\n"
    assert sorted(problem.rule for problem in check(text)) == ["R011", "R013", "R013", "R014"]


def test_a_fault_below_an_alias_is_shown_at_the_alias() -> None:
    text = "x: &a {count: '3'}\n" + PROJECT + "  guards: {maxDeletes: *a}\n"
    assert ("R012", "8:24", "spec.guards.maxDeletes.count") in [
        entry[:3] for entry in told(check(text))
    ]


def test_a_document_with_broken_yaml_is_still_checked_but_never_a_definition() -> None:
    assert [problem.rule for problem in check(PROJECT + "  onDrift: x\n  onDrift: y\n")] == ["R013"]
    assert check(PROJECT + "  onDrift: revert\n  onDrift: approve\n") == []


def test_values_of_secret_fields_are_never_quoted() -> None:
    text = ENVIRONMENT.replace("{env: A}", "hunter2").replace("{file: /b}", "[hunter2]")
    assert "hunter2" not in str(check(text))
