"""Prefect's settings: ours only where the user has none, and its state where it can be written."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from data.errors import UserError
from flows.prefect_env import DEFAULTS, prepare_prefect, server_is_configured


@pytest.fixture(autouse=True)
def bare(monkeypatch, tmp_path):
    """An environment that says nothing about Prefect; what the code sets is taken back afterwards."""
    for name in (*DEFAULTS, "PREFECT_HOME", "PREFECT_API_URL"):
        monkeypatch.setenv(name, "x")  # so that its end is restored, whatever the code does
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def test_the_defaults_are_set_and_a_home_is_made(tmp_path):
    prepare_prefect()

    assert {name: os.environ[name] for name in DEFAULTS} == DEFAULTS
    assert os.environ["PREFECT_HOME"] == str(tmp_path / "state" / "fleetcast" / "prefect")
    assert Path(os.environ["PREFECT_HOME"]).is_dir()


def test_telemetry_is_off_and_a_cold_server_gets_two_minutes():
    assert DEFAULTS["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"
    assert DEFAULTS["DO_NOT_TRACK"] == "1"
    assert int(DEFAULTS["PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS"]) >= 120


@pytest.mark.parametrize("name", [*DEFAULTS, "PREFECT_HOME"])
def test_what_the_user_set_stays(monkeypatch, tmp_path, name):
    theirs = str(tmp_path / "theirs")
    monkeypatch.setenv(name, theirs)
    prepare_prefect()

    assert os.environ[name] == theirs


def test_a_home_that_cannot_be_made_is_one_sentence(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "file" / "prefect"))

    with pytest.raises(
        UserError, match=r"cannot keep its state in .*file/prefect: Not a directory; set PREFECT_HOME"
    ):
        prepare_prefect()


def test_a_server_of_the_users_own_leaves_the_home_alone(monkeypatch, tmp_path):
    assert not server_is_configured()
    monkeypatch.setenv("PREFECT_API_URL", "http://prefect.example:4200/api")
    prepare_prefect()

    assert server_is_configured()
    assert "PREFECT_HOME" not in os.environ
    assert not (tmp_path / "state").exists()


def test_the_settings_are_in_place_before_prefect_is_imported():
    code = (
        "import sys, os; sys.modules['prefect'] = None\n"
        "try:\n    import flows.tracked\nexcept ImportError:\n    print(os.environ['DO_NOT_TRACK'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "1\n"


def test_the_end_is_quiet_but_exit_handlers_are_heard():
    code = (
        "import atexit, sys; from flows.prefect_env import end_quietly; end_quietly();"
        "atexit.register(lambda: print('farewell', file=sys.stderr))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stderr == "farewell\n"
