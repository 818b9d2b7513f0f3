"""``reconciler emulate``: m3ter and Chargebee on one loopback port."""

from __future__ import annotations

from pathlib import Path

import click

_PORT = 8765


@click.command("emulate")
@click.option("--scenario", default="starter", show_default=True, help="Which data to begin with.")
@click.option(
    "--port",
    default=_PORT,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="Where to listen on loopback; 0 takes a free port.",
)
@click.option(
    "--state",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Keep what happens in this file, and go on from it.",
)
@click.option("--faults", help="Fault rules: JSON, or the name of a file with JSON.")
@click.option("--seed", default=1, show_default=True, help="Decides every id and every chance.")
@click.option("--switch", "switches", multiple=True, metavar="NAME=VALUE", help="Set a behaviour.")
@click.option(
    "--print-env",
    is_flag=True,
    help="Print export lines for the shell and end; with port 0 serve as well.",
)
def emulate(
    *,
    scenario: str,
    port: int,
    state: Path | None,
    faults: str | None,
    seed: int,
    switches: tuple[str, ...],
    print_env: bool,
) -> None:
    """Serve an emulated m3ter organisation and Chargebee site, to try things without an account.

    Everything is made up and stays on this machine. Ends on Ctrl-C.
    """
    from reconciler.emulator import running

    if print_env and port:
        _print_environment(running.environment(running.url_of(port)))
        return

    def announce(url: str) -> None:
        if print_env:
            _print_environment(running.environment(url))
        click.echo(f"Emulating m3ter and Chargebee at {url} (scenario {scenario}); Ctrl-C ends it")

    try:
        world = running.build(
            scenario=scenario, seed=seed, switches=switches, state=state, faults=faults
        )
        running.serve(world, port, announce)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    except OSError as error:
        raise click.UsageError(f"{error.strerror}: {error.filename or f'port {port}'}") from error


def _print_environment(variables: dict[str, str]) -> None:
    for name, value in variables.items():
        click.echo(f"export {name}={value}")


command = emulate
