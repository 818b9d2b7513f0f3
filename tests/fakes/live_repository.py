"""The example repository beside an emulated organisation, and commands as people type them."""

from __future__ import annotations

import shlex
import shutil
import urllib.request
from base64 import b64encode
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

from reconciler.cli.main import main
from reconciler.emulator.running import RunningEmulator, environment
from reconciler.kernel.exact_json import decode, encode

EXAMPLE = Path(__file__).parents[2] / "integrations.d"
UK = "Chargebee UK bills"
US = "Chargebee US bills"


@dataclass
class LiveRepository:
    """A repository in a folder, whose environment `sandbox` is an emulator."""

    root: Path
    url: str
    environ: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of_example(cls, root: Path, emulator: RunningEmulator) -> LiveRepository:
        """Copy the example."""
        shutil.copytree(EXAMPLE, root / "integrations.d")
        repository = cls(root, emulator.url, dict(environment(emulator.url)))
        repository.edit(
            "environments/sandbox.yaml", "requestsPerSecond: 30", "requestsPerSecond: 45"
        )
        return repository

    @classmethod
    def started(cls, root: Path, emulator: RunningEmulator) -> LiveRepository:
        """Begin with what `init` writes."""
        repository = cls(root, emulator.url, dict(environment(emulator.url)))
        repository.ok("init")
        repository.edit(
            "environments/sandbox.yaml", "00000000-0000-4000-8000-000000000000", repository.org
        )
        return repository

    @property
    def org(self) -> str:
        """The organisation's id."""
        return self.environ["M3TER_ORG_ID"]

    def run(self, command: str) -> tuple[int, str, str]:
        """Run one command line; `--env sandbox` is added where it has no `--env`."""
        argv = shlex.split(command)
        if argv[0] not in {"init", "validate"} and "--env" not in argv and "apply p" not in command:
            argv += ["--env", "sandbox"]
        out, err = StringIO(), StringIO()
        argv = ["-C", str(self.root), *argv]
        code = main(argv, self.environ, stdin=StringIO(), stdout=out, stderr=err)
        return code, out.getvalue(), err.getvalue()

    def ok(self, command: str) -> str:
        """Run one command that must end with 0, and give what it printed."""
        code, out, err = self.run(command)
        assert code == 0, f"{command} ended with {code}:\n{out}\n{err}"
        return out

    def json(self, command: str) -> Any:
        """Run one command and read its JSON."""
        return decode(self.ok(f"{command} --format json"))

    def applied(self) -> LiveRepository:
        """Bring the organisation to where git wants it."""
        self.ok("discover")
        self.ok("apply --yes")
        return self

    def text(self, file: str) -> str:
        """Read a file below integrations.d."""
        return (self.root / "integrations.d" / file).read_text(encoding="utf-8")

    def edit(self, file: str, old: str, new: str) -> None:
        """Edit a file below integrations.d by hand."""
        path, text = self.root / "integrations.d" / file, self.text(file)
        assert old in text, f"{file} has no {old!r}"
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    def write(self, file: str, text: str) -> None:
        """Write a file below integrations.d by hand."""
        path = self.root / "integrations.d" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def files(self) -> set[str]:
        """Name all files below integrations.d."""
        folder = self.root / "integrations.d"
        return {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}

    def live(self, kind: str) -> list[dict[str, Any]]:
        """Give what m3ter has of one kind."""
        found = self.control("/_emulator/state?vendor=m3ter")["m3ter"][kind]
        return list(found.values()) if isinstance(found, dict) else found

    def config(self, name: str) -> dict[str, Any]:
        """Give the live configuration of a name."""
        return next(
            candidate for candidate in self.live("integrationconfigs") if candidate["name"] == name
        )

    def console(self, identity: str, **patch: Any) -> None:
        """Edit an object in m3ter's Console, as k.smith."""
        body = {"id": identity, "patch": patch, "user": "k.smith"}
        self.control("/_emulator/user-edit", body)

    def console_mapping(self, external_id: str, **patch: Any) -> None:
        """Edit the mapping to an external id in m3ter's Console."""
        found = next(
            candidate
            for candidate in self.live("externalmappings")
            if candidate["externalId"] == external_id
        )
        self.console(found["id"], **patch)

    def writes(self) -> list[str]:
        """List the requests that changed m3ter, tokens aside."""
        asked = self.control("/_emulator/requests?vendor=m3ter")["requests"]
        return [
            f"{request['method']} {request['path']}"
            for request in asked
            if request["method"] != "GET" and request["path"] != "/oauth/token"
        ]

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Send one request to m3ter as its Console would."""
        token = self.control(
            "/oauth/token", {"grant_type": "client_credentials"}, basic=self._basic()
        )["access_token"]
        where = f"/organizations/{self.org}{path}"
        return self.control(where, body, method=method, bearer=token)

    def control(
        self, path: str, body: Any = None, *, method: str = "", basic: str = "", bearer: str = ""
    ) -> Any:
        """Ask the emulator itself."""
        data = None if body is None else encode(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method or None)
        request.add_header("Content-Type", "application/json")
        if basic or bearer:
            request.add_header("Authorization", f"Basic {basic}" if basic else f"Bearer {bearer}")
        with urllib.request.urlopen(request, timeout=10) as answer:
            text = answer.read()
        return decode(text) if text else None

    def _basic(self) -> str:
        pair = f"{self.environ['M3TER_API_KEY']}:{self.environ['M3TER_API_SECRET']}"
        return b64encode(pair.encode()).decode()
