from __future__ import annotations

import stat
from pathlib import Path

import pytest

from reconciler.definitions.ports import DefinitionEditor
from reconciler.repository.edit.editor import FileEditor, FileMovedError, replace_file
from reconciler.repository.edit.yaml_edit import EditRefusedError

TEXT = "kind: Integration  # which\nspec:\n  displayName: UK\n  entityType: Bill\n"


def _editor(root: Path) -> DefinitionEditor:
    return FileEditor(root)


def test_a_value_is_set_and_removed_in_its_file(tmp_path: Path) -> None:
    place = tmp_path / "a.yaml"
    place.write_text(TEXT)
    place.chmod(0o640)
    editor = _editor(tmp_path)
    editor.set_value("a.yaml", 0, ("spec", "displayName"), "US")
    editor.set_value("a.yaml", 0, ("spec", "destination"), "Chargebee")
    editor.remove_value("a.yaml", 0, ("spec", "entityType"))
    assert place.read_text() == (
        "kind: Integration  # which\nspec:\n  displayName: US\n  destination: Chargebee\n"
    )
    assert stat.S_IMODE(place.stat().st_mode) == 0o640
    assert [file.name for file in tmp_path.iterdir()] == ["a.yaml"]


def test_the_place_of_a_new_key_may_be_chosen(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("a: 1\nz: 1\n")
    FileEditor(tmp_path, lambda _body, _path: ("b", "z")).set_value("a.yaml", 0, ("b",), 2)
    assert (tmp_path / "a.yaml").read_text() == "a: 1\nb: 2\nz: 1\n"


def test_new_files_are_made_with_their_folders(tmp_path: Path) -> None:
    editor = _editor(tmp_path)
    editor.write_documents("integrations.d/uk/a.yaml", iter([{"a": 1}]))
    editor.write_documents("integrations.d/uk/a.yaml", [{"b": 2}])
    editor.write_rows("integrations.d/uk/a.csv", ("code", "x"), {"b": ("b", "1"), "a": ("a", "2")})
    editor.remove_row("integrations.d/uk/a.csv", "b")
    folder = tmp_path / "integrations.d" / "uk"
    assert (folder / "a.yaml").read_text() == "a: 1\n---\nb: 2\n"
    assert (folder / "a.csv").read_text() == "code,x\na,2\n"
    assert stat.S_IMODE((folder / "a.yaml").stat().st_mode) == 0o644


def test_a_refused_edit_leaves_the_file_and_its_time_alone(tmp_path: Path) -> None:
    place = tmp_path / "a.yaml"
    place.write_text("a: &x 1\nb: *x\n")
    before = place.stat()
    with pytest.raises(
        EditRefusedError, match=r"a\.yaml: `a` was not edited: .* file is unchanged"
    ):
        _editor(tmp_path).set_value("a.yaml", 0, ("a",), 2)
    _editor(tmp_path).set_value("a.yaml", 0, ("b",), 1)
    assert place.stat() == before


@pytest.mark.parametrize("file", ["/etc/a.yaml", "../a.yaml", "b/../../a.yaml", ""])
def test_nothing_outside_the_repository_is_written(tmp_path: Path, file: str) -> None:
    with pytest.raises(EditRefusedError, match="outside the repository"):
        _editor(tmp_path).write_documents(file, [{"a": 1}])


def test_links_are_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.yaml").write_text("a: 1\n")
    root = tmp_path / "root"
    root.mkdir()
    (root / "folder").symlink_to(outside)
    (root / "a.yaml").symlink_to(outside / "a.yaml")
    for file in ("folder/a.yaml", "a.yaml"):
        with pytest.raises(EditRefusedError, match="is a link"):
            _editor(root).set_value(file, 0, ("a",), 2)
    assert (outside / "a.yaml").read_text() == "a: 1\n"


def test_a_missing_file_cannot_be_edited(tmp_path: Path) -> None:
    editor = _editor(tmp_path)
    with pytest.raises(EditRefusedError, match="it does not exist"):
        editor.set_value("a.yaml", 0, ("a",), 2)
    with pytest.raises(EditRefusedError, match="it does not exist"):
        editor.remove_row("a.csv", "a")


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "folder").write_text("a file")
    with pytest.raises(EditRefusedError, match=r"cannot be read or written \(Not a directory\)"):
        _editor(tmp_path).write_documents("folder/a.yaml", [{"a": 1}])


def test_a_file_that_someone_else_changed_is_not_overwritten(tmp_path: Path) -> None:
    place = tmp_path / "a.yaml"
    place.write_text("theirs")
    with pytest.raises(FileMovedError, match="someone else changed it"):
        replace_file(place, b"ours", b"what we read")
    assert place.read_text() == "theirs"
    assert [file.name for file in tmp_path.iterdir()] == ["a.yaml"]
