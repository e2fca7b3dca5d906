"""Prefect's settings, put in place before it is imported.

What each is for was measured with Prefect 3.8 (docs/methodology.md, "Running under Prefect"): the embedded server
needs up to 20 s to start cold, and telemetry is off unless the user turns it on.
"""

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
                f"Prefect cannot keep its state in {home}: {error.strerror}; set PREFECT_HOME to a writable folder."
            ) from error


def server_is_configured() -> bool:
    """Return whether the user named a Prefect server of their own."""
    return "PREFECT_API_URL" in os.environ
