"""What commands share: the ``App``, ``-C``, ``--env``, ``--format`` and the output streams."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

import click

from reconciler.errors import InvalidError

if TYPE_CHECKING:
    from reconciler.settings import Settings

Command = TypeVar("Command", bound=Callable[..., Any])


class UnwritableOutputError(InvalidError):
    """A result could not be written to the file that ``--format FORMAT=FILE`` names."""

    def __init__(self, file: Path, reason: str) -> None:
        super().__init__(
            f"cannot write the result to {file}: {reason}.\n"
            "The command itself ran to its end. Name a file in a folder that exists."
        )


@dataclass(frozen=True)
class App:
    """One call of the program: where it works, and the world it was given.

    Attributes:
        root: The repository, from ``-C``; the current folder by default.
        environ: The environment variables of the process, never read elsewhere.
        stdin: Answers of a person.
        stdout: Results, and nothing else.
        stderr: Progress, notes, questions and errors.
    """

    root: Path
    environ: Mapping[str, str]
    stdin: TextIO
    stdout: TextIO
    stderr: TextIO

    @cached_property
    def settings(self) -> Settings:
        """Read the settings, once and only when a command asks for them."""
        # not at the top: `--help` needs no settings
        from reconciler.settings import Settings

        return Settings.from_environment(self.environ)

    @property
    def interactive(self) -> bool:
        """Say whether a person can be asked."""
        return self.stdin.isatty() and self.stderr.isatty()

    @property
    def colour(self) -> bool:
        """Say whether results may be coloured: on a terminal, and not under ``NO_COLOR``."""
        return self.stdout.isatty() and not self.environ.get("NO_COLOR")

    def show(self, text: str) -> None:
        """Write a result to stdout, ending in exactly one line end."""
        self.stdout.write(text if text.endswith("\n") else text + "\n")

    def note(self, text: str) -> None:
        """Write a remark to stderr."""
        self.stderr.write(text if text.endswith("\n") else text + "\n")
        self.stderr.flush()

    def ask(self, question: str) -> bool:
        """Ask a person; only ``y`` or ``yes`` is a yes. Without a terminal the answer is no."""
        if not self.interactive:
            return False
        self.stderr.write(f"{question} [y/N] ")
        self.stderr.flush()
        return self.stdin.readline().strip().lower() in {"y", "yes"}

    def publish(
        self, outputs: tuple[Output, ...], renderers: Mapping[str, Callable[[], str]]
    ) -> None:
        """Render every wanted format, files first, so that stdout is the last thing written.

        Args:
            outputs: What ``--format`` asked for.
            renderers: A function for each format that the command offers.
        """
        for output in sorted(outputs, key=lambda out: out.file is None):
            text = renderers[output.format]()
            if output.file is None:
                self.show(text)
            else:
                _write(output.file, text)


@dataclass(frozen=True, slots=True)
class Output:
    """One wanted format; ``file`` is ``None`` for stdout."""

    format: str
    file: Path | None = None


class FormatType(click.ParamType["Output"]):
    """``FORMAT`` or ``FORMAT=FILE``."""

    name = "format"

    def __init__(self, formats: tuple[str, ...]) -> None:
        self.formats = formats

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Output:
        """Split the text at the first ``=`` and check the format's name."""
        if isinstance(value, Output):
            return value
        name, equals, file = str(value).partition("=")
        if name not in self.formats:
            self.fail(f"{name!r} is none of {', '.join(self.formats)}.", param, ctx)
        if equals and not file:
            self.fail(f"{value!r} names no file after the `=`.", param, ctx)
        return Output(name, Path(file) if file else None)

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:  # noqa: ARG002
        """Show the choices in the help."""
        return f"{'|'.join(self.formats)}[=FILE]"


class DayType(click.DateTime):
    """``YYYY-MM-DD``; the command receives a ``datetime`` at midnight, without a time zone."""

    def __init__(self) -> None:
        super().__init__(["%Y-%m-%d"])

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Any:  # noqa: ANN401  as click's own
        """Read the text; what is wrong with it is said without a format of strftime."""
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            self.fail(f"{value!r} is no day; write it as YYYY-MM-DD.", param, ctx)

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:  # noqa: ARG002
        """Show the form in the help."""
        return "YYYY-MM-DD"


DAY = DayType()


def formats(*choices: str) -> Callable[[Command], Command]:
    """Add the repeatable ``--format``; the command receives ``formats: tuple[Output, ...]``.

    Args:
        choices: Names of the formats; the first is the default, on stdout.
    """
    return click.option(
        "--format",
        "formats",
        type=FormatType(choices),
        multiple=True,
        default=(Output(choices[0]),),
        show_default=choices[0],
        callback=_one_for_stdout,
        help="How to print the result; with =FILE into a file. May be repeated.",
    )


def environment(command: Command) -> Command:
    """Add the required ``--env``; the command receives ``environment: str``."""
    option = click.option(
        "--env",
        "environment",
        required=True,
        metavar="NAME",
        help="The environment to work with, for example sandbox.",
    )
    return option(command)


def repository(command: Command) -> Command:
    """Add ``-C DIR``; the ``App`` that the command receives already knows it."""
    option = click.option(
        "-C",
        "root",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        expose_value=False,
        metavar="DIR",
        callback=_remember_root,
        help="The repository; the current folder by default.",
    )
    return option(command)


pass_app = click.make_pass_decorator(App)
"""Give the command the ``App`` as its first argument."""


def no_such_command(name: str, names: Sequence[str], *, below: str = "") -> str:
    """Say that a command does not exist, and which one is near it.

    Args:
        name: As it was typed.
        names: Those that exist.
        below: The group that was asked, and a space.
    """
    # not at the top: only a mistake needs it
    from difflib import get_close_matches

    near = get_close_matches(name, names, n=1)
    hint = f" Did you mean `{below}{near[0]}`?" if near else ""
    return f"there is no command `{below}{name}`.{hint}"


def _remember_root(context: click.Context, _: click.Parameter, root: Path | None) -> None:
    if root is not None:
        context.obj = replace(context.ensure_object(App), root=root)


def _one_for_stdout(
    context: click.Context, parameter: click.Parameter, outputs: tuple[Output, ...]
) -> tuple[Output, ...]:
    if sum(output.file is None for output in outputs) > 1:
        message = "only one format can go to stdout; give the others a file, as FORMAT=FILE."
        raise click.BadParameter(message, context, parameter)
    return outputs


def _write(file: Path, text: str) -> None:
    ended = text if text.endswith("\n") else text + "\n"
    try:
        file.write_text(ended, encoding="utf-8", errors="backslashreplace", newline="\n")
    except OSError as error:
        raise UnwritableOutputError(file, error.strerror or str(error)) from None
