"""The command line answers help at once, and every mistake in one sentence with status 2."""

import argparse
import json
import subprocess
import sys
from datetime import UTC, datetime
from importlib import import_module

import pytest

from data.errors import UserError
from flows import cli
from flows.cli import build_parser, main

SLOW = ("pandas", "duckdb", "prefect", "statsmodels", "matplotlib", "pyarrow", "scipy", "pydantic", "rich")
SIZE = (
    "--model",
    "llama-3.1-8b",
    "--gpu",
    "h100",
    "--qps",
    "50",
    "--prompt-tokens",
    "7744",
    "--output-tokens",
    "256",
)

HELP_OF_ALL = """
import contextlib, io, json, sys
from flows.cli import main

ends = {}
for command in [[], *(name.split() for name in sys.argv[1:])]:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        try:
            main([*command, "--help"])
        except SystemExit as end:
            ends[" ".join(command)] = [end.code, out.getvalue()]
print(json.dumps({"ends": ends, "modules": list(sys.modules)}))
"""


def _commands(
    parser: argparse.ArgumentParser | None = None, before: str = ""
) -> dict[str, argparse.ArgumentParser]:
    """Every command by its words: `plan`, `catalog`, `catalog models`."""
    found = {}
    for action in (parser or build_parser())._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, inner in action.choices.items():
                found |= {f"{before}{name}": inner, **_commands(inner, f"{before}{name} ")}
    return found


def _runnable() -> list[str]:
    """The commands that have no commands of their own."""
    names = list(_commands())
    return [name for name in names if not any(other.startswith(f"{name} ") for other in names)]


def test_help_of_every_command_waits_for_no_library():
    commands = list(_commands())
    assert {"demo", "ingest", "plan", "report", "size", "catalog", "backtest"} <= set(commands)

    done = subprocess.run(
        [sys.executable, "-c", HELP_OF_ALL, *commands], capture_output=True, text=True, check=True
    )

    said = json.loads(done.stdout)
    assert {name: end[0] for name, end in said["ends"].items()} == dict.fromkeys(["", *commands], 0)
    assert all(text.startswith("usage: fleetcast") for _, text in said["ends"].values())
    assert not {name.split(".")[0] for name in said["modules"]} & set(SLOW)


@pytest.mark.parametrize("command", _runnable())
def test_every_command_names_a_function_that_is_there(command):
    module, function = _commands()[command].get_default("run").split(":")

    assert callable(getattr(import_module(module), function))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], ["COMMAND", "fleetcast --help"]),
        (["plann"], ["invalid choice: 'plann'", "plan"]),
        (["plan"], ["required: --config", "fleetcast plan --help"]),
        (["plan", "--config", "p", "--as-of", "23.11.2026"], ["--as-of", "'23.11.2026'", "2026-11-23"]),
        (["plan", "--config", "p", "--as-of", "2026-02-30"], ["--as-of", "'2026-02-30'", "2026-11-23"]),
        (["plan", "--config", "p", "--as-of", "0026-11-23"], ["--as-of", "'0026-11-23'", "2000", "2199"]),
        (["ingest", "a", "--store", "s", "--start", "monday"], ["--start", "'monday'", "2026-11-01T00:00:00"]),
        (["ingest", "a", "--store", "s", "--start", "9999-01-01"], ["--start", "'9999-01-01'", "2199"]),
        (["ingest", "a", "--store", "s", "--max-rejected-share", "5"], ["--max-rejected-share", "5 must be"]),
        (["ingest", "a"], ["required: --store"]),
        (["size", *SIZE, "--qps", "0"], ["--qps", "0 must be above 0"]),
        (["size", *SIZE, "--qps", "nan"], ["--qps", "nan must be above 0"]),
        (["size", *SIZE, "--qps", "inf"], ["--qps", "inf must be above 0"]),
        (["size", *SIZE, "--qps", "many"], ["--qps", "'many' is no number"]),
        (["size", *SIZE, "--cached-tokens", "-1"], ["--cached-tokens", "-1 must be 0 or more"]),
        (["size", *SIZE, "--utilisation", "1.2"], ["--utilisation", "1.2 must be above 0 and at most 1"]),
        (["size", *SIZE, "--batch", "0"], ["--batch", "0 must lie between 1 and 100000"]),
        (["size", *SIZE, "--batch", "4.5"], ["--batch", "'4.5' is no whole number"]),
        (["size", *SIZE, "--tp", "65"], ["--tp", "65 must lie between 1 and 64"]),
        (["size", *SIZE, "--precision", "fp9"], ["--precision", "'fp9'", "fp8"]),
        (["demo", "--days", "5"], ["--days", "5 must lie between 60 and 1000"]),
        (["catalog", "cpus"], ["'cpus'", "gpus"]),
        (["size", *SIZE, "--nonsense"], ["--nonsense"]),
    ],
)
def test_a_mistyped_option_is_one_sentence_with_value_place_and_way_out(fleetcast, arguments, says):
    said = fleetcast(*arguments)

    for part in [*says, "--help"]:
        assert part in said.sentence
    assert said.out == ""


def _fail_with(monkeypatch, error):
    def fail(_arguments):
        raise error

    monkeypatch.setattr(cli, "_command", lambda _name: fail)


def test_what_the_user_can_mend_is_a_sentence_and_status_2(fleetcast, monkeypatch):
    _fail_with(monkeypatch, UserError("The shelf is empty; fill it."))

    assert fleetcast("catalog", "gpus").sentence == "fleetcast: The shelf is empty; fill it."


def test_our_own_mistakes_keep_their_traceback(monkeypatch):
    _fail_with(monkeypatch, ZeroDivisionError("ours"))

    with pytest.raises(ZeroDivisionError, match="ours"):
        main(["catalog", "gpus"])


def test_a_reader_that_goes_away_is_no_error():
    done = subprocess.run(
        f"{sys.executable} -m flows.cli catalog models --json | head -c 1",
        shell=True,
        capture_output=True,
        text=True,
        check=True,
    )

    assert (done.stdout, done.stderr) == ("{", "")


def test_a_start_without_a_zone_is_utc():
    read = build_parser().parse_args

    plain = read(["ingest", "a", "--store", "s", "--start", "2026-11-01T06:00"]).start
    east = read(["ingest", "a", "--store", "s", "--start", "2026-11-01T06:00+02:00"]).start

    assert plain == datetime(2026, 11, 1, 6, tzinfo=UTC)
    assert east == datetime(2026, 11, 1, 4, tzinfo=UTC)


def test_the_version_is_the_distributions(fleetcast):
    from importlib.metadata import version

    assert fleetcast("--version").out == f"fleetcast {version('fleetcast')}\n"
