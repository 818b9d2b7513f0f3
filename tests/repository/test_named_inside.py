"""Names are guessed from a text that is no YAML, so that one mistake is one problem."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.kernel.problem import Origin
from reconciler.repository.repository import Repository, named_inside


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("kind: Project\nmetadata: {name: acme}\nspec: [", [("Project", "acme")]),
        ('kind: "Dialect"\nmetadata:\n  name: "x-1"\n', [("Dialect", "x-1")]),
        (
            "kind: Project\nmetadata: {name: a}\n---\nkind: Environment\nmetadata: { name: b }",
            [("Project", "a"), ("Environment", "b")],
        ),
        ("metadata: {name: a}", []),
        ("kind: Nothing\nmetadata: {name: a}", []),
        ("kind: Project", []),
        ("", []),
    ],
)
def test_kind_and_name_are_guessed(text: str, names: list[tuple[str, str]]) -> None:
    assert list(named_inside(text)) == names


def test_broken_documents_are_named(tmp_path: Path) -> None:
    folder = tmp_path / "integrations.d"
    folder.mkdir()
    envelope = "apiVersion: m3ter-reconciler/v1\n"
    (folder / "a.yaml").write_text(f"{envelope}kind: Project\nmetadata: {{name: a}}\nspec: [")
    (folder / "b.yaml").write_text(
        f"{envelope}kind: Integration\nmetadata: {{name: b}}\nspec: {{}}"
    )

    assert Repository(tmp_path).load().broken == (("Project", "a"), ("Integration", "b"))


def test_text_is_given_from_a_place_on(tmp_path: Path) -> None:
    folder = tmp_path / "integrations.d"
    folder.mkdir()
    (folder / "a.yaml").write_text("one: 1\ntwo: 2\n")
    repository = Repository(tmp_path)
    repository.load()

    assert repository.text_from(Origin("integrations.d/a.yaml", 2, 6), 100) == "2\n"
    assert repository.text_from(Origin("integrations.d/a.yaml", 1, 1), 3) == "one"
    assert repository.text_from(Origin("integrations.d/a.yaml"), 3) == ""
    assert repository.text_from(Origin("integrations.d/b.yaml", 1, 1), 3) == ""
