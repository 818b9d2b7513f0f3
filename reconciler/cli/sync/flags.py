"""Flags of the sync commands: which bills, how many, how long."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING

import click

from reconciler.cli import options

if TYPE_CHECKING:
    from reconciler.sync.judge.run_filter import RunFilter
    from reconciler.sync.push.limits import RunLimits
    from reconciler.sync.run.due_again import RunPatience
    from reconciler.wiring.sync_desk import PushDesk


def narrowing(command: options.Command) -> options.Command:
    """Add the flags that leave fewer bills."""
    for option in reversed(
        (
            click.option(
                "--since", type=options.DAY, help="Bills whose period ends on or after it."
            ),
            click.option("--until", type=options.DAY, help="Bills whose period ends before it."),
            click.option(
                "--integration", "integrations", multiple=True, metavar="NAME", help="Only these."
            ),
            click.option(
                "--account", "accounts", multiple=True, metavar="CODE", help="Only these."
            ),
            click.option("--bill", "bills", multiple=True, metavar="ID", help="Only these."),
        )
    ):
        command = option(command)
    return command


def limiting(command: options.Command) -> options.Command:
    """Add the flags that stop a run before the send too many."""
    for option in reversed(
        (
            click.option(
                "--max-bills", type=click.IntRange(min=0), help="Begin at most so many bills."
            ),
            click.option(
                "--max-amount",
                "amounts",
                multiple=True,
                metavar="CUR:AMOUNT",
                help="Send at most so much, for example GBP:1000. May be repeated.",
            ),
            click.option(
                "--approve",
                type=click.Choice(["freeze"]),
                help="Run inside a freeze window all the same.",
            ),
        )
    ):
        command = option(command)
    return command


class DurationType(click.ParamType[str]):
    """``90s``, ``40m``, ``2h`` or ``1d``; ``0`` is no time at all."""

    name = "duration"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """Check the text."""
        text = str(value)
        if text != "0" and not re.fullmatch(r"[0-9]{1,6}[smhd]", text):
            self.fail(f"{text!r} is no duration; write it as 90s, 40m or 2h, or 0.", param, ctx)
        return "0s" if text == "0" else text


# The first retry comes after a minute. A job in CI is still short with that, and what takes longer
# (the second retry, the look after an unknown outcome) is for those who ask for it.
waiting = click.option(
    "--wait",
    type=DurationType(),
    default="2m",
    show_default=True,
    metavar="DURATION",
    help="Wait so long for bills that are to be tried again; 40m covers unknown outcomes too.",
)


def narrow_of(place: PushDesk, flags: Mapping[str, object]) -> RunFilter:
    """Read which bills are meant."""
    from reconciler.sync.judge.run_filter import RunFilter

    return RunFilter(
        since=_day(flags["since"]),
        until=_day(flags["until"]),
        integrations=place.named(_texts(flags["integrations"])),
        accounts=place.accounts(_texts(flags["accounts"])),
        bills=place.bills(_texts(flags["bills"])),
    )


def limits_of(flags: Mapping[str, object]) -> RunLimits:
    """Read where the run stops."""
    from reconciler.sync.push.limits import RunLimits, parse_amounts

    most = flags["max_bills"]
    assert most is None or isinstance(most, int)
    return RunLimits(most, parse_amounts(_texts(flags["amounts"])))


def _day(value: object) -> date | None:
    return value.date() if isinstance(value, datetime) else None


def _texts(value: object) -> tuple[str, ...]:
    assert isinstance(value, tuple)
    return value


def patience_of(app: options.App, flags: Mapping[str, object]) -> RunPatience:
    """Read how long a run waits."""
    from reconciler.kernel.times import duration
    from reconciler.sync.run.due_again import RunPatience

    return RunPatience(duration(str(flags["wait"])), app.note)
