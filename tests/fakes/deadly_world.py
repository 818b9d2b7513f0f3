"""An emulated world in which a process is killed at one of its requests, as the power does it."""

from __future__ import annotations

import signal
import subprocess
from typing import Any

from reconciler.emulator.delivery import Delivery
from reconciler.emulator.exchange import HttpRequest
from reconciler.emulator.request_log import Entry
from reconciler.emulator.world import World


class DeadlyWorld(World):
    """Kills a victim with ``SIGKILL`` at one of the requests that it sends.

    Attributes:
        victim: The process; nobody is killed without one.
        at: Which of its writes, from 1; 0 is its first request of all.
        after: Kill once the request is carried out, and nobody heard the answer.
        killed: How many were.
    """

    def __init__(self, scenario: str, **switches: Any) -> None:
        super().__init__(scenario, 1, switches)
        self.victim: subprocess.Popen[bytes] | None = None
        self.at = self.writes = self.killed = 0
        self.after = False

    def aim(self, victim: subprocess.Popen[bytes], at: int, *, after: bool) -> None:
        """Choose the next victim."""
        self.victim, self.at, self.after, self.writes = victim, at, after, 0

    def exchange(self, request: HttpRequest, entry: Entry) -> Delivery:
        """Carry a request out, unless its sender dies before."""
        writes = request.method != "GET" and request.path != "/oauth/token"
        self.writes += writes
        mine = self.victim is not None and self.writes == self.at and (writes or not self.at)
        if mine and not self.after:
            self._kill()
            return Delivery(cut_after_bytes=0)
        made = super().exchange(request, entry)
        if mine:
            self._kill()
        return made

    def _kill(self) -> None:
        assert self.victim is not None
        self.victim.send_signal(signal.SIGKILL)
        self.victim.wait(60)
        self.victim = None
        self.killed += 1
