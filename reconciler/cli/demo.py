"""demo: the emulator and the commands as a newcomer types them, with the reason for each."""

from __future__ import annotations

import os.path
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click

from reconciler.cli.options import App, pass_app
from reconciler.cli.stage import DemoFailedError, Stage, emulator
from reconciler.domain.value import JsonObject
from reconciler.wiring.example import example_folder

UK = "integration/chargebee-uk"


@click.command()
@pass_app
def demo(app: App) -> None:
    """Watch the whole way once, against the emulator: nothing outside this machine is touched."""
    with (
        tempfile.TemporaryDirectory(prefix="reconciler-demo-") as folder,
        emulator("starter", app.environ) as (url, given),
    ):
        shutil.copytree(example_folder(), Path(folder) / "integrations.d")
        stage = Stage(app, Path(os.path.realpath(folder)), url, {**app.environ, **given})
        stage.commit("The example")
        app.show(f"An emulated m3ter and Chargebee serve at {url}; definitions are in {folder}.")
        definitions(stage)
        drift(stage)
    app.show("\nThat was the whole way. The emulator is ended and the folder is gone.")


def definitions(stage: Stage) -> None:
    """YAML becomes live configuration."""
    stage.say("First the files: every problem would be listed at once, with file, line and remedy.")
    stage.run("validate")
    stage.say("""The wire names inside m3ter's configData are not public. They are read from the
        organisation itself and kept in git as a Dialect; without one nothing would be written.""")
    stage.run("discover", "--env", "sandbox")
    stage.commit("What discover found")
    stage.say("Now what git says is compared with what is live. Nothing is written yet.")
    stage.run("plan", "--env", "sandbox", "-o", "plan.json")
    stage.say("""The saved plan is carried out: exactly what was shown, or nothing. Configurations
        are made disconnected, then their mappings; they are connected last.""")
    stage.run("apply", "plan.json", "--yes")
    stage.say("The same plan again is empty: applying twice changes nothing.")
    stage.run("plan", "--env", "sandbox", "--exit-code", contains="is as git says")


def drift(stage: Stage) -> None:
    """Someone edits the live configuration; git finds out."""
    stage.say("""At night k.smith edits the UK integration in the Console: a new name, and bills are
        sent before they are approved.""")
    stage.control("/_emulator/user-edit", _night_edit(stage))
    stage.run("drift", "--env", "sandbox", "--exit-code", expect=3, contains="k.smith")
    stage.say("The name may stay, so it goes into git; the approval setting goes back.")
    stage.run("accept-live", "--env", "sandbox", f"{UK}#displayName")
    stage.commit("Keep the name that k.smith gave")
    stage.run("apply", "--env", "sandbox", "--yes")
    stage.run("plan", "--env", "sandbox", "--exit-code", contains="is as git says")
    stage.run("status", "--env", "sandbox")


def _night_edit(stage: Stage) -> JsonObject:
    for one in _configurations(stage):
        if one.get("name") == "Chargebee UK bills":
            data = one["configData"]
            assert isinstance(data, Mapping)
            key = next(key for key in data if "approval" in key.lower())
            patch: JsonObject = {"name": "Chargebee UK (all bills)", "configData": {key: False}}
            return {"id": one["id"], "patch": patch, "user": "k.smith"}
    raise DemoFailedError("user-edit", "the UK integration is not live")


def _configurations(stage: Stage) -> Iterator[JsonObject]:
    """Find every stored configuration, whatever the emulator calls its tables."""
    state = stage.control("/_emulator/state?vendor=m3ter")
    assert isinstance(state, Mapping)
    tables = state["m3ter"]
    assert isinstance(tables, Mapping)
    for rows in tables.values():
        assert isinstance(rows, Sequence)
        yield from (row for row in rows if isinstance(row, Mapping) and "configData" in row)
