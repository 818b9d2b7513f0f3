"""Values and rows of one environment into real files, so that no other environment changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.definitions.core.edits import Edit
from reconciler.definitions.core.overlay import merged
from reconciler.definitions.core.placement import difference, edits_for, layers
from reconciler.definitions.core.row_edits import row_edits
from reconciler.definitions.edit import perform
from reconciler.definitions.model import Definitions
from reconciler.kernel.value import ABSENT
from reconciler.repository.edit.editor import FileEditor
from reconciler.repository.repository import Repository

INTEGRATION = """\
apiVersion: m3ter-reconciler/v1
kind: Integration
metadata: {name: uk}
spec:
  displayName: UK    # as in the Console
  destination: Chargebee
  connection: disconnected
  global: {accountIds: all}
  chargebee: {defaultPriceId: p, priceIdMapping: {USAGE: u, AD_HOC: a}}
  configData: {extra: {a: 1, b: 2}}
"""
SET = """\
apiVersion: m3ter-reconciler/v1
kind: MappingSet
metadata: {name: rows}
spec:
  externalSystem: Chargebee
  externalTable: Subscription
  m3terEntity: Account
  rows: ROWS
"""
ENVIRONMENT = """\
apiVersion: m3ter-reconciler/v1
kind: Environment
metadata: {name: NAME}
spec:
  protected: false
  m3ter:
    organizationId: 11111111-1111-4111-8111-11111111111NUMBER
    accessKey: {env: M3TER_API_KEY}
    apiSecret: {env: M3TER_API_SECRET}
"""
PATCH = """\
apiVersion: m3ter-reconciler/v1
kind: Integration
metadata: {name: uk, environment: NAME}
spec: SPEC
"""


class Files:
    """A repository of few files."""

    def __init__(self, root: Path, *environments: str) -> None:
        self.root = root
        for number, name in enumerate(environments or ("sandbox",)):
            text = ENVIRONMENT.replace("NAME", name).replace("NUMBER", str(number))
            self.write(f"environments/{name}.yaml", text)

    def write(self, name: str, text: str) -> None:
        file = self.root / "integrations.d" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def text(self, name: str) -> str:
        return (self.root / "integrations.d" / name).read_text()

    def load(self) -> Definitions:
        loaded = Repository(self.root).load()
        assert loaded.problems == ()
        return loaded.definitions

    def perform(self, edits: tuple[Edit, ...]) -> None:
        perform(edits, FileEditor(self.root))
        self.load()

    def set(self, environment: str, values: Any) -> None:
        self.perform(edits_for(layers(self.load(), "Integration", "uk", environment), values))

    def set_rows(self, environment: str, wanted: Any, **more: Any) -> None:
        definitions = self.load()
        found = layers(definitions, "MappingSet", "rows", environment)
        self.perform(row_edits(definitions, found, wanted, **more))


def test_the_only_environment_edits_the_base_and_removes_from_it(tmp_path: Path) -> None:
    files = Files(tmp_path)
    files.write("uk/integration.yaml", INTEGRATION)
    files.set("sandbox", {("displayName",): "New", ("chargebee", "defaultPriceId"): ABSENT})
    text = files.text("uk/integration.yaml")
    assert "displayName: New    # as in the Console" in text
    assert "chargebee: {priceIdMapping: {USAGE: u, AD_HOC: a}}" in text


def test_a_value_that_others_override_is_edited_in_the_base(tmp_path: Path) -> None:
    files = Files(tmp_path, "sandbox", "production")
    files.write("uk/integration.yaml", INTEGRATION)
    patch = PATCH.replace("NAME", "production").replace("SPEC", "{displayName: Live}")
    files.write("uk/production.yaml", patch)
    files.set("sandbox", {("displayName",): "New"})
    assert "displayName: New    # as in the Console" in files.text("uk/integration.yaml")


def test_a_patch_that_replaces_a_whole_panel_rules_below_it(tmp_path: Path) -> None:
    files = Files(tmp_path, "sandbox", "production")
    files.write("uk/integration.yaml", INTEGRATION)
    patch = PATCH.replace("NAME", "production").replace("SPEC", "{configData: null}")
    files.write("uk/production.yaml", patch)
    files.set("sandbox", {("configData", "extra"): {"a": 2}})
    assert "configData: {extra: {a: 2}}" in files.text("uk/integration.yaml")


def test_a_patch_says_only_what_differs(tmp_path: Path) -> None:
    files = Files(tmp_path, "sandbox", "production")
    files.write("flat.yaml", INTEGRATION)
    files.set(
        "sandbox",
        {
            ("configData", "extra"): {"a": 1, "c": 3},
            ("chargebee", "priceIdMapping", "USAGE"): ABSENT,
        },
    )
    text = files.text("uk-sandbox.yaml")
    assert "      b: null\n      c: 3\n" in text
    assert "      USAGE: null\n" in text
    assert "a: 1" not in text


def test_a_value_that_only_the_patch_has_leaves_the_patch(tmp_path: Path) -> None:
    files = Files(tmp_path, "sandbox", "production")
    files.write("uk/integration.yaml", INTEGRATION)
    patch = PATCH.replace("NAME", "sandbox").replace(
        "SPEC", "\n  displayName: S\n  configData: {mine: 1, other: 2}"
    )
    files.write("uk/sandbox.yaml", patch)
    files.set("sandbox", {("configData", "mine"): ABSENT})
    assert "configData: {other: 2}" in files.text("uk/sandbox.yaml")


def test_what_is_nowhere_needs_no_patch_to_be_gone(tmp_path: Path) -> None:
    files = Files(tmp_path, "sandbox", "production")
    files.write("uk/integration.yaml", INTEGRATION)
    files.set("sandbox", {("entity", "accountFilter"): ABSENT})
    assert not (tmp_path / "integrations.d/uk/sandbox.yaml").exists()


json = st.recursive(
    st.integers(0, 3) | st.text("ab", max_size=2),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
)


@given(json, json)
def test_the_difference_of_two_values_patches_one_into_the_other(old: Any, new: Any) -> None:
    assert merged(old, difference(old, new)) == new


ONE = "[{m3ter: {code: acme}, externalId: sub_1}, {m3ter: {code: globex}, externalId: sub_2}]"


def test_inline_rows_of_the_only_environment_stay_plain(tmp_path: Path) -> None:
    files = Files(tmp_path)
    files.write("rows.yaml", SET.replace("ROWS", ONE))
    files.set_rows("sandbox", {"acme": ABSENT, "globex": "sub_9", "new": "sub_3", "no": ABSENT})
    text = files.text("rows.yaml")
    assert "acme" not in text
    assert "{m3ter: {code: globex}, externalId: sub_9}" in text
    assert "externalId: sub_3" in text
    assert "no" not in text.split("rows:")[1].replace("new", "")


def test_a_row_by_id_is_added_by_id(tmp_path: Path) -> None:
    files = Files(tmp_path)
    files.write("rows.yaml", SET.replace("ROWS", ONE))
    files.set_rows("sandbox", {"0000": "sub_3"}, by="id")
    assert 'id: "0000"' in files.text("rows.yaml")


def test_the_last_environment_of_a_row_takes_the_row_along(tmp_path: Path) -> None:
    files = Files(tmp_path, "sandbox", "production")
    rows = "[{m3ter: {code: acme}, externalId: {sandbox: s}}, {m3ter: {code: b}, externalId: c}]"
    files.write("rows.yaml", SET.replace("ROWS", rows))
    files.set_rows("sandbox", {"acme": ABSENT, "b": ABSENT})
    text = files.text("rows.yaml")
    assert "acme" not in text
    assert "externalId: {production: c}" in text


CSV = "{csv: rows.csv, m3ter: {code: code}, externalId: EXTERNAL}"


def test_a_column_that_two_environments_share_is_parted(tmp_path: Path) -> None:
    files = Files(tmp_path, "sandbox", "production")
    files.write("rows.yaml", SET.replace("ROWS", CSV.replace("EXTERNAL", "sandbox")))
    files.write("rows.csv", "code,sandbox\nacme,s1\nglobex,s2\n")
    files.set_rows("sandbox", {"acme": "new", "globex": ABSENT})
    assert files.text("rows.csv") == "code,sandbox,sandbox-2\nacme,s1,new\nglobex,s2,\n"
    text = files.text("rows.yaml")
    assert "externalId: {production: sandbox, sandbox: sandbox-2}" in text


def test_an_environment_without_a_column_gets_one(tmp_path: Path) -> None:
    files = Files(tmp_path, "sandbox", "production")
    external = "{production: production}"
    files.write("rows.yaml", SET.replace("ROWS", CSV.replace("EXTERNAL", external)))
    files.write("rows.csv", "code,production\nacme,p1\n")
    files.set_rows("sandbox", {"acme": "s1"})
    assert files.text("rows.csv") == "code,production,sandbox\nacme,p1,s1\n"


@pytest.mark.parametrize("external", ["ids", "{sandbox: ids}"])
def test_a_row_that_nobody_else_has_leaves_the_csv_file(tmp_path: Path, external: str) -> None:
    files = Files(tmp_path)
    files.write("rows.yaml", SET.replace("ROWS", CSV.replace("EXTERNAL", external)))
    files.write("rows.csv", "code,ids\nacme,s1\nglobex,s2\n")
    files.set_rows("sandbox", {"acme": ABSENT})
    assert files.text("rows.csv") == "code,ids\nglobex,s2\n"
    files.set_rows("sandbox", {"globex": "s3"})
    assert files.text("rows.csv") == "code,ids\nglobex,s3\n"
