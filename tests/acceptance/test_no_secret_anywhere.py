"""No secret, key, token or Authorization header in anything that is printed or kept."""

from __future__ import annotations

import base64
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from io import StringIO
from pathlib import Path

import pytest
from chaos import month_end
from chaos.ground import Control

from reconciler.cli.main import main
from reconciler.emulator.m3ter.http.tokens import ACCESS_KEY, API_SECRET
from reconciler.emulator.running import CHARGEBEE_API_KEY, RunningEmulator, environment

ENV = ("--env", month_end.ENVIRONMENT)
# The emulator's real ones are words that may stand in a text by chance; these may not.
NOTICE = "http://127.0.0.1:9/services/T0SECRETHOOK"
LOGIN = base64.b64encode(f"{ACCESS_KEY}:{API_SECRET}".encode()).decode()
BASIC = base64.b64encode(f"{CHARGEBEE_API_KEY}:".encode()).decode()
SECRETS = (ACCESS_KEY, API_SECRET, CHARGEBEE_API_KEY, LOGIN, BASIC, BASIC.rstrip("="), NOTICE)
# Whatever looks like a token, and any header that carries one.
SHAPES = (
    re.compile(rb"eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"),
    re.compile(rb"(?i)\b(?:bearer|basic)\s+[A-Za-z0-9+/=_.-]{8,}"),
)
BEFORE = (
    ("validate",),
    ("discover", *ENV),
    ("plan", *ENV, "-o", "plan.json", "--format", "json"),
    ("plan", *ENV, "--format", "markdown=plan.md", "--format", "html=plan.html", "--full"),
    ("show", "plan.json"),
    ("apply", *ENV, "--yes"),
    ("drift", *ENV),
    ("status", *ENV),
    ("runs", *ENV),
    ("events", *ENV),
    ("doctor", *ENV),
    ("ledger", "init", *ENV),
    ("sync", "plan", *ENV),
    ("sync", "plan", *ENV, "--format", "json"),
)
AFTER = (
    ("sync", "run", *ENV, "--wait", "0"),
    ("sync", "reconcile", *ENV),
    ("sync", "reconcile", *ENV, "--format", "json"),
    ("status", *ENV),
    ("sync", "pause", *ENV, "--reason", "month end"),
    ("sync", "run", *ENV, "--wait", "0"),
    ("sync", "resume", *ENV),
    ("ledger", "rebuild", *ENV, "--since", "2026-11-01"),
)


class Bench:
    """Commands in one folder against one emulator; remembers all that was printed."""

    def __init__(self, folder: Path, emulator: RunningEmulator) -> None:
        self.folder, self.emulator = folder, emulator
        self.control = Control(emulator.url)
        self.printed: list[tuple[str, str]] = []
        self.environ = environment(emulator.url) | {"NOTICE_URL": NOTICE}

    def run(self, *arguments: str, **environ: str) -> int:
        """Run one command twice over: plainly and with ``--debug``; gives the first exit code."""
        codes = [self._run([*arguments, *more], environ) for more in ((), ("--debug",))]
        return codes[0]

    def _run(self, arguments: list[str], environ: dict[str, str]) -> int:
        out, err = StringIO(), StringIO()
        typed = [argument.replace("plan.", f"{self.folder}/plan.") for argument in arguments]
        typed = ["-C", str(self.folder), *typed]
        code = main(typed, self.environ | environ, stdin=StringIO(), stdout=out, stderr=err)
        self.printed.append((" ".join(arguments), out.getvalue() + err.getvalue()))
        return code

    def leaks(self) -> Iterator[str]:
        """Every place where a secret, or what looks like one, can be read."""
        texts = [(f"output of `{name}`", text.encode()) for name, text in self.printed]
        texts += [
            (str(file), file.read_bytes()) for file in self.folder.rglob("*") if file.is_file()
        ]
        texts += list(self._rows())
        for name, data in texts:
            yield from (f"{name}: {secret}" for secret in SECRETS if secret.encode() in data)
            yield from (f"{name}: {hit!r}" for shape in SHAPES for hit in shape.findall(data))

    def _rows(self) -> Iterator[tuple[str, bytes]]:
        for file in self.folder.rglob("*.sqlite"):
            with closing(sqlite3.connect(file)) as ledger:
                tables = ledger.execute("select name from sqlite_master where type = 'table'")
                for (table,) in tables.fetchall():
                    rows = ledger.execute(f'select * from "{table}"').fetchall()
                    yield f"ledger table {table}", repr(rows).encode()


@pytest.fixture
def bench(emulate: Callable[..., RunningEmulator], tmp_path: Path) -> Bench:
    """A repository with push integrations and a notice, beside an emulator with a few bills."""
    emulator = emulate("month-end", month_end_bills=12, requests_per_second=0)
    made = Bench(tmp_path, emulator)
    made.control.give_dinars_a_default()
    state = made.control.state()
    ledger = {"sqlite": ".reconciler/ledger.sqlite"}
    month_end.write(tmp_path, state.m3ter, ledger, 3500, notices=[NOTICE_RULE])
    return made


NOTICE_RULE = {"events": ["disabled", "authentication", "perform"], "url": {"env": "NOTICE_URL"}}
FAULTS = ("http_500", "html_502", "cut_after_commit", "expired_token")


def test_no_secret_is_printed_or_kept_by_any_command(bench: Bench) -> None:
    for arguments in BEFORE:
        bench.run(*arguments)
    for fault in FAULTS:
        bench.control.fault({"fault": fault, "times": 2})
        bench.run("sync", "run", *ENV, "--max-bills", "2", "--wait", "0")
        bench.control.calm()
    for arguments in AFTER:
        bench.run(*arguments)
    bill = bench.control.state().m3ter["bills"][0]["id"]
    bench.run("sync", "explain", *ENV, bill)
    misused = [name for name, text in bench.printed if "shows how it is used" in text]
    assert not misused
    assert not [*bench.leaks()]


def test_no_refused_key_is_quoted(bench: Bench) -> None:
    bench.run("discover", *ENV)
    wrong = {"M3TER_API_SECRET": "wr0ng-m3ter-secret", "CHARGEBEE_API_KEY": "test_wr0ng-key"}
    assert bench.run("plan", *ENV, M3TER_API_SECRET=wrong["M3TER_API_SECRET"]) == 11
    bench.run("apply", *ENV, "--yes")
    bench.run("ledger", "init", *ENV)
    key = {"CHARGEBEE_API_KEY": wrong["CHARGEBEE_API_KEY"]}
    assert bench.run("sync", "run", *ENV, **key) == 11
    assert not [*bench.leaks()]
    assert not [text for _, text in bench.printed for word in wrong.values() if word in text]


def test_no_address_of_a_database_is_quoted(bench: Bench) -> None:
    ledger = {"postgresql": {"env": "LEDGER_URL"}}
    month_end.write(bench.folder, bench.control.state().m3ter, ledger, 3500)
    bench.environ |= {"LEDGER_URL": "postgresql://me:pa55-w0rd@127.0.0.1:no-port/ledger"}
    for arguments in BEFORE[1:]:
        bench.run(*arguments)
    assert bench.run("sync", "run", *ENV) == 11
    assert not [*bench.leaks()]
    assert not [text for _, text in bench.printed if "pa55" in text]


def test_a_leak_would_be_seen(bench: Bench) -> None:
    (bench.folder / "log").write_text(f"authorization: Basic {BASIC}")
    bench.printed.append(("oops", f"key {CHARGEBEE_API_KEY}"))
    assert len([*bench.leaks()]) >= 3
