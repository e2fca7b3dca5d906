"""One writer at a time: a lock file beside the store that says which process holds it, and since when."""

import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from data.errors import UserError

T = TypeVar("T")

_POLL_S = 0.2


class StoreLockedError(UserError):
    """Another process writes to the store."""


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that wrote a lock file. `started` is its start in kernel ticks, so that a reused pid is seen."""

    pid: int
    host: str
    started: str | None
    since: str | None

    @property
    def alive(self) -> bool:
        """Return whether that process still runs; one on another host counts as alive, because nobody can tell."""
        if self.host != socket.gethostname():
            return True
        if Path("/proc/self/stat").exists():
            return _start_ticks(self.pid) == self.started
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True

    @property
    def gone(self) -> bool:
        """Return whether no process of this host has that pid."""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except (PermissionError, OverflowError):
            return False
        return False

    def sentence(self, store: Path, now: datetime | None) -> str:
        """Return who holds the store, since when, and the way out."""
        age = f", for {_age(self.since, now)}" if self.since and now else ""
        return (
            f"The store {store} is being written by process {self.pid} on {self.host}{age}:"
            f" wait until it ends, or remove {lock_path(store)} if that process is gone."
        )


def _say_nothing(_: str) -> None:
    """Wait in silence."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for a store that another process holds; `say` is told once who that is."""

    wait_s: float = 0.0
    say: Callable[[str], None] = _say_nothing

    def try_until(self, attempt: Callable[[], T]) -> T:
        """Return what the attempt returns; while the store is locked try again, then raise StoreLockedError."""
        waited_s = 0.0
        while True:
            try:
                return attempt()
            except StoreLockedError as err:
                if waited_s >= self.wait_s:
                    raise
                if waited_s == 0:
                    self.say(str(err))
            time.sleep(_POLL_S)
            waited_s += _POLL_S


AT_ONCE = Patience()
"""Do not wait: say who holds the store."""


def lock_path(store: Path) -> Path:
    """Return the lock file of a store."""
    return store.with_name(store.name + ".lock")


def read_holder(store: Path) -> Holder | None:
    """Return who holds the store, or None where nobody does. A lock file that cannot be read has no holder."""
    try:
        content: dict[str, Any] = json.loads(lock_path(store).read_text("utf-8"))
        return Holder(int(content["pid"]), str(content["host"]), content["started"], content["since"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


@contextmanager
def hold_lock(store: Path, now: datetime | None, patience: Patience = AT_ONCE) -> Iterator[None]:
    """Hold the store's lock file; a lock whose process is dead is taken over. Raises StoreLockedError."""
    lock = lock_path(store)
    mine = store.with_name(f"{store.name}.lock.{os.getpid()}")
    try:
        mine.write_text(json.dumps(_own(now)), "utf-8")
        patience.try_until(lambda: _take(store, mine, lock, now))
        try:
            _clear_up(store, mine)
            yield
        finally:
            lock.unlink(missing_ok=True)
    finally:
        mine.unlink(missing_ok=True)


def _take(store: Path, mine: Path, lock: Path, now: datetime | None) -> None:
    while not _link(mine, lock):
        holder = read_holder(store)
        if holder is not None and holder.alive:
            raise StoreLockedError(holder.sentence(store, now))
        _set_aside(store, lock, holder, now)


def _clear_up(store: Path, mine: Path) -> None:
    """Remove what killed processes left of their locks."""
    for path in store.parent.iterdir():
        left = path.name.startswith(f"{store.name}.lock.") and path != mine
        pid = path.name.rpartition(".")[2]
        if left and pid.isdecimal() and Holder(int(pid), socket.gethostname(), None, None).gone:
            path.unlink(missing_ok=True)


def _link(mine: Path, lock: Path) -> bool:
    """Make the lock file appear with its content in one step; False where one is there already."""
    try:
        os.link(mine, lock)
    except FileExistsError:
        return False
    return True


def _set_aside(store: Path, lock: Path, dead: Holder | None, now: datetime | None) -> None:
    """Take a dead lock away; if another process took it over in between, give it back and say so."""
    aside = store.with_name(f"{store.name}.lock.dead.{os.getpid()}")
    with suppress(FileNotFoundError):
        os.rename(lock, aside)
        taken = json.loads(aside.read_text("utf-8") or "{}") if dead is not None else {}
        if dead is not None and taken.get("pid") != dead.pid:
            _link(aside, lock)
            aside.unlink()
            raise StoreLockedError(Holder(int(taken["pid"]), str(taken["host"]), None, None).sentence(store, now))
        aside.unlink()


def _own(now: datetime | None) -> dict[str, Any]:
    return {
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "started": _start_ticks(os.getpid()),
        "since": now.isoformat() if now else None,
    }


def _start_ticks(pid: int) -> str | None:
    """Return when a process started, in kernel ticks; None where it is gone, a zombie, or nobody can tell."""
    try:
        state, *rest = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    except OSError:
        return None
    return None if state == "Z" else rest[18]


def _age(since: str, now: datetime) -> str:
    seconds = max(0, round((now - datetime.fromisoformat(since)).total_seconds()))
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min"
