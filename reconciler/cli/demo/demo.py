"""demo: the emulator and the commands as a newcomer types them, with the reason for each."""

from __future__ import annotations

import os.path
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from reconciler.cli.demo.month_end_files import ENVIRONMENT, month_end_files
from reconciler.cli.demo.stage import DemoFailedError, Stage, emulator
from reconciler.cli.options import App, pass_app
from reconciler.errors import ExitCode
from reconciler.kernel.value import JsonObject
from reconciler.wiring.repository import example_folder

UK = "integration/chargebee-uk"
BILLS = 40
MONTH = "2026-11"
SHOWN = 24
KILL_AFTER_SECONDS = 1.6
_IN_DOLLARS = ("invoice", "USD")


@click.command()
@click.option(
    "--switch",
    "switches",
    multiple=True,
    metavar="NAME=VALUE",
    help="How the emulated m3ter behaves where nothing is documented. May be repeated.",
)
@pass_app
def demo(app: App, switches: tuple[str, ...]) -> None:
    """Watch the whole way once, against the emulator: nothing outside this machine is touched."""
    chosen = [word for switch in switches for word in ("--switch", switch)]
    with _stage(app, "starter", *chosen) as stage:
        shutil.copytree(example_folder(), stage.folder / "integrations.d")
        stage.commit("The example")
        app.show(f"An emulated m3ter and Chargebee serve at {stage.url}.")
        definitions(stage)
        drift(stage)
    with _stage(app, "month-end", "--switch", f"month_end_bills={BILLS}") as stage:
        app.show(f"\nMonth end, at {stage.url}: {BILLS} bills for another emulated Chargebee.")
        push(stage)
    app.show("\nThat was the whole way. The emulators are ended and the folders are gone.")


@contextmanager
def _stage(app: App, scenario: str, *options: str) -> Iterator[Stage]:
    with (
        tempfile.TemporaryDirectory(prefix="reconciler-demo-") as folder,
        emulator(scenario, app.environ, *options) as (url, given),
    ):
        yield Stage(app, Path(os.path.realpath(folder)), url, {**app.environ, **given})


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


def push(stage: Stage) -> None:
    """Bills become invoices, although the push is killed half-way."""
    state = stage.control("/_emulator/state?vendor=m3ter")
    assert isinstance(state, Mapping)
    for name, text in month_end_files(state, per_minute=3000, dialect=True).items():
        file = stage.folder / "integrations.d" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    stage.commit("Integrations that reconciler pushes itself")
    here = ("--env", ENVIRONMENT)
    stage.say("""Here m3ter's own connector is off and reconciler sends the bills. It obeys what was
        applied, never the working tree, so that comes first; then its memory, the ledger.""")
    plan = stage.run("plan", *here, "-o", "plan.json", show=4)
    approvals = re.findall(r"--approve (\S+)", plan.text)
    consent = [word for approval in dict.fromkeys(approvals) for word in ("--approve", approval)]
    stage.run("apply", "plan.json", "--yes", *consent)
    stage.run("ledger", "init", *here)
    stage.say("What would be sent, and what would not, with the reason. Nothing is written.")
    stage.run("sync", "plan", *here, show=SHOWN)
    stage.say("""Now it is sent, and the process is killed in the middle, as by a machine that loses
        its power. The exact requests are in the ledger; what had no answer is looked for first.""")
    stage.kill_midway("sync", "run", *here, after_seconds=KILL_AFTER_SECONDS)
    stage.run("sync", "run", *here, expect=ExitCode.PARTLY_DONE, show=SHOWN)
    stage.say("""Exit 14: some bills need a correction or a decision first, and each is listed with
        its page in the runbook. Everything else was sent, once. The proof, line by line: what m3ter
        bills was sent, or stands below with the reason why not. Nothing is unexplained.""")
    month = ("sync", "reconcile", *here, "--period", MONTH)
    stage.run(*month, contains="Unexplained: nothing")
    stage.say("""Now k.smith adds a line to an invoice in Chargebee's own pages. The next reconcile
        names the line, the person and the time, and ends with 17.""")
    stage.control("/_emulator/user-edit", _set_up_fee(stage))
    usd_month = (*month, "--integration", "month-end-usd")
    stage.run(
        *usd_month, expect=ExitCode.OUTSIDE_TOLERANCE, contains="added in Chargebee by k.smith"
    )


def _night_edit(stage: Stage) -> JsonObject:
    for configuration in _configurations(stage):
        if configuration.get("name") == "Chargebee UK bills":
            data = configuration["configData"]
            assert isinstance(data, Mapping)
            key = next(key for key in data if "approval" in key.lower())
            patch: JsonObject = {"name": "Chargebee UK (all bills)", "configData": {key: False}}
            return {"id": configuration["id"], "patch": patch, "user": "k.smith"}
    raise DemoFailedError("user-edit", "the UK integration is not live")


def _configurations(stage: Stage) -> Iterator[JsonObject]:
    """Find every stored configuration."""
    yield from (row for row in _tables(stage, "m3ter") if "configData" in row)


def _tables(stage: Stage, vendor: str) -> Iterator[JsonObject]:
    """Give every stored object of a vendor, whatever the emulator calls its tables."""
    state = stage.control(f"/_emulator/state?vendor={vendor}")
    assert isinstance(state, Mapping)
    tables = state[vendor]
    assert isinstance(tables, Mapping)
    for rows in tables.values():
        assert isinstance(rows, Sequence)
        yield from (row for row in rows if isinstance(row, Mapping))


def _set_up_fee(stage: Stage) -> JsonObject:
    """Find an invoice in US dollars, and add a line to it as a person would."""
    for table in _tables(stage, "chargebee"):
        if "cf_m3ter_bill_id" in table and (table["object"], table["currency_code"]) == _IN_DOLLARS:
            lines = table["line_items"]
            assert isinstance(lines, Sequence)
            first = lines[0]
            assert isinstance(first, Mapping)
            fee = {**first, "id": "li_fee", "description": "Set-up fee", "amount": 2500}
            patch: JsonObject = {"line_items": [*lines, fee]}
            return {"id": table["id"], "patch": patch, "user": "k.smith"}
    raise DemoFailedError("user-edit", "no invoice in US dollars stands in Chargebee")
