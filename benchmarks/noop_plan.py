"""A plan that finds nothing to do, on scenario `large`, beside the lists it cannot do without."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from benchmarks.emulated import emulator
from benchmarks.large import ORGANISATION, write_large
from reconciler.__main__ import collect_rarely
from reconciler.cli.progress import SilentProgress
from reconciler.kernel import exact_json
from reconciler.kernel.value import JsonObject
from reconciler.plan.against import plan_against
from reconciler.plan.make_plan import is_empty, plan
from reconciler.settings import Settings
from reconciler.wiring.desk import open_desk
from reconciler.wiring.organisation import connect

LATENCY_SECONDS = 0.1
LISTS = ("/integrationconfigs", "/externalmappings")


class Unlimited:
    """Implements ``kernel.ports.RateLimit``: what is measured is us, not the pace."""

    def acquire(self) -> None:
        """Let everything pass."""

    def slow_down(self, seconds: float) -> None:
        """There is no 429 here."""


def run() -> None:
    """Print time beside the floor, with and without latency, and memory."""
    with (
        emulator("large", "requests_per_second=0") as environ,
        tempfile.TemporaryDirectory() as folder,
    ):
        _prepare(Path(folder), environ)
        floor, pages = _floor(environ)
        took, calls, memory = _child(folder, environ)
        print(f"no-op plan of 20 integrations and 10,000 mappings: {calls} calls, {memory:.0f} MB")
        print(
            f"  loopback           plan {took:6.2f} s   bare lists {floor:6.2f} s        "
            f"{took / floor:5.1f} times"
        )
        beside, more, _ = _child(folder, environ, "against")
        _delay(environ)
        slow, _, _ = _child(folder, environ)
        least = pages * LATENCY_SECONDS
        print(
            f"  {LATENCY_SECONDS * 1000:.0f} ms latency     plan {slow:6.2f} s   "
            f"pages x latency {least:6.2f} s   {slow / least:5.2f} times"
        )
        distant, _, _ = _child(folder, environ, "against")
        print(
            f"  beside its base    {more - calls} calls more; loopback {_more(beside, took)}, "
            f"with latency {_more(distant, slow)}"
        )


def _more(longer: float, shorter: float) -> str:
    return f"{longer:.2f} s, {(longer / shorter - 1) * 100:.0f} % more"


def _delay(environ: Mapping[str, str]) -> None:
    rule: JsonObject = {
        "fault": "latency",
        "seconds": exact_json.decode(str(LATENCY_SECONDS)),
        "match": {"method": "GET"},
    }
    body = exact_json.encode({"rules": [rule]})
    httpx.post(environ["M3TER_BASE_URL"] + "/_emulator/faults", content=body)


def measure(folder: Path, environ: Mapping[str, str], *, against: bool) -> None:
    """Make one plan in this process and print seconds, calls and megabytes.

    Args:
        folder: The repository.
        environ: Where m3ter is.
        against: Whether the same definitions stand for a base branch, read and compared too.
    """
    collect_rarely()
    started = time.perf_counter()
    settings = Settings.from_environment(environ)
    desk = open_desk(folder, "sandbox", environ, settings, progress=SilentProgress())
    with connect(desk.effective.environment.spec, settings, limiter=Unlimited()) as organisation:
        head = desk.chain.head("sandbox")
        ports = desk.plan_ports(organisation)
        if against:
            base = desk.base(folder)
            new_plan = plan_against(desk.effective, base, head, desk.made_from, ports).plan
        else:
            new_plan = plan(desk.effective, head, desk.made_from, ports)
        calls = organisation.calls
    assert is_empty(new_plan)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(time.perf_counter() - started, calls, peak)


def _prepare(folder: Path, environ: Mapping[str, str]) -> None:
    settings = Settings.from_environment(environ)
    write_large(folder, environ, settings)
    typed = ["apply", "-C", str(folder), "--env", "sandbox", "--yes"]
    command = [sys.executable, "-m", "reconciler", *typed]
    subprocess.run(command, env=dict(environ), check=True, stdout=subprocess.DEVNULL)


def _child(folder: str, environ: Mapping[str, str], *how: str) -> tuple[float, int, float]:
    command = [sys.executable, "-m", "benchmarks.noop_plan", folder, *how]
    found = subprocess.run(
        command, env=dict(environ), check=True, stdout=subprocess.PIPE, text=True
    )
    took, calls, memory = found.stdout.split()
    return float(took), int(calls), float(memory)


def _floor(environ: Mapping[str, str]) -> tuple[float, int]:
    """Read the same pages with nothing but httpx, and decode them."""
    started, pages = time.perf_counter(), 0
    with httpx.Client(base_url=environ["M3TER_BASE_URL"], trust_env=False) as client:
        answer = client.post(
            "/oauth/token",
            auth=(environ["M3TER_API_KEY"], environ["M3TER_API_SECRET"]),
            content=b'{"grant_type":"client_credentials"}',
            headers={"content-type": "application/json"},
        )
        token: Any = exact_json.decode(answer.content)
        client.headers["authorization"] = f"Bearer {token['access_token']}"
        for path in LISTS:
            query = {"pageSize": "200"}
            while True:
                got = client.get(f"/organizations/{ORGANISATION}{path}", params=query)
                page: Any = exact_json.decode(got.content)
                pages += 1
                if "nextToken" not in page:
                    break
                query["nextToken"] = page["nextToken"]
    return time.perf_counter() - started, pages


if __name__ == "__main__":
    measure(Path(sys.argv[1]), os.environ, against="against" in sys.argv)
