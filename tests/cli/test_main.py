"""The table of commands, and how every ending becomes an exit code."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from io import StringIO
from pathlib import Path

import click
import pytest

from reconciler import __version__
from reconciler.cli import main as cli
from reconciler.cli.options import App, Output, formats, pass_app
from reconciler.errors import ExitCode, ReconcilerError

ROOT = Path(__file__).parents[2]


class Terminal(StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def run(*argv: str, **environ: str) -> tuple[int, str, str]:
    stdout, stderr = StringIO(), StringIO()
    code = cli.main(argv, environ, stdin=StringIO(), stdout=stdout, stderr=stderr)
    return code, stdout.getvalue(), stderr.getvalue()


class LateError(ReconcilerError):
    """A lock that somebody else holds."""

    exit_code = ExitCode.LOCKED


@pytest.fixture
def ending() -> click.Group:
    """A command for every ending, beside the table; taken away afterwards."""

    @click.command()
    @click.argument("how")
    @pass_app
    def end(app: App, how: str) -> ExitCode | None:
        endings: dict[str, BaseException] = {
            "error": LateError("locked by j.doe"),
            "unexpected": ValueError("no Bearer abcdefghij0123456789 nor hunter2\nmore"),
            "interrupt": KeyboardInterrupt(),
            "pipe": SystemExit(1),
            "click": click.ClickException("no such thing"),
        }
        if how in endings:
            raise endings[how]
        app.show("done")
        return ExitCode.GIT_AHEAD if how == "ahead" else None

    return click.Group("test", commands={"end": end})


def end(group: click.Group, how: str, *more: str, **environ: str) -> tuple[int, str, str]:
    stdout, stderr = StringIO(), StringIO()
    argv = ["end", how, *more]
    code = cli.main(argv, environ, stdin=StringIO(), stdout=stdout, stderr=stderr, group=group)
    return code, stdout.getvalue(), stderr.getvalue()


def test_a_command_that_returns_nothing_is_done(ending: click.Group) -> None:
    assert end(ending, "well") == (0, "done\n", "")


def test_a_command_may_return_its_exit_code(ending: click.Group) -> None:
    assert end(ending, "ahead") == (2, "done\n", "")


def test_an_error_is_one_message_and_its_exit_code(ending: click.Group) -> None:
    told = "error: locked by j.doe\nSee docs/runbook.md#locked.\n"
    assert end(ending, "error") == (15, "", told)


def test_an_error_of_the_parser_without_a_command_is_10(ending: click.Group) -> None:
    assert end(ending, "click") == (10, "", "error: no such thing\n")


def test_an_interrupt_is_130(ending: click.Group) -> None:
    assert end(ending, "interrupt") == (130, "", "\ninterrupted\n")


def test_a_reader_that_went_away_ends_quietly(ending: click.Group) -> None:
    assert end(ending, "pipe") == (1, "", "")


def test_an_unexpected_error_is_one_line_without_secrets(ending: click.Group) -> None:
    code, out, err = end(ending, "unexpected", MY_PASSWORD="hunter2")

    assert (code, out) == (1, "")
    assert err.startswith("error: unexpected ValueError: no Bearer •••••• nor …\n")
    assert "Traceback" not in err
    assert "`--debug` shows where" in err


def test_debug_shows_the_traceback_without_secrets(ending: click.Group) -> None:
    code, _, err = end(ending, "unexpected", "--debug", MY_PASSWORD="hunter2", SHORT_KEY="no")

    assert code == 1
    assert "Traceback" in err
    assert "in end" in err
    assert "hunter2" not in err.replace('"pipe"', "")
    assert "abcdefghij0123456789" not in err


def test_help_names_every_command_and_imports_none() -> None:
    code, out, _ = run("--help")

    assert code == 0
    for listed in cli.COMMANDS.values():
        for entry in listed:
            assert f"  {entry.name} " in out
    program = (
        "import sys\nfrom reconciler.cli.main import main\nmain(['--help'], {})\n"
        "heavy = {'pydantic', 'httpx', 'sqlalchemy', 'ruamel', 'rich', 'jsonschema', 'asyncio',"
        " 'reconciler.settings'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "name", [entry.name for listed in cli.COMMANDS.values() for entry in listed]
)
def test_every_command_of_the_table_exists_and_has_help(name: str) -> None:
    code, out, err = run(name, "--help")

    assert (code, err) == (0, "")
    assert out.startswith(f"Usage: reconciler {name} ")


def test_the_version_is_told() -> None:
    assert run("--version") == (0, f"reconciler, version {__version__}\n", "")


def test_no_command_shows_the_help_as_a_usage_error() -> None:
    code, out, err = run()

    assert (code, out) == (10, "")
    assert err.startswith("Usage: reconciler ")


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (("vaildate",), "there is no command `vaildate`. Did you mean `validate`?"),
        (("qqqqqqqq",), "there is no command `qqqqqqqq`.\n"),
        (("--nothing",), "'--nothing'"),
        (("--", "--nothing"), "'--nothing'"),
        (("validate", "--nothing"), "'--nothing'"),
        (("-C", "/does/not/exist", "validate"), "does not exist"),
    ],
)
def test_what_the_parser_refuses_is_10(argv: tuple[str, ...], message: str) -> None:
    code, out, err = run(*argv)

    assert (code, out) == (10, "")
    assert err.startswith("error: ")
    assert message in err
    assert "--help` shows how it is used." in err


def test_a_question_needs_a_terminal() -> None:
    def app(answer: str, *, terminal: bool) -> App:
        stream = Terminal if terminal else StringIO
        return App(Path(), {}, stream(answer), StringIO(), stream())

    assert app("yes\n", terminal=True).ask("Apply?")
    assert app("Y\n", terminal=True).ask("Apply?")
    assert not app("\n", terminal=True).ask("Apply?")
    assert not app("yes\n", terminal=False).ask("Apply?")


def test_a_question_goes_to_stderr() -> None:
    app = App(Path(), {}, Terminal("n\n"), StringIO(), Terminal())

    app.ask("Apply?")

    assert isinstance(app.stderr, StringIO)
    assert app.stderr.getvalue() == "Apply? [y/N] "


def test_colour_needs_a_terminal_and_no_refusal() -> None:
    assert App(Path(), {}, StringIO(), Terminal(), StringIO()).colour
    assert not App(Path(), {"NO_COLOR": "1"}, StringIO(), Terminal(), StringIO()).colour
    assert not App(Path(), {}, StringIO(), StringIO(), StringIO()).colour


def test_files_are_written_before_stdout(tmp_path: Path) -> None:
    order: list[str] = []

    def rendered(name: str) -> str:
        order.append(name)
        return name

    app = App(Path(), {}, StringIO(), StringIO(), StringIO())
    app.publish(
        (Output("a"), Output("b", tmp_path / "b")),
        {"a": lambda: rendered("a"), "b": lambda: rendered("b")},
    )

    assert order == ["b", "a"]
    assert (tmp_path / "b").read_text() == "b\n"


def test_the_first_format_is_the_default() -> None:
    seen: list[tuple[Output, ...]] = []

    @click.command()
    @formats("text", "json")
    def command(formats: tuple[Output, ...]) -> None:
        seen.append(formats)

    command.main([], standalone_mode=False)

    assert seen == [(Output("text"),)]


def test_the_module_runs_as_a_program() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "reconciler", "validate"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("No problems")


def test_a_terminal_that_cannot_show_a_character_ends_no_run() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "reconciler", "validate", "-C", str(ROOT)],
        capture_output=True,
        cwd=ROOT,
        check=False,
        env={"PYTHONIOENCODING": "ascii:strict"},
    )

    assert done.returncode == 0


def test_sigterm_is_an_interrupt() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "reconciler", "emulate", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=ROOT,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) in {0, 130}


def test_what_an_error_was_given_on_its_way_stands_before_the_page() -> None:
    @click.command()
    def broken() -> None:
        error = ReconcilerError("m3ter could not be reached.")
        error.add_note("Before, 3 bills were sent.")
        raise error

    group = click.Group("reconciler", [broken])
    err = StringIO()
    assert cli.main(["broken"], {}, stdout=StringIO(), stderr=err, group=group) == 1
    assert err.getvalue() == (
        "error: m3ter could not be reached.\nBefore, 3 bills were sent.\n"
        "See docs/runbook.md#exit-1.\n"
    )
