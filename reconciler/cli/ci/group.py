"""The commands that jobs of a forge run; their workflows hold no logic besides the call."""

from __future__ import annotations

import click

from reconciler.cli import options
from reconciler.cli.ci.apply import apply
from reconciler.cli.ci.plan import plan
from reconciler.cli.ci.watch import drift, review


@click.group()
@options.repository
def ci() -> None:
    """Plan, apply and watch from the jobs of a forge; docs/gitops.md is the guide."""


for command in (plan, apply, drift, review):
    ci.add_command(command)
