"""Prefect's settings, put in place before it is imported.

What each is for was measured with Prefect 3.8 (docs/methodology.md, "Running under Prefect"): the embedded server
needs up to 20 s to start cold, and telemetry is off unless the user turns it on.
"""

import atexit
import os
from pathlib import Path

from data.errors import UserError

DEFAULTS = {
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
}


def prepare_prefect() -> None:
    """Set what is not set yet. Call it before the first `import prefect`."""
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
    if "PREFECT_API_URL" not in os.environ:
        state = Path(os.environ.get("XDG_STATE_HOME", Path.home() / ".local" / "state"))
        home = Path(os.environ.setdefault("PREFECT_HOME", str(state / "fleetcast" / "prefect")))
        try:
            home.mkdir(parents=True, exist_ok=True)  # its server does not: it waits two minutes and gives up
        except OSError as error:
            raise UserError(
                f"Prefect cannot keep its state in {home}: {error.strerror}; set PREFECT_HOME to another one."
            ) from error


def server_is_configured() -> bool:
    """Return whether the user named a Prefect server of their own."""
    return "PREFECT_API_URL" in os.environ


def end_quietly() -> None:
    """Drop what is written to stderr after the last exit handler; call it before Prefect is imported.

    Prefect's daemon threads outlive the interpreter, so DuckDB's binding (nanobind) takes the types they hold for
    leaks and prints a page about it. Exit handlers run last in, first out: everything that was registered later,
    Prefect's own farewell included, is still heard.
    """
    atexit.register(lambda: os.dup2(os.open(os.devnull, os.O_WRONLY), 2))
