"""A repository on disk beside an emulator: commands as people type them, and what they cause."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

from fakes.connecting import environment_spec
from fakes.emulated_http import EmulatedHttp

from reconciler.cli.main import main
from reconciler.dialect.discover import discover, document
from reconciler.emulator.control import merge_patch
from reconciler.emulator.m3ter.http.tokens import ORGANISATION
from reconciler.emulator.running import RunningEmulator, environment
from reconciler.kernel import exact_json
from reconciler.m3ter.ports import Organisation
from reconciler.repository.edit.writer import yaml_text
from reconciler.settings import Settings
from reconciler.state.directory import DirectoryState
from reconciler.transport.system_clock import SystemClock
from reconciler.wiring.desk import open_desk
from reconciler.wiring.organisation import connect
from reconciler.wiring.repository import example_folder

WRITES = {"POST", "PUT", "DELETE"}
KEYS = {"camel": "accountIds", "screaming": "ACCOUNT_IDS"}


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str


class Terminal(StringIO):
    """A stream that a person sits at."""

    def isatty(self) -> bool:
        return True


@dataclass
class Place:
    """The example repository in a folder, and the emulator that it points at.

    Attributes:
        sandbox: Changes to the example's Environment `sandbox`, as a merge patch on its spec.
    """

    folder: Path
    emulator: RunningEmulator
    sandbox: dict[str, Any] = field(default_factory=dict)
    seen: int = 0
    org: str = ORGANISATION

    def __post_init__(self) -> None:
        shutil.copytree(example_folder(), self.definitions, dirs_exist_ok=True)
        if self.sandbox:
            self.patch_sandbox(**self.sandbox)

    @property
    def definitions(self) -> Path:
        return self.folder / "integrations.d"

    @property
    def environ(self) -> dict[str, str]:
        return environment(self.emulator.url) | {"GITHUB_ACTOR": "tester", "NOTICE_URL": "x"}

    def patch_sandbox(self, **spec: object) -> None:
        """Write the Environment `sandbox` anew, its spec merged with changes."""
        base = {
            "protected": False,
            "m3ter": {
                "organizationId": ORGANISATION,
                "baseUrl": "https://api.m3ter.com",
                "accessKey": {"env": "M3TER_API_KEY"},
                "apiSecret": {"env": "M3TER_API_SECRET"},
                "requestsPerSecond": 45,
            },
            "credentials": {
                "chargebee-uk": {"name": "Chargebee UK (test)"},
                "chargebee-us": {"name": "Chargebee US (test)"},
            },
        }
        self.write(
            "environments/sandbox.yaml",
            _document("Environment", "sandbox", merge_patch(base, spec)),
        )

    def write(self, file: str, *documents: Mapping[str, Any]) -> None:
        """Write a file of definitions."""
        path = self.definitions / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml_text(documents), encoding="utf-8")

    def edit(self, file: str, old: str, new: str) -> None:
        """Replace the one place where a text stands in a file of definitions."""
        path = self.definitions / file
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, (file, old, text.count(old))
        path.write_text(text.replace(old, new), encoding="utf-8")

    def remove(self, file: str) -> None:
        """Remove a file of definitions."""
        (self.definitions / file).unlink()

    def run(self, *arguments: str, answer: str | None = None, **variables: str) -> Ran:
        """Run a command in this repository; with an answer a person sits at a terminal."""
        stdin: StringIO = StringIO() if answer is None else Terminal(answer)
        out, err = StringIO(), StringIO() if answer is None else Terminal()
        given = {**self.environ, "NO_COLOR": "1", **variables}
        typed = [arguments[0], *([] if arguments[0] == "show" else ["-C", str(self.folder)])]
        code = main([*typed, *arguments[1:]], given, stdin=stdin, stdout=out, stderr=err)
        return Ran(code, out.getvalue(), err.getvalue())

    def discover(self, name: str = "sandbox") -> None:
        """Write the Dialect that the organisation publishes."""
        settings = Settings.from_environment(self.environ)
        desk = open_desk(self.folder, name, self.environ, settings, progress=_silent(), log=None)
        with desk.organisation() as organisation:
            found = discover(desk.effective, organisation.integrations, desk.clock)
        documents = [document(name, proposal) for proposal in found]
        self.write(
            f"dialects/{name}.yaml", *(document for document in documents if document is not None)
        )

    def plan(self, *arguments: str, file: str = "plan.json") -> str:
        """Save a plan and give its path."""
        path = str(self.folder / file)
        ran = self.run("plan", "--env", "sandbox", "-o", path, *arguments)
        assert ran.code == 0, ran
        return path

    def plan_document(self, file: str = "plan.json") -> Any:
        """Read a saved plan."""
        return exact_json.decode((self.folder / file).read_bytes())

    def plan_document_id(self) -> str:
        """Plan what is there, and give the plan's id."""
        self.plan()
        return str(self.plan_document()["id"])

    def apply(self) -> Ran:
        """Plan and apply; it must be done."""
        ran = self.run("apply", "--env", "sandbox", "--yes")
        assert ran.code == 0, ran
        return ran

    def is_in_sync(self) -> bool:
        """Tell whether a plan is empty."""
        ran = self.run("plan", "--env", "sandbox", "--exit-code")
        return ran.code == 0 and "sandbox is as git says" in ran.out

    def forget(self) -> None:
        """Begin a new request log: what was asked before does not count any more."""
        self.seen = len(self.emulator.world.log.select())

    def requests(self) -> list[tuple[str, str]]:
        """Every request m3ter got below the organisation, as method and path."""
        prefix = f"/organizations/{ORGANISATION}"
        return [
            (entry.method, entry.path.removeprefix(prefix))
            for entry in self.emulator.world.log.select()[self.seen :]
            if entry.path.startswith(prefix)
        ]

    def writes(self) -> list[tuple[str, str]]:
        """The requests that change something."""
        return [request for request in self.requests() if request[0] in WRITES]

    def configs(self) -> list[dict[str, Any]]:
        """Live configurations."""
        return [
            dict(integration)
            for integration in self.emulator.world.store.all("m3ter/integrationconfigs")
        ]

    def config(self, name: str) -> dict[str, Any]:
        """The one live configuration of a name."""
        (found,) = [config for config in self.configs() if config.get("name") == name]
        return found

    def mappings(self) -> list[dict[str, Any]]:
        """Live external mappings."""
        return [
            dict(mapping) for mapping in self.emulator.world.store.all("m3ter/externalmappings")
        ]

    def user_edit(self, identity: str, user: str = "k.smith", **patch: object) -> None:
        """Edit an object as a Console user would."""
        store = self.emulator.world.store
        kind = next(
            candidate for candidate in store.kinds() if store.get(candidate, identity) is not None
        )
        body = merge_patch(store.get(kind, identity), {**patch, "id": identity})
        store.put(kind, self.emulator.world.m3ter.user_edit(body, user))

    def delete(self, resource: str, identity: str) -> None:
        """Delete an object as a Console user would."""
        self.call("DELETE", f"/{resource}/{identity}")

    def create(self, resource: str, body: dict[str, Any]) -> dict[str, Any]:
        """Create an object as a Console user would."""
        made: dict[str, Any] = self.call("POST", f"/{resource}", body)
        return made

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Send one request that must succeed; the path is below the organisation."""
        with EmulatedHttp(self.emulator.url) as http:
            http.log_in()
            answer = http.m3ter(method, path, body)
        assert answer.status_code == 200, answer.text
        return exact_json.decode(answer.content)

    def organisation(self) -> AbstractContextManager[Organisation]:
        """Connect to the emulated organisation."""
        settings = Settings.from_environment(self.environ)
        return connect(environment_spec(self.emulator.url), settings, root=self.folder)

    def state(self) -> DirectoryState:
        """The chain of applied records."""
        return DirectoryState(self.folder / ".reconciler/state", SystemClock())

    def fault(self, fault: str, **rule: Any) -> None:
        """Add one fault rule."""
        self.emulator.world.faults.add([{"fault": fault, **rule}])


def _document(kind: str, name: str, spec: object) -> dict[str, Any]:
    head = {"apiVersion": "m3ter-reconciler/v1", "kind": kind, "metadata": {"name": name}}
    return {**head, "spec": spec}


def _silent() -> Any:
    from reconciler.cli.progress import SilentProgress

    return SilentProgress()
