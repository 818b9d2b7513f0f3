"""The root of all errors a reader may see, and the exit codes they end with."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum


class ExitCode(IntEnum):
    """What the process says to its caller; the table stands in the README."""

    DONE = 0
    UNEXPECTED = 1
    GIT_AHEAD = 2
    ONLY_DRIFT = 3
    BOTH_MOVED = 4
    INVALID = 10
    REFUSED_IDENTITY = 11
    STALE = 12
    NEEDS_APPROVAL = 13
    PARTLY_DONE = 14
    LOCKED = 15
    UNKNOWN_OUTCOME = 16
    OUTSIDE_TOLERANCE = 17
    INTERRUPTED = 130


# The first of these that applies wins: the first five end a run before any write.
PRECEDENCE = (
    ExitCode.REFUSED_IDENTITY,
    ExitCode.INVALID,
    ExitCode.LOCKED,
    ExitCode.STALE,
    ExitCode.NEEDS_APPROVAL,
    ExitCode.UNEXPECTED,
    ExitCode.INTERRUPTED,
    ExitCode.UNKNOWN_OUTCOME,
    ExitCode.PARTLY_DONE,
    ExitCode.OUTSIDE_TOLERANCE,
    ExitCode.BOTH_MOVED,
    ExitCode.ONLY_DRIFT,
    ExitCode.GIT_AHEAD,
)


def winning(codes: Iterable[ExitCode]) -> ExitCode:
    """Choose the one exit code when several apply; none at all is ``DONE``."""
    present = set(codes)
    return next((code for code in PRECEDENCE if code in present), ExitCode.DONE)


class ReconcilerError(Exception):
    """An error for the reader: what happened, to what, what did not change, what to do.

    Attributes:
        exit_code: What the process ends with when nobody handles the error.
        anchor: Of the page in the runbook; empty takes the one of the exit code.
    """

    exit_code: ExitCode = ExitCode.UNEXPECTED
    anchor: str = ""


class InvalidError(ReconcilerError):
    """Files or usage are invalid; nothing was begun."""

    exit_code = ExitCode.INVALID


class IdentityError(ReconcilerError):
    """A key, an environment or a ledger is not the one that it must be."""

    exit_code = ExitCode.REFUSED_IDENTITY


class StaleError(ReconcilerError):
    """What a decision rested on has moved since."""

    exit_code = ExitCode.STALE


class HeldError(ReconcilerError):
    """A person must say yes first."""

    exit_code = ExitCode.NEEDS_APPROVAL


class BusyError(ReconcilerError):
    """Someone else is at work on it."""

    exit_code = ExitCode.LOCKED
