"""The stage of the demo: a folder, an emulator in a process of its own, and the commands.

Commands run as a newcomer types them: each in a process of its own, with its output shown.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.errors import ExitCode, ReconcilerError
from reconciler.kernel import exact_json
from reconciler.kernel.value import JsonObject, JsonValue

if TYPE_CHECKING:
    from reconciler.cli.options import App

WIDTH = 100
SECONDS_MAX = 60
COMMAND = (sys.executable, "-m", "reconciler")


class DemoFailedError(ReconcilerError):
    """A step of the demo did not go as it should."""

    exit_code = ExitCode.UNEXPECTED

    def __init__(self, step: str, reason: str) -> None:
        super().__init__(
            f"the demo stopped at `{step}`: {reason}.\n"
            "Only the emulator was touched, and it was ended. Please report this with the output "
            "above."
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command ended with and printed on both streams."""

    code: int
    text: str


@dataclass(frozen=True, slots=True)
class Stage:
    """Where the demo plays.

    Attributes:
        folder: The repository of definitions.
        url: Of the emulator.
        environ: Of every command: the process's own and the emulator's credentials.
    """

    app: App
    folder: Path
    url: str
    environ: Mapping[str, str]

    def say(self, text: str) -> None:
        """Tell what happens next and why."""
        line = " ".join(text.split())
        self.app.show(
            "\n" + textwrap.fill(line, WIDTH, initial_indent="# ", subsequent_indent="# ")
        )

    def run(
        self, *arguments: str, expect: int = 0, show: int | None = None, contains: str = ""
    ) -> Outcome:
        """Run one command, print it and its output.

        Args:
            arguments: Behind ``reconciler``.
            expect: The exit code it must end with.
            show: Print at most this many lines of its output.
            contains: A text that its output must hold.

        Raises:
            DemoFailedError: When it ends or speaks otherwise.
        """
        typed = "reconciler " + " ".join(_quoted(argument) for argument in arguments)
        self.app.show(f"\n{_shown(typed)}")
        ended = subprocess.run(  # noqa: S603  our own program
            [*COMMAND, *arguments],
            cwd=self.folder,
            env=dict(self.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS_MAX,
            check=False,
        )
        self._print(ended.stdout.splitlines(), show)
        if ended.returncode != expect:
            raise DemoFailedError(typed, f"exit {ended.returncode}, but {expect} was expected")
        if contains not in ended.stdout:
            raise DemoFailedError(typed, f"its output does not say `{contains}`")
        return Outcome(ended.returncode, ended.stdout)

    def kill_midway(self, *arguments: str, after_seconds: float) -> None:
        """Start a command and kill it hard while it works."""
        typed = "reconciler " + " ".join(_quoted(argument) for argument in arguments)
        self.app.show(f"\n{_shown(typed)}   # kill -9 after {after_seconds:.1f} s")
        with subprocess.Popen(  # noqa: S603  our own program
            [*COMMAND, *arguments],
            cwd=self.folder,
            env=dict(self.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            try:
                process.wait(after_seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                return
        raise DemoFailedError(typed, "it ended before it could be killed")

    def control(self, path: str, body: JsonObject | None = None) -> JsonValue:
        """Use the emulator's control surface: a POST with a body, else a GET."""
        import httpx

        with httpx.Client(base_url=self.url, timeout=SECONDS_MAX, trust_env=False) as client:
            if body is None:
                answer = client.get(path)
            else:
                answer = client.post(path, content=exact_json.encode(body))
        if answer.is_error:
            raise DemoFailedError(path, f"the emulator answered {answer.status_code}")
        return exact_json.decode(answer.content)

    def commit(self, message: str) -> None:
        """Commit everything, so that plans name a commit; without git nothing happens."""
        if shutil.which("git", path=self.environ.get("PATH")) is None:
            return
        author = ("-c", "user.name=demo", "-c", "user.email=demo@example.com")
        for arguments in (("init", "-q"), ("add", "-A"), (*author, "commit", "-q", "-m", message)):
            subprocess.run(  # noqa: S603  fixed arguments
                ["git", *arguments],  # noqa: S607  whichever git the machine has
                cwd=self.folder,
                env=dict(self.environ),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                check=False,
            )

    def _print(self, lines: Sequence[str], most: int | None) -> None:
        kept = lines if most is None else lines[:most]
        for line in kept:
            self.app.show(line.rstrip())
        if len(kept) < len(lines):
            self.app.show(f"… {len(lines) - len(kept)} more lines")


@contextmanager
def emulator(
    scenario: str, environ: Mapping[str, str], *options: str
) -> Iterator[tuple[str, dict[str, str]]]:
    """Run an emulator on a free port; give its URL and its credentials as environment variables."""
    with subprocess.Popen(  # noqa: S603  our own program
        [*COMMAND, "emulate", "--scenario", scenario, "--port", "0", "--print-env", *options],
        env=dict(environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            given = dict(_exports(process.stdout))
            url = given["M3TER_BASE_URL"]
            yield url, given | {"RECONCILER_CLOCK_AHEAD": _clock_ahead(url)}
        finally:
            process.terminate()
            process.wait(SECONDS_MAX)


def _clock_ahead(url: str) -> str:
    """Give the seconds from our time to the scenario's: who resends must agree with the site's.

    Source: RFC 9110, section 6.6.1: the Date header of an answer.
    """
    import httpx

    answer = httpx.get(f"{url}/api/v2/invoices", timeout=SECONDS_MAX, trust_env=False)
    emulated = parsedate_to_datetime(answer.headers["date"])
    return str(round((emulated - datetime.now(UTC)).total_seconds()))


def _exports(lines: Iterator[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        if not line.startswith("export "):
            return
        name, _, value = line.removeprefix("export ").strip().partition("=")
        yield name, value


def _shown(typed: str) -> str:
    """Write a command as a shell takes it, over several lines where it is long."""
    lines = textwrap.wrap(
        f"$ {typed}",
        WIDTH - 2,
        subsequent_indent="      ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    return " \\\n".join(lines)


def _quoted(text: str) -> str:
    return f"'{text}'" if any(sign in text for sign in " #*") else text
