"""A process that has imported everything and opened nothing: it forks one `fleetcast` for each line it reads.

Python and DuckDB take a second to import; a forked child has them, and is a process of its own that can be killed.
Run as a program: reads lines of JSON, {"argv": [...], "err": path}; writes the pid, and the status when it ended.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class Forked:
    """One command. pid: of its process; status: as waitpid gives it, negative where a signal ended it."""

    def __init__(self, nursery: "Nursery", pid: int, err: Path) -> None:
        self.nursery, self.pid, self._err = nursery, pid, err

    def kill(self) -> None:
        """End it at once, wherever it is; it may have ended by itself."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def wait(self) -> int:
        """Return the exit status, negative where a signal ended it."""
        return self.nursery.status_of(self.pid)

    @property
    def said(self) -> str:
        """What it printed to stderr."""
        return self._err.read_text("utf-8")


class Nursery:
    """The warm process, from the side of a test."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.count, self.ended = folder, 0, dict[int, int]()
        self.process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        assert self._line() == {"ready": True}

    def start(self, argv: Sequence[object]) -> Forked:
        """Fork a command and return at once."""
        self.count += 1
        err = self.folder / f"err-{self.count}"
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"argv": [str(each) for each in argv], "err": str(err)}) + "\n")
        self.process.stdin.flush()
        while "pid" not in (line := self._line()):
            self.ended[line["ended"]] = line["status"]
        return Forked(self, line["pid"], err)

    def run(self, *argv: object) -> Forked:
        """Fork a command and wait for its end."""
        child = self.start(argv)
        child.wait()
        return child

    def status_of(self, pid: int) -> int:
        """Wait until a child has ended; return its status, negative where a signal ended it."""
        while pid not in self.ended:
            line = self._line()
            self.ended[line["ended"]] = line["status"]
        return self.ended[pid]

    def close(self) -> None:
        """End the warm process."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(timeout=30)

    def _line(self) -> dict[str, int]:
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())


def _serve() -> None:
    import threading

    import flows.cli_data
    import flows.cli_store  # noqa: F401 - warm
    from flows.cli import main

    lock = threading.Lock()

    def say(**content: object) -> None:
        with lock:
            sys.stdout.write(json.dumps(content) + "\n")
            sys.stdout.flush()

    def reap(pid: int) -> None:
        status = os.waitpid(pid, 0)[1]
        say(ended=pid, status=os.waitstatus_to_exitcode(status))

    say(ready=True)
    for line in sys.stdin:
        asked = json.loads(line)
        with lock:  # so that the child is not born with it held
            pid = os.fork()
        if pid == 0:
            _be_the_command(main, asked)
        say(pid=pid)
        threading.Thread(target=reap, args=(pid,)).start()


def _be_the_command(main, asked) -> None:
    status = 99
    try:
        for number, path in ((1, os.devnull), (2, asked["err"])):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
        try:
            status = main(asked["argv"])
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 1
        except BaseException:
            import traceback

            traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(status)


def wait_until(condition, *, timeout_s: float) -> bool:
    """Poll as fast as can be; return whether the condition came true in time."""
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        if condition():
            return True
    return False


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    _serve()
