"""From the ``App`` of a command to the desk it works at, and how signals end its work."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

from reconciler.cli.options import App

if TYPE_CHECKING:
    from reconciler.kernel.ports import Clock, Progress
    from reconciler.wiring.desk import Desk
    from reconciler.wiring.sync_desk import PushDesk


def desk(app: App, environment: str) -> Desk:
    """Open the desk of a command."""
    from reconciler.wiring.desk import open_desk

    return open_desk(
        app.root,
        environment,
        app.environ,
        app.settings,
        progress=progress(app),
        tell=app.note,
    )


@contextmanager
def push_desk(
    app: App,
    environment: str,
    *,
    reading: bool = False,
    from_files: bool = False,
    many: bool = False,
) -> Iterator[PushDesk]:
    """Open everything that a sync works with; see ``wiring.push.open_push``."""
    from reconciler.wiring.sync_desk import open_push

    world = desk(app, environment)
    with open_push(world, reading=reading, from_files=from_files, many=many) as place:
        yield place


@contextmanager
def ending(app: App, place: PushDesk) -> Iterator[Callable[[], bool]]:
    """Let signals end a run, and a record that is applied meanwhile; see ``stoppable``."""
    from reconciler.wiring.state import watching

    world = place.desk
    with stoppable(app) as stopped, watching(world.chain, world.environment, stopped) as ends:
        yield ends


def system_clock() -> Clock:
    """Give the machine's clock."""
    from reconciler.wiring.desk import system_clock as clock

    return clock()


def progress(app: App) -> Progress:
    """Show progress on a terminal, and nowhere else."""
    from reconciler.cli.progress import BarProgress, SilentProgress

    if not app.stderr.isatty() or app.settings.no_color:
        return SilentProgress()
    return BarProgress(system_clock(), app.stderr)


class StopSignal:
    """Turned by a signal; asked before every write."""

    def __init__(self) -> None:
        self.turned = False

    def __call__(self) -> bool:
        """Say whether it was turned."""
        return self.turned


@contextmanager
def stoppable(app: App) -> Iterator[StopSignal]:
    """Let SIGINT and SIGTERM finish what is in flight and begin nothing new."""
    stop = StopSignal()

    def turn(_: int, __: FrameType | None) -> None:
        if not stop.turned:
            app.note("stopping: what is in flight is finished and recorded, nothing new begins")
        stop.turned = True

    try:
        before = {
            literal: signal.signal(literal, turn) for literal in (signal.SIGINT, signal.SIGTERM)
        }
    except ValueError:
        # only the main thread hears signals; elsewhere the caller stops the work
        yield stop
        return
    try:
        yield stop
    finally:
        for key, handler in before.items():
            signal.signal(key, handler)
