from __future__ import annotations

import io
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from fakes.emulated_http import EmulatedHttp

from reconciler.cli.emulate import command
from reconciler.cli.main import main
from reconciler.emulator.running import EmulatorOptionError, build, environment

ROOT = Path(__file__).parent.parent.parent
Start = Callable[..., tuple[str, "subprocess.Popen[str]"]]


def test_it_serves_until_a_signal_and_ends_cleanly(emulate_process: Start) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        url, process = emulate_process("--scenario", "large", "--seed", "2")
        with EmulatedHttp(url) as client:
            health = client.control("GET", "/health")
        assert (health["scenario"], health["seed"]) == ("large", 2)
        process.send_signal(number)
        assert process.wait(10) == 0


def test_switches_faults_and_state_are_options(emulate_process: Start, tmp_path: Path) -> None:
    faults = tmp_path / "faults.json"
    faults.write_text('{"rules":[{"fault":"http_503","times":1}]}')
    state = tmp_path / "state"
    options = ("--switch", "config_keys=screaming", "--state", str(state), "--faults", str(faults))
    url, process = emulate_process(*options)
    with EmulatedHttp(url) as client:
        assert client.send("GET", "/organizations/x/accounts").status_code == 503
        assert client.control("GET", "/health")["switches"]["config_keys"] == "screaming"
        client.log_in()
        client.m3ter("POST", "/products", {"name": "x", "code": "kept"})
    process.kill()
    process.wait(10)
    url, _ = emulate_process(*options)
    with EmulatedHttp(url) as client:
        products = client.control("GET", "/state")["m3ter"]["products"]
    assert "kept" in {product["code"] for product in products}


def test_print_env_prints_what_a_shell_can_evaluate_and_ends() -> None:
    done = CliRunner().invoke(command, ["--print-env", "--port", "8123"])
    assert done.exit_code == 0
    lines = [shlex.split(line) for line in done.output.splitlines()]
    assert all(first == "export" for first, _ in lines)
    found = dict(pair.split("=", 1) for _, pair in lines)
    assert found == environment("http://127.0.0.1:8123")
    assert set(found) == {
        "M3TER_API_KEY",
        "M3TER_API_SECRET",
        "M3TER_ORG_ID",
        "M3TER_BASE_URL",
        "CHARGEBEE_SITE",
        "CHARGEBEE_API_KEY",
        "CHARGEBEE_BASE_URL",
    }


def test_print_env_with_a_free_port_serves_as_well() -> None:
    arguments = [sys.executable, "-m", "reconciler", "emulate", "--port", "0", "--print-env"]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(8)]
        found = dict(line.split()[1].split("=", 1) for line in lines[:7])
        assert f"at {found['M3TER_BASE_URL']} " in lines[7]
        with EmulatedHttp(found["M3TER_BASE_URL"]) as client:
            assert client.control("GET", "/health")["status"] == "ok"
        process.terminate()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--scenario", "nothing"], "unknown scenario `nothing`"),
        (["--switch", "nothing=1"], "unknown switch `nothing`"),
        (["--switch", "config_keys"], "must be written name=value"),
        (["--switch", "config_keys=kebab"], "camel | screaming"),
        (["--faults", "[{}]"], "unknown fault"),
        (["--faults", "{"], "not JSON"),
        (["--faults", "/nowhere/faults.json"], "No such file"),
        (["--port", "70000"], "70000"),
    ],
)
def test_a_bad_option_is_a_usage_error(arguments: list[str], message: str) -> None:
    done = CliRunner().invoke(command, arguments)
    assert done.exit_code == 2
    assert message in done.output


def test_a_port_in_use_is_a_usage_error(emulate_process: Start) -> None:
    url, _ = emulate_process()
    done = CliRunner().invoke(command, ["--port", url.rpartition(":")[2]])
    assert done.exit_code == 2
    assert "in use" in done.output


def test_faults_may_be_a_bare_list() -> None:
    world = build(faults='[{"fault":"http_500"}]')
    assert [rule.fault for rule in world.faults.rules] == ["http_500"]
    with pytest.raises(EmulatorOptionError):
        build(faults="[")


SMALL_MONTH = ("--scenario", "month-end", "--switch", "month_end_bills=25")


def test_definitions_that_it_wrote_are_in_force_in_an_emulator_of_the_same_scenario(
    emulate_process: Start, tmp_path: Path
) -> None:
    made = CliRunner().invoke(command, [*SMALL_MONTH, "--definitions", str(tmp_path)])
    assert made.exit_code == 0, made.output
    assert f"reconciler -C {tmp_path} plan --env month-end -o plan.json" in made.output
    url, _ = emulate_process(*SMALL_MONTH)
    out, err = io.StringIO(), io.StringIO()
    arguments = ["-C", str(tmp_path), "plan", "--env", "month-end"]
    assert main(arguments, environment(url), stdout=out, stderr=err) == 0, err.getvalue()
    assert " to take over" in out.getvalue()
    assert not re.search(r"[0-9]+ to create", out.getvalue())


def test_the_example_is_what_fits_the_starter(tmp_path: Path) -> None:
    made = CliRunner().invoke(command, ["--definitions", str(tmp_path)])
    assert "plan --env sandbox" in made.output
    assert (tmp_path / "integrations.d/chargebee-uk/integration.yaml").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--scenario", "large"], "there are no definitions for large"),
        (["--scenario", "nope"], "unknown scenario `nope`"),
    ],
)
def test_a_scenario_without_definitions_writes_none(
    tmp_path: Path, arguments: list[str], message: str
) -> None:
    made = CliRunner().invoke(command, [*arguments, "--definitions", str(tmp_path / "new")])
    assert made.exit_code == 2
    assert message in made.output
    assert not (tmp_path / "new").exists()


def test_definitions_that_are_there_are_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "integrations.d").mkdir()
    made = CliRunner().invoke(command, ["--definitions", str(tmp_path)])
    assert made.exit_code == 2
    assert "exists already; nothing was written" in " ".join(made.output.split())
    assert not list((tmp_path / "integrations.d").iterdir())


def test_a_folder_that_cannot_be_written_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    made = CliRunner().invoke(command, [*SMALL_MONTH, "--definitions", str(tmp_path / "file/x")])
    assert made.exit_code == 2
    assert "cannot write" in made.output
