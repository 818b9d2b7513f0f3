from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.definitions.model import Effective, MappingRow
from reconciler.errors import ExitCode
from reconciler.kernel.line_item import Destination, LineItemType
from reconciler.repository.parse import MissingProjectError, UnknownEnvironmentError
from reconciler.repository.repository import Repository

API = "apiVersion: m3ter-reconciler/v1\n"
PROJECT = API + "kind: Project\nmetadata: {name: acme}\nspec: {prune: never, adoption: explicit}\n"


def environment(name: str, uuid: str) -> str:
    return (
        API + f"kind: Environment\nmetadata: {{name: {name}}}\nspec:\n  protected: false\n"
        f"  m3ter: {{organizationId: {uuid * 8}-1111-4111-8111-111111111111,"
        " accessKey: {env: A}, apiSecret: {file: b}}\n"
    )


INTEGRATION = (
    API
    + """kind: Integration
metadata: {name: uk}
spec:
  displayName: UK
  destination: Chargebee
  connection: disconnected
  global: {accountIds: [{code: a}]}
  entity: {excludedLineItemTypes: [USAGE], accountFilter: x = 1}
  chargebee:
    multiDecimalPriceDecimalPlaces: 3.0
    priceIdMapping: {USAGE: p, AD_HOC: q}
"""
)
PATCH = (
    API
    + """kind: Integration
metadata: {name: uk, environment: live}
spec:
  displayName: UK live
  entity: {accountFilter: null}
  chargebee: {priceIdMapping: {USAGE: null, CREDIT_MEMO: r}}
"""
)


def mapping_set(name: str, rows: str) -> str:
    return (
        API + f"kind: MappingSet\nmetadata: {{name: {name}}}\nspec:\n  externalSystem: Chargebee\n"
        f"  externalTable: Subscription\n  m3terEntity: Account\n  rows: {rows}\n"
    )


def dialect(name: str, of: str) -> str:
    return (
        API + f"kind: Dialect\nmetadata: {{name: {name}}}\nspec:\n  environment: {of}\n"
        "  destination: Chargebee\n  wireNames: {destination: C, entityType: B}\n"
        "  evidence: {source: person, by: x, at: 2026-11-22T10:00:00Z}\n  keys: {a: b}\n"
    )


FILES = {
    "project.yaml": PROJECT,
    "environments.yaml": environment("test", "1") + "---\n" + environment("live", "2"),
    "us.yaml": INTEGRATION.replace("uk", "us"),
    "uk/integration.yaml": INTEGRATION,
    "uk/live.yaml": PATCH,
    "uk/accounts.yaml": mapping_set(
        "accounts", "{csv: a.csv, m3ter: {code: code}, externalId: {test: t, live: l}}"
    ),
    "uk/a.csv": "code,t,l\na,t1,l1\nb,,l2\n,t3,l3\n",
    "uk/one.yaml": mapping_set("one", "{csv: ./a.csv, m3ter: {id: code}, externalId: t}"),
    "uk/odd.yaml": mapping_set("odd", "{csv: a.csv, m3ter: {id: none}, externalId: {live: zz}}"),
    "inline.yaml": mapping_set(
        "inline",
        "[{m3ter: {code: a}, externalId: x}, {m3ter: {id: b}, externalId: {live: y}}]",
    ),
    "dialects.yaml": dialect("b", "live") + "---\n" + dialect("a", "live") + "---\n"
    + dialect("c", "test"),
}  # fmt: skip


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    for name, text in FILES.items():
        path = tmp_path / "integrations.d" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Repository(tmp_path)


def view(repository: Repository, name: str) -> Effective:
    loaded = repository.load()
    assert loaded.problems == ()
    return repository.effective(loaded.definitions, name)


def told(rows: tuple[MappingRow, ...]) -> list[tuple[str, str, str, str]]:
    return [(row.key.by, row.key.value, row.external_id, str(row.origin)) for row in rows]


def test_everything_is_there_and_sorted_by_name(repository: Repository) -> None:
    found = view(repository, "live")
    assert found.project.name == "acme"
    assert found.environment.name == "live"
    assert [integration.name for integration in found.integrations] == ["uk", "us"]
    assert [mapping_set.defined.name for mapping_set in found.mapping_sets] == [
        "accounts",
        "inline",
        "odd",
        "one",
    ]
    assert [dialect.name for dialect in found.dialects] == ["a", "b"]
    assert found.dialects[0].spec.evidence.at == "2026-11-22T10:00:00Z"


def test_kinds_hold_tuples_enumerations_and_whole_numbers(repository: Repository) -> None:
    [uk, _] = view(repository, "test").integrations
    assert uk.spec.destination is Destination.CHARGEBEE
    assert uk.spec.entity.excluded_line_item_types == (LineItemType.USAGE,)
    assert uk.spec.chargebee is not None
    assert uk.spec.chargebee.multi_decimal_price_decimal_places == 3
    assert uk.spec.chargebee.price_id_mapping == {LineItemType.USAGE: "p", LineItemType.AD_HOC: "q"}


def test_a_patch_holds_in_its_environment_only_and_every_leaf_knows_its_file(
    repository: Repository,
) -> None:
    [uk, us] = view(repository, "live").integrations
    assert uk.spec.display_name == "UK live"
    assert uk.spec.entity.account_filter is None
    assert uk.spec.chargebee is not None
    assert uk.spec.chargebee.price_id_mapping == {
        LineItemType.AD_HOC: "q",
        LineItemType.CREDIT_MEMO: "r",
    }
    assert str(uk.origin) == "integrations.d/uk/integration.yaml:3:18"
    assert str(uk.at("displayName")) == "integrations.d/uk/live.yaml:5:16"
    assert str(uk.at("destination")) == "integrations.d/uk/integration.yaml:6:16"
    assert str(uk.at("chargebee")) == "integrations.d/uk/integration.yaml:10:3"
    assert str(uk.at("chargebee", "priceIdMapping", "CREDIT_MEMO")).startswith(
        "integrations.d/uk/live.yaml:7:"
    )
    assert ("entity", "accountFilter") not in uk.origins
    assert len(uk.origins) == len(list(uk.origins))
    assert us.spec.display_name == "UK"
    [before, _] = view(repository, "test").integrations
    assert before.spec.display_name == "UK"


def test_rows_are_those_of_the_environment(repository: Repository) -> None:
    live = {
        mapping_set.defined.name: told(mapping_set.rows)
        for mapping_set in view(repository, "live").mapping_sets
    }
    test = {
        mapping_set.defined.name: told(mapping_set.rows)
        for mapping_set in view(repository, "test").mapping_sets
    }
    csv, inline = "integrations.d/uk/a.csv", "integrations.d/inline.yaml:8"
    assert live["accounts"] == [("code", "a", "l1", f"{csv}:2"), ("code", "b", "l2", f"{csv}:3")]
    assert test["accounts"] == [("code", "a", "t1", f"{csv}:2")]
    assert test["one"] == [("id", "a", "t1", f"{csv}:2")]
    assert live["odd"] == test["odd"] == []
    assert live["inline"] == [
        ("code", "a", "x", f"{inline}:10"),
        ("id", "b", "y", f"{inline}:45"),
    ]
    assert test["inline"] == [("code", "a", "x", f"{inline}:10")]


def test_a_patch_may_bring_a_csv_file_of_its_own(repository: Repository, tmp_path: Path) -> None:
    folder = tmp_path / "integrations.d"
    (folder / "live").mkdir()
    patch = API + "kind: MappingSet\nmetadata: {name: accounts, environment: live}\nspec:\n"
    (folder / "live" / "p.yaml").write_text(patch + "  rows: {csv: b.csv}\n")
    (folder / "live" / "b.csv").write_text("code,l\nz,l9\n")
    live = view(repository, "live").mapping_sets[0]
    assert told(live.rows) == [("code", "z", "l9", "integrations.d/live/b.csv:2")]
    assert len(view(repository, "test").mapping_sets[0].rows) == 1


def test_an_unknown_environment_is_an_error_that_names_the_known(repository: Repository) -> None:
    loaded = repository.load()
    with pytest.raises(UnknownEnvironmentError, match=r"`lvie`.*`live`, `test`") as caught:
        repository.effective(loaded.definitions, "lvie")
    assert caught.value.exit_code is ExitCode.INVALID


def test_a_repository_without_a_project_is_an_error(repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "integrations.d" / "project.yaml").unlink()
    loaded = repository.load()
    with pytest.raises(MissingProjectError):
        repository.effective(loaded.definitions, "live")
    with pytest.raises(UnknownEnvironmentError, match="there are: none"):
        Repository(tmp_path).effective(type(loaded.definitions)((), {}, 0), "live")


def test_a_patch_of_nothing_is_no_object(repository: Repository, tmp_path: Path) -> None:
    lonely = PATCH.replace("name: uk", "name: nobody")
    (tmp_path / "integrations.d" / "lonely.yaml").write_text(lonely)
    assert [integration.name for integration in view(repository, "live").integrations] == [
        "uk",
        "us",
    ]


def test_a_set_whose_file_is_missing_has_no_rows(repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "integrations.d" / "uk" / "a.csv").unlink()
    loaded = repository.load()
    assert loaded.problems
    assert repository.effective(loaded.definitions, "live").mapping_sets[0].rows == ()
