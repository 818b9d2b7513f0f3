"""Starting and ending an emulator: in the foreground until a signal, or in a thread."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from reconciler.emulator import wire
from reconciler.emulator.m3ter.http import tokens
from reconciler.emulator.server import EmulatorServer
from reconciler.emulator.world import World

CHARGEBEE_SITE = "acme-test"
CHARGEBEE_API_KEY = "test_emulator_key"


class EmulatorOptionError(ValueError):
    """An option of the emulator cannot be understood; nothing was started."""


def build(
    *,
    scenario: str = "starter",
    seed: int = 1,
    switches: Iterable[str] = (),
    state: Path | None = None,
    faults: str | None = None,
) -> World:
    """Make a world from what a command line says.

    Args:
        scenario: Name of the scenario.
        seed: Seed of ids and faults.
        switches: ``name=value`` each.
        state: File that keeps what happens.
        faults: Fault rules as JSON, or the name of a file with them.

    Raises:
        EmulatorOptionError: On a switch without ``=`` or faults that are no JSON.
        UnknownScenarioError, UnknownSwitchError, SwitchValueError, FaultRuleError,
        BrokenStateFileError: On the value they name.
    """
    chosen: dict[str, object] = {}
    for switch in switches:
        name, equals, value = switch.partition("=")
        if not equals:
            raise EmulatorOptionError(f"switch `{switch}` must be written name=value")
        chosen[name] = value
    rules = None if faults is None else _rules(faults)
    world = World(scenario, seed, chosen, state=state)
    if rules is not None:
        world.faults.add(rules)
    return world


def environment(url: str) -> dict[str, str]:
    """The variables that point a client at an emulator; the same in every scenario."""
    return {
        "M3TER_API_KEY": tokens.ACCESS_KEY,
        "M3TER_API_SECRET": tokens.API_SECRET,
        "M3TER_ORG_ID": tokens.ORGANISATION,
        "M3TER_BASE_URL": url,
        "CHARGEBEE_SITE": CHARGEBEE_SITE,
        "CHARGEBEE_API_KEY": CHARGEBEE_API_KEY,
        "CHARGEBEE_BASE_URL": url,
    }


def serve(world: World, port: int, ready: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM.

    Args:
        world: What to serve.
        port: Where on loopback; 0 takes a free port.
        ready: Called with the URL as soon as requests are taken.

    Raises:
        OSError: If the port cannot be used.
    """
    asyncio.run(_serve(world, port, ready))


async def _serve(world: World, port: int, ready: Callable[[str], None]) -> None:
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    server = EmulatorServer(world)
    try:
        ready(url_of(await server.start(port)))
        await ended.wait()
    finally:
        await server.stop()


def url_of(port: int) -> str:
    """Where an emulator on that port is reached."""
    return f"http://127.0.0.1:{port}"


class RunningEmulator:
    """An emulator in a thread of this process, for tests and the demo.

    Attributes:
        world: What it serves; look at it only while no request is under way.
        url: Where it listens, once entered.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.url = ""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended: asyncio.Event | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="emulator", daemon=True)

    def __enter__(self) -> Self:
        """Start it and wait until it listens."""
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it and wait until every connection is closed."""
        assert self._loop is not None
        assert self._ended is not None
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join()

    def _run(self) -> None:
        asyncio.run(self._main())

    async def _main(self) -> None:
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        server = EmulatorServer(self.world)
        self.url = url_of(await server.start())
        self._ready.set()
        await self._ended.wait()
        await server.stop()


def _rules(text: str) -> object:
    """Rules from JSON or a file: a list, or an object with ``rules`` as for the control surface."""
    if not text.lstrip().startswith(("[", "{")):
        text = Path(text).read_text(encoding="utf-8")
    try:
        value = wire.decode(text.encode("utf-8"))
    except wire.MalformedJsonError as error:
        raise EmulatorOptionError(f"faults are not JSON: {error}; nothing was started") from error
    return value.get("rules") if isinstance(value, dict) else value
