"""``reconciler emulate``: m3ter and Chargebee on one loopback port."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

_PORT = 8765


@click.command("emulate")
@click.option(
    "--scenario",
    default="starter",
    show_default=True,
    metavar="starter|month-end|large",
    help="Which data to begin with.",
)
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
@click.option(
    "--definitions",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write an integrations.d that fits the scenario into DIR, to try commands with, and end.",
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
    definitions: Path | None,
) -> None:
    """Serve an emulated m3ter organisation and Chargebee site, to try things without an account.

    Everything is made up and stays on this machine. Ends on Ctrl-C.
    """
    from reconciler.emulator import running

    if definitions is not None:
        _write_definitions(scenario, seed, switches, definitions)
        return

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


def _write_definitions(scenario: str, seed: int, switches: tuple[str, ...], folder: Path) -> None:
    """Write definitions for what an emulator of the same scenario, seed and switches holds."""
    definitions = folder / "integrations.d"
    if definitions.exists():
        raise click.UsageError(
            f"{definitions} exists already; nothing was written. Name another folder."
        )
    try:
        environment = _fitting(scenario, seed, switches, definitions)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    except OSError as error:
        reason = f"cannot write {error.filename or definitions}: {error.strerror}"
        raise click.UsageError(reason) from error
    click.echo(
        f"Wrote {definitions} for scenario {scenario}. Now, with an emulator that serves it:"
    )
    click.echo(f"    reconciler -C {folder} plan --env {environment} -o plan.json")


def _fitting(scenario: str, seed: int, switches: tuple[str, ...], path: Path) -> str:
    """Write the files; gives the name of their environment."""
    from reconciler.cli.demo.month_end_files import ENVIRONMENT, month_end_files
    from reconciler.emulator import running
    from reconciler.wiring.repository import example_folder

    store = running.build(scenario=scenario, seed=seed, switches=switches).store
    if scenario == "starter":
        shutil.copytree(example_folder(), path)
        return "sandbox"
    if scenario != ENVIRONMENT:
        raise ValueError(
            f"there are no definitions for {scenario}: `reconciler import` writes them"
        )
    tables = [(kind, kind.partition("/")) for kind in store.kinds()]
    held = {name: list(store.all(kind)) for kind, (vendor, _, name) in tables if vendor == "m3ter"}
    for name, text in month_end_files({"m3ter": held}, dialect=True).items():
        file = path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return ENVIRONMENT


def _print_environment(variables: dict[str, str]) -> None:
    for name, value in variables.items():
        click.echo(f"export {name}={value}")


command = emulate
