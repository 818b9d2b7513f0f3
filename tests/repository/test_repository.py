from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.definitions.model import Definitions
from reconciler.definitions.ports import DefinitionSource, Loaded
from reconciler.kernel.problem import Origin, Problem
from reconciler.repository.csv_rows import CSV_BYTES_MAX
from reconciler.repository.folder import Folder
from reconciler.repository.repository import Repository

PROJECT = (
    "apiVersion: m3ter-reconciler/v1\nkind: Project\nmetadata: {name: acme}\n"
    "spec: {prune: never, adoption: explicit}\n"
)
SET = (
    "apiVersion: m3ter-reconciler/v1\nkind: MappingSet\nmetadata: {name: accounts}\nspec:\n"
    "  externalSystem: Chargebee\n  externalTable: Subscription\n  m3terEntity: Account\n"
    "  rows: {csv: %s, m3ter: {code: code}, externalId: id}\n"
)
Write = Callable[[str, str | bytes], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a file of the repository."""

    def written(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return written


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "integrations.d").mkdir()
    return tmp_path / "integrations.d"


def load(root: Path) -> Loaded:
    source: DefinitionSource = Repository(root)
    return source.load()


def told(loaded: Loaded) -> list[tuple[str, str]]:
    return [(problem.rule, str(problem.origin or "")) for problem in loaded.problems]


def test_every_yaml_file_is_read_in_the_order_of_names(tmp_path: Path, write: Write) -> None:
    write("integrations.d/b/two.yaml", PROJECT.replace("acme", "b") + "---\n" + PROJECT)
    write("integrations.d/a.yaml", PROJECT.replace("acme", "a"))
    write("integrations.d/.hidden/c.yaml", PROJECT.replace("acme", "hidden"))
    write("integrations.d/README.md", "# text")
    loaded = load(tmp_path)
    assert loaded.problems == ()
    assert [
        (document.file, document.index, document.name) for document in loaded.definitions.documents
    ] == [
        ("integrations.d/.hidden/c.yaml", 0, "hidden"),
        ("integrations.d/a.yaml", 0, "a"),
        ("integrations.d/b/two.yaml", 0, "b"),
        ("integrations.d/b/two.yaml", 1, "acme"),
    ]
    assert loaded.definitions.file_count == 3


def test_problems_of_all_files_come_in_one_run_and_in_order(tmp_path: Path, write: Write) -> None:
    write("integrations.d/a.yaml", "a: [\n")
    write("integrations.d/b.yaml", PROJECT.replace("never", "nevr") + "---\nkind: X\n")
    write("integrations.d/c.yaml", b"\xff")
    write("integrations.d/d.yml", PROJECT)
    write("integrations.d/e.YAML", PROJECT)
    assert told(load(tmp_path)) == [
        ("R001", "integrations.d/a.yaml:2:1"),
        ("R013", "integrations.d/b.yaml:4:15"),
        ("R010", "integrations.d/b.yaml:6:1"),
        ("R010", "integrations.d/b.yaml:6:7"),
        ("R002", "integrations.d/c.yaml:1:1"),
        ("R034", "integrations.d/d.yml"),
        ("R034", "integrations.d/e.YAML"),
    ]


def test_without_the_folder_there_is_one_problem(tmp_path: Path) -> None:
    assert told(load(tmp_path)) == [("R030", "")]
    assert told(load(tmp_path / "nothing")) == [("R030", "")]
    (tmp_path / "integrations.d").write_text("a file")
    assert told(load(tmp_path)) == [("R030", "")]


def test_an_empty_folder_has_no_problem_of_form(tmp_path: Path, folder: Path) -> None:
    assert load(tmp_path) == Loaded(Definitions((), {}, 0), ())


def test_the_folder_itself_may_not_leave_the_repository(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    root = tmp_path / "root"
    root.mkdir()
    (root / "integrations.d").symlink_to(tmp_path / "elsewhere")
    assert told(load(root)) == [("R031", "")]


def test_links_are_read_inside_the_folder_and_refused_outside(
    tmp_path: Path, folder: Path, write: Write
) -> None:
    outside = write("secret.yaml", "password: hunter2")
    write("integrations.d/real.txt", PROJECT)
    (folder / "a.yaml").symlink_to(outside)
    (folder / "b.yaml").symlink_to("real.txt")
    (folder / "c.yaml").symlink_to("/dev/zero")
    (folder / "d.yaml").symlink_to("missing.yaml")
    (folder / "e.yaml").symlink_to("e.yaml")
    (folder / "f").symlink_to(tmp_path)
    loaded = load(tmp_path)
    assert told(loaded) == [
        ("R031", "integrations.d/a.yaml"),
        ("R031", "integrations.d/c.yaml"),
        ("R033", "integrations.d/d.yaml"),
        ("R033", "integrations.d/e.yaml"),
        ("R031", "integrations.d/f"),
    ]
    assert "hunter2" not in str(loaded)
    assert [document.file for document in loaded.definitions.documents] == ["integrations.d/b.yaml"]


def test_pipes_sockets_and_folders_are_no_definitions(tmp_path: Path, folder: Path) -> None:
    os.mkfifo(folder / "pipe.yaml")
    (folder / "folder.yaml").mkdir()
    (folder / "folder.yaml" / "in.yaml").write_text(PROJECT)
    loaded = load(tmp_path)
    assert told(loaded) == [
        ("R032", "integrations.d/folder.yaml"),
        ("R032", "integrations.d/pipe.yaml"),
    ]
    assert len(loaded.definitions.documents) == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_what_cannot_be_opened_is_a_problem(tmp_path: Path, folder: Path, write: Write) -> None:
    write("integrations.d/a.yaml", PROJECT).chmod(0)
    (folder / "b").mkdir(mode=0)
    assert told(load(tmp_path)) == [("R033", "integrations.d/a.yaml"), ("R033", "integrations.d/b")]


@pytest.mark.skipif(sys.platform == "darwin", reason="names are Unicode there")
def test_odd_names_are_shown_escaped_and_read(tmp_path: Path, folder: Path) -> None:
    name = os.fsencode(folder) + b"/x\xff\n\xc3\xa9.yaml"
    with open(name, "wb") as file:  # noqa: PTH123  a name that is no text
        file.write(b"a: [")
    loaded = load(tmp_path)
    assert told(loaded) == [("R001", "integrations.d/x\\xff\\x0aé.yaml:1:5")]
    [problem] = Repository(tmp_path).excerpts(loaded.problems)
    assert problem.excerpt is None


def test_a_hundred_megabytes_are_refused_at_once(tmp_path: Path, folder: Path) -> None:
    for name in ("big.yaml", "big.csv"):
        with (folder / name).open("wb") as file:
            file.truncate(100_000_000)
    (folder / "set.yaml").write_text(SET % "big.csv")
    before = time.process_time()
    assert told(load(tmp_path)) == [
        ("R024", "integrations.d/big.csv"),
        ("R003", "integrations.d/big.yaml"),
    ]
    assert time.process_time() - before < 2
    assert CSV_BYTES_MAX < 100_000_000


def test_a_csv_file_is_found_beside_its_document(tmp_path: Path, write: Write) -> None:
    write("integrations.d/uk/set.yaml", SET % "../rows/accounts.csv")
    write("integrations.d/us/set.yaml", (SET % "../rows/accounts.csv").replace("accounts}", "us}"))
    write("integrations.d/rows/accounts.csv", "code,id\na,1\n")
    loaded = load(tmp_path)
    assert loaded.problems == ()
    assert list(loaded.definitions.tables) == ["integrations.d/rows/accounts.csv"]
    assert loaded.definitions.file_count == 3


@pytest.mark.parametrize(
    "path",
    ["../../secret.csv", "/etc/passwd", "..", "a\\b.csv", '"a\\0.csv"', '"a\\n.csv"', "link.csv"],
)
def test_a_csv_path_never_leaves_the_folder(tmp_path: Path, write: Write, path: str) -> None:
    secret = write("secret.csv", "code,id\nhunter2,1\n")
    write("integrations.d/set.yaml", SET % path)
    (tmp_path / "integrations.d" / "link.csv").symlink_to(secret)
    loaded = load(tmp_path)
    [problem] = loaded.problems
    assert (problem.rule, str(problem.origin)) == ("R031", "integrations.d/set.yaml:8:15")
    assert problem.path == "spec.rows.csv"
    assert loaded.definitions.tables == {}
    assert "hunter2" not in str(loaded)


def test_a_missing_csv_file_is_reported_where_it_is_named(tmp_path: Path, write: Write) -> None:
    write("integrations.d/set.yaml", SET % "no.csv")
    write("integrations.d/two.yaml", SET % "folder")
    write("integrations.d/folder/x", "")
    assert told(load(tmp_path)) == [
        ("R033", "integrations.d/set.yaml:8:15"),
        ("R032", "integrations.d/two.yaml:8:15"),
    ]


def test_problems_of_csv_files_are_placed_in_them(tmp_path: Path, write: Write) -> None:
    write("integrations.d/set.yaml", SET % "rows.csv")
    write("integrations.d/bytes.yaml", (SET % "bytes.csv").replace("accounts}", "b}"))
    write("integrations.d/rows.csv", 'code,id\na\nb,"x"y\n')
    write("integrations.d/bytes.csv", b"\xff")
    loaded = load(tmp_path)
    assert told(loaded) == [
        ("R002", "integrations.d/bytes.csv:1:1"),
        ("R021", "integrations.d/rows.csv:2:1"),
        ("R020", "integrations.d/rows.csv:3:6"),
    ]


def test_a_patch_that_breaks_its_object_is_reported_and_left_out(
    tmp_path: Path, write: Write
) -> None:
    write("integrations.d/set.yaml", SET % "rows.csv")
    write("integrations.d/rows.csv", "code,id\n")
    patch = "apiVersion: m3ter-reconciler/v1\nkind: MappingSet\nmetadata: {name: accounts, environment: e}\n"
    write("integrations.d/x.yaml", patch + "spec:\n  rows: {m3ter: {id: n}}\n")
    write("integrations.d/y.yaml", patch + "spec:\n  rows: {externalId: {e: n}}\n")
    write("integrations.d/z.yaml", (patch + "spec: {}\n").replace("accounts", "none"))
    loaded = load(tmp_path)
    assert told(loaded) == [("R015", "integrations.d/x.yaml:5:17")]
    assert loaded.problems[0].message.startswith("with this patch, `m3ter`")
    files = [document.file for document in loaded.definitions.documents]
    assert files == [f"integrations.d/{name}.yaml" for name in ("set", "y", "z")]


def test_a_repository_may_be_loaded_again(tmp_path: Path, write: Write) -> None:
    write("integrations.d/a.yaml", "a: [\n")
    repository = Repository(tmp_path)
    assert repository.load().problems
    write("integrations.d/a.yaml", PROJECT)
    assert repository.load().problems == ()


def test_excerpts_underline_the_value_the_key_or_the_row(tmp_path: Path, write: Write) -> None:
    text = PROJECT.replace("spec: {prune: never,", "spec:\n  {prune: nevr, on_drift: revert,")
    write("integrations.d/a.yaml", text)
    write("integrations.d/set.yaml", SET % "rows.csv")
    write("integrations.d/rows.csv", "code,id\na,b,c\n")
    repository = Repository(tmp_path)
    shown = []
    for excerpt in repository.excerpts(repository.load().problems):
        assert excerpt.excerpt is not None
        at = excerpt.excerpt.column - 1
        last = excerpt.excerpt.lines[-1]
        shown.append(
            (
                excerpt.excerpt.first_line,
                len(excerpt.excerpt.lines),
                last[at : at + excerpt.excerpt.width],
            )
        )
    assert shown == [(4, 2, "nevr"), (4, 2, "on_drift"), (1, 2, "a,b,c")]


def test_problems_without_a_place_have_no_excerpt(tmp_path: Path, write: Write) -> None:
    write("integrations.d/a.yaml", b"\xff")
    repository = Repository(tmp_path)
    repository.load()
    problems = (
        Problem("R030", "error", None, "x"),
        Problem("R030", "error", Origin("integrations.d/a.yaml"), "x"),
        Problem("R030", "error", Origin("integrations.d/a.yaml", 1, 1), "x"),
        Problem("R030", "error", Origin("elsewhere.yaml", 1, 1), "x"),
    )
    assert repository.excerpts(problems) == problems


def test_a_secret_in_a_message_is_blanked(tmp_path: Path, write: Write) -> None:
    key = "live_" + "a1B2c3D4e5F6g7H8i9J0"
    write("integrations.d/a.yaml", PROJECT.replace("never", key))
    repository = Repository(tmp_path)
    loaded = repository.load()
    assert loaded.problems
    assert key not in str(repository.excerpts(loaded.problems))


def test_a_folder_that_cannot_be_listed_is_a_problem(tmp_path: Path) -> None:
    [problem] = Folder(tmp_path).definitions()
    assert isinstance(problem, Problem)
    assert (problem.rule, str(problem.origin)) == ("R033", "integrations.d")
