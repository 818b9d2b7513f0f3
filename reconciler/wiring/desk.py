"""What a command works with: checked definitions, the chain, and the live organisation."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from reconciler.definitions.core.edits import Edit
from reconciler.definitions.model import Effective
from reconciler.definitions.ports import DefinitionSource
from reconciler.definitions.validate import InvalidDefinitionsError, effective
from reconciler.errors import InvalidError
from reconciler.kernel.ports import Clock, Progress
from reconciler.kernel.problem import Problem
from reconciler.m3ter.ports import Organisation
from reconciler.plan.make_plan import PlanPorts, PlanSource
from reconciler.plan.ports import SourceCommits
from reconciler.repository.parse import UnknownEnvironmentError
from reconciler.settings import Settings
from reconciler.state.documents import decode_plan, encode_plan
from reconciler.state.git import author, read_checkout
from reconciler.transport.private_file import private, take_from_others
from reconciler.transport.system_clock import SystemClock
from reconciler.wiring.organisation import connect
from reconciler.wiring.repository import (
    edit_files,
    knows_time_zone,
    open_repository,
    problems_after,
)
from reconciler.wiring.state import TOOL, State, open_state, source_commits


class DeskError(InvalidError):
    """A file that a command was given cannot be read or written."""

    def __init__(self, what: str, file: Path, reason: str) -> None:
        super().__init__(f"{what} {file}: {reason}.\nNothing was sent to m3ter.")


def _nobody(_: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Desk:
    """One environment of one repository, ready to work with.

    Attributes:
        source: Reads the files again when something was edited.
        chain: Chain and lock of applied records.
        tell: Writes a remark for the reader.
    """

    root: Path
    settings: Settings
    source: DefinitionSource
    effective: Effective
    chain: State
    authorship: Authorship
    clock: Clock
    progress: Progress
    log: Callable[[str], None] | None = None
    tell: Callable[[str], None] = _nobody

    @property
    def environment(self) -> str:
        """The environment's name."""
        return self.effective.environment.name

    @property
    def made_from(self) -> PlanSource:
        """Tool, commit and cleanliness, for plans."""
        return PlanSource(TOOL, self.authorship.commit, self.authorship.dirty)

    def base(self, folder: Path) -> Effective | None:
        """Read the same environment from a checkout of the base branch.

        Returns:
            ``None`` when it has errors or no such environment.
        """
        try:
            return effective(
                open_repository(folder), self.environment, self.settings.allowance, knows_time_zone
            )
        except (InvalidDefinitionsError, UnknownEnvironmentError):
            self.tell(f"the base branch has errors or no `{self.environment}`: nothing is compared")
            return None

    def problems_after(self, edits: tuple[Edit, ...]) -> tuple[Problem, ...]:
        """Give the problems that the definitions would have after edits; no file is written."""
        return problems_after(self.root, edits, self.settings)

    def edit(self, edits: tuple[Edit, ...]) -> Effective:
        """Edit the definition files, and give the environment's view of them then.

        Raises:
            EditRefusedError: When an edit would touch anything else; no file was written.
            EditsNotValidError: When the files would have errors then; no file was written.
        """
        edit_files(self.root, edits, self.settings)
        return self.source.effective(self.source.load().definitions, self.environment)

    @property
    def source_commits(self) -> SourceCommits:
        """Say how commits of the definitions stand to each other, and where they may be from."""
        protected = self.effective.environment.spec.protected
        return source_commits(self.root, self.settings.environ, self.chain, protected=protected)

    @contextmanager
    def organisation(self) -> Iterator[Organisation]:
        """Connect to the environment's organisation for the time of a ``with`` block."""
        with connect(
            self.effective.environment.spec,
            self.settings,
            root=self.root,
            clock=self.clock,
            chance=random.random,
            log=self.log,
        ) as organisation:
            yield organisation

    def plan_ports(self, organisation: Organisation) -> PlanPorts:
        """Give the world that a plan looks at."""
        return PlanPorts(organisation, self.clock, self.progress)


@dataclass(frozen=True, slots=True)
class Authorship:
    """Who acts, and which commit the definitions are at."""

    actor: str
    commit: str
    dirty: bool


def open_desk(
    root: Path,
    environment: str,
    environ: Mapping[str, str],
    settings: Settings,
    *,
    progress: Progress,
    log: Callable[[str], None] | None = None,
    tell: Callable[[str], None] = _nobody,
) -> Desk:
    """Read and check the definitions of a repository for one environment.

    Raises:
        InvalidDefinitionsError: When any file has an error.
        UnknownEnvironmentError: When no Environment bears the name.
    """
    source = open_repository(root)
    view = effective(source, environment, settings.allowance, knows_time_zone)
    clock = SystemClock(settings.clock_ahead)
    stand = authorship(root, environ)
    return Desk(
        root=root,
        settings=settings,
        source=source,
        effective=view,
        chain=open_state(
            root, view.project.spec, clock, actor=stand.actor, environ=environ, tell=tell
        ),
        authorship=stand,
        clock=clock,
        progress=progress,
        log=log,
        tell=tell,
    )


def system_clock() -> Clock:
    """Give the machine's clock."""
    return SystemClock()


def read_file(what: str, file: Path) -> bytes:
    """Read a file that a command was given.

    Raises:
        DeskError: When it cannot be read.
    """
    try:
        return file.read_bytes()
    except OSError as error:
        raise DeskError(f"cannot read {what}", file, error.strerror or str(error)) from None


def write_file(what: str, file: Path, data: bytes) -> None:
    """Write a file that a command was asked for; nobody but its owner may read it.

    Raises:
        DeskError: When it cannot be written.
    """
    try:
        with open(file, "wb", opener=private) as opened:
            take_from_others(opened)
            opened.write(data)
    except OSError as error:
        raise DeskError(f"cannot write {what}", file, error.strerror or str(error)) from None


__all__ = ["Authorship", "authorship", "decode_plan", "encode_plan", "open_state"]


def authorship(root: Path, environ: Mapping[str, str]) -> Authorship:
    """Say who acts: the CI's user, git's author, or the login; and from which commit."""
    stand = read_checkout(root, environ)
    actor = environ.get("GITHUB_ACTOR") or author(root, environ) or environ.get("USER") or "unknown"
    return Authorship(actor, stand.commit, stand.dirty)
