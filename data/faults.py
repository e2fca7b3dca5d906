"""What the machine may do to a store, in one sentence: a full, read-only or broken disk, too little memory."""

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from data.errors import UserError

_SAID = {
    errno.ENOSPC: "No space left on device",
    errno.EDQUOT: "Disk quota exceeded",
    errno.EFBIG: "File too large",
    errno.EROFS: "Read-only file system",
    errno.EACCES: "Permission denied",
    errno.EPERM: "Operation not permitted",
    errno.EIO: "Input/output error",
}
_ROOM_BYTES, _MOST_ROOM_BYTES = 8_000_000, 1_000_000_000
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def machine_faults(store: Path) -> Iterator[None]:
    """Turn what the disk of a store says into a UserError; other errors pass as they are."""
    try:
        yield
    except (OSError, duckdb.Error) as err:
        sentence = fault_sentence(store, err)
        if sentence is None:
            raise
        raise UserError(sentence) from err


def fault_sentence(store: Path, err: Exception) -> str | None:
    """Return what to tell the user of an error of the machine, None where it is none."""
    if isinstance(err, duckdb.OutOfMemoryException):
        said = str(err).splitlines()[0].rstrip(".")
        return f"There is too little memory or disk to work on {store} ({said}); free some and run it again."
    code = fault_code(err)
    if code is None:
        return None
    before = "what was stored before is as it was"
    if code in _FULL:
        return (
            f"The disk of {store} is full ({_SAID[code]}): {before}; free some space there, or name a --store on"
            " another disk, and run the same command again."
        )
    return (
        f"{store} cannot be written ({_SAID[code]}): {before}; make its folder writable, or name another --store."
    )


def require_room(store: Path) -> None:
    """Raise OSError (no space) where the disk has not enough room left to commit and fold the log in.

    A disk that fills up after a commit leaves the change in the log, neither lost nor as before: so ask in front.
    Folding in may write every block of the file again, which for big files it never does.
    """
    needed_bytes = _ROOM_BYTES + min(store.stat().st_size, _MOST_ROOM_BYTES)
    if shutil.disk_usage(store.parent).free < needed_bytes:
        raise OSError(errno.ENOSPC, _SAID[errno.ENOSPC], str(store))


def is_full(err: Exception) -> bool:
    """Return whether an error says that the disk is full."""
    return fault_code(err) in _FULL


def fault_code(err: Exception) -> int | None:
    """Return the error number that an error of the machine stands for; DuckDB only passes its text on."""
    if isinstance(err, OSError):
        return err.errno if err.errno in _SAID else None
    text = str(err)
    return next((code for code, said in _SAID.items() if said in text), None)
