"""The writes of an apply per second, beside the configured rate."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from benchmarks.emulated import emulator
from benchmarks.large import RATE, document, write, write_large
from reconciler.kernel import exact_json
from reconciler.kernel.value import JsonObject
from reconciler.repository.edit.writer import csv_text
from reconciler.settings import Settings

WRITES = 600


def run() -> None:
    """Print the share of the configured rate that new mappings are made at, and any 429."""
    with emulator("large") as environ, tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_large(root, environ, Settings.from_environment(environ))
        apply = [
            sys.executable,
            "-m",
            "reconciler",
            "apply",
            "-C",
            folder,
            "--env",
            "sandbox",
            "--yes",
        ]
        subprocess.run(apply, env=environ, check=True, stdout=subprocess.DEVNULL)
        _more(root / "integrations.d")
        subprocess.run(apply, env=environ, check=True, stdout=subprocess.DEVNULL)
        answer = httpx.get(environ["M3TER_BASE_URL"] + "/_emulator/requests?vendor=m3ter")
        decoded: Any = exact_json.decode(answer.content)
    log = decoded["requests"]
    writes = [request for request in log if request["method"] == "POST"]
    posts = [request for request in writes if request["path"].endswith("/externalmappings")]
    times = sorted(datetime.fromisoformat(post["time"]) for post in posts)
    rate = (len(times) - 1) / (times[-1] - times[0]).total_seconds()
    limited = sum(request["status"] == 429 for request in log)
    print(
        f"apply of {WRITES} new mappings           {rate:6.1f} a second, configured {RATE}: "
        f"{rate / RATE:4.0%}, {limited} times 429"
    )


def _more(folder: Path) -> None:
    spec: JsonObject = {
        "externalSystem": "Chargebee",
        "externalTable": "Account",
        "m3terEntity": "Account",
        "rows": {"csv": "more.csv", "m3ter": {"code": "account"}, "externalId": "external_id"},
    }
    write(folder / "more.yaml", document("MappingSet", "more", spec))
    cells = {
        f"account-{number:04}": (f"account-{number:04}", f"more-{number}")
        for number in range(WRITES)
    }
    (folder / "more.csv").write_text(csv_text(("account", "external_id"), cells), encoding="utf-8")
