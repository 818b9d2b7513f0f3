"""The ground of the chaos suite: an emulator and pushers, each a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from chaos import month_end
from chaos.due import Json, Organisation
from chaos.judge import Verdict, judge
from fakes import loopback

from reconciler.emulator import wire

COMMAND = (sys.executable, "-m", "reconciler")
SECONDS_MAX = 300
SQLITE: Json = {"sqlite": ".reconciler/ledger.sqlite"}
NOTHING = Organisation({}, {}, ())


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as JSON."""
        return wire.decode(self.out.encode())


class Control:
    """The control surface of one emulator."""

    def __init__(self, url: str) -> None:
        self.url = url

    def state(self, integrations: Sequence[Json] = ()) -> Organisation:
        """Everything both vendors store."""
        found = self._call("GET", "/state")
        return Organisation(found["m3ter"], found["chargebee"], integrations)

    def fault(self, *rules: Mapping[str, Any]) -> None:
        """Add fault rules."""
        self._call("POST", "/faults", {"rules": [dict(rule) for rule in rules]})

    def calm(self) -> None:
        """Forget all fault rules."""
        self._call("DELETE", "/faults")

    def now(self) -> float:
        """The emulated time, in seconds since 1970."""
        return datetime.fromisoformat(self._call("GET", "/health")["now"]).timestamp()

    def advance(self, seconds: float) -> None:
        """Let emulated time pass."""
        self._call("POST", "/clock", {"advance_seconds": int(seconds)})

    def reset(self, scenario: str, seed: int, switches: Mapping[str, object]) -> None:
        """Begin again."""
        body = {"scenario": scenario, "seed": seed, "switches": dict(switches)}
        self._call("POST", "/reset", body)

    def requests(self, vendor: str = "chargebee") -> list[Json]:
        """The log of one vendor's requests."""
        found: list[Json] = self._call("GET", f"/requests?vendor={vendor}")["requests"]
        return found

    def counts(self) -> dict[str, int]:
        """How many objects both vendors store, by kind."""
        found: dict[str, int] = self._call("GET", "/counts")
        return found

    def user_edit(self, key: str, patch: Json, user: str = "k.smith") -> None:
        """Let a person edit an object."""
        self._call("POST", "/user-edit", {"id": key, "patch": dict(patch), "user": user})

    def give_dinars_a_default(self) -> None:
        """Complete the one configuration that `validate` refuses: a type of it has no price."""
        for integration in self.state().m3ter["integrationconfigs"]:
            if integration["name"] == "Month end KWD":
                patch = {"configData": {"chargebeeDefaultPriceId": "other-KWD"}}
                self.user_edit(integration["id"], patch)

    def _call(self, method: str, path: str, body: object = None) -> Any:
        content = b"" if body is None else wire.encode(body)
        with loopback.client(self.url, SECONDS_MAX) as http:
            answer = http.request(method, f"/_emulator{path}", content=content)
        assert answer.status_code == 200, answer.text
        return wire.decode(answer.content)


@dataclass
class Ground:
    """A repository, an emulator and what is known of both.

    Attributes:
        before: Both vendors and the definitions, before anything was pushed.
        ahead: Seconds by which the emulator's clock is ahead of the machine's.
        skew: Seconds by which the clocks of commands are ahead of the emulator's.
    """

    folder: Path
    control: Control
    environ: Mapping[str, str]
    before: Organisation
    ahead: float = 0.0
    skew: float = 0.0
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def run(self, *arguments: str, seconds: float = SECONDS_MAX) -> Ended:
        """Run a command to its end."""
        ended = subprocess.run(
            [*COMMAND, *arguments],
            cwd=self.folder,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds,
            check=False,
        )
        return Ended(ended.returncode, ended.stdout.decode(), ended.stderr.decode())

    def start(self, *arguments: str, **environ: str) -> subprocess.Popen[bytes]:
        """Start a command; whoever starts it ends it, at the latest the ground."""
        with self._printed(len(self.started)).open("wb") as printed:
            process = subprocess.Popen(
                [*COMMAND, *arguments],
                cwd=self.folder,
                env=self.environment() | environ,
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=printed,
            )
        self.started.append(process)
        return process

    def wait_for(self, process: subprocess.Popen[bytes], text: str) -> None:
        """Wait until a command that was started has printed a text."""
        file = self._printed(self.started.index(process))
        until = time.monotonic() + SECONDS_MAX
        while text not in file.read_text(encoding="utf-8"):
            assert process.poll() is None, file.read_text(encoding="utf-8")
            assert time.monotonic() < until
            time.sleep(0.05)

    def _printed(self, number: int) -> Path:
        return self.folder / f"printed-{number:03}.log"

    def environment(self) -> dict[str, str]:
        """The variables of a command."""
        return {**self.environ, "RECONCILER_CLOCK_AHEAD": str(round(self.ahead + self.skew))}

    def pass_time(self, seconds: float) -> None:
        """Let time pass for both vendors and for every command that starts from now on."""
        self.control.advance(seconds)
        self.ahead += seconds

    def after(self) -> Organisation:
        """Both vendors now."""
        return self.control.state(self.before.integrations)

    def verdict(self, listed: Mapping[str, str]) -> Verdict:
        """What the judge says."""
        return judge(self.before, self.after(), listed)

    def end(self) -> None:
        """End whatever still runs."""
        for process in self.started:
            kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a process hard, if it still runs, and wait for its end."""
    if process.poll() is None:
        process.send_signal(signal.SIGKILL)
    process.wait(SECONDS_MAX)


def kill_within(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Kill a process after so many seconds; false when it had ended by itself."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        kill(process)
        return True
    return False


@contextmanager
def emulated(scenario: str, *switches: str, seed: int = 1) -> Iterator[tuple[str, dict[str, str]]]:
    """Run an emulator in its own process; give its URL and the variables that lead to it."""
    arguments = ["emulate", "--port", "0", "--print-env", "--scenario", scenario]
    arguments += ["--seed", str(seed)]
    for switch in switches:
        arguments += ["--switch", switch]
    with subprocess.Popen(
        [*COMMAND, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            given = dict(_exports(process.stdout))
            yield given["M3TER_BASE_URL"], given
        finally:
            process.terminate()
            process.wait(30)


@contextmanager
def ground(
    folder: Path,
    *switches: str,
    ledger: Json | None = None,
    pace: int = 3500,
    seed: int = 1,
    **environ: str,
) -> Iterator[Ground]:
    """Set everything up until the first push: emulator, definitions, dialect, apply."""
    with emulated("month-end", *switches, seed=seed) as (url, given):
        place = Ground(folder, Control(url), {**_machine(folder), **given, **environ}, NOTHING)
        try:
            prepare(place, ledger or SQLITE, pace)
            yield place
        finally:
            place.end()


def prepare(place: Ground, ledger: Json, pace: int) -> None:
    """Write the definitions, find the dialect and apply."""
    place.control.give_dinars_a_default()
    place.ahead = place.control.now() - time.time()
    pushes = month_end.write(place.folder, place.control.state().m3ter, ledger, pace)
    for arguments in (("discover",), ("apply", "--yes")):
        ended = place.run(arguments[0], "--env", month_end.ENVIRONMENT, *arguments[1:])
        assert ended.code == 0, ended.err[:3000]
    place.before = place.control.state(pushes)


def _machine(folder: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(folder)}


def _exports(lines: Iterator[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        if not line.startswith("export "):
            return
        name, _, value = line.removeprefix("export ").strip().partition("=")
        yield name, value
