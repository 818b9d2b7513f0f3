"""The memory of what was applied, and who applies from which commit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from reconciler.definitions.kinds.project import ProjectSpec
from reconciler.errors import InvalidError
from reconciler.kernel.ports import Clock
from reconciler.state.directory import DirectoryState
from reconciler.state.documents import decode_plan, encode_plan
from reconciler.state.git import author, source
from reconciler.transport.system_clock import SystemClock

__all__ = ["Authorship", "authorship", "decode_plan", "encode_plan", "open_state"]


class UnsupportedBackendError(InvalidError):
    """The project names a state backend that this version does not have."""

    def __init__(self, backend: str) -> None:
        super().__init__(
            f"the state backend `{backend}` is not available in this version; nothing was read or "
            "written. Use `directory` in the Project's `spec.state`."
        )


@dataclass(frozen=True, slots=True)
class Authorship:
    """Who acts, and which commit the definitions are at."""

    actor: str
    commit: str
    dirty: bool


def open_state(root: Path, project: ProjectSpec, clock: Clock | None = None) -> DirectoryState:
    """Open the state backend of a project: chain and lock in one.

    Raises:
        UnsupportedBackendError: For a backend other than ``directory``.
    """
    if project.state.backend != "directory":
        raise UnsupportedBackendError(project.state.backend)
    return DirectoryState(root / project.state.path, clock or SystemClock())


def authorship(root: Path, environ: Mapping[str, str]) -> Authorship:
    """Say who acts: the CI's user, git's author, or the login; and from which commit."""
    stand = source(root, environ)
    actor = environ.get("GITHUB_ACTOR") or author(root, environ) or environ.get("USER") or "unknown"
    return Authorship(actor, stand.commit, stand.dirty)
